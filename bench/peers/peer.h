/*
 * What every peer has in common: the command line, and what a server does with a request.
 *
 *   bench-peer-NAME serve unix:PATH | WORKLOAD unix:PATH ...      as bench-raw; bench/workload.h
 */
#ifndef BENCH_PEERS_PEER_H
#define BENCH_PEERS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/workload.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Requests, where the peer itself knows nothing but messages. */
enum peer_kind { PEER_CALL, PEER_NOTIFY, PEER_SETTLE, PEER_SINK, PEER_CPU };

struct peer_request {
    uint32_t kind; /* enum peer_kind */
    uint32_t a;
    uint32_t b;
    uint32_t padding;
};

/* The answer to a request, and to the bytes behind it. Any thread. */
uint64_t peer_answer(const struct peer_request *request, const void *bytes, size_t size);

struct peer {
    const char *name;
    /* Listens at `path`, calls peer_ready(), and serves for ever. */
    void (*serve)(const char *path);
    /* What `calls` get as their context; NULL: it failed, and has said why. */
    void *(*connect)(const char *path);
    struct workload_peer calls;
};

int peer_main(const struct peer *peer, int argc, char **argv);
void peer_ready(void);
/* Prints it and ends the process. */
void peer_fail(const char *what, const char *why) __attribute__((noreturn));
/* Whether an answer is right; says so if not. */
bool peer_is_right(uint64_t value, uint64_t expected);

#ifdef __cplusplus
}
#endif

#endif
