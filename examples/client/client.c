/*
 * A client in C, the same on both systems: it gets objects by name and calls them through their
 * vtables. Whether they live in this process, in another one or under the other operating system,
 * only the name decides.
 *
 *     viaduct-client calculator Viaduct.Calculator
 *     viaduct-client sysinfo Viaduct.SysInfo@wine
 *     viaduct-client watch Viaduct.SysInfo@wine COUNT INTERVAL-MS
 *     viaduct-client listen Viaduct.Board@wine COUNT
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <viaduct/events.h>
#include <viaduct/runtime.h>

#include "board.h"
#include "calculator.h"
#include "listener.h"
#include "print.h"
#include "sysinfo.h"
#include "watcher.h"

static int fail(const char *what, HRESULT hr)
{
    const char *name = via_error_name(hr);
    char text[2048], code[16];

    snprintf(code, sizeof(code), "0x%08x", (unsigned)hr);
    fprintf(stderr, "viaduct-client: %s: %s (%s)\n", what,
            via_error_message(hr, text, sizeof(text)), name ? name : code);
    return 1;
}

/* Which process the object lives in: the proof that it is another one, and which system's. */
static void print_owner(IUnknown *object)
{
    struct via_peer_info peer = {.size = sizeof(peer)};

    if (via_get_peer(object, &peer) == S_OK)
        printf("object of process %u (%s%s) reached at %s\n", (unsigned)peer.process_id,
               peer.is_windows ? "Windows" : "Linux", peer.is_wine ? ", Wine" : "", peer.address);
}

static int use_calculator(const char *name)
{
    static const double values[] = {1, 2.5, 4};
    ICalculatorProgress *progress;
    ICalculator *calculator;
    double total = 0;
    LONG sum = 0;
    HRESULT hr = via_create_instance(name, &IID_ICalculator, (void **)&calculator);

    if (FAILED(hr))
        return fail(name, hr);
    print_owner((IUnknown *)calculator);
    hr = ICalculator_Add(calculator, 2, 40, &sum);
    if (SUCCEEDED(hr))
        printf("2 + 40 = %d\n", (int)sum);
    progress = SUCCEEDED(hr) ? watcher_new_progress() : NULL;
    if (progress) {
        hr = ICalculator_SumSlowly(calculator, 3, values, progress, &total);
        ICalculatorProgress_Release(progress);
    }
    if (SUCCEEDED(hr))
        printf("total = %g\n", total);
    ICalculator_Release(calculator);
    return SUCCEEDED(hr) ? 0 : fail("calculator", hr);
}

static int use_sysinfo(const char *name)
{
    struct SystemDescription system;
    struct ProcessDescription *processes = NULL;
    ULONG n_processes = 0;
    ISysInfo *sysinfo;
    HRESULT hr = via_create_instance(name, &IID_ISysInfo, (void **)&sysinfo);

    if (FAILED(hr))
        return fail(name, hr);
    print_owner((IUnknown *)sysinfo);
    hr = ISysInfo_Describe(sysinfo, &system);
    if (SUCCEEDED(hr))
        print_system(&system);
    if (SUCCEEDED(hr))
        hr = ISysInfo_ListProcesses(sysinfo, &n_processes, &processes);
    if (SUCCEEDED(hr))
        print_processes(n_processes, processes);
    ISysInfo_Release(sysinfo);
    return SUCCEEDED(hr) ? 0 : fail("sysinfo", hr);
}

static int watch(const char *name, ULONG count, ULONG interval_ms)
{
    ISysInfoWatcher *watcher;
    ISysInfo *sysinfo;
    HRESULT hr = via_create_instance(name, &IID_ISysInfo, (void **)&sysinfo);

    if (FAILED(hr))
        return fail(name, hr);
    print_owner((IUnknown *)sysinfo);
    /* As long as it takes: the samples show that it goes on. */
    via_proxy_set_deadline((IUnknown *)sysinfo, VIA_NO_DEADLINE);
    watcher = watcher_new();
    hr = watcher ? ISysInfo_Watch(sysinfo, count, interval_ms, watcher) : E_OUTOFMEMORY;
    if (watcher)
        ISysInfoWatcher_Release(watcher);
    ISysInfo_Release(sysinfo);
    if (FAILED(hr))
        return fail("watch", hr);
    printf("watched %u samples\n", (unsigned)count);
    return 0;
}

