/*
 * Calls where the kernel refuses memory that is writable and executable at once, as hardened
 * systems do: typed proxies, callbacks, objects by name. Their code is made at run time, by libffi,
 * which then maps it twice.
 *
 * The refusal cannot be undone, and helper processes inherit it; so it has a program of its own.
 */
#include "tests/harness/harness.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <viaduct/implement.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/process.h"
#include "sink.h"
#include "tests/remote/fixture.h"

/* Linux 6.3; the headers may be older. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE              65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

/* Why it cannot be had, or NULL. */
static const char *refuse_writable_code(void)
{
    static bool is_refused;
    if (!is_refused && prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0L, 0L, 0L) != 0)
        return strerror(errno);
    is_refused = true;
    void *memory =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    munmap(memory, 4096);
    return "the kernel agrees, but maps writable code nevertheless";
}

static bool begin(void)
{
    const char *why_not = refuse_writable_code();
    if (why_not != NULL)
        harness_skip("prctl(PR_SET_MDWE): %s", why_not);
    return why_not == NULL && fixture_begin();
}

/* Mappings of a process that are writable and executable. */
static unsigned count_writable_code(unsigned pid)
{
    char path[64], line[512], flags[8];
    unsigned n = 0, n_lines = 0;
    snprintf(path, sizeof path, "/proc/%u/maps", pid);
    FILE *maps = fopen(path, "re");
    if (!CHECK_NOT_NULL(maps))
        return 0;
    for (; fgets(line, sizeof line, maps) != NULL; n_lines++)
        n += sscanf(line, "%*s %7s", flags) == 1 && flags[1] == 'w' && flags[2] == 'x';
    fclose(maps);
    CHECK(n_lines > 0);
    return n;
}

static void check_mappings(const struct peer_process *peer)
{
    CHECK_EQ(count_writable_code((unsigned)os_process_id()), 0);
    CHECK_EQ(count_writable_code(peer_pid(peer)), 0);
}

/* A method whose arguments are not all words: others need no code made at run time. */
static HRESULT scale(void *context, const char *method, const struct via_value *in,
                     struct via_value *out)
{
    ++*(int *)context;
    if (strcmp(method, "Scale") != 0)
        return E_UNEXPECTED;
    out->as.items[0].kind = VIA_VALUE_F64;
    out->as.items[0].as.f64 = in->as.items[0].as.f64 * (double)in->as.items[1].as.i64;
    return S_OK;
}

static bool start(struct peer_process *peer, IUnknown **root, IUnknown **sink, int *n_calls)
{
    *root = *sink = NULL;
    *n_calls = 0;
    return peer_launch_program(peer, "sink_peer", "sinks") &&
           peer_connect(peer, &IID_IUnknown, (void **)root) &&
           CHECK_OK(via_implement(&IID_ISink, *root, scale, n_calls, NULL, (void **)sink));
}

static void end(struct peer_process *peer, IUnknown *root, IUnknown *sink)
{
    if (sink != NULL)
        IUnknown_Release(sink);
    if (root != NULL)
        IUnknown_Release(root);
    peer_end(peer);
    fixture_end();
}

/* Closures of three kinds: ours of the peer's object, the peer's of our object, and our object's
 * own. */
TEST(calls_and_callbacks)
{
    struct peer_process peer;
    IUnknown *root, *sink;
    int n_calls;
    if (!begin())
        return;
    if (start(&peer, &root, &sink, &n_calls)) {
        ISinkCaller *caller = NULL;
        double result = 0;
        CHECK_OK(ISink_Scale((ISink *)sink, 1.5, 3, &result));
        CHECK(result == 4.5);
        CHECK_OK(via_register_typelib(&sink_typelib));
        CHECK_OK(IUnknown_QueryInterface(root, &IID_ISinkCaller, (void **)&caller));
        CHECK_OK(ISinkCaller_CallScale(caller, (ISink *)sink, 2.5, 5, &result));
        CHECK(result == 12.5);
        CHECK_EQ(n_calls, 2);
        /* The same by the description that is registered now, which has a vtable of its own. */
        ISink *registered = NULL;
        CHECK_OK(via_implement(&IID_ISink, NULL, scale, &n_calls, NULL, (void **)&registered));
        CHECK_OK(ISink_Scale(registered, 0.5, 8, &result));
        CHECK(result == 4);
        ISink_Release(registered);
        check_mappings(&peer);
        ISinkCaller_Release(caller);
    }
    end(&peer, root, sink);
}

TEST(calls_and_callbacks_by_name)
{
    struct peer_process peer;
    IUnknown *root, *sink;
    int n_calls;
    if (!begin())
        return;
    if (start(&peer, &root, &sink, &n_calls)) {
        struct via_value arguments = {0}, results = {0};
        CHECK_OK(via_value_from_json("[null, 2.5, 5]", &arguments));
        via_value_set_object(&arguments.as.items[0], sink);
        CHECK_OK(via_invoke_values(root, &IID_ISinkCaller, "CallScale", &arguments, &results));
        CHECK(results.n == 1 && results.as.items[0].as.f64 == 12.5);
        CHECK_EQ(n_calls, 1);
        check_mappings(&peer);
        via_value_clear(&arguments);
        via_value_clear(&results);
    }
    end(&peer, root, sink);
}

HARNESS_MAIN("closures", TEST_ENTRY(calls_and_callbacks), TEST_ENTRY(calls_and_callbacks_by_name))
