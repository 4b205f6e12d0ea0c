#include "bench/peers/peer.h"
#include "bench/measure.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint n_notified;

uint64_t peer_answer(const struct peer_request *request, const void *bytes, size_t size)
{
    switch (request->kind) {
    case PEER_CALL:
        return (uint64_t)request->a + request->b;
    case PEER_NOTIFY:
        atomic_fetch_add_explicit(&n_notified, 1, memory_order_relaxed);
        return 0;
    case PEER_SETTLE:
        return atomic_load(&n_notified);
    case PEER_SINK:
        return measure_sink(bytes, size);
    default:
        return measure_cpu_ns();
    }
}

void peer_ready(void)
{
    puts("ready");
    fflush(stdout);
}

void peer_fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

bool peer_is_right(uint64_t value, uint64_t expected)
{
    if (value != expected)
        fprintf(stderr, "a wrong answer\n");
    return value == expected;
}

/* A server ends with its standard input. */
static void *wait_for_end(void *argument)
{
    while (getchar() != EOF)
        ;
    _Exit(0);
    return argument;
}

int peer_main(const struct peer *peer, int argc, char **argv)
{
    struct workload workload;
    pthread_t thread;
    bool serves = argc == 3 && !strcmp(argv[1], "serve");
    const char *address = argc > 2 ? argv[2] : "";
    if ((!serves && !workload_parse(argc, argv, &workload)) || strncmp(address, "unix:", 5) != 0) {
        fprintf(stderr, "usage: bench-peer-%s serve ADDRESS | %s\n", peer->name, workload_usage);
        return 2;
    }
    if (serves) {
        if (pthread_create(&thread, NULL, wait_for_end, NULL) != 0)
            peer_fail(peer->name, "no thread");
        peer->serve(address + 5);
        return 1;
    }
    void *context = peer->connect(address + 5);
    return context == NULL || !workload.run(&workload, &peer->calls, context);
}