static void board_died(void *context, const char *reason)
{
    fprintf(stderr, "viaduct-client: the board is gone: %s\n", reason);
    *(atomic_bool *)context = true;
}

/* Until `count` posts have come, or the board's process has ended. */
static HRESULT wait_for_posts(IBoard *board, IBoardEvents *listener, ULONG count)
{
    atomic_bool is_gone = false;
    uint64_t watch;
    HRESULT hr = via_death_watch((IUnknown *)board, board_died, &is_gone, &watch);

    if (FAILED(hr))
        return hr;
    while (listener_count(listener) < count && !is_gone)
        usleep(10000);
    /* A callback that is under way still needs `is_gone`. */
    if (via_death_unwatch(watch) != S_OK)
        while (!is_gone)
            usleep(1000);
    return is_gone ? RPC_E_DISCONNECTED : S_OK;
}

static int listen_to(const char *name, ULONG count)
{
    IBoardEvents *listener = listener_new();
    IBoard *board;
    DWORD cookie;
    HRESULT hr = listener ? via_create_instance(name, &IID_IBoard, (void **)&board) : E_OUTOFMEMORY;

    if (SUCCEEDED(hr)) {
        print_owner((IUnknown *)board);
        hr = via_advise((IUnknown *)board, &IID_IBoardEvents, (IUnknown *)listener, &cookie);
        if (SUCCEEDED(hr)) {
            printf("listening\n");
            hr = wait_for_posts(board, listener, count);
            via_unadvise((IUnknown *)board, &IID_IBoardEvents, cookie);
        }
        IBoard_Release(board);
    }
    if (listener)
        IBoardEvents_Release(listener);
    return SUCCEEDED(hr) ? 0 : fail("listen", hr);
}

static int usage(FILE *to, int status)
{
    fputs("Usage: viaduct-client calculator CLASS\n"
          "       viaduct-client sysinfo CLASS\n"
          "       viaduct-client watch CLASS COUNT INTERVAL-MS\n"
          "       viaduct-client listen CLASS COUNT\n",
          to);
    return status;
}

static int run(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "calculator") == 0)
        return use_calculator(argv[2]);
    if (argc == 3 && strcmp(argv[1], "sysinfo") == 0)
        return use_sysinfo(argv[2]);
    if (argc == 5 && strcmp(argv[1], "watch") == 0)
        return watch(argv[2], (ULONG)strtoul(argv[3], NULL, 10), (ULONG)strtoul(argv[4], NULL, 10));
    if (argc == 4 && strcmp(argv[1], "listen") == 0)
        return listen_to(argv[2], (ULONG)strtoul(argv[3], NULL, 10));
    return usage(stderr, 2);
}

int main(int argc, char **argv)
{
    HRESULT hr;
    int status;

    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return usage(stdout, 0);
    if (argc < 3)
        return usage(stderr, 2);
    /* Lines appear as they are written, in a pipe too. */
    setvbuf(stdout, NULL, _IONBF, 0);
    hr = via_initialize(NULL);
    if (SUCCEEDED(hr))
        hr = via_register_typelib(&calculator_typelib);
    if (SUCCEEDED(hr))
        hr = via_register_typelib(&sysinfo_typelib);
    if (SUCCEEDED(hr))
        hr = via_register_typelib(&board_typelib);
    status = SUCCEEDED(hr) ? run(argc, argv) : fail("cannot join the runtime", hr);
    via_uninitialize();
    return status;
}
