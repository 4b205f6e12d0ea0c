/*
 * An import: an object of another node, and the proxy that stands for it here.
 *
 * One per (owner node, id), whatever paths its references took, so that identity holds. Its faces,
 * one for each interface that was received or asked for, share one COM count. The path, a peer, is
 * fixed when the import is made and never changes. When the count drops to zero the import leaves
 * the table under the node's lock and gives back exactly what it received over its path.
 *
 * A dead import (its path has ended, or it never had one) is not in the table; it answers every
 * call with the cause, and its release is local.
 */
#ifndef COM_REMOTE_IMPORT_H
#define COM_REMOTE_IMPORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <viaduct/com.h>

#include "com/remote/table.h"
#include "core/link/link.h"
#include "core/util/list.h"

struct error_record;
struct import;
struct marshal_interface;
struct node;
struct peer;
struct promise;

/* Whose slots a face has. */
enum face_kind { FACE_OURS, FACE_GUEST /* guest.h */ };

/* What an interface pointer of a proxy points to. */
struct face {
    const void *const *vtable; /* read-only; NULL: the object has refused this interface */
    struct import *import;     /* read-only */
    const struct marshal_interface *itf; /* read-only; NULL: IUnknown, IDispatch, or refused */
    GUID iid;                            /* read-only */
    _Atomic uint32_t index;              /* on the import's path; 0: not bound yet */
    enum face_kind kind;                 /* read-only */
    struct face *next;                   /* read-only once it is published */
};

struct import {
    struct face unknown;          /* the identity */
    struct table_link link;       /* node->imports; node->lock */
    struct list path_link;        /* peer->imports, while it is listed; node->lock */
    struct node *node;            /* read-only; a reference */
    struct link_id owner;         /* read-only */
    uint64_t id;                  /* read-only */
    struct peer *peer;            /* read-only; a reference; NULL: there was never a path */
    struct error_record *cause;   /* read-only; why there was none */
    struct promise *promise;      /* read-only; its object is still to come, and `id` is that of the
                                   * call that returns it (promise.h); else NULL */
    atomic_uint refs;             /* COM's count; becomes 0 only under node->lock */
    uint32_t received;            /* node->lock; counts to give back over `peer` */
    bool listed;                  /* node->lock */
    unsigned n_refusals;          /* node->lock */
    _Atomic(struct face *) faces; /* only ever prepended to, under node->lock */
    _Atomic uint32_t timeout_ms;  /* 0: the node's */
};

/* One count of the peer's own object `id` has arrived over `peer`. The import, with a COM
 * reference. Fails, and gives the count back, when memory is short. */
HRESULT import_received(struct peer *peer, uint64_t id, struct import **import);
/* One that is dead from the start; takes `cause`. */
HRESULT import_new_dead(struct node *node, const struct link_id *owner, uint64_t id,
                        struct error_record *cause, struct import **import);

/* One that stands for the result of call `call_id` of `peer`; takes `promise` over on success. */
HRESULT import_new_promise(struct peer *peer, uint64_t call_id, struct promise *promise,
                           struct import **import);

void import_ref(struct import *import);
uint32_t import_unref(struct import *import);
bool import_is_dead(struct import *import);
/* For an import that never had a path: sets the error that says why, and returns its code. */
HRESULT import_never_reached(const struct import *import);

/* The import behind an interface pointer, not counted, or NULL if it is no proxy of this runtime.
 */
struct import *import_of(const void *pointer);
/* The face for an interface that the object is known to have, not counted. REGDB_E_IIDNOTREG if
 * this process has no description of it. */
HRESULT import_face(struct import *import, const GUID *iid, struct face **face);
/* What the object was first received as; false: as IUnknown or IDispatch only. */
bool import_default(struct import *import, GUID *iid);
/* What is known already: S_OK with the face, E_NOINTERFACE when it was refused, S_FALSE: ask the
 * object. */
HRESULT import_known(struct import *import, const GUID *iid, struct face **face);
void import_refused(struct import *import, const GUID *iid);

/* The connection has ended: its imports leave the table, and their watches fire. */
void import_peer_closed(struct peer *peer);

#endif
