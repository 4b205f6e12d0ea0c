/*
 * The raw contender: a call's bytes over the bare primitive, a thread for each client. What
 * Viaduct's figures are divided by.
 *
 *   bench-raw serve ADDRESS            serves until its standard input ends
 *   bench-raw WORKLOAD ADDRESS ...     measures; bench/workload.h
 *   bench-raw copies N SIZE            what copying and reading so many bytes takes by itself
 *
 * Of one-way calls a window is written at once, and the server reads whatever is there at once: the
 * best that a stream allows.
 */
#include "bench/measure.h"
#include "bench/raw.h"
#include "bench/workload.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { KIND_CALL, KIND_NOTIFY, KIND_SETTLE, KIND_SINK, KIND_CPU };

struct request {
    uint32_t kind;
    uint32_t a; /* KIND_SINK: how many bytes follow */
    uint8_t rest[MEASURE_REQUEST_SIZE - 8];
};

struct reply {
    uint64_t value;
    uint8_t rest[MEASURE_REPLY_SIZE - 8];
};

static bool receive_all(struct raw_stream *stream, void *data, size_t size)
{
    size_t have = 0;
    while (have < size) {
        int64_t n = raw_receive_some(stream, (char *)data + have, size - have);
        if (n <= 0)
            return false;
        have += (size_t)n;
    }
    return true;
}

/* --- the server --- */

#define MAX_PAYLOAD (16u << 20)

struct client {
    struct raw_stream *stream;
    uint32_t n_notified;
    uint8_t *payload; /* as large as the largest so far */
    size_t payload_size;
};

static bool make_room(struct client *client, size_t size)
{
    if (size <= client->payload_size)
        return true;
    if (size > MAX_PAYLOAD)
        return false;
    free(client->payload);
    client->payload = malloc(size);
    client->payload_size = client->payload ? size : 0;
    return client->payload != NULL;
}

/* The first `n_there` bytes of the payload are there already; returns how many it took of them, or
 * -1. */
static int64_t sink_payload(struct client *client, size_t size, const uint8_t *there,
                            size_t n_there, uint64_t *sum)
{
    size_t n = n_there < size ? n_there : size;
    if (!make_room(client, size))
        return -1;
    memcpy(client->payload, there, n);
    if (!receive_all(client->stream, client->payload + n, size - n))
        return -1;
    *sum = measure_sink(client->payload, size);
    return (int64_t)n;
}

/* Answers the first of the requests in `bytes`; returns how many bytes it took, or -1. */
static int64_t answer(struct client *client, const uint8_t *bytes, size_t size)
{
    struct request request;
    memcpy(&request, bytes, sizeof(request));
    struct reply reply = {.value = request.a + 7};
    int64_t n_payload = 0;
    if (request.kind == KIND_NOTIFY) {
        client->n_notified++;
        return sizeof(request);
    }
    if (request.kind == KIND_SETTLE)
        reply.value = client->n_notified;
    if (request.kind == KIND_CPU)
        reply.value = measure_cpu_ns();
    if (request.kind == KIND_SINK)
        n_payload = sink_payload(client, request.a, bytes + sizeof(request), size - sizeof(request),
                                 &reply.value);
    if (n_payload < 0 || !raw_send(client->stream, &reply, sizeof(reply)))
        return -1;
    return (int64_t)sizeof(request) + n_payload;
}

static void *serve_client(void *argument)
{
    struct client client = {.stream = argument};
    uint8_t bytes[64 * 1024];
    size_t have = 0;
    int64_t n;
    while ((n = raw_receive_some(client.stream, bytes + have, sizeof(bytes) - have)) > 0) {
        have += (size_t)n;
        size_t done = 0;
        while (n > 0 && have - done >= sizeof(struct request)) {
            n = answer(&client, bytes + done, have - done);
            done += n > 0 ? (size_t)n : 0;
        }
        if (n <= 0)
            break;
        have -= done;
        memmove(bytes, bytes + done, have);
    }
    raw_close(client.stream);
    free(client.payload);
    return NULL;
}

static void *accept_clients(void *address)
{
    for (;;) {
        pthread_t thread;
        struct raw_stream *stream = raw_serve(address);
        if (pthread_create(&thread, NULL, serve_client, stream) != 0)
            raw_close(stream);
        else
            pthread_detach(thread);
    }
    return NULL;
}

