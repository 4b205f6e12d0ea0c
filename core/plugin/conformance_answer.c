/*
 * The peer of a conformance run: holds ends of streams for a suite in another process, and does
 * with them what the suite says (conformance_lines.h).
 *
 * It judges nothing: every operation's result goes back as it is. One thread reads what is asked
 * and carries it out in order; a wait has a thread of its own, since the suite may interrupt it.
 */
#include "core/plugin/conformance_parts.h"

#include "core/os/clock.h"
#include "core/os/module.h"
#include "core/plugin/conformance_lines.h"
#include "core/plugin/conformance_reactor.h"
#include "core/plugin/host_table.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_HANDLES 253

/* The process is one peer of one suite. Set before the first question, but for: */
static struct os_mutex writing = OS_MUTEX_INITIALIZER; /* standard output */
static const struct via_plugin *plugin;
static const struct conformance_side *own; /* from "begin" on */

/* A stream or listener, by the suite's number. The reading thread's, but for what is said. */
struct held {
    struct held *next;
    uint32_t id;
    struct via_stream *stream;
    struct via_listener *listener;
    uint8_t *span; /* reserved */
    size_t span_size;
    struct os_thread
        *waiter; /* NULL: it does not wait; the next three are the waiter's meanwhile */
    uint32_t question;
    uint64_t deadline_ns;
};
static struct held *all;

struct question {
    uint32_t number;
    char *at; /* what follows the verb */
    struct held *held;
};

/* --- answers --- */

static void answer_begin(uint32_t number, HRESULT hr)
{
    char text[ERROR_TEXT_SIZE];
    os_mutex_lock(&writing);
    printf("%" PRIu32 " %" PRIx32, number, (uint32_t)hr);
    if (FAILED(hr)) {
        error_format(error_get(), hr, text, sizeof text);
        text[strcspn(text, "\r\n")] = 0;
        printf(" %s", text);
    }
}

static void answer_end(void)
{
    putchar('\n');
    fflush(stdout);
    os_mutex_unlock(&writing);
}

static void answer(const struct question *q, HRESULT hr)
{
    answer_begin(q->number, hr);
    answer_end();
}

static void PRINTF_LIKE(3, 4)
    answer_with(const struct question *q, HRESULT hr, const char *format, ...)
{
    va_list arguments;
    answer_begin(q->number, hr);
    if (!FAILED(hr)) {
        va_start(arguments, format);
        vprintf(format, arguments);
        va_end(arguments);
    }
    answer_end();
}

static void on_ready(void *token, uint32_t events)
{
    const struct held *held = token;
    os_mutex_lock(&writing);
    printf("! %" PRIu32 " %" PRIu32, held->id, events);
    answer_end();
}

/* --- what is held --- */

static struct held *held_find(uint32_t id)
{
    struct held *held = all;
    while (held != NULL && held->id != id)
        held = held->next;
    return held;
}

static struct held *held_new(uint32_t id)
{
    struct held *held = calloc(1, sizeof *held);
    if (held == NULL)
        abort();
    held->id = id;
    held->next = all;
    all = held;
    return held;
}

static void held_free(struct held *held)
{
    struct held **at = &all;
    while (*at != held)
        at = &(*at)->next;
    *at = held->next;
    free(held);
}

/* The suite asks a stream for something new only after its wait has been answered. */
static void settle(struct held *held)
{
    if (held->waiter != NULL)
        os_thread_join(held->waiter);
    held->waiter = NULL;
}

/* --- listening and connecting --- */

static void do_listen(struct question *q)
{
    struct held *held = held_new((uint32_t)conformance_line_number(&q->at));
    struct via_listen_options options = {.size = sizeof options};
    options.access = (uint32_t)conformance_line_number(&q->at);
    options.backlog = (uint32_t)conformance_line_number(&q->at);
    HRESULT hr = own->t->listen(q->at + 1, &options, on_ready, held, &held->listener);
    if (hr != S_OK)
        held_free(held);
    answer(q, hr);
}

static void do_accept(struct question *q)
{
    uint32_t id = (uint32_t)conformance_line_number(&q->at);
    const struct held *listener = held_find((uint32_t)conformance_line_number(&q->at));
    struct held *held = held_new(id);
    HRESULT hr = listener != NULL && listener->listener != NULL
                     ? own->t->listener_accept(listener->listener, &held->stream)
                     : error_set(E_INVALIDARG, "there is no such listener");
    if (hr != S_OK)
        held_free(held);
    answer(q, hr);
}

