/*
 * What a client does to its server, the same for every contender: one of
 *
 *   call ADDRESS CALLS          two-int calls, one after the other
 *   promise ADDRESS CALLS       gets an object and calls it, before it is there
 *   oneway ADDRESS CALLS        one-way calls in windows of MEASURE_WINDOW, then one call that says
 *                               that they have arrived
 *   payload ADDRESS CALLS SIZE  calls with so many bytes one way, which the server looks at
 *   inplace ADDRESS CALLS SIZE  the same; the bytes are copied once, to where the server reads them
 *   clients ADDRESS MS          two-int calls for so long, after a line on the standard input;
 *                               prints "calls=N"
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The contender's part. False: it failed, and has said why. */
struct workload_peer {
    bool (*call)(void *context, uint32_t i);
    bool (*notify)(void *context, uint32_t i); /* may be kept back until settle() */
    /* All notifications so far have arrived, and are `n`. */
    bool (*settle)(void *context, uint32_t n);
    bool (*sink)(void *context, const void *data, size_t size, uint32_t sum);
    /* Copies the bytes to where the server can read them, and calls; NULL: there is no such way. */
    bool (*sink_in_place)(void *context, const void *data, size_t size, uint32_t sum);
    bool (*server_cpu)(void *context, uint64_t *ns);
    bool (*get_and_call)(void *context, uint32_t i); /* NULL: there is no such way */
};

struct workload {
    bool (*run)(const struct workload *self, const struct workload_peer *peer, void *context);
    const char *address;
    size_t count; /* calls, or milliseconds */
    size_t size;
};

/* Of the command line; false: it is none. */
bool workload_parse(int argc, char **argv, struct workload *workload);
extern const char workload_usage[];

#endif
