/*
 * The peer of a conformance run: its process, and the questions that it answers.
 *
 * Any thread of the suite may ask, several at once; a thread of its own reads the answers, hands
 * each to who waits for it, and calls the ready functions as reports come. What it reads it handles
 * in order, so a report that the peer sent before an answer has been delivered when the answer is
 * there, and after the answer to a close none follows. A peer that ends, or does not answer in time
 * and is killed for it, fails all that is asked from then on, until it is started anew.
 */
#include "core/plugin/conformance_asking.h"

#include "core/os/clock.h"
#include "core/os/process.h"
#include "core/os/thread.h"
#include "core/plugin/conformance_lines.h"
#include "core/util/error.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Beyond what is asked for itself; less than the time limit of a test. */
#define ANSWER_NS 20000000000ull
/* How long it may take to end. */
#define END_NS 10000000000ull

/* Who waits for an answer. */
struct question {
    struct question *next; /* lock */
    uint32_t number;
    char *answer; /* lock; NULL: not yet */
};

struct conformance_peer {
    const char *const *command;
    const char *directory;
    const char *scheme;
    struct os_process *process; /* NULL: it does not run */
    struct os_thread *reader;
    FILE *to;   /* sending */
    FILE *from; /* the reader's */
    struct os_mutex sending;
    struct os_mutex lock;
    struct os_cond changed;
    struct question *questions;      /* lock */
    struct peer_object *objects;     /* lock */
    uint32_t n_questions, n_objects; /* lock; so many have been numbered */
    bool over;                       /* lock; it says nothing any more */
};

static struct conformance_peer *the_peer; /* set while a run has one */

/* --- what comes from it --- */

static void deliver_report(struct conformance_peer *peer, char *at)
{
    uint32_t id = (uint32_t)conformance_line_number(&at);
    uint32_t events = (uint32_t)conformance_line_number(&at);
    os_mutex_lock(&peer->lock);
    struct peer_object *object = peer->objects;
    while (object != NULL && object->id != id)
        object = object->next;
    void (*ready)(void *token, uint32_t events) = object != NULL ? object->ready : NULL;
    void *token = object != NULL ? object->token : NULL;
    os_mutex_unlock(&peer->lock);
    if (ready != NULL)
        ready(token, events);
}

static void deliver_answer(struct conformance_peer *peer, char *at)
{
    uint32_t number = (uint32_t)conformance_line_number(&at);
    os_mutex_lock(&peer->lock);
    for (struct question *q = peer->questions; q != NULL; q = q->next) {
        if (q->number == number && q->answer == NULL)
            q->answer = strdup(at);
    }
    os_cond_broadcast(&peer->changed);
    os_mutex_unlock(&peer->lock);
}

static void read_answers(void *argument)
{
    struct conformance_peer *peer = argument;
    struct conformance_line line = {0};
    while (conformance_line_read(peer->from, &line)) {
        if (line.text[0] == '!')
            deliver_report(peer, line.text + 1);
        else
            deliver_answer(peer, line.text);
    }
    conformance_line_free(&line);
    os_mutex_lock(&peer->lock);
    peer->over = true;
    os_cond_broadcast(&peer->changed);
    os_mutex_unlock(&peer->lock);
}

/* --- what it is asked --- */

static HRESULT is_gone(struct conformance_peer *peer)
{
    return error_set(E_FAIL, "the peer %s has ended", peer->command[0]);
}

static void forget(struct conformance_peer *peer, const struct question *question)
{
    struct question **at = &peer->questions;
    while (*at != question)
        at = &(*at)->next;
    *at = question->next;
}

/* Takes the question off the list, with its answer. */
static HRESULT await_answer(struct conformance_peer *peer, struct question *question,
                            uint64_t deadline)
{
    HRESULT hr = S_OK;
    os_mutex_lock(&peer->lock);
    while (question->answer == NULL && !peer->over) {
        if (os_cond_wait(&peer->changed, &peer->lock, deadline))
            continue;
        hr =
            error_set(RPC_E_TIMEOUT, "the peer %s does not answer; it is killed", peer->command[0]);
        os_process_kill(peer->process);
        break;
    }
    forget(peer, question);
    os_mutex_unlock(&peer->lock);
    if (question->answer != NULL)
        return S_OK;
    return FAILED(hr) ? hr : is_gone(peer);
}