static void do_connect(struct question *q)
{
    struct held *held = held_new((uint32_t)conformance_line_number(&q->at));
    struct via_connect_options options = {.size = sizeof options};
    options.check_server_owner = (uint32_t)conformance_line_number(&q->at);
    HRESULT hr = own->t->connect(q->at + 1, &options, &held->stream);
    if (hr != S_OK)
        held_free(held);
    answer(q, hr);
}

static void do_listener_arm(struct question *q)
{
    answer(q, own->t->listener_arm(q->held->listener));
}

static void do_listener_close(struct question *q)
{
    own->t->listener_close(q->held->listener);
    held_free(q->held);
    answer(q, S_OK);
}

/* --- streams --- */

static void do_set_ready(struct question *q)
{
    answer(q, own->t->set_ready(q->held->stream, on_ready, q->held));
}

static void do_reserve(struct question *q)
{
    size_t min = (size_t)conformance_line_number(&q->at);
    struct held *held = q->held;
    HRESULT hr = own->t->reserve(held->stream, min, &held->span, &held->span_size);
    answer_with(q, hr, " %zu", hr == S_OK ? held->span_size : 0);
}

static void do_commit(struct question *q)
{
    via_os_handle handles[MAX_HANDLES];
    struct held *held = q->held;
    uint32_t flags = (uint32_t)conformance_line_number(&q->at);
    size_t n = (size_t)conformance_line_number(&q->at);
    uint32_t n_handles = (uint32_t)conformance_line_number(&q->at);
    if (n_handles > MAX_HANDLES || (n > 0 && n > held->span_size)) {
        answer(q, error_set(E_INVALIDARG, "more is committed than was reserved"));
        return;
    }
    for (uint32_t i = 0; i < n_handles; i++)
        handles[i] = (via_os_handle)conformance_line_signed(&q->at);
    if (n > 0)
        conformance_line_bytes(&q->at, held->span, n);
    answer(q, own->t->commit(held->stream, n, handles, n_handles, flags));
}

static void do_peek(struct question *q)
{
    const uint8_t *span = NULL;
    size_t size = 0;
    HRESULT hr =
        own->t->peek(q->held->stream, (size_t)conformance_line_number(&q->at), &span, &size);
    answer_begin(q->number, hr);
    if (!FAILED(hr))
        printf(" %zu", size);
    if (hr == S_OK)
        conformance_line_put_bytes(stdout, span, size);
    answer_end();
}

static void do_consume(struct question *q)
{
    own->t->consume(q->held->stream, (size_t)conformance_line_number(&q->at));
    answer(q, S_OK);
}

static void do_read_into(struct question *q)
{
    size_t size = (size_t)conformance_line_number(&q->at);
    size_t n = 0;
    uint8_t *buffer = malloc(size + 1);
    HRESULT hr = buffer != NULL ? own->t->read_into(q->held->stream, buffer, size, &n)
                                : error_set(E_OUTOFMEMORY, "out of memory");
    answer_begin(q->number, hr);
    if (hr == S_OK)
        conformance_line_put_bytes(stdout, buffer, n);
    answer_end();
    free(buffer);
}

static void do_take_handles(struct question *q)
{
    via_os_handle handles[MAX_HANDLES];
    uint32_t n = (uint32_t)conformance_line_number(&q->at);
    HRESULT hr = n <= MAX_HANDLES ? own->t->take_handles(q->held->stream, handles, n)
                                  : error_set(E_INVALIDARG, "too many handles");
    answer_begin(q->number, hr);
    for (uint32_t i = 0; hr == S_OK && i < n; i++)
        printf(" %" PRIdPTR, handles[i]);
    answer_end();
}

static void wait_once(void *argument)
{
    struct held *held = argument;
    struct question q = {.number = held->question};
    answer(&q, own->t->wait(held->stream, held->deadline_ns));
    error_clear();
}

static void do_wait(struct question *q)
{
    struct held *held = q->held;
    held->question = q->number;
    held->deadline_ns = os_now_ns() + conformance_line_number(&q->at);
    HRESULT hr = os_thread_start(wait_once, held, "conformance", &held->waiter);
    if (FAILED(hr))
        answer(q, hr);
}

