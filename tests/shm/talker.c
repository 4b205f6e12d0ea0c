/*
 * Two programs that talk over the plugin `shm`, to be run on either side of the border:
 *
 *   shm_talker PLUGIN PATH serve          serves one client, and says how it ended
 *   shm_talker PLUGIN PATH talk           sends, compares the echo, passes a handle there and back,
 *                                         if handles can be passed
 *   shm_talker PLUGIN PATH die            ends in the middle of a message, without a good-bye
 *
 * The last line of output is "ok", or what went wrong.
 */
#include "core/os/clock.h"
#include "core/os/poller.h"
#include "core/os/thread.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "tests/os/descriptors.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_MESSAGES 3000u
#define BULK_SIZE  (8u << 20)
#define PATIENCE   20000u /* ms */

struct message {
    uint32_t number;
    uint32_t size; /* with this header */
    uint32_t n_handles;
    uint32_t is_last;
};

static struct os_poller *poller;
static _Atomic bool over;
static const struct via_transport *t;
static struct via_stream *stream;
static _Atomic unsigned n_readable;
static _Atomic unsigned n_writable;

static void fail(const char *what, HRESULT hr)
{
    char text[ERROR_TEXT_SIZE];
    printf("%s: %s\n", what, error_format(error_get(), hr, text, sizeof text));
    fflush(stdout);
    _Exit(1);
}

static void expect(const char *what, HRESULT hr)
{
    if (hr != S_OK)
        fail(what, hr);
}

static void run_reactor(void *argument)
{
    (void)argument;
    while (!over)
        os_poller_run_once(poller, OS_NEVER);
}

static void on_ready(void *token, uint32_t events)
{
    (void)token;
    if (events & VIA_READY_READ)
        n_readable++;
    if (events & VIA_READY_WRITE)
        n_writable++;
}

static void await_counter(const char *what, _Atomic unsigned *counter, unsigned n)
{
    uint64_t deadline = os_deadline_ms(PATIENCE);
    while (*counter < n) {
        if (os_now_ns() > deadline)
            fail(what, RPC_E_TIMEOUT);
        os_thread_yield();
    }
}

/* Sleeps until something comes, in one of the ways there are. */
static void sleep_for_bytes(uint32_t way)
{
    static unsigned n_armed;
    if (way % 3 == 0) {
        expect("arm", t->arm(stream, VIA_READY_READ));
        await_counter("report of bytes", &n_readable, ++n_armed);
    } else if (way % 3 == 1) {
        expect("wait", t->wait(stream, os_deadline_ms(PATIENCE)));
    } else {
        os_thread_yield();
    }
}

static void push(HRESULT hr)
{
    static unsigned n_armed;
    while (hr == VIA_S_WOULD_BLOCK) {
        expect("arm", t->arm(stream, VIA_READY_WRITE));
        await_counter("report of room", &n_writable, ++n_armed);
        hr = t->commit(stream, 0, NULL, 0, VIA_COMMIT_FLUSH);
    }
    expect("commit", hr);
}

static void send_message(const struct message *message, const uint8_t *payload,
                         const via_os_handle *handle)
{
    uint8_t *span;
    size_t room;
    expect("reserve", t->reserve(stream, message->size, &span, &room));
    memcpy(span, message, sizeof *message);
    memcpy(span + sizeof *message, payload, message->size - sizeof *message);
    push(t->commit(stream, message->size, handle, message->n_handles, VIA_COMMIT_FLUSH));
}

/* False: the peer has gone. */
static bool receive_message(struct message *message, uint8_t *payload, via_os_handle *handle)
{
    const uint8_t *span;
    size_t size;
    size_t want = sizeof *message;
    uint32_t way = 0;
    for (;;) {
        HRESULT hr = t->peek(stream, want, &span, &size);
        if (hr == RPC_E_DISCONNECTED)
            return false;
        if (hr == VIA_S_WOULD_BLOCK) {
            sleep_for_bytes(message->number + way++);
            continue;
        }
        expect("peek", hr);
        if (want == sizeof *message)
            memcpy(message, span, sizeof *message);
        if (message->size > SHRT_MAX || message->size < sizeof *message)
            fail("a message has a size that was never sent", E_FAIL);
        if (size >= message->size)
            break;
        want = message->size;
    }
    memcpy(payload, span + sizeof *message, message->size - sizeof *message);
    if (message->n_handles != 0)
        expect("take_handles", t->take_handles(stream, handle, 1));
    t->consume(stream, message->size);
    return true;
}

static void serve(const char *path)
{
    struct via_listen_options options = {sizeof options, VIA_ACCESS_SAME_USER, 4, 0};
    struct via_listener *listener;
    static uint8_t payload[SHRT_MAX];
    struct message message = {0};
    via_os_handle handle = -1;
    uint64_t deadline = os_deadline_ms(PATIENCE);
    HRESULT hr;
    expect("listen", t->listen(path, &options, on_ready, NULL, &listener));
    do
        hr = t->listener_accept(listener, &stream);
    while (hr == VIA_S_WOULD_BLOCK && os_now_ns() < deadline);
    expect("accept", hr);
    expect("set_ready", t->set_ready(stream, on_ready, NULL));
    bool finished = false;
    while (receive_message(&message, payload, &handle)) {
        send_message(&message, payload, &handle);
        if (message.n_handles != 0)
            descriptors_close(handle);
        finished = message.is_last;
    }
    printf("the client has %s\n", finished ? "finished" : "died");
    t->close(stream);
    t->listener_close(listener);
}

