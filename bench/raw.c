/*
 * The raw contender: a ping-pong of a call's bytes over the bare primitive. What Viaduct's figures
 * are divided by.
 *
 *   bench-raw serve ADDRESS            serves one client until it leaves
 *   bench-raw call ADDRESS CALLS       measures
 */
#include "bench/measure.h"
#include "bench/raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int serve(const char *address)
{
    uint8_t request[MEASURE_REQUEST_SIZE];
    uint8_t reply[MEASURE_REPLY_SIZE] = {0};
    struct raw_stream *stream = raw_serve(address);
    while (raw_receive(stream, request, sizeof(request)) && raw_send(stream, reply, sizeof(reply)))
        ;
    raw_close(stream);
    return 0;
}

static int round_trip(struct raw_stream *stream)
{
    uint8_t request[MEASURE_REQUEST_SIZE] = {1};
    uint8_t reply[MEASURE_REPLY_SIZE];
    return raw_send(stream, request, sizeof(request)) && raw_receive(stream, reply, sizeof(reply));
}

static int call(const char *address, size_t n_calls)
{
    struct raw_stream *stream = raw_connect(address);
    struct measure measure;
    measure_init(&measure, n_calls);
    for (size_t i = 0; i < n_calls / 10; i++)
        if (!round_trip(stream))
            return 1;
    measure_start(&measure);
    uint64_t before = measure.started_ns;
    for (size_t i = 0; i < n_calls; i++) {
        if (!round_trip(stream)) {
            fprintf(stderr, "bench-raw: the server is gone after %zu calls\n", i);
            return 1;
        }
        uint64_t after = measure_now_ns();
        measure_add(&measure, after - before);
        before = after;
    }
    measure_stop(&measure);
    measure_print(&measure);
    raw_close(stream);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "serve"))
        return serve(argv[2]);
    if (argc == 4 && !strcmp(argv[1], "call") && strtoul(argv[3], NULL, 10) > 0)
        return call(argv[2], strtoul(argv[3], NULL, 10));
    fprintf(stderr, "usage: bench-raw serve ADDRESS | bench-raw call ADDRESS CALLS\n");
    return 2;
}
