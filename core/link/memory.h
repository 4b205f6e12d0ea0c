/*
 * Memory in which arguments of calls are handed over, beside the frames of a connection.
 *
 * Each side makes arenas for what it sends: memory of a fixed size, made when it is first wanted,
 * mapped once, and offered to the peer, who maps it to read. An array of a call lies in a block of
 * an arena, and the call says where; it was built there, or is copied there once. The frame that
 * offers an arena comes before the first call that names it, so nobody waits for an answer.
 *
 * Where blocks are is known to this side alone: nothing that the peer could write decides it. A
 * block is in use until the call that passes it is answered, also one that nobody waits for any
 * more, since the method may go on reading. The peer's arenas are only read, and stay mapped as
 * long as a call that came with a block of them.
 *
 * arena.c has the own arenas and their blocks, borrow.c the peer's.
 */
#ifndef CORE_LINK_MEMORY_H
#define CORE_LINK_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/link/connection.h"
#include "core/util/ref.h"
#include "core/wire/block.h"

/* What a connection has of it; made at the first use. */
struct memory {
    struct ref refs; /* the connection's, own arenas', and those of calls with blocks */
    const struct via_transport *transport; /* read-only: makes and maps memory */
    bool is_trusted;                       /* read-only: the peer is the same user */
    struct os_mutex lock; /* all that follows; after all others, nothing is called under it */

    struct list arenas; /* own ones */
    struct list lent;   /* struct link_blocks of calls that are not answered */
    uint32_t n_arenas;  /* one that is being made counts */
    size_t arena_bytes; /* and its size too */
    uint32_t next_id;
    bool is_growing; /* an arena is being made */
    bool is_refused; /* the peer, or the system, has none: not tried again */
    bool is_closed;  /* the connection has ended */

    struct list borrowed; /* the peer's arenas, by id */
    uint32_t n_borrowed;
    size_t borrowed_bytes;
    uint32_t last_borrowed;
    size_t copied_bytes; /* in private copies of blocks */
    void *spare;         /* a buffer for the next copy, so that its pages are there; or NULL */
    size_t spare_size;
};

/* Whether this side can: there is a transport that makes memory, and handles can be passed. */
bool memory_can(const struct link_connection *connection);
/* Arenas come with a handle. */
static inline uint16_t memory_max_handles(uint16_t others, bool is_possible)
{
    return is_possible && others == 0 ? 1 : others;
}
/* NULL: both sides cannot, or there is no memory for it. */
struct memory *memory_of(struct link_connection *connection);
struct memory *memory_ref(struct memory *memory);
void memory_unref(struct memory *memory);

/* A frame of kind memory; by the holder of the right. A failure ends the connection. */
HRESULT memory_received(struct link_connection *connection, struct link_message *message);
/* What a call that arrives has beside its payload; the content has been checked for form. A failure
 * ends the connection. */
HRESULT memory_borrow(struct link_connection *connection, const uint8_t *content, uint32_t n,
                      struct link_views **views);
/* The call is about to be answered: its copies, which are freed behind that, stand in the way of
 * the peer's next call no more. */
void memory_uncount_views(struct link_views *views);
void memory_free_views(struct link_views *views);

/* The call passes the blocks from now on; `blocks` may be NULL. */
void memory_lend(struct link_blocks *blocks, uint64_t call_id);
/* It was not sent: the blocks are the caller's again. */
void memory_take_back(struct link_blocks *blocks);
/* The caller waits no longer. Without an answer the blocks stay in use until there is one. */
void memory_settle(struct link_blocks *blocks, bool is_answered);
/* A call that nobody waits for has been answered. */
void memory_answered(struct link_connection *connection, uint64_t call_id);
/* In a frame: how many blocks, and which. */
uint32_t memory_blocks(const struct link_blocks *blocks, const struct wire_block **list);

/* Gives back what is not in use, when the connection is idle. A use of it, no locks held. True:
 * something is left. */
bool memory_trim(struct link_connection *connection);
/* The connection has ended: blocks of the application's stay until it frees them. */
void memory_close(struct link_connection *connection);

/* --- borrow.c, for arena.c --- */

HRESULT memory_send(struct link_connection *connection, enum wire_memory_step step, uint32_t arena,
                    size_t size, const via_os_handle *handle);
HRESULT arena_refused(struct memory *memory, uint32_t id);
/* The peer's arenas and the spare buffer. */
void memory_forget_borrowed(struct memory *memory);

#endif
