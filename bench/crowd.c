/*
 * Many clients in one process, over any transport and on either system; see bench/frames.h for what
 * they know of the protocol.
 *
 *   bench-crowd hold ADDRESS N              N connections, until the standard input ends
 *   bench-crowd drive ADDRESS N THREADS MS  rounds of calls for so long: each thread sends one for
 *                                           each of its clients, then takes the replies
 *
 * bench-load drives faster, but knows only Unix sockets, and only on Linux.
 */
#include "bench/frames.h"
#include "bench/measure.h"

#include "core/os/clock.h"
#include "core/os/path.h"
#include "core/os/poller.h"
#include "core/os/thread.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "core/wire/frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 30000u

struct client {
    struct via_stream *stream;
    uint64_t call_id;
    uint64_t n_calls;
};

static const struct via_transport *transport;
static struct os_poller *poller;

static _Noreturn void die(const char *what, HRESULT hr)
{
    char text[ERROR_TEXT_SIZE];
    fprintf(stderr, "bench-crowd: %s: %s\n", what,
            error_format(error_get(), hr, text, sizeof(text)));
    exit(1);
}

static void expect(const char *what, HRESULT hr)
{
    if (hr != S_OK)
        die(what, hr);
}

static void run_reactor(void *unused)
{
    (void)unused;
    for (;;)
        os_poller_run_once(poller, OS_NEVER);
}

static void do_nothing(void *token, uint32_t events)
{
    (void)token;
    (void)events;
}

/* The process ends with its streams, its reactor and its plugins. */
static const char *set_up(const char *address)
{
    struct os_thread *thread;
    struct plugin_set *plugins;
    const char *rest;
    char *directory = os_path_runtime(false);
    expect("reactor", os_poller_new(&poller));
    expect("reactor", os_thread_start(run_reactor, NULL, "reactor", &thread));
    expect("plugins", plugin_set_new(poller, directory, &plugins));
    expect("plugins", plugin_set_search(plugins, VIADUCT_PLUGIN_DIRECTORY));
    expect(address, plugin_set_resolve(plugins, address, &transport, &rest));
    free(directory);
    return rest;
}

/* --- a client --- */

static void send_all(struct client *client, struct buffer *frames)
{
    uint8_t *span;
    size_t room;
    expect("frames", buffer_result(frames));
    expect("send", transport->reserve(client->stream, frames->size, &span, &room));
    memcpy(span, frames->data, frames->size);
    expect("send", transport->commit(client->stream, frames->size, NULL, 0, VIA_COMMIT_FLUSH));
    buffer_clear(frames);
}

/* Takes frames until one of that kind has been there. */
static void await_frame(struct client *client, int wanted)
{
    uint64_t deadline_ns = os_deadline_ms(PATIENCE_MS);
    size_t want = 1;
    int kind = 0;
    while (kind != wanted) {
        const uint8_t *span;
        size_t size;
        size_t frame_size = WIRE_HEADER_SIZE;
        HRESULT hr = transport->peek(client->stream, want, &span, &size);
        if (hr == VIA_S_WOULD_BLOCK) {
            expect("wait", transport->wait(client->stream, deadline_ns));
            continue;
        }
        expect("receive", hr);
        kind = frames_read(span, size, &frame_size);
        if (kind < 0)
            die("the server refuses, or speaks another protocol", E_FAIL);
        want = kind == 0 ? frame_size : 1;
        if (kind != 0)
            transport->consume(client->stream, frame_size);
    }
}

static void open_client(struct client *client, const char *address, bool calls)
{
    const struct via_connect_options options = {sizeof(options), 1, 0};
    uint64_t end_ns = os_deadline_ms(PATIENCE_MS);
    struct buffer frames;
    HRESULT hr;
    while ((hr = transport->connect(address, &options, &client->stream)) == VIA_S_WOULD_BLOCK &&
           os_now_ns() < end_ns)
        os_sleep_ms(1);
    expect(address, hr);
    expect("stream", transport->set_ready(client->stream, do_nothing, NULL));
    buffer_init(&frames, FRAMES_MAX_FRAME);
    frames_hello(&frames);
    send_all(client, &frames);
    await_frame(client, WIRE_HELLO_ANSWER);
    if (calls) {
        frames_interface(&frames);
        send_all(client, &frames);
    }
    transport->park(client->stream);
    buffer_deinit(&frames);
}

static struct client *open_clients(const char *address, size_t n, bool calls)
{
    struct client *clients = calloc(n, sizeof(*clients));
    if (clients == NULL)
        die("clients", E_OUTOFMEMORY);
    for (size_t i = 0; i < n; i++)
        open_client(&clients[i], address, calls);
    return clients;
}

/* --- rounds --- */

struct driver {
    struct os_thread *thread;
    struct client *clients;
    size_t n_clients;
    uint64_t end_ns;
    uint64_t n_rounds;
};

static void run_clients(void *argument)
{
    struct driver *self = argument;
    struct buffer frames;
    buffer_init(&frames, FRAMES_MAX_FRAME);
    do { /* one round at least: everybody is served */
        for (size_t i = 0; i < self->n_clients; i++) {
            struct client *client = &self->clients[i];
            frames_call(&frames, ++client->call_id, (uint64_t)(uintptr_t)client);
            send_all(client, &frames);
        }
        for (size_t i = 0; i < self->n_clients; i++) {
            await_frame(&self->clients[i], WIRE_REPLY);
            self->clients[i].n_calls++;
        }
        self->n_rounds++;
    } while (measure_now_ns() < self->end_ns);
    buffer_deinit(&frames);
}

static void drive(const char *address, size_t n_clients, size_t n_threads, uint64_t ms)
{
    uint64_t opening_ns = measure_now_ns();
    struct client *clients = open_clients(address, n_clients, true);
    struct driver *drivers = calloc(n_threads, sizeof(*drivers));
    uint64_t started_ns = measure_now_ns();
    uint64_t n_calls = 0;
    if (drivers == NULL)
        die("threads", E_OUTOFMEMORY);
    for (size_t i = 0, first = 0; i < n_threads; i++) {
        size_t n = (n_clients - first) / (n_threads - i);
        drivers[i] = (struct driver){.clients = clients + first,
                                     .n_clients = n,
                                     .end_ns = started_ns + ms * UINT64_C(1000000)};
        first += n;
        expect("threads", os_thread_start(run_clients, &drivers[i], "clients", &drivers[i].thread));
    }
    for (size_t i = 0; i < n_threads; i++)
        os_thread_join(drivers[i].thread);
    double seconds = (double)(measure_now_ns() - started_ns) / 1e9;
    for (size_t i = 0; i < n_clients; i++)
        n_calls += clients[i].n_calls;
    printf("rate=%.1f served=%zu open_s=%.2f\n", (double)n_calls / seconds, n_clients,
           (double)(started_ns - opening_ns) / 1e9);
}

int main(int argc, char **argv)
{
    size_t n = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    size_t n_threads = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
    if (argc == 4 && !strcmp(argv[1], "hold") && n > 0) {
        open_clients(set_up(argv[2]), n, false);
        puts("ready");
        fflush(stdout);
        while (getchar() != EOF)
            ;
    } else if (argc == 6 && !strcmp(argv[1], "drive") && n > 0 && n_threads > 0 && n_threads <= n) {
        drive(set_up(argv[2]), n, n_threads, strtoul(argv[5], NULL, 10));
    } else {
        fprintf(stderr, "usage: bench-crowd hold ADDRESS N | drive ADDRESS N THREADS MS\n");
        return 2;
    }
    fflush(stdout);
    _Exit(0); /* with the reactor, which has no end */
}
