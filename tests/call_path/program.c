/*
 * Both ends of the process-level tests of the call path.
 *
 *   call-path [OPTION...] CASE ADDRESS [N]
 *
 *   serve       serves until its standard input ends
 *   nest        callbacks between both processes, as deep as is allowed and one deeper
 *   bulk        a MiB in and a MiB out, many threads, in both directions at once
 *   cancel      how long a cancel takes to the running method
 *   calls N     N calls, between two lines of its standard input
 *   promises N  the same, each on an object that it gets, calls before it is there, and releases
 *   busy MS     after a line of its standard input as many calls as go into that time
 *
 * Options: --no-spin, --workers N, --factor N (slow builds), --work MS (calls that keep a worker
 * for so long). A client that found all as it should be ends with the line "CASE: as it should be":
 * under Wine a crash can end with status 0.
 */
#include "tests/call_path/cases.h"
#include "tests/call_path/path_object.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/async.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/thread.h"

extern const struct via_typelib call_path_typelib;

struct arguments {
    struct via_options options;
    uint32_t factor;
    uint32_t work_ms;
    const char *name;
    const char *address;
    uint32_t number;
};

int path_fail(const char *what, HRESULT code)
{
    char text[1024];
    printf("  %s: %s (0x%08x)\n", what, via_error_message(code, text, sizeof text), (unsigned)code);
    return 1;
}

/* --- callbacks --- */

#define MAX_DEPTH 128

static bool nest(ICallPath *path, LONG depth)
{
    LONG sum = 0;
    ULONG stack_size = 0;
    HRESULT hr = ICallPath_Nest(path, path_object(), depth, &sum, &stack_size);
    if (FAILED(hr) || sum != depth * (depth + 1) / 2) {
        printf("  %d levels: the sum is %d\n", (int)depth, (int)sum);
        path_fail("nesting", hr);
        return false;
    }
    printf("  %d levels: the stack is %u bytes deep\n", (int)depth, (unsigned)stack_size);
    return true;
}

static bool nest_too_deep(ICallPath *path)
{
    LONG sum = 0;
    ULONG stack_size = 0;
    char text[1024];
    HRESULT hr = ICallPath_Nest(path, path_object(), MAX_DEPTH + 1, &sum, &stack_size);
    via_error_message(hr, text, sizeof text);
    printf("  %d levels: %s\n", MAX_DEPTH + 1, text);
    return hr == VIA_E_DEPTH && strstr(text, "more than 128 ") != NULL &&
           strstr(text, "nested") != NULL;
}

static int run_nest(ICallPath *path)
{
    bool good = true;
    /* Twice: what was refused must leave nothing behind. */
    for (int i = 0; i < 2; i++)
        good &= nest(path, 1) && nest(path, 64) && nest(path, MAX_DEPTH) && nest_too_deep(path);
    return good ? 0 : 1;
}

/* --- bulk --- */

#define BULK_SIZE    (1024u * 1024u)
#define BULK_THREADS 8u
#define BULK_CALLS   2u
#define SOCKET_SIZE  (64u * 1024u)

/* Small enough that both directions of a connection are full most of the time. */
static bool limit_buffers(ICallPath *path)
{
    struct via_peer_info peer = {.size = sizeof peer};
    ULONG n_there = 0;
    HRESULT hr = via_get_peer((IUnknown *)path, &peer);
    if (SUCCEEDED(hr))
        hr = ICallPath_LimitBuffers(path, SOCKET_SIZE, &n_there);
    if (FAILED(hr))
        return path_fail("limiting the buffers", hr) == 0;
    uint32_t n_here = path_limit_buffers(SOCKET_SIZE);
    printf("  sockets with buffers of 64 KiB: %u here, %u there\n", (unsigned)n_here,
           (unsigned)n_there);
    return n_there > 0 || peer.is_windows;
}

struct there_storm {
    ICallPath *path;
    HRESULT hr;
    ULONG n_right;
};

static void run_there_storm(void *argument)
{
    struct there_storm *there = argument;
    there->hr = ICallPath_Storm(there->path, path_object(), BULK_THREADS, BULK_CALLS, BULK_SIZE,
                                &there->n_right);
    if (FAILED(there->hr))
        path_fail("the calls from there", there->hr);
}

static int run_bulk(ICallPath *path)
{
    struct there_storm there = {.path = path};
    struct os_thread *thread;
    if (!limit_buffers(path))
        return 1;
    uint64_t started_ns = os_now_ns();
    HRESULT hr = os_thread_start(run_there_storm, &there, "there", &thread);
    if (FAILED(hr))
        return path_fail("a thread", hr);
    uint32_t n_right = path_storm(path, BULK_THREADS, BULK_CALLS, BULK_SIZE);
    os_thread_join(thread);
    printf("  right: %u calls from here, %u from there, of %u each, in %u ms\n", (unsigned)n_right,
           (unsigned)there.n_right, BULK_THREADS * BULK_CALLS,
           (unsigned)((os_now_ns() - started_ns) / 1000000));
    return n_right == BULK_THREADS * BULK_CALLS && there.n_right == n_right ? 0 : 1;
}

/* --- streams of calls, which a script looks at --- */

static HRESULT add_once(ICallPath *path, LONG i)
{
    LONG sum = 0;
    HRESULT hr = ICallPath_Add(path, i, 7, &sum);
    return SUCCEEDED(hr) && sum != i + 7 ? E_UNEXPECTED : hr;
}

