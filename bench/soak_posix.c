/*
 * Clients of every kind that come and go, against one host with the component Calculator;
 * bench/soak.
 *
 *   bench-soak N [KINDS]   keeps N of them alive; each line on the standard input is a number of
 *                          milliseconds for which it does so. It then waits until all have ended,
 *                          and prints how many there were. KINDS: digits, only these kinds.
 *   bench-soak tables      prints the host's statistics, in JSON
 *
 * Each client is a process. Half of the kinds end as programs should; the others are killed at a
 * random time within a tenth of a second, wherever they are then.
 */
#include "bench/measure.h"
#include "calculator.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <viaduct/node.h>
#include <viaduct/runtime.h>

#define CLASS       "Viaduct.Calculator"
#define MAX_CLIENTS 64u
#define N_OBJECTS   20u
#define N_VALUES    8u
#define MAX_LIFE_MS 100u

extern const struct via_typelib calculator_typelib;

/* --- what a client does: false when a call has failed --- */

/* Passed to the component, which calls it. */
static HRESULT STDMETHODCALLTYPE Progress_QueryInterface(ICalculatorProgress *self, REFIID iid,
                                                         void **object)
{
    bool known = IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_ICalculatorProgress);
    *object = known ? self : NULL;
    return known ? S_OK : E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE Progress_AddRef(ICalculatorProgress *self)
{
    (void)self;
    return 2;
}

