/*
 * Many clients in one process, which know just enough of the protocol (bench/frames.h).
 *
 *   bench-load hold ADDRESS N                    N connections, until the standard input ends
 *   bench-load drive ADDRESS N THREADS MS KIND   a call under way on each, for so long; KIND is
 *                                                viaduct or raw, which is only what the bytes are
 *   bench-load serve ADDRESS                     the raw server: one thread with epoll
 *
 * A real client is a process. A thousand of them would measure the scheduler, so the clients here
 * are alike for both servers, and what differs is the server.
 */
#include "bench/frames.h"
#include "bench/measure.h"

#include "core/wire/frame.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define N_EVENTS    64
#define MAX_SAMPLES 2000000u /* of a thread; later calls have none */

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "bench-load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int unix_socket(const char *address, struct sockaddr_un *name)
{
    *name = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (strncmp(address, "unix:", 5) != 0 || strlen(address + 5) >= sizeof(name->sun_path))
        die("the address is not unix:PATH, or too long");
    strcpy(name->sun_path, address + 5);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        die("socket");
    return descriptor;
}

/* --- a client --- */

struct client {
    int descriptor;
    bool is_raw;
    uint64_t call_id;
    uint64_t sent_ns;
    uint64_t n_calls;
    size_t have; /* of `frame` */
    uint8_t frame[FRAMES_MAX_FRAME];
};

static void send_all(int descriptor, const void *bytes, size_t size)
{
    if (send(descriptor, bytes, size, MSG_NOSIGNAL) != (ssize_t)size)
        die("send");
}

static void send_frames(struct client *client, struct buffer *frames)
{
    if (FAILED(buffer_result(frames)))
        die("frames");
    send_all(client->descriptor, frames->data, frames->size);
}

/* The kind of the frame that is there in whole, which is forgotten with it; 0: there is none yet.
 */
static int take_frame(struct client *client)
{
    size_t size = MEASURE_REPLY_SIZE;
    int kind = client->have >= size ? WIRE_REPLY : 0;
    if (!client->is_raw)
        kind = frames_read(client->frame, client->have, &size);
    if (kind < 0)
        die("the server refuses, or sends no frame of the protocol");
    if (kind != 0) {
        client->have -= size;
        memmove(client->frame, client->frame + size, client->have);
    }
    return kind;
}

static void receive_some(struct client *client)
{
    ssize_t n = recv(client->descriptor, client->frame + client->have,
                     sizeof(client->frame) - client->have, 0);
    if (n <= 0)
        die("the server is gone");
    client->have += (size_t)n;
}

static void open_client(struct client *client, const char *address, bool is_raw, bool calls)
{
    struct sockaddr_un name;
    struct buffer frames;
    *client = (struct client){.descriptor = unix_socket(address, &name), .is_raw = is_raw};
    if (connect(client->descriptor, (struct sockaddr *)&name, sizeof(name)) != 0)
        die("connect");
    if (is_raw)
        return;
    buffer_init(&frames, FRAMES_MAX_FRAME);
    frames_hello(&frames);
    send_frames(client, &frames);
    while (take_frame(client) != WIRE_HELLO_ANSWER)
        receive_some(client);
    buffer_clear(&frames);
    if (calls) {
        frames_interface(&frames);
        send_frames(client, &frames);
    }
    buffer_deinit(&frames);
}

static void begin_call(struct client *client)
{
    static const uint8_t raw[MEASURE_REQUEST_SIZE] = {1};
    uint8_t room[256];
    struct buffer frames;
    client->sent_ns = measure_now_ns();
    if (client->is_raw) {
        send_all(client->descriptor, raw, sizeof(raw));
        return;
    }
    buffer_init_in(&frames, sizeof(room), room, sizeof(room));
    frames_call(&frames, ++client->call_id, (uint64_t)(uintptr_t)client);
    send_frames(client, &frames);
    buffer_deinit(&frames);
}

/* --- a thread of clients --- */

struct driver {
    pthread_t thread;
    struct client *clients;
    size_t n_clients;
    uint64_t end_ns;
    uint64_t *samples_ns;
    size_t n_samples;
};

static void on_reply(struct driver *self, struct client *client)
{
    uint64_t now_ns = measure_now_ns();
    if (self->n_samples < MAX_SAMPLES)
        self->samples_ns[self->n_samples++] = now_ns - client->sent_ns;
    client->n_calls++;
    if (now_ns < self->end_ns)
        begin_call(client);
}

