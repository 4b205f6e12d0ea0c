/*
 * A client for test_host:
 *
 *     host_client block CLASS N     N threads call Watch of one SysInfo each, until they fail
 *     host_client loop CLASS S      calls Add of a calculator for S seconds, or until SIGTERM
 *     host_client factory CLASS     makes a calculator through its class object and calls Add
 *     host_client publish NAME      publishes an object and waits; listens at VIADUCT_TEST_ADDRESS,
 *                                   if that is set
 *     host_client hold CLASS NAME   makes an object, publishes it and waits
 *     host_client lookup NAME       looks it up
 *     host_client use NAME          looks it up, and calls it
 *     host_client withdraw NAME     takes the name away
 *     host_client watch S           tells what happens to names for S seconds, or until SIGTERM
 *     host_client traffic CLASS S   makes objects, calls and releases them for S seconds, or until
 *                                   SIGTERM, and accounts for each call; what fails is tried again
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <viaduct/events.h>
#include <viaduct/host.h>
#include <viaduct/implement.h>
#include <viaduct/node.h>
#include <viaduct/runtime.h>
#include <viaduct/value.h>

#include "calculator.h"
#include "examples/client/watcher.h"
#include "sysinfo.h"

static volatile sig_atomic_t stop;
static const char *class_name;

static void on_term(int number)
{
    (void)number;
    stop = 1;
}

static long long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int fail(HRESULT hr)
{
    char text[2048];

    printf("error: %s (0x%08x)\n", via_error_message(hr, text, sizeof(text)), (unsigned)hr);
    return 1;
}

static void *block(void *argument)
{
    ISysInfoWatcher *watcher = watcher_new();
    ISysInfo *sysinfo;
    char text[2048];
    HRESULT hr = via_create_instance(class_name, &IID_ISysInfo, (void **)&sysinfo);

    (void)argument;
    if (FAILED(hr)) {
        fail(hr);
        return NULL;
    }
    via_proxy_set_deadline((IUnknown *)sysinfo, VIA_NO_DEADLINE);
    printf("blocked\n");
    hr = ISysInfo_Watch(sysinfo, 2, 600000, watcher);
    printf("failed at %lld: %s (0x%08x)\n", now_ms(), via_error_message(hr, text, sizeof(text)),
           (unsigned)hr);
    ISysInfo_Release(sysinfo);
    ISysInfoWatcher_Release(watcher);
    return NULL;
}

static int run_block(int n_threads)
{
    pthread_t threads[16];

    for (int i = 0; i < n_threads; i++)
        pthread_create(&threads[i], NULL, block, NULL);
    for (int i = 0; i < n_threads; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

static int run_loop(int seconds)
{
    long long end = now_ms() + seconds * 1000LL;
    unsigned n_calls = 0, n_failures = 0;
    ICalculator *calculator;
    HRESULT hr = via_create_instance(class_name, &IID_ICalculator, (void **)&calculator);

    if (FAILED(hr))
        return fail(hr);
    while (!stop && now_ms() < end) {
        LONG sum = 0;

        hr = ICalculator_Add(calculator, 1, (LONG)n_calls, &sum);
        n_failures += FAILED(hr) || sum != (LONG)n_calls + 1;
        if (n_calls++ == 0)
            printf("calling\n");
        usleep(1000);
    }
    ICalculator_Release(calculator);
    printf("calls %u failures %u\n", n_calls, n_failures);
    return 0;
}

/* Makes a calculator through its class object. */
static int run_factory(void)
{
    IClassFactory *factory;
    ICalculator *calculator = NULL;
    LONG sum = 0;
    HRESULT hr = via_get_class_object(class_name, &IID_IClassFactory, (void **)&factory);

    if (FAILED(hr))
        return fail(hr);
    hr = IClassFactory_LockServer(factory, TRUE);
    if (SUCCEEDED(hr))
        hr = IClassFactory_CreateInstance(factory, NULL, &IID_ICalculator, (void **)&calculator);
    IClassFactory_LockServer(factory, FALSE);
    IClassFactory_Release(factory);
    if (SUCCEEDED(hr)) {
        hr = ICalculator_Add(calculator, 20, 22, &sum);
        ICalculator_Release(calculator);
    }
    if (FAILED(hr))
        return fail(hr);
    printf("%d\n", (int)sum);
    return 0;
}

static int run_publish(const char *name)
{
    IUnknown *object = (IUnknown *)watcher_new();
    const char *address = getenv("VIADUCT_TEST_ADDRESS");
    HRESULT hr = address ? via_listen(address) : S_OK;

    if (SUCCEEDED(hr))
        hr = via_publish(name, object);
    if (SUCCEEDED(hr)) {
        printf("published\n");
        sleep(60);
    }
    IUnknown_Release(object);
    return FAILED(hr) ? fail(hr) : 0;
}

/* The object is another process'; this one keeps it. */
static int run_hold(const char *name)
{
    IUnknown *object;
    HRESULT hr = via_create_instance(class_name, &IID_IUnknown, (void **)&object);

    if (FAILED(hr))
        return fail(hr);
    hr = via_publish(name, object);
    if (SUCCEEDED(hr)) {
        printf("published\n");
        sleep(60);
    }
    IUnknown_Release(object);
    return FAILED(hr) ? fail(hr) : 0;
}

static int run_lookup(const char *name)
{
    struct via_peer_info peer = {.size = sizeof(peer)};
    IUnknown *found;
    HRESULT hr = via_lookup(name, &IID_IUnknown, (void **)&found);

    if (FAILED(hr))
        return fail(hr);
    if (via_get_peer(found, &peer) == S_OK)
        printf("found an object of process %u\n", (unsigned)peer.process_id);
    IUnknown_Release(found);
    return 0;
}

