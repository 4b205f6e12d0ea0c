#include "tests/remote/fixture.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "com/abi/error_border.h"
#include "core/os/clock.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"

bool fixture_begin(void)
{
    return CHECK_OK(via_initialize(NULL)) && CHECK_OK(via_register_typelib(&remote_test_typelib));
}

void fixture_end(void)
{
    via_uninitialize();
    error_border_clear(); /* what the last failure left would count as what the test leaves */
}

void fresh_address(char *address, size_t size, const char *name)
{
    static atomic_uint n;
    unsigned number = atomic_fetch_add(&n, 1);
    if (os_path_separator == '\\')
        snprintf(address, size, "pipe:viaduct-test-%u-%u-%s", (unsigned)os_process_id(), number,
                 name);
    else
        snprintf(address, size, "unix:%s/%u-%s.sock", harness_temporary_directory(), number, name);
}

static bool is_native;

void fixture_launch_native(bool native)
{
    is_native = native;
}

static void note_combination(unsigned n, const char *const *names, unsigned windows)
{
    char text[256] = "";
    for (unsigned i = 0; i < n; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s %s", i > 0 ? ", " : "",
                 names[i], windows >> i & 1 ? "Windows" : "native");
    harness_note("%s", text);
}

void fixture_for_each_combination(unsigned n, const char *const *names,
                                  void (*test)(unsigned windows))
{
    CLEANUP(cleanup_free) char *tree = os_environment("VIADUCT_TEST_WINDOWS");
    for (unsigned windows = 0; windows < (tree != NULL ? 1u << n : 1u); windows++) {
        note_combination(n, names, windows);
        if (CHECK(fixture_begin())) {
            test(windows);
            fixture_end();
        }
    }
    is_native = false;
}

bool peer_launch_one_of(struct peer_process *peer, unsigned windows, unsigned i, const char *name)
{
    is_native = !(windows >> i & 1);
    return peer_launch(peer, name);
}

bool peer_launch_program(struct peer_process *peer, const char *program, const char *name)
{
    char address[sizeof peer->address];
    fresh_address(address, sizeof address, name);
    return peer_launch_at(peer, program, address, name);
}

bool peer_launch_at(struct peer_process *peer, const char *program, const char *address,
                    const char *name)
{
    char path[1024];
    char run_wine[1024];
    char prefix[1024];
    char factor[64];
    CLEANUP(cleanup_free) char *windows = is_native ? NULL : os_environment("VIADUCT_TEST_WINDOWS");
    memset(peer, 0, sizeof *peer);
    peer->is_foreign = windows != NULL;
    snprintf(peer->address, sizeof peer->address, "%s", address);
    snprintf(path, sizeof path, "%s/tests/%s%s", windows != NULL ? windows : TEST_BINARY_DIRECTORY,
             program, windows != NULL || os_path_separator == '\\' ? ".exe" : "");
    snprintf(run_wine, sizeof run_wine, "%s/tests/run_wine", TEST_SOURCE_DIRECTORY);
    snprintf(prefix, sizeof prefix, "%s/wineprefix", windows != NULL ? windows : "");
    snprintf(factor, sizeof factor, "VIADUCT_TEST_FACTOR=%u", harness_time_factor());
    const char *const arguments[] = {run_wine, "--prefix",    prefix, "--running",
                                     path,     peer->address, name,   NULL};
    const char *const first[] = {run_wine, "--prefix", prefix, path, peer->address, name, NULL};
    const char *const environment[] = {factor, NULL};
    static atomic_bool wine_runs;
    bool is_first = windows != NULL && !atomic_exchange(&wine_runs, true);
    const struct os_spawn_options options = {.arguments = windows == NULL ? arguments + 4
                                                          : is_first      ? first
                                                                          : arguments,
                                             .environment = environment};
    HRESULT hr = os_process_spawn(&options, &peer->process);
    if (FAILED(hr)) {
        char reason[ERROR_TEXT_SIZE];
        FAIL("%s", error_format(error_get(), hr, reason, sizeof reason));
    }
    return SUCCEEDED(hr);
}

bool peer_launch(struct peer_process *peer, const char *name)
{
    return peer_launch_program(peer, "remote_peer", name);
}

HRESULT peer_try_connect(struct peer_process *peer, const GUID *iid, void **root)
{
    /* Under Wine a start takes long where much else runs. */
    uint64_t end = os_deadline_ms((peer->is_foreign ? 60000 : 10000) * harness_time_factor());
    HRESULT hr;
    do {
        hr = via_connect(peer->address, iid, root);
        if (FAILED(hr))
            os_sleep_ms(5);
    } while (FAILED(hr) && os_now_ns() < end);
    if (SUCCEEDED(hr))
        error_border_clear(); /* of the attempts before: it would count as what the test leaves */
    return hr;
}

bool peer_connect(struct peer_process *peer, const GUID *iid, void **root)
{
    HRESULT hr = peer_try_connect(peer, iid, root);
    if (FAILED(hr)) {
        struct os_exit_status status;
        bool has_ended = os_process_wait(peer->process, os_now_ns(), &status) == S_OK;
        FAIL("the helper process %s: %s", has_ended ? "has ended" : "runs and does not answer",
             error_text(hr));
    }
    return SUCCEEDED(hr);
}

bool peer_start(struct peer_process *peer, const char *name)
{
    return peer_launch(peer, name) && peer_connect(peer, &IID_ITestObject, (void **)&peer->root);
}

unsigned peer_pid(const struct peer_process *peer)
{
    return os_process_pid(peer->process);
}

unsigned peer_own_pid(const struct peer_process *peer)
{
    ITestObject *root = NULL;
    ULONG pid = 0;
    if (!peer->is_foreign)
        return peer_pid(peer);
    if (CHECK_OK(via_connect(peer->address, &IID_ITestObject, (void **)&root))) {
        CHECK_OK(ITestObject_GetProcessId(root, &pid));
        ITestObject_Release(root);
    }
    return pid;
}

void peer_kill(struct peer_process *peer)
{
    struct os_exit_status status;
    if (peer->process == NULL)
        return;
    os_process_kill(peer->process);
    os_process_wait(peer->process, os_deadline_ms(5000), &status);
}

void peer_end(struct peer_process *peer)
{
    if (peer->root != NULL)
        ITestObject_Release(peer->root);
    peer_kill(peer);
    if (peer->process != NULL)
        os_process_free(peer->process);
    memset(peer, 0, sizeof *peer);
}

BSTR address_bstr(const char *address)
{
    size_t n = strlen(address);
    BSTR string = SysAllocStringLen(NULL, (UINT)n);
    for (size_t i = 0; string != NULL && i < n; i++)
        string[i] = (WCHAR)address[i];
    return string;
}

const char *error_text(HRESULT hr)
{
    static _Thread_local char text[2048];
    return via_error_message(hr, text, sizeof text);
}