static int serve(char *address)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, accept_clients, address) != 0)
        return 1;
    while (getchar() != EOF)
        ;
    /* Clients that are left lose their server, as they should. */
    exit(0);
}

/* --- the client --- */

struct caller {
    struct raw_stream *stream;
    uint32_t n_waiting;
    struct request waiting[MEASURE_WINDOW + 1];
};

static bool ask(struct caller *caller, uint64_t *value)
{
    struct reply reply;
    size_t size = caller->n_waiting * sizeof(struct request);
    caller->n_waiting = 0;
    if (!raw_send(caller->stream, caller->waiting, size) ||
        !receive_all(caller->stream, &reply, sizeof(reply))) {
        fprintf(stderr, "bench-raw: the server is gone\n");
        return false;
    }
    *value = reply.value;
    return true;
}

static void put(struct caller *caller, enum kind kind, uint32_t a)
{
    struct request *request = &caller->waiting[caller->n_waiting++];
    request->kind = kind;
    request->a = a;
}

static bool is_right(uint64_t value, uint64_t expected)
{
    if (value != expected)
        fprintf(stderr, "bench-raw: a wrong answer\n");
    return value == expected;
}

static bool call(void *context, uint32_t i)
{
    uint64_t sum;
    put(context, KIND_CALL, i);
    return ask(context, &sum) && is_right(sum, i + 7);
}

static bool notify(void *context, uint32_t i)
{
    put(context, KIND_NOTIFY, i);
    return true;
}

static bool settle(void *context, uint32_t n)
{
    uint64_t n_there;
    put(context, KIND_SETTLE, 0);
    return ask(context, &n_there) && is_right(n_there, n);
}

static bool sink(void *context, const void *data, size_t size, uint32_t expected)
{
    struct caller *caller = context;
    uint64_t sum;
    struct request request = {.kind = KIND_SINK, .a = (uint32_t)size};
    struct reply reply;
    if (!raw_send(caller->stream, &request, sizeof(request)) ||
        !raw_send(caller->stream, data, size) ||
        !receive_all(caller->stream, &reply, sizeof(reply)))
        return false;
    sum = reply.value;
    return is_right(sum, expected);
}

static bool server_cpu(void *context, uint64_t *ns)
{
    put(context, KIND_CPU, 0);
    return ask(context, ns);
}

/* What bounds a payload that is copied once: the fastest copy and the fastest reading. */
static int measure_copies(size_t n, size_t size)
{
    uint8_t *from = malloc(size);
    uint8_t *to = malloc(size);
    uint32_t sum = 0;
    if (from == NULL || to == NULL || n == 0)
        return 1;
    memset(from, 1, size);
    memcpy(to, from, size);
    uint64_t start = measure_now_ns();
    for (size_t i = 0; i < n; i++) {
        from[i % size]++; /* each copy is another one: none is left out */
        memcpy(to, from, size);
        sum += to[size - 1];
    }
    uint64_t copied = measure_now_ns();
    for (size_t i = 0; i < n; i++) {
        to[i % size]++;
        sum += measure_sink(to, size);
    }
    uint64_t read = measure_now_ns();
    printf("copy_ns=%.1f read_ns=%.1f sum=%u\n", (double)(copied - start) / (double)n,
           (double)(read - copied) / (double)n, (unsigned)sum);
    free(from);
    free(to);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct workload_peer peer = {
        .call = call, .notify = notify, .settle = settle, .sink = sink, .server_cpu = server_cpu};
    static struct caller caller;
    struct workload workload;
    if (argc == 3 && !strcmp(argv[1], "serve"))
        return serve(argv[2]);
    if (argc == 4 && !strcmp(argv[1], "copies"))
        return measure_copies(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
    if (!workload_parse(argc, argv, &workload)) {
        fprintf(stderr, "usage: bench-raw serve ADDRESS | copies N SIZE | %s\n", workload_usage);
        return 2;
    }
    caller.stream = raw_connect(workload.address);
    bool works = workload.run(&workload, &peer, &caller);
    raw_close(caller.stream);
    return !works;
}