static void do_interrupt(struct question *q)
{
    own->t->interrupt(q->held->stream);
    answer(q, S_OK);
}

static void do_arm(struct question *q)
{
    answer(q, own->t->arm(q->held->stream, (uint32_t)conformance_line_number(&q->at)));
}

static void do_disarm(struct question *q)
{
    own->t->disarm(q->held->stream, (uint32_t)conformance_line_number(&q->at));
    answer(q, S_OK);
}

static void do_park(struct question *q)
{
    own->t->park(q->held->stream);
    answer(q, S_OK);
}

static void answer_identity(const struct question *q, HRESULT hr,
                            const struct via_peer_identity *identity)
{
    answer_with(q, hr, " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %s", identity->flags,
                identity->uid, identity->gid, identity->pid, identity->sid);
}

static void do_peer_identity(struct question *q)
{
    struct via_peer_identity identity = {.size = sizeof identity};
    HRESULT hr = own->t->peer_identity(q->held->stream, &identity);
    answer_identity(q, hr, &identity);
}

static void do_shutdown(struct question *q)
{
    own->t->shutdown(q->held->stream);
    answer(q, S_OK);
}

static void do_refuse_handles(struct question *q)
{
    own->t->refuse_handles(q->held->stream);
    answer(q, S_OK);
}

static void do_expect_handles(struct question *q)
{
    own->t->expect_handles(q->held->stream);
    answer(q, S_OK);
}

static void do_finish(struct question *q)
{
    answer(q, own->t->finish(q->held->stream));
}

static void do_is_over(struct question *q)
{
    answer(q, own->t->is_over(q->held->stream));
}

static void do_is_connected(struct question *q)
{
    answer(q, own->t->is_connected(q->held->stream));
}

static void do_close(struct question *q)
{
    own->t->close(q->held->stream);
    held_free(q->held);
    answer(q, S_OK);
}

/* --- beside them --- */

static void do_handle_make(struct question *q)
{
    struct conformance_handle handle = {-1, -1};
    HRESULT hr = own->handle_make(&handle);
    answer_with(q, hr, " %" PRIdPTR " %" PRIdPTR, handle.handle, handle.other);
}

static void do_handle_write(struct question *q)
{
    answer(q, own->handle_write((via_os_handle)conformance_line_signed(&q->at)));
}

static void do_handle_read(struct question *q)
{
    struct conformance_handle handle = {-1, (via_os_handle)conformance_line_signed(&q->at)};
    answer(q, own->handle_read(&handle));
}

static void do_handle_alone(struct question *q)
{
    struct conformance_handle handle = {-1, (via_os_handle)conformance_line_signed(&q->at)};
    answer(q, own->handle_alone(&handle));
}

static void do_handle_close(struct question *q)
{
    own->handle_close((via_os_handle)conformance_line_signed(&q->at));
    answer(q, S_OK);
}

static void do_identity(struct question *q)
{
    struct via_peer_identity identity = {.size = sizeof identity};
    HRESULT hr = own->identity((uint32_t)conformance_line_number(&q->at), &identity);
    answer_identity(q, hr, &identity);
}

static void do_buffers_lent(struct question *q)
{
    answer_with(q, S_OK, " %u", own->buffers_lent());
}

static void do_die(struct question *q)
{
    (void)q;
    conformance_die();
}

/* What a verb is about. */
enum subject { NOTHING, LISTENER, STREAM, STREAM_AT_REST /* no wait of it goes on */ };