HRESULT peer_ask(struct peer_question *question, char **values, const char *format, ...)
{
    struct conformance_peer *peer = the_peer;
    struct question own = {0};
    va_list arguments;
    *values = NULL;
    os_mutex_lock(&peer->lock);
    bool over = peer->over;
    own.number = ++peer->n_questions;
    own.next = peer->questions;
    peer->questions = &own;
    os_mutex_unlock(&peer->lock);
    uint64_t deadline = os_now_ns() + question->most_ns + ANSWER_NS;
    if (!over) {
        os_mutex_lock(&peer->sending);
        fprintf(peer->to, "%" PRIu32 " ", own.number);
        va_start(arguments, format);
        vfprintf(peer->to, format, arguments);
        va_end(arguments);
        if (question->bytes != NULL)
            conformance_line_put_bytes(peer->to, question->bytes, question->n_bytes);
        putc('\n', peer->to);
        fflush(peer->to);
        os_mutex_unlock(&peer->sending);
    }
    HRESULT hr = await_answer(peer, &own, deadline);
    if (FAILED(hr))
        return hr;
    char *at = own.answer;
    hr = (HRESULT)conformance_line_hex(&at);
    if (FAILED(hr))
        error_set(hr, "the peer: %s", at + strspn(at, " "));
    memmove(own.answer, at, strlen(at) + 1);
    *values = own.answer;
    return hr;
}

void peer_object_add(struct peer_object *object)
{
    os_mutex_lock(&the_peer->lock);
    object->id = ++the_peer->n_objects;
    object->next = the_peer->objects;
    the_peer->objects = object;
    os_mutex_unlock(&the_peer->lock);
}

void peer_object_report(struct peer_object *object, void (*ready)(void *token, uint32_t events),
                        void *token)
{
    os_mutex_lock(&the_peer->lock);
    object->ready = ready;
    object->token = token;
    os_mutex_unlock(&the_peer->lock);
}

void peer_object_remove(struct peer_object *object)
{
    os_mutex_lock(&the_peer->lock);
    struct peer_object **at = &the_peer->objects;
    while (*at != object)
        at = &(*at)->next;
    *at = object->next;
    os_mutex_unlock(&the_peer->lock);
}

/* --- its life --- */

HRESULT conformance_peer_new(const char *const *command, const char *directory, const char *scheme,
                             struct conformance_peer **peer)
{
    struct conformance_peer *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "out of memory");
    self->command = command;
    self->directory = directory;
    self->scheme = scheme;
    os_mutex_init(&self->sending);
    os_mutex_init(&self->lock);
    os_cond_init(&self->changed);
    the_peer = self;
    *peer = self;
    return S_OK;
}

/* Once it says nothing any more, or when it could not be started completely. */
static void collect(struct conformance_peer *peer)
{
    struct os_exit_status status;
    if (peer->process == NULL)
        return;
    fclose(peer->to);
    if (os_process_wait(peer->process, os_now_ns() + END_NS, &status) != S_OK) {
        os_process_kill(peer->process);
        os_process_wait(peer->process, os_now_ns() + END_NS, &status);
    }
    if (peer->reader != NULL)
        os_thread_join(peer->reader);
    fclose(peer->from);
    os_process_free(peer->process);
    peer->process = NULL;
    peer->reader = NULL;
}

static HRESULT start(struct conformance_peer *peer)
{
    struct os_spawn_options options = {
        .arguments = peer->command, .to_stdin = &peer->to, .from_stdout = &peer->from};
    HRESULT hr = os_process_spawn(&options, &peer->process);
    if (FAILED(hr))
        return hr;
    peer->over = false;
    hr = os_thread_start(read_answers, peer, "conformance", &peer->reader);
    if (SUCCEEDED(hr))
        hr = peer_begin(peer->directory, peer->scheme);
    if (FAILED(hr))
        collect(peer);
    return hr;
}

HRESULT conformance_peer_ensure(struct conformance_peer *peer)
{
    os_mutex_lock(&peer->lock);
    bool over = peer->over;
    os_mutex_unlock(&peer->lock);
    if (peer->process != NULL && !over)
        return S_OK;
    collect(peer);
    return start(peer);
}

HRESULT conformance_peer_kill(struct conformance_peer *peer)
{
    uint64_t deadline = os_now_ns() + END_NS;
    HRESULT hr = S_OK;
    os_mutex_lock(&peer->sending);
    fprintf(peer->to, "0 die\n");
    fflush(peer->to);
    os_mutex_unlock(&peer->sending);
    os_mutex_lock(&peer->lock);
    while (!peer->over && SUCCEEDED(hr)) {
        if (!os_cond_wait(&peer->changed, &peer->lock, deadline))
            hr = error_set(RPC_E_TIMEOUT, "the peer %s does not die", peer->command[0]);
    }
    os_mutex_unlock(&peer->lock);
    return hr;
}

void conformance_peer_free(struct conformance_peer *peer)
{
    if (peer == NULL)
        return;
    collect(peer);
    the_peer = NULL;
    os_cond_deinit(&peer->changed);
    os_mutex_deinit(&peer->lock);
    os_mutex_deinit(&peer->sending);
    free(peer);
}
