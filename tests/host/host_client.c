/*
 * A client for test_host:
 *
 *     host_client block CLASS N     N threads call Watch of one SysInfo each, until they fail
 *     host_client loop CLASS S      calls Add of a calculator for S seconds, or until SIGTERM
 *     host_client factory CLASS     makes a calculator through its class object and calls Add
 *     host_client publish NAME      publishes an object and waits
 *     host_client lookup NAME       looks it up
 *     host_client withdraw NAME     takes the name away
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <viaduct/runtime.h>

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
        n_calls++;
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
    HRESULT hr = via_listen(getenv("VIADUCT_TEST_ADDRESS"));

    if (SUCCEEDED(hr))
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

static int run_withdraw(const char *name)
{
    HRESULT hr = via_withdraw(name);

    return FAILED(hr) ? fail(hr) : 0;
}

static int run(char **argv)
{
    class_name = argv[2];
    if (strcmp(argv[1], "block") == 0)
        return run_block(atoi(argv[3]));
    if (strcmp(argv[1], "loop") == 0)
        return run_loop(atoi(argv[3]));
    if (strcmp(argv[1], "factory") == 0)
        return run_factory();
    if (strcmp(argv[1], "publish") == 0)
        return run_publish(argv[2]);
    if (strcmp(argv[1], "withdraw") == 0)
        return run_withdraw(argv[2]);
    return run_lookup(argv[2]);
}

int main(int argc, char **argv)
{
    HRESULT hr;
    int status;

    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGTERM, on_term);
    if (argc < 3 || (argc < 4 && (strcmp(argv[1], "block") == 0 || strcmp(argv[1], "loop") == 0)))
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
