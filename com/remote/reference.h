/*
 * References to objects in frames: interface pointers become table entries, and the other way
 * round.
 *
 * Outgoing: each entry that takes something (a count given to the peer, a provide sent to an owner)
 * is noted, so that a frame that is not sent after all can give it back.
 *
 * Incoming, in three steps. resolve: what the entries name, looked up and counted; no user code,
 * nothing blocks; an entry of the peer's own is ours to give back from here on. connect: third
 * parties' owners, which blocks. get: the interface pointer for the payload's index, which may ask
 * one of our own objects.
 */
#ifndef COM_REMOTE_REFERENCE_H
#define COM_REMOTE_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/com.h>

#include "core/link/link.h"
#include "core/wire/reference.h"

struct exported;
struct import;
struct peer;

#define REFERENCE_NULL_INDEX 0xFFFFFFFFu

/* References of one frame; the default of the protocol's limit. */
#define REFERENCE_MAX 1024

struct reference_given {
    uint64_t id;           /* of ours that was given; 0: a provide */
    struct import *import; /* whose owner was told; a reference */
    struct link_id t1;
};

struct reference_out {
    struct peer *peer; /* whom the frame goes to */
    uint8_t *table;
    size_t size;
    size_t capacity;
    struct reference_given *given;
    uint16_t n_entries;
    uint16_t n_given;
    uint16_t max_given;
};

void reference_out_init(struct reference_out *out, struct peer *peer);
/* Adds an object (not NULL) and says by which index the payload names it. Asks it for IUnknown. */
HRESULT reference_out_add(struct reference_out *out, IUnknown *object, uint32_t *index);
void reference_out_end(struct reference_out *out, bool sent);
/* `sent`: what was given is the peer's now. Else it is taken back. Most frames name no object. */
static inline void reference_out_deinit(struct reference_out *out, bool sent)
{
    if (out->table != NULL)
        reference_out_end(out, sent);
}

struct reference_third {
    struct link_id owner;
    struct link_id t1;
    struct link_id t2;
    uint32_t process_id;
    uint16_t n_addresses;
    char text[WIRE_REFERENCE_MAX_TEXT]; /* each zero-terminated */
};

/* Between what is on the wire and what a hand-off needs. All but T1 and T2 of an import's owner. */
void reference_describe_third(const struct import *import, struct wire_reference *reference);
void reference_read_third(const struct wire_reference *reference, struct reference_third *third);

struct reference_entry {
    uint64_t id;
    struct exported *exported;     /* a reference, or NULL */
    struct import *import;         /* a COM reference, or NULL */
    struct reference_third *third; /* until it is connected */
};

struct reference_in {
    struct peer *peer;
    uint16_t n;
    bool has_local; /* one of our own objects is among them: getting it may run user code */
    bool has_third;
    struct reference_entry *entries;
};

HRESULT reference_in_read(struct reference_in *in, const uint8_t *table, size_t size, uint16_t n);
static inline HRESULT reference_in_resolve(struct reference_in *in, struct peer *peer,
                                           const uint8_t *table, size_t size, uint16_t n)
{
    *in = (struct reference_in){.peer = peer};
    return n == 0 ? S_OK : reference_in_read(in, table, size, n);
}
/* Blocks. Connects to the owners of third parties' objects. One that cannot be reached is reached
 * by way of the peer, if that forwards; else the object becomes a dead proxy. */
HRESULT reference_in_connect(struct reference_in *in, uint64_t deadline_ns);
/* The interface `iid` of an entry, with a COM reference. */
HRESULT reference_in_get(struct reference_in *in, uint32_t index, const GUID *iid, void **pointer);
void reference_in_end(struct reference_in *in);
/* Gives back what nobody took. */
static inline void reference_in_deinit(struct reference_in *in)
{
    if (in->entries != NULL)
        reference_in_end(in);
}
/* For a reply that another thread will read, perhaps after frames behind it that release what its
 * table names: resolves the table now, into its `user`. */
HRESULT reference_keep(struct peer *peer, struct link_message *reply);
/* resolve, of the table of a reply, or what reference_keep() has made of it. */
HRESULT reference_in_take(struct reference_in *in, struct peer *peer, struct link_message *reply);
/* Gives back what a reply brought that is not looked into. */
void reference_drop(struct peer *peer, struct link_message *reply);
/* Gives back everything in the table of a frame that is refused. */
void reference_settle(struct peer *peer, const uint8_t *table, size_t size, uint16_t n);

#endif
