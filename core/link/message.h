/*
 * Messages that have arrived.
 *
 * A call (and query-interface, accept, one-way) lives in a struct incoming from its arrival to the
 * end of its run; a reply lives in the caller's struct link_message. Either is borrowed - its
 * pointers lead into the transport's receive buffer, and whoever has it holds the reader right - or
 * owned, in `storage`.
 */
#ifndef CORE_LINK_MESSAGE_H
#define CORE_LINK_MESSAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/link/link.h"
#include "core/util/list.h"
#include "core/link/worker.h"
#include "core/wire/frame.h"

/* Where the parts of an owned message lie: one allocation. */
struct message_storage {
    size_t room; /* of `bytes` */
    uint8_t bytes[];
};

struct incoming {
    struct link_message message; /* the first member: message_incoming() */
    struct list link;            /* in a waiting call's list; its bucket's lock */
    struct link_job job;         /* while it waits for a worker */
    struct list active;          /* in connection->active; connection->lock */
    bool is_active;              /* it is there; whoever runs or answers it */
    struct link_id chain;
    uint32_t depth;
    uint64_t deadline_ns;
    size_t charge;        /* in connection->incoming_bytes */
    bool has_chain;       /* a call, not a one-way call, query-interface or accept */
    bool holds_use;       /* of the connection, whose end waits until it has run */
    bool is_counted;      /* in the connection, to which it has a reference then */
    atomic_bool answered; /* or one-way */
    atomic_bool cancelled;
    uint64_t room[LINK_ROOM_SIZE / 8]; /* message.room */
};

static inline struct incoming *message_incoming(struct link_message *message)
{
    return (struct incoming *)(void *)message;
}

/* A record for the call that has arrived, whose storage and handles it takes over; NULL without
 * memory. */
struct incoming *incoming_new(struct link_message *message);
/* The call will outlive the reader's look at it: it counts as unfinished from now on. One that runs
 * where it was read needs neither that nor a reference: its thread uses the connection. */
void incoming_keep(struct incoming *incoming);
/* Closes what handles are left; not in connection->active any more. */
void incoming_free(struct incoming *incoming);

/* A cancel does not find it any more. */
void message_leave_active(struct incoming *incoming);

/* Copies references, body and payload of a borrowed message; its connection's receive buffer moves
 * on. The reader right stays where it is. */
HRESULT message_copy(struct link_message *message);
/* The same into memory of the caller's, of message_size() bytes. */
static inline size_t message_size(const struct link_message *message)
{
    return message->references_size + message->body_size + message->payload_size;
}
void message_copy_into(struct link_message *message, uint8_t *bytes);
void message_free_all(struct link_message *message);
static inline void message_free_storage(struct link_message *message)
{
    if (message->storage != NULL || message->handles != NULL || message->views != NULL)
        message_free_all(message);
}

#endif