static void *run_clients(void *argument)
{
    struct driver *self = argument;
    struct epoll_event events[N_EVENTS];
    int poller = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < self->n_clients; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &self->clients[i]};
        if (epoll_ctl(poller, EPOLL_CTL_ADD, self->clients[i].descriptor, &event) != 0)
            die("epoll_ctl");
    }
    for (size_t i = 0; i < self->n_clients; i++)
        begin_call(&self->clients[i]);
    while (measure_now_ns() < self->end_ns) {
        int n = epoll_wait(poller, events, N_EVENTS, 10);
        for (int i = 0; i < n; i++) {
            struct client *client = events[i].data.ptr;
            int kind;
            receive_some(client);
            while ((kind = take_frame(client)) != 0)
                if (kind == WIRE_REPLY)
                    on_reply(self, client);
        }
    }
    close(poller);
    return NULL;
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void print_results(struct driver *drivers, size_t n_drivers, struct client *clients,
                          size_t n_clients, double seconds)
{
    uint64_t n_calls = 0;
    uint64_t least = UINT64_MAX;
    size_t n = 0;
    for (size_t i = 0; i < n_clients; i++) {
        n_calls += clients[i].n_calls;
        least = clients[i].n_calls < least ? clients[i].n_calls : least;
    }
    uint64_t *all = calloc(n_drivers, MAX_SAMPLES * sizeof(*all));
    if (all == NULL)
        die("samples");
    for (size_t i = 0; i < n_drivers; i++) {
        memcpy(all + n, drivers[i].samples_ns, drivers[i].n_samples * sizeof(*all));
        n += drivers[i].n_samples;
        free(drivers[i].samples_ns);
    }
    if (n == 0)
        die("no call was answered");
    qsort(all, n, sizeof(*all), compare);
    printf("rate=%.1f p50_us=%.1f p99_us=%.1f slowest=%.4f\n", (double)n_calls / seconds,
           (double)all[n / 2] / 1000, (double)all[n * 99 / 100] / 1000,
           (double)least * (double)n_clients / (double)n_calls);
    free(all);
}

static struct client *open_clients(const char *address, size_t n, bool is_raw, bool calls)
{
    struct client *clients = calloc(n, sizeof(*clients));
    if (clients == NULL)
        die("clients");
    for (size_t i = 0; i < n; i++)
        open_client(&clients[i], address, is_raw, calls);
    return clients;
}

static void drive(const char *address, size_t n_clients, size_t n_threads, uint64_t ms, bool is_raw)
{
    struct client *clients = open_clients(address, n_clients, is_raw, true);
    struct driver *drivers = calloc(n_threads, sizeof(*drivers));
    uint64_t started_ns = measure_now_ns();
    if (drivers == NULL)
        die("threads");
    for (size_t i = 0, first = 0; i < n_threads; i++) {
        size_t n = (n_clients - first) / (n_threads - i);
        drivers[i] = (struct driver){.clients = clients + first,
                                     .n_clients = n,
                                     .end_ns = started_ns + ms * UINT64_C(1000000),
                                     .samples_ns = malloc(MAX_SAMPLES * sizeof(uint64_t))};
        first += n;
        if (drivers[i].samples_ns == NULL ||
            pthread_create(&drivers[i].thread, NULL, run_clients, &drivers[i]) != 0)
            die("threads");
    }
    for (size_t i = 0; i < n_threads; i++)
        pthread_join(drivers[i].thread, NULL);
    print_results(drivers, n_threads, clients, n_clients,
                  (double)(measure_now_ns() - started_ns) / 1e9);
    free(drivers);
    free(clients);
}

/* --- the raw server --- */

static void serve_one(int descriptor)
{
    uint8_t request[MEASURE_REQUEST_SIZE];
    static const uint8_t reply[MEASURE_REPLY_SIZE];
    /* The clients write requests in whole, and wait for the reply. */
    if (recv(descriptor, request, sizeof(request), 0) != (ssize_t)sizeof(request))
        close(descriptor);
    else
        send(descriptor, reply, sizeof(reply), MSG_NOSIGNAL);
}

static void *run_server(void *argument)
{
    int listener = *(int *)argument;
    int poller = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
    struct epoll_event events[N_EVENTS];
    epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int n = epoll_wait(poller, events, N_EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.fd != listener) {
                serve_one(events[i].data.fd);
                continue;
            }
            event.data.fd = accept(listener, NULL, NULL);
            if (event.data.fd >= 0)
                epoll_ctl(poller, EPOLL_CTL_ADD, event.data.fd, &event);
        }
    }
    return NULL;
}

static void wait_for_end(void)
{
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
}

static void serve(const char *address)
{
    struct sockaddr_un name;
    pthread_t thread;
    int listener = unix_socket(address, &name);
    if (bind(listener, (struct sockaddr *)&name, sizeof(name)) != 0 || listen(listener, 1024) != 0)
        die(address);
    if (pthread_create(&thread, NULL, run_server, &listener) != 0)
        die("threads");
    wait_for_end();
    exit(0); /* with the thread, which has no end */
}

int main(int argc, char **argv)
{
    size_t n = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
    size_t n_threads = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
    if (argc == 3 && !strcmp(argv[1], "serve")) {
        serve(argv[2]);
    } else if (argc == 4 && !strcmp(argv[1], "hold") && n > 0) {
        struct client *clients = open_clients(argv[2], n, false, false);
        wait_for_end();
        free(clients);
    } else if (argc == 7 && !strcmp(argv[1], "drive") && n > 0 && n_threads > 0 && n_threads <= n) {
        drive(argv[2], n, n_threads, strtoul(argv[5], NULL, 10), !strcmp(argv[6], "raw"));
    } else {
        fprintf(stderr, "usage: bench-load serve ADDRESS | hold ADDRESS N | drive ADDRESS N "
                        "THREADS MS viaduct|raw\n");
        return 2;
    }
    return 0;
}
