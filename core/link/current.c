#include "core/link/current.h"

#include "core/link/cancelled.h"
#include "core/link/connection.h"
#include "core/link/inbox.h"
#include "core/link/message.h"
#include "core/link/node.h"
#include "core/os/clock.h"
#include "core/os/random.h"
#include "core/util/chacha.h"
#include "core/util/error.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local struct thread the_thread;

/* Chain ids to come. The system's own random bytes would be a fifth of a one-way call's time: they
 * are the first key only. Of what each key gives, the first words are the next key, so that ids
 * which have been used cannot be found in memory. */
#define ID_WORDS (sizeof(struct link_id) / sizeof(uint32_t))
#define N_CHAINS ((CHACHA_WORDS - CHACHA_KEY_WORDS) / ID_WORDS)
static _Thread_local struct {
    bool has_key;
    unsigned n_left;
    uint32_t words[CHACHA_WORDS]; /* the key, and the ids behind it */
} chains;

struct thread *thread_self(void)
{
    return &the_thread;
}

void thread_waits_in(struct thread *self, struct call *call)
{
    self->call = call;
    if (self->inbox != NULL)
        inbox_follow(self->inbox, call);
}

void thread_trim(struct thread *self)
{
    free(self->spare);
    self->spare = NULL;
}

HRESULT link_new_chain(struct link_id *chain)
{
    if (chains.n_left == 0) {
        HRESULT hr =
            chains.has_key ? S_OK : os_random(chains.words, CHACHA_KEY_WORDS * sizeof(uint32_t));
        if (FAILED(hr))
            return hr;
        chains.has_key = true;
        chacha_fill(chains.words, 0, chains.words);
        chains.n_left = N_CHAINS;
    }
    chains.n_left--;
    memcpy(chain, &chains.words[CHACHA_KEY_WORDS + chains.n_left * ID_WORDS], sizeof *chain);
    return S_OK;
}

void current_run(struct incoming *incoming)
{
    struct link_connection *connection = incoming->message.connection;
    struct link_node *node = connection->node;
    struct thread *self = &the_thread;
    struct running running = {.current = {.connection = connection,
                                          .call_id = incoming->message.call_id,
                                          .chain = incoming->chain,
                                          .depth = incoming->depth,
                                          .deadline_ns = incoming->deadline_ns,
                                          .is_oneway = incoming->message.kind == WIRE_ONEWAY},
                              .incoming = incoming,
                              .outer = self->running};
    self->running = &running;
    node->handler.run(node->context, &incoming->message);
    self->running = running.outer;
}

bool link_thread_is_busy(void)
{
    return the_thread.running != NULL || the_thread.call != NULL || the_thread.worker != NULL;
}

struct running *current_running(const struct thread *self)
{
    const struct chained *job = self->chained;
    return job != NULL && job->within == self->running ? NULL : self->running;
}

void link_run_in_chain(const struct link_id *chain, void (*run)(void *argument), void *argument)
{
    struct thread *self = &the_thread;
    struct chained chained = {.chain = chain, .within = self->running, .outer = self->chained};
    self->chained = &chained;
    run(argument);
    self->chained = chained.outer;
}

const struct link_current *link_current(void)
{
    const struct running *running = current_running(&the_thread);
    return running != NULL ? &running->current : NULL;
}

_Static_assert(offsetof(struct running, current) == 0, "link_current() is a struct running");

bool link_is_cancelled(const struct link_current *current)
{
    const struct running *running = (const struct running *)(const void *)current;
    if (atomic_load_explicit(&running->incoming->cancelled, memory_order_relaxed))
        return true;
    if (current->deadline_ns != LINK_NO_DEADLINE && os_now_ns() >= current->deadline_ns)
        return true;
    return link_connection_is_closed(current->connection);
}

bool link_current_is_cancelled(void)
{
    const struct link_current *current = link_current();
    return current != NULL && link_is_cancelled(current);
}
