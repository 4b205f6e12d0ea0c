/*
 * Bytes of a busy direction that only the kernel touches: from the source's socket into a pipe of
 * the system's, and out of that into the sink's. It takes half the processor time of copying them
 * (docs/relays.md), from pieces of some size on; a direction that moves small ones is copied.
 *
 * A pipe belongs to a direction from one piece's coming to its going: mostly within one call, and
 * longer only where the sink takes no more. So one or two do for all; there is a bound beyond which
 * directions are copied again, and one that is idle has none. Where the sink's system refuses with
 * bytes in the pipe already, those are copied out of it.
 */
#include "core/relay/relay_parts.h"

#include "core/os/handle.h"
#include "core/util/error.h"

#include <stdlib.h>

#define PIPE_SIZE (256u * 1024u)
/* Of a set: in all, and those kept for the next piece. */
#define MAX_PIPES      64u
#define MAX_IDLE_PIPES 2u
/* The least room that is worth a copy out of a pipe. */
#define MIN_COPY (4u * 1024u)

static bool can_splice(const struct via_transport *transport)
{
    return transport->size >= offsetof(struct via_transport, send_from_pipe) + sizeof(void *) &&
           transport->read_to_pipe != NULL && transport->send_from_pipe != NULL;
}

static void close_pipe(struct splice_pool *pool, struct splice_pipe *pipe)
{
    os_handle_close(pipe->read_end);
    os_handle_close(pipe->write_end);
    free(pipe);
    pool->n--;
}

/* NULL: there is none to be had. */
static struct splice_pipe *take_pipe(struct splice_pool *pool)
{
    struct splice_pipe *pipe = pool->idle;
    if (pipe != NULL) {
        pool->idle = pipe->next;
        pool->n_idle--;
        return pipe;
    }
    if (pool->n >= MAX_PIPES || (pipe = calloc(1, sizeof *pipe)) == NULL)
        return NULL;
    if (FAILED(os_handle_pipe(PIPE_SIZE, &pipe->read_end, &pipe->write_end))) {
        free(pipe);
        return NULL;
    }
    pool->n++;
    return pipe;
}

/* An empty one. */
static void put_pipe(struct splice_pool *pool, struct splice_pipe *pipe)
{
    if (pool->n_idle >= MAX_IDLE_PIPES) {
        close_pipe(pool, pipe);
        return;
    }
    pipe->next = pool->idle;
    pool->idle = pipe;
    pool->n_idle++;
}

void splice_pool_deinit(struct splice_pool *pool)
{
    struct splice_pipe *pipe;
    while ((pipe = pool->idle) != NULL) {
        pool->idle = pipe->next;
        close_pipe(pool, pipe);
    }
}

HRESULT splice_receive(struct relay_session *session, enum direction direction, size_t *n)
{
    struct relay_flow *flow = &session->flows[direction];
    struct splice_pool *pool = &session->relay->set->pipes;
    const struct relay_end *source = flow_source(session, direction);
    flow->is_copied |=
        !can_splice(source->transport) || !can_splice(flow_sink(session, direction)->transport);
    struct splice_pipe *pipe = flow->is_copied ? NULL : take_pipe(pool);
    if (pipe == NULL)
        return S_FALSE;
    HRESULT hr = source->transport->read_to_pipe(source->stream, pipe->write_end, PIPE_SIZE, n);
    if (hr == S_OK) {
        pipe->n = *n;
        flow->pipe = pipe;
        return S_OK;
    }
    *n = 0;
    put_pipe(pool, pipe);
    flow->is_copied |= hr == E_NOTIMPL;
    return hr == E_NOTIMPL ? S_FALSE : hr;
}

/* Out of the pipe by way of memory. */
static HRESULT copy_out(struct splice_pipe *pipe, const struct relay_end *sink)
{
    uint8_t *span;
    size_t size;
    size_t n = 0;
    HRESULT hr = sink->transport->commit(sink->stream, 0, NULL, 0, VIA_COMMIT_FLUSH);
    while (hr == S_OK && pipe->n > 0) {
        hr = sink->transport->reserve(sink->stream, MIN_COPY, &span, &size);
        if (hr == S_OK)
            hr = os_handle_read(pipe->read_end, OS_NO_OFFSET, span, size < pipe->n ? size : pipe->n,
                                &n);
        if (hr != S_OK)
            break;
        pipe->n -= n;
        hr = sink->transport->commit(sink->stream, n, NULL, 0, VIA_COMMIT_FLUSH);
    }
    return hr;
}

HRESULT splice_send(struct relay_session *session, enum direction direction)
{
    struct relay_flow *flow = &session->flows[direction];
    const struct relay_end *sink = flow_sink(session, direction);
    struct splice_pipe *pipe = flow->pipe;
    HRESULT hr = S_OK;
    while (hr == S_OK && pipe->n > 0 && !flow->is_copied) {
        size_t n = 0;
        hr = sink->transport->send_from_pipe(sink->stream, pipe->read_end, pipe->n, &n);
        if (hr == S_OK)
            pipe->n -= n;
        flow->is_copied = hr == E_NOTIMPL;
    }
    if (flow->is_copied)
        hr = copy_out(pipe, sink);
    if (pipe->n == 0) {
        flow->pipe = NULL;
        put_pipe(&session->relay->set->pipes, pipe);
    }
    return hr;
}

void splice_drop(struct relay_session *session, enum direction direction)
{
    struct relay_flow *flow = &session->flows[direction];
    if (flow->pipe != NULL)
        close_pipe(&session->relay->set->pipes, flow->pipe);
    flow->pipe = NULL;
}