static ULONG STDMETHODCALLTYPE Progress_Release(ICalculatorProgress *self)
{
    (void)self;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Progress_Added(ICalculatorProgress *self, ULONG index,
                                                double value, double total)
{
    (void)self;
    (void)index;
    (void)value;
    (void)total;
    return S_OK;
}

static ICalculatorProgressVtbl progress_vtbl = {Progress_QueryInterface, Progress_AddRef,
                                                Progress_Release, Progress_Added};
static ICalculatorProgress progress = {&progress_vtbl};

static bool is_calling(ICalculator *calculator)
{
    LONG sum = 0;
    for (LONG i = 0; i < 200; i++)
        if (FAILED(ICalculator_Add(calculator, i, 1, &sum)) || sum != i + 1)
            return false;
    return true;
}

static bool is_called_back(ICalculator *calculator)
{
    double values[N_VALUES] = {1};
    double total = 0;
    for (int i = 0; i < 20; i++)
        if (FAILED(ICalculator_SumSlowly(calculator, N_VALUES, values, &progress, &total)) ||
            total != 1)
            return false;
    return true;
}

static bool is_creating(ICalculator *calculator)
{
    ICalculator *objects[N_OBJECTS] = {calculator};
    bool works = true;
    for (unsigned i = 0; i < N_OBJECTS && works; i++) {
        works = SUCCEEDED(via_create_instance(CLASS, &IID_ICalculator, (void **)&objects[i]));
        if (works && i % 2 == 0)
            ICalculator_Release(objects[i]); /* the others go with the process */
    }
    return works;
}

static void on_death(void *context, const char *reason)
{
    (void)context;
    (void)reason;
}

static bool is_watching(ICalculator *calculator)
{
    uint64_t cookie;
    double quotient;
    for (int i = 0; i < 20; i++)
        if (FAILED(via_death_watch((IUnknown *)calculator, on_death, NULL, &cookie)) ||
            via_death_unwatch(cookie) != S_OK ||
            SUCCEEDED(ICalculator_Divide(calculator, 1, 0, &quotient)))
            return false;
    return SUCCEEDED(via_death_watch((IUnknown *)calculator, on_death, NULL, &cookie));
}

static bool is_publishing(ICalculator *calculator)
{
    char name[32];
    char address[300];
    ICalculatorProgress *found = NULL;
    static unsigned number;
    (void)calculator;
    snprintf(name, sizeof(name), "soak-%u-%u", (unsigned)getpid(), number++);
    snprintf(address, sizeof(address), "unix:%s/%s", getenv("VIADUCT_RUNTIME_DIR"), name);
    bool works = (number > 1 || SUCCEEDED(via_listen(address))) &&
                 SUCCEEDED(via_publish(name, (IUnknown *)&progress)) &&
                 SUCCEEDED(via_lookup(name, &IID_ICalculatorProgress, (void **)&found));
    if (works)
        ICalculatorProgress_Release(found);
    if (works && number % 2 == 0)
        works = SUCCEEDED(via_withdraw(name)); /* of the others the owner's end does it */
    return works;
}

static bool (*const kinds[])(ICalculator *) = {is_calling, is_called_back, is_creating, is_watching,
                                               is_publishing};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int live(unsigned kind, bool ends)
{
    ICalculator *calculator = NULL;
    struct via_options options = {.size = sizeof(options), .agent = "bench-soak", .no_spin = 1};
    HRESULT hr = via_initialize(&options);
    if (SUCCEEDED(hr))
        hr = via_register_typelib(&calculator_typelib);
    if (SUCCEEDED(hr))
        hr = via_create_instance(CLASS, &IID_ICalculator, (void **)&calculator);
    bool works = SUCCEEDED(hr);
    do
        works = works && kinds[kind](calculator);
    while (works && !ends);
    if (!works) {
        char text[1024];
        fprintf(stderr, "bench-soak: a client of kind %u: %s\n", kind,
                via_error_message(E_FAIL, text, sizeof(text)));
    }
    if (calculator != NULL)
        ICalculator_Release(calculator);
    via_uninitialize();
    return !works;
}

/* The runtime knows INode, but does not export its name. */
static const IID iid_of_node = {
    0x8c1d5a34, 0x6f0b, 0x4b7e, {0x9a, 0x52, 0x3f, 0x6f, 0x0f, 0x2f, 0x1b, 0x01}};

static int print_tables(void)
{
    INode *node = NULL;
    BSTR text = NULL;
    char message[1024];
    struct via_options options = {.size = sizeof(options), .agent = "bench-soak"};
    HRESULT hr = via_initialize(&options);
    if (SUCCEEDED(hr))
        hr = via_host(&iid_of_node, (void **)&node);
    if (SUCCEEDED(hr))
        hr = INode_GetStatistics(node, &text);
    if (FAILED(hr)) {
        fprintf(stderr, "bench-soak: %s\n", via_error_message(hr, message, sizeof(message)));
        return 1;
    }
    for (size_t i = 0; text[i] != 0; i++)
        putchar((char)text[i]); /* ASCII, but for what agents call themselves */
    putchar('\n');
    SysFreeString(text);
    INode_Release(node);
    via_uninitialize();
    return 0;
}

/* --- many of them --- */

struct client {
    pid_t process; /* 0: there is none */
    uint64_t killed_ns;
    bool was_killed;
};

struct soak {
    struct client clients[MAX_CLIENTS];
    unsigned n_clients;
    const char *kinds;
    unsigned long n_started, n_killed, n_failed;
};

static void start(struct soak *soak, struct client *client)
{
    size_t n_kinds = strlen(soak->kinds);
    unsigned kind = (unsigned)(soak->kinds[soak->n_started % n_kinds] - '0') % N_KINDS;
    bool ends = soak->n_started / n_kinds % 2 == 0;
    uint64_t life_ns = (1 + (uint64_t)rand() % MAX_LIFE_MS) * UINT64_C(1000000);
    *client = (struct client){.process = fork(),
                              .killed_ns = ends ? UINT64_MAX : measure_now_ns() + life_ns};
    if (client->process == 0)
        _exit(live(kind, ends));
    if (client->process < 0)
        client->process = 0;
    else
        soak->n_started++;
}

/* Clients that have ended make room, and those whose time has come are killed. */
static unsigned look(struct soak *soak)
{
    unsigned n_alive = 0;
    for (unsigned i = 0; i < soak->n_clients; i++) {
        struct client *client = &soak->clients[i];
        int status;
        if (client->process == 0)
            continue;
        if (!client->was_killed && measure_now_ns() >= client->killed_ns) {
            kill(client->process, SIGKILL);
            client->was_killed = true;
        }
        if (waitpid(client->process, &status, WNOHANG) == 0) {
            n_alive++;
            continue;
        }
        soak->n_killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        soak->n_failed += !WIFSIGNALED(status) && WEXITSTATUS(status) != 0;
        client->process = 0;
    }
    return n_alive;
}

static void run(struct soak *soak, uint64_t ms)
{
    uint64_t end_ns = measure_now_ns() + ms * UINT64_C(1000000);
    while (measure_now_ns() < end_ns) {
        look(soak);
        for (unsigned i = 0; i < soak->n_clients; i++)
            if (soak->clients[i].process == 0)
                start(soak, &soak->clients[i]);
        usleep(1000);
    }
    while (look(soak) != 0)
        usleep(1000);
    printf("clients=%lu killed=%lu failed=%lu\n", soak->n_started, soak->n_killed, soak->n_failed);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    static struct soak soak;
    char line[32];
    if (argc == 2 && strcmp(argv[1], "tables") == 0)
        return print_tables();
    soak.n_clients = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    soak.kinds = argc > 2 && argv[2][0] != '\0' ? argv[2] : "01234";
    if (soak.n_clients == 0 || soak.n_clients > MAX_CLIENTS ||
        getenv("VIADUCT_RUNTIME_DIR") == NULL) {
        fprintf(stderr, "usage: VIADUCT_RUNTIME_DIR=DIR bench-soak N [KINDS]; N is at most %u\n",
                MAX_CLIENTS);
        return 2;
    }
    while (fgets(line, sizeof(line), stdin) != NULL)
        run(&soak, strtoul(line, NULL, 10));
    return 0;
}
