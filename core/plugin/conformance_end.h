/*
 * One end of a stream in the conformance suite, and the side that holds it.
 *
 * The suite knows two sides, who connects and who listens. A side is a table of the transport's
 * operations and what the tests need of its process beside them. Both can be this process, with the
 * plugin's own table; or one is a peer, another process with its own build of the plugin, behind a
 * table whose operations that process carries out. The tests cannot tell.
 */
#ifndef CORE_PLUGIN_CONFORMANCE_END_H
#define CORE_PLUGIN_CONFORMANCE_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/plugin/transport.h>

struct via_plugin;
struct via_plugin_host;

/* A handle that can be told from others: made by one side, recognised after its way through the
 * transport by the byte that the other side writes into it. */
struct conformance_handle {
    via_os_handle handle; /* what is sent; -1: closed */
    via_os_handle other;  /* where the byte comes out */
};

struct conformance_side {
    const struct via_transport *t;
    HRESULT (*handle_make)(struct conformance_handle *handle);
    /* One byte into a received handle; fails also if child processes would inherit it. */
    HRESULT (*handle_write)(via_os_handle received);
    /* Takes that byte out; S_FALSE: there is none. */
    HRESULT (*handle_read)(const struct conformance_handle *handle);
    /* Waits until no duplicate is left, once the handle itself is closed; S_FALSE: there is one. */
    HRESULT (*handle_alone)(const struct conformance_handle *handle);
    void (*handle_close)(via_os_handle handle);
    /* The side's process as a transport with such flags should name it. */
    HRESULT (*identity)(uint32_t flags, struct via_peer_identity *identity);
    /* Buffers that its plugin has borrowed from its host. */
    unsigned (*buffers_lent)(void);
};

/* This process. `plugin` has been inited with `host`; both stay until the next call. */
const struct conformance_side *conformance_local_side(const struct via_plugin *plugin,
                                                      const struct via_plugin_host *host);

/* Counts ready calls, from any thread. */
struct conformance_ready {
    _Atomic uint32_t n_read;
    _Atomic uint32_t n_write;
    _Atomic uint32_t n_closed;
    _Atomic uint32_t n_calls;
};

struct conformance_end {
    const struct conformance_side *side;
    struct via_stream *stream; /* NULL: closed */
    struct conformance_ready ready;
};

/* --- what a transport may lack --- */

static inline bool side_can_finish(const struct conformance_side *side)
{
    const struct via_transport *t = side->t;
    return t->size >= offsetof(struct via_transport, is_over) + sizeof t->is_over &&
           t->finish != NULL && t->is_over != NULL;
}

static inline bool side_decides_late(const struct conformance_side *side)
{
    const struct via_transport *t = side->t;
    return t->size >= offsetof(struct via_transport, is_connected) + sizeof t->is_connected &&
           t->is_connected != NULL;
}

/* --- the operations of <viaduct/plugin/transport.h> on an end --- */

static inline HRESULT end_reserve(struct conformance_end *end, size_t min, uint8_t **span,
                                  size_t *size)
{
    return end->side->t->reserve(end->stream, min, span, size);
}

static inline HRESULT end_commit(struct conformance_end *end, size_t n,
                                 const via_os_handle *handles, uint32_t n_handles, uint32_t flags)
{
    return end->side->t->commit(end->stream, n, handles, n_handles, flags);
}

static inline HRESULT end_flush(struct conformance_end *end)
{
    return end_commit(end, 0, NULL, 0, VIA_COMMIT_FLUSH);
}

static inline HRESULT end_peek(struct conformance_end *end, size_t want, const uint8_t **span,
                               size_t *size)
{
    return end->side->t->peek(end->stream, want, span, size);
}

static inline void end_consume(struct conformance_end *end, size_t n)
{
    end->side->t->consume(end->stream, n);
}

static inline HRESULT end_read_into(struct conformance_end *end, void *buffer, size_t size,
                                    size_t *n)
{
    return end->side->t->read_into(end->stream, buffer, size, n);
}

static inline HRESULT end_take_handles(struct conformance_end *end, via_os_handle *handles,
                                       uint32_t n)
{
    return end->side->t->take_handles(end->stream, handles, n);
}

static inline HRESULT end_wait(struct conformance_end *end, uint64_t deadline_ns)
{
    return end->side->t->wait(end->stream, deadline_ns);
}

static inline void end_interrupt(struct conformance_end *end)
{
    end->side->t->interrupt(end->stream);
}

static inline HRESULT end_arm(struct conformance_end *end, uint32_t events)
{
    return end->side->t->arm(end->stream, events);
}

static inline void end_disarm(struct conformance_end *end, uint32_t events)
{
    end->side->t->disarm(end->stream, events);
}

static inline void end_park(struct conformance_end *end)
{
    end->side->t->park(end->stream);
}

static inline HRESULT end_peer_identity(struct conformance_end *end,
                                        struct via_peer_identity *identity)
{
    return end->side->t->peer_identity(end->stream, identity);
}

static inline void end_shutdown(struct conformance_end *end)
{
    end->side->t->shutdown(end->stream);
}

/* Only where side_can_finish. */
static inline HRESULT end_finish(struct conformance_end *end)
{
    return end->side->t->finish(end->stream);
}

static inline HRESULT end_is_over(struct conformance_end *end)
{
    return end->side->t->is_over(end->stream);
}

/* S_OK where a stream that connect gives is connected. */
static inline HRESULT end_is_connected(struct conformance_end *end)
{
    return side_decides_late(end->side) ? end->side->t->is_connected(end->stream) : S_OK;
}

static inline void end_close(struct conformance_end *end)
{
    if (end->stream != NULL)
        end->side->t->close(end->stream);
    end->stream = NULL;
}

#endif
