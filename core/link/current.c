#include "core/link/current.h"

#include "core/link/connection.h"
#include "core/link/message.h"
#include "core/link/node.h"
#include "core/os/clock.h"
#include "core/os/random.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

static _Thread_local struct thread the_thread;

/* Random bytes for chain ids, fetched many at once: a system call for each call would be one in
 * three. */
#define N_CHAINS 128u
static _Thread_local struct {
    struct link_id ids[N_CHAINS];
    unsigned n_left;
} chains;

struct thread *thread_self(void)
{
    return &the_thread;
}

void thread_trim(struct thread *self)
{
    free(self->spare);
    self->spare = NULL;
}

HRESULT current_new_chain(struct link_id *chain)
{
    if (chains.n_left == 0) {
        HRESULT hr = os_random(chains.ids, sizeof chains.ids);
        if (FAILED(hr))
            return hr;
        chains.n_left = N_CHAINS;
    }
    *chain = chains.ids[--chains.n_left];
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
                                          .deadline_ns = incoming->deadline_ns},
                              .incoming = incoming,
                              .outer = self->running};
    self->running = &running;
    node->handler.run(node->context, &incoming->message);
    self->running = running.outer;
}

const struct link_current *link_current(void)
{
    return the_thread.running != NULL ? &the_thread.running->current : NULL;
}

bool link_current_is_cancelled(void)
{
    const struct running *running = the_thread.running;
    if (running == NULL)
        return false;
    if (atomic_load_explicit(&running->incoming->cancelled, memory_order_relaxed))
        return true;
    uint64_t deadline_ns = running->current.deadline_ns;
    if (deadline_ns != LINK_NO_DEADLINE && os_now_ns() >= deadline_ns)
        return true;
    return link_connection_is_closed(running->current.connection);
}