static const struct verb {
    const char *name;
    enum subject subject;
    void (*run)(struct question *q);
} verbs[] = {
    {"listen", NOTHING, do_listen},
    {"accept", NOTHING, do_accept},
    {"connect", NOTHING, do_connect},
    {"listener-arm", LISTENER, do_listener_arm},
    {"listener-close", LISTENER, do_listener_close},
    {"set-ready", STREAM_AT_REST, do_set_ready},
    {"reserve", STREAM, do_reserve},
    {"commit", STREAM, do_commit},
    {"peek", STREAM_AT_REST, do_peek},
    {"consume", STREAM_AT_REST, do_consume},
    {"read-into", STREAM_AT_REST, do_read_into},
    {"take-handles", STREAM_AT_REST, do_take_handles},
    {"wait", STREAM_AT_REST, do_wait},
    {"interrupt", STREAM, do_interrupt},
    {"arm", STREAM_AT_REST, do_arm},
    {"disarm", STREAM_AT_REST, do_disarm},
    {"park", STREAM_AT_REST, do_park},
    {"peer-identity", STREAM, do_peer_identity},
    {"shutdown", STREAM, do_shutdown},
    {"refuse-handles", STREAM_AT_REST, do_refuse_handles},
    {"expect-handles", STREAM_AT_REST, do_expect_handles},
    {"finish", STREAM, do_finish},
    {"is-over", STREAM_AT_REST, do_is_over},
    {"is-connected", STREAM_AT_REST, do_is_connected},
    {"close", STREAM_AT_REST, do_close},
    {"handle-make", NOTHING, do_handle_make},
    {"handle-write", NOTHING, do_handle_write},
    {"handle-read", NOTHING, do_handle_read},
    {"handle-alone", NOTHING, do_handle_alone},
    {"handle-close", NOTHING, do_handle_close},
    {"identity", NOTHING, do_identity},
    {"buffers-lent", NOTHING, do_buffers_lent},
    {"die", NOTHING, do_die},
};

/* Finds what the question is about; false: it has been answered. */
static bool find_subject(struct question *q, enum subject subject)
{
    if (subject == NOTHING)
        return true;
    q->held = held_find((uint32_t)conformance_line_number(&q->at));
    if (q->held == NULL || (q->held->listener != NULL) != (subject == LISTENER)) {
        answer(q, error_set(E_INVALIDARG, "there is no such stream or listener"));
        return false;
    }
    if (subject == STREAM_AT_REST)
        settle(q->held);
    return true;
}

static void take_question(char *at)
{
    struct question q = {.number = (uint32_t)conformance_line_number(&at)};
    const char *verb = conformance_line_word(&at);
    q.at = at;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (strcmp(verb, verbs[i].name) == 0) {
            /* A rest of the line begins with a space, as behind a number. */
            if (find_subject(&q, verbs[i].subject))
                verbs[i].run(&q);
            return;
        }
    }
    answer(&q, error_set(E_INVALIDARG, "a peer knows no \"%.40s\"", verb));
}

static bool has(size_t offset)
{
    void *function = NULL;
    if (own->t->size >= offset + sizeof function)
        memcpy(&function, (const char *)own->t + offset, sizeof function);
    return function != NULL;
}

/* The first question; false: it was not asked, or could not be answered well. */
static bool begin(struct conformance_line *line, struct os_poller *poller,
                  const struct via_plugin_host **host)
{
    if (!conformance_line_read(stdin, line))
        return false;
    char *at = line->text;
    struct question q = {.number = (uint32_t)conformance_line_number(&at)};
    if (strcmp(conformance_line_word(&at), "begin") != 0)
        return false;
    HRESULT hr = plugin_host_acquire(poller, at[0] != 0 ? at : NULL, host);
    if (SUCCEEDED(hr)) {
        hr = plugin->init(*host);
        if (FAILED(hr))
            plugin_host_release();
    }
    if (FAILED(hr)) {
        answer(&q, hr);
        return false;
    }
    own = conformance_local_side(plugin, *host);
    answer_with(&q, S_OK, " %s %" PRIu32 " %" PRIu32 " %" PRIu32 " %d %d %d %d", plugin->schemes[0],
                own->t->capabilities, own->t->max_span, own->t->max_handles,
                has(offsetof(struct via_transport, refuse_handles)),
                has(offsetof(struct via_transport, expect_handles)),
                has(offsetof(struct via_transport, finish)) &&
                    has(offsetof(struct via_transport, is_over)),
                has(offsetof(struct via_transport, is_connected)));
    return true;
}

HRESULT plugin_conformance_answer_file(const char *path)
{
    struct os_module *module;
    struct conformance_reactor *reactor;
    const struct via_plugin_host *host;
    struct conformance_line line = {0};
    HRESULT hr = plugin_open(path, &module, &plugin);
    if (FAILED(hr))
        return hr;
    hr = conformance_reactor_start(&reactor);
    if (SUCCEEDED(hr) && begin(&line, conformance_reactor_poller(reactor), &host)) {
        while (conformance_line_read(stdin, &line)) {
            take_question(line.text);
            error_clear();
        }
        plugin->deinit();
        plugin_host_release();
    }
    conformance_line_free(&line);
    if (SUCCEEDED(hr))
        conformance_reactor_stop(reactor);
    os_module_close(module);
    return hr;
}
