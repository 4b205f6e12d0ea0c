/*
 * Interfaces on a connection: each direction binds a 32-bit index to an IID and the hash of its
 * description.
 *
 * The sender binds an interface before its first use; the receiver remembers what it was told and
 * judges it when a call uses it: an interface may be registered in between. Index 0 is IUnknown
 * from the start.
 */
#ifndef COM_REMOTE_BINDING_H
#define COM_REMOTE_BINDING_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <viaduct/com.h>

#include "core/link/link.h"
#include "core/os/thread.h"

struct marshal_interface;
struct peer;

/* Interfaces that one peer may bind: far more than anybody describes, and 200 KiB of our memory. */
#define BINDING_MAX   4096u
#define BINDING_BLOCK 64u

#define BINDING_HASH_SIZE 16

struct binding {
    GUID iid;
    uint8_t hash[BINDING_HASH_SIZE];
    atomic_bool is_bound;                          /* what stands above is set before */
    _Atomic(const struct marshal_interface *) itf; /* once it was found and its hash compared */
};

struct bindings {
    struct os_mutex lock;
    /* Blocks of BINDING_BLOCK; made and filled by the reader only, and published by is_bound. */
    _Atomic(struct binding *) in[BINDING_MAX / BINDING_BLOCK];
    const struct marshal_interface **out; /* lock; what we have bound, by index - 1 */
    uint32_t n_out;                       /* lock */
    uint32_t max_out;                     /* lock */
};

void bindings_init(struct bindings *bindings);
void bindings_deinit(struct bindings *bindings);

/* The index to use for an interface towards the peer; tells the peer if it is new. Does not block.
 */
HRESULT binding_out(struct peer *peer, const struct marshal_interface *itf, uint32_t *index);

/* [reader] The peer binds an index. VIA_E_PROTOCOL on one that is bound or out of range. */
HRESULT binding_in(struct peer *peer, uint32_t index, const GUID *iid,
                   const uint8_t hash[BINDING_HASH_SIZE]);
/* What the peer has bound; false: it has not. */
bool binding_iid(struct peer *peer, uint32_t index, GUID *iid);
/* Whether the peer means this interface by an index, whatever it thinks that it is like. */
bool binding_is(struct peer *peer, uint32_t index, const GUID *iid);
/* What the peer means by an index. REGDB_E_IIDNOTREG names the IID, VIA_E_MISMATCH both hashes. */
HRESULT binding_find(struct peer *peer, uint32_t index, const struct marshal_interface **itf);

#endif