static void fill(uint8_t *payload, uint32_t size, uint32_t number)
{
    for (uint32_t i = 0; i < size; i++)
        payload[i] = (uint8_t)(number + i * 7);
}

static void exchange(const struct message *message, const via_os_handle *handle,
                     via_os_handle *returned)
{
    static uint8_t payload[SHRT_MAX];
    static uint8_t echo[SHRT_MAX];
    struct message answer = {.number = message->number};
    fill(payload, message->size, message->number);
    send_message(message, payload, handle);
    if (!receive_message(&answer, echo, returned))
        fail("the server has gone", RPC_E_DISCONNECTED);
    if (memcmp(&answer, message, sizeof answer) != 0 ||
        memcmp(payload, echo, message->size - sizeof answer) != 0)
        fail("the echo is another one", E_FAIL);
}

/* Much more than the rings hold, before anything of the echo is read. */
static void exchange_bulk(void)
{
    static uint8_t payload[SHRT_MAX];
    static uint8_t echo[SHRT_MAX];
    struct message message = {.size = 30000};
    uint32_t n = BULK_SIZE / message.size;
    uint32_t received = 0;
    for (uint32_t sent = 0; received < n;) {
        /* A window of ten keeps both rings full without stopping both sides. */
        if (sent < n && sent < received + 10) {
            message.number = sent++;
            fill(payload, message.size, message.number);
            send_message(&message, payload, NULL);
            continue;
        }
        struct message answer = {.number = received};
        if (!receive_message(&answer, echo, NULL) || answer.number != received)
            fail("bulk data came back in another order", E_FAIL);
        fill(payload, answer.size, received++);
        if (memcmp(payload, echo, answer.size - sizeof answer) != 0)
            fail("bulk data came back spoiled", E_FAIL);
    }
}

static void exchange_handle(void)
{
    intptr_t ends[2];
    struct message message = {N_MESSAGES, sizeof message + 1, 1, 0};
    via_os_handle returned = -1;
    uint8_t byte = 'h';
    if (!descriptors_pair(ends))
        fail("no descriptors", E_FAIL);
    via_os_handle handle = ends[1];
    exchange(&message, &handle, &returned);
    if (descriptors_write(returned, &byte, 1) != 1 || descriptors_read(ends[0], &byte, 1) != 1)
        fail("another handle came back", E_FAIL);
    descriptors_close(returned);
    descriptors_close(ends[0]);
    descriptors_close(ends[1]);
}

static void dial(const char *path)
{
    struct via_connect_options options = {sizeof options, 1, 0};
    uint64_t deadline = os_deadline_ms(PATIENCE);
    HRESULT hr;
    do {
        hr = t->connect(path, &options, &stream);
        if (hr != S_OK)
            os_sleep_ms(10);
    } while (hr != S_OK && os_now_ns() < deadline);
    expect("connect", hr);
    expect("set_ready", t->set_ready(stream, on_ready, NULL));
}

static void talk(const char *path)
{
    dial(path);
    for (uint32_t i = 0; i < N_MESSAGES; i++) {
        struct message message = {i, (uint32_t)sizeof message + i * 37 % 5000, 0, 0};
        exchange(&message, NULL, NULL);
    }
    exchange_bulk();
    if (t->max_handles > 0)
        exchange_handle();
    struct message last = {N_MESSAGES + 1, sizeof last, 0, 1};
    exchange(&last, NULL, NULL);
    t->close(stream);
}

static void die(const char *path)
{
    struct message message = {0, 1000, 0, 0};
    uint8_t *span;
    size_t room;
    dial(path);
    expect("reserve", t->reserve(stream, 500, &span, &room));
    memcpy(span, &message, sizeof message);
    expect("commit", t->commit(stream, 500, NULL, 0, VIA_COMMIT_FLUSH));
    printf("ok\n");
    fflush(stdout);
    _Exit(0);
}

int main(int argc, char **argv)
{
    struct os_thread *thread;
    struct plugin_set *set;
    if (argc != 4)
        return 2;
    expect("reactor", os_poller_new(&poller));
    expect("reactor", os_thread_start(run_reactor, NULL, "reactor", &thread));
    expect("plugins", plugin_set_new(poller, NULL, &set));
    expect("plugin", plugin_set_load(set, argv[1]));
    expect("plugin", plugin_set_find(set, "shm", &t));
    if (strcmp(argv[3], "serve") == 0)
        serve(argv[2]);
    else if (strcmp(argv[3], "talk") == 0)
        talk(argv[2]);
    else
        die(argv[2]);
    plugin_set_free(set);
    over = true;
    os_poller_wake(poller);
    os_thread_join(thread);
    os_poller_free(poller);
    printf("ok\n");
    return 0;
}