static int run_use(const char *name)
{
    ISysInfoWatcher *found;
    HRESULT hr = via_lookup(name, &IID_ISysInfoWatcher, (void **)&found);

    if (SUCCEEDED(hr)) {
        hr = ISysInfoWatcher_Sampled(found, 7, 0, 1);
        ISysInfoWatcher_Release(found);
    }
    return FAILED(hr) ? fail(hr) : 0;
}

static int run_withdraw(const char *name)
{
    HRESULT hr = via_withdraw(name);

    return FAILED(hr) ? fail(hr) : 0;
}

static HRESULT tell(void *context, const char *method, const struct via_value *in,
                    struct via_value *out)
{
    const struct via_value *items = in->as.items; /* a name; a constant, by its name */

    (void)context;
    (void)out;
    if (strcmp(method, "Changed") != 0 || items[1].kind != VIA_VALUE_STRING)
        return E_NOTIMPL;
    printf("%s %s\n", items[1].as.string, items[0].as.string);
    return S_OK;
}

static int run_watch(int seconds)
{
    long long end = now_ms() + seconds * 1000LL;
    IUnknown *host = NULL, *sink = NULL;
    DWORD cookie;
    HRESULT hr = via_host(&IID_IUnknown, (void **)&host);

    if (SUCCEEDED(hr))
        hr = via_implement(&IID_IRunningEvents, NULL, tell, NULL, NULL, (void **)&sink);
    if (SUCCEEDED(hr))
        hr = via_advise(host, &IID_IRunningEvents, sink, &cookie);
    if (SUCCEEDED(hr)) {
        printf("watching\n");
        while (!stop && now_ms() < end)
            usleep(20000);
        hr = via_unadvise(host, &IID_IRunningEvents, cookie);
    }
    if (sink)
        IUnknown_Release(sink);
    if (host)
        IUnknown_Release(host);
    return FAILED(hr) ? fail(hr) : 0;
}

/* --- traffic --- */

#define CALL_MS 5000u

static struct {
    unsigned long n_started, n_returned, n_failed, n_wrong, n_unexplained;
    long long longest_ms;
} the_account;

static int account(long long began_ms, HRESULT hr, int is_right)
{
    long long took_ms = now_ms() - began_ms;
    char text[2048];

    the_account.n_started++;
    if (took_ms > the_account.longest_ms)
        the_account.longest_ms = took_ms;
    if (SUCCEEDED(hr)) {
        the_account.n_returned++;
        the_account.n_wrong += !is_right;
        return 1;
    }
    the_account.n_failed++;
    via_error_message(hr, text, sizeof(text));
    SetErrorInfo(0, NULL);
    if (!strchr(text, ' ')) { /* a code alone is no cause */
        the_account.n_unexplained++;
        printf("unexplained: %s (0x%08x)\n", text, (unsigned)hr);
    }
    return 0;
}

static void use_one_object(void)
{
    static const double values[] = {1, 2.5, 4};
    ICalculator *calculator = NULL;
    long long began = now_ms();
    HRESULT hr = via_create_instance(class_name, &IID_ICalculator, (void **)&calculator);

    if (!account(began, hr, calculator != NULL)) {
        usleep(10000);
        return;
    }
    for (LONG i = 0; i < 20; i++) {
        double total = 0;
        LONG sum = 0;

        began = now_ms();
        hr = ICalculator_Add(calculator, i, 2, &sum);
        if (!account(began, hr, sum == i + 2))
            break;
        began = now_ms();
        hr = ICalculator_Sum(calculator, 3, values, &total);
        if (!account(began, hr, total == 7.5))
            break;
    }
    ICalculator_Release(calculator);
}

static int run_traffic(int seconds)
{
    long long end = now_ms() + seconds * 1000LL;

    via_thread_set_deadline(CALL_MS);
    printf("traffic\n");
    while (!stop && now_ms() < end)
        use_one_object();
    printf("calls %lu returned %lu failed %lu wrong %lu unexplained %lu longest %lld ms\n",
           the_account.n_started, the_account.n_returned, the_account.n_failed, the_account.n_wrong,
           the_account.n_unexplained, the_account.longest_ms);
    return the_account.n_wrong || the_account.n_unexplained ||
           the_account.n_returned + the_account.n_failed != the_account.n_started;
}

static int run(char **argv)
{
    class_name = argv[2];
    if (strcmp(argv[1], "traffic") == 0)
        return run_traffic(atoi(argv[3]));
    if (strcmp(argv[1], "block") == 0)
        return run_block(atoi(argv[3]));
    if (strcmp(argv[1], "loop") == 0)
        return run_loop(atoi(argv[3]));
    if (strcmp(argv[1], "factory") == 0)
        return run_factory();
    if (strcmp(argv[1], "publish") == 0)
        return run_publish(argv[2]);
    if (strcmp(argv[1], "hold") == 0)
        return run_hold(argv[3]);
    if (strcmp(argv[1], "use") == 0)
        return run_use(argv[2]);
    if (strcmp(argv[1], "withdraw") == 0)
        return run_withdraw(argv[2]);
    if (strcmp(argv[1], "watch") == 0)
        return run_watch(atoi(argv[2]));
    return run_lookup(argv[2]);
}

int main(int argc, char **argv)
{
    HRESULT hr;
    int status;

    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGTERM, on_term);
    if (argc < 3 || (argc < 4 && strstr("block loop traffic hold", argv[1])))
        return 2;
    hr = via_initialize(NULL);
    if (SUCCEEDED(hr))
        hr = via_register_typelib(&calculator_typelib);
    if (SUCCEEDED(hr))
        hr = via_register_typelib(&sysinfo_typelib);
    status = FAILED(hr) ? fail(hr) : run(argv);
    via_uninitialize();
    return status;
}