static HRESULT get_and_add_once(ICallPath *path, LONG i)
{
    struct via_call *getting = NULL;
    ICallPath *other = NULL;
    HRESULT hr = ICallPath_GetOther_begin(path, &getting);
    if (SUCCEEDED(hr))
        hr = via_call_object(getting, 0, &IID_ICallPath, (void **)&other);
    if (SUCCEEDED(hr))
        hr = add_once(other, i);
    if (other != NULL)
        ICallPath_Release(other);
    via_call_release(getting);
    return hr;
}

static void say_and_wait(const char *line)
{
    int c;
    puts(line);
    fflush(stdout);
    while ((c = getchar()) != EOF && c != '\n')
        ;
}

static int run_calls(ICallPath *path, uint32_t n_calls, HRESULT (*once)(ICallPath *path, LONG i))
{
    HRESULT hr = S_OK;
    for (LONG i = 0; i < 500 && SUCCEEDED(hr); i++)
        hr = once(path, i);
    say_and_wait("ready");
    for (LONG i = 0; i < (LONG)n_calls && SUCCEEDED(hr); i++)
        hr = once(path, i);
    say_and_wait("done");
    return FAILED(hr) ? path_fail("calling", hr) : 0;
}

static int run_busy(ICallPath *path, uint32_t ms, uint32_t work_ms)
{
    HRESULT hr = S_OK;
    LONG n_calls = 0;
    uint64_t longest_ns = 0;
    for (LONG i = 0; i < 100 && SUCCEEDED(hr); i++)
        hr = add_once(path, i);
    say_and_wait("ready");
    uint64_t before_ns = os_now_ns();
    uint64_t end_ns = before_ns + ms * UINT64_C(1000000);
    while (SUCCEEDED(hr) && before_ns < end_ns) {
        hr = work_ms > 0 ? ICallPath_Work(path, work_ms) : add_once(path, n_calls);
        n_calls++;
        uint64_t after_ns = os_now_ns();
        longest_ns = after_ns - before_ns > longest_ns ? after_ns - before_ns : longest_ns;
        before_ns = after_ns;
    }
    printf("calls %d longest_us %u\n", (int)n_calls, (unsigned)(longest_ns / 1000));
    return FAILED(hr) ? path_fail("calling", hr) : 0;
}

/* --- the program --- */

static int serve(const char *address)
{
    HRESULT hr = via_set_root_object((IUnknown *)path_object());
    if (SUCCEEDED(hr))
        hr = via_listen(address);
    if (FAILED(hr))
        return path_fail(address, hr);
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    via_set_root_object(NULL);
    return 0;
}

static int run_case(const struct arguments *arguments, ICallPath *path)
{
    const char *name = arguments->name;
    if (!strcmp(name, "nest"))
        return run_nest(path);
    if (!strcmp(name, "bulk"))
        return run_bulk(path);
    if (!strcmp(name, "cancel"))
        return path_cancel(path, arguments->factor);
    if (!strcmp(name, "calls"))
        return run_calls(path, arguments->number, add_once);
    if (!strcmp(name, "promises"))
        return run_calls(path, arguments->number, get_and_add_once);
    if (!strcmp(name, "busy"))
        return run_busy(path, arguments->number, arguments->work_ms);
    printf("there is no case %s\n", name);
    return 2;
}

static int run(const struct arguments *arguments)
{
    ICallPath *path = NULL;
    if (!strcmp(arguments->name, "serve"))
        return serve(arguments->address);
    HRESULT hr = via_connect(arguments->address, &IID_ICallPath, (void **)&path);
    if (FAILED(hr))
        return path_fail(arguments->address, hr);
    int status = run_case(arguments, path);
    ICallPath_Release(path);
    if (status == 0)
        printf("%s: as it should be\n", arguments->name);
    return status;
}

static bool read_arguments(int argc, char **argv, struct arguments *arguments)
{
    struct via_options *options = &arguments->options;
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        bool has_value = i + 1 < argc;
        if (!strcmp(argv[i], "--no-spin"))
            options->no_spin = 1;
        else if (!strcmp(argv[i], "--workers") && has_value)
            options->max_workers = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--work") && has_value)
            arguments->work_ms = (uint32_t)strtoul(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--factor") && has_value)
            arguments->factor = (uint32_t)strtoul(argv[++i], NULL, 10);
        else
            return false;
    }
    if (argc - i < 2 || argc - i > 3)
        return false;
    arguments->name = argv[i];
    arguments->address = argv[i + 1];
    arguments->number = argc - i == 3 ? (uint32_t)strtoul(argv[i + 2], NULL, 10) : 0;
    return true;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.options = {.size = sizeof arguments.options}, .factor = 1};
    setvbuf(stdout, NULL, _IONBF, 0); /* whoever ends it has what it has said */
    if (!read_arguments(argc, argv, &arguments)) {
        fprintf(stderr, "usage: call-path [OPTION...] CASE ADDRESS [N]\n");
        return 2;
    }
    /* A deadlock ends as an error of the calls in it. */
    arguments.options.call_timeout_ms = 20000 * arguments.factor;
    HRESULT hr = via_initialize(&arguments.options);
    if (SUCCEEDED(hr))
        hr = via_register_typelib(&call_path_typelib);
    if (FAILED(hr))
        return path_fail("joining the runtime", hr);
    int status = run(&arguments);
    via_uninitialize();
    return status;
}
