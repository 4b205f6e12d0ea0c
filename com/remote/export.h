/*
 * An export: an object of this process that peers may call, with the id that they know it by.
 *
 * Identity is the object's IUnknown pointer: while any peer may name an object it has one export,
 * and a second hand-out finds it. Holders are what keeps it listed: capability entries of peers and
 * provides. When the last holder goes the export leaves the table for good and its id is never used
 * again, but calls under way still hold it; the reference to the object is given back after the
 * last of them, in the object's context, on a worker or its apartment's
 * thread.
 *
 * There may be very many exports, so what few of them need is not in all of them: the gate's item
 * lies behind those that have a context.
 */
#ifndef COM_REMOTE_EXPORT_H
#define COM_REMOTE_EXPORT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <viaduct/com.h>

#include "com/remote/table.h"

struct context;
struct export_face;
struct node;

struct exported {
    union {
        struct table_link link; /* node->exports; node->lock */
        struct exported *next;  /* in node->last_releases, which it enters at the end */
    };
    struct node *node;                   /* read-only */
    uint64_t id;                         /* read-only */
    IUnknown *identity;                  /* read-only; a reference; NULL once its apartment has
                                          * ended, which is behind all uses of it */
    struct context *context;             /* read-only; NULL: calls run where they arrive */
    atomic_uint refs;                    /* holders, and calls under way */
    unsigned n_holders;                  /* node->lock */
    bool listed;                         /* node->lock */
    uint16_t n_refusals;                 /* node->lock */
    atomic_bool is_foreign;              /* a proxy of COM's own; known with the first face */
    _Atomic(struct export_face *) faces; /* only ever prepended to, under node->lock */
};

/* Makes `object` known to peers, or finds it, and counts one holder. Asks the object for IUnknown.
 */
HRESULT export_hold(struct node *node, IUnknown *object, struct exported **exported);
/* One holder less. */
void export_unhold(struct exported *exported);
/* The root: id 0, never listed, one holder for good. */
HRESULT export_new_root(struct node *node, IUnknown *object, struct exported **exported);

struct exported *export_ref(struct exported *exported);
void export_unref(struct exported *exported);
/* Gives back the object's references, and frees the export, which nobody has any more. Runs user
 * code. */
void export_end(struct exported *exported);

/* Whether it stands in for an object of another process (forward.h): a proxy that is exported. */
bool export_is_stand_in(const struct exported *exported);
/* Whether it is a proxy of COM's own (foreign.h), once it has been queried. */
bool export_is_foreign(const struct exported *exported);

/* Whether the answer is known without asking the object. */
bool export_knows(const struct exported *exported, const GUID *iid);
/* The object's interface, borrowed from the export; what the object answers is asked once. May run
 * user code. E_NOINTERFACE names the IID. */
HRESULT export_query(struct exported *exported, const GUID *iid, void **pointer);

/* The object's interface for the calling thread's own use, with a reference: the object is passed
 * to another one, which may be of another apartment. */
HRESULT export_lend(struct exported *exported, const GUID *iid, void **pointer);

/* On the thread of an apartment that ends: gives back the references of its objects, which are
 * refused to their callers from now on. Runs user code. */
void export_abandon(const struct context *context);

/* Until the running call ends (or the thread's next export): `object` gets a serial context of its
 * own. */
HRESULT export_mark_serial(IUnknown *object);
/* The same for a context that there is. */
HRESULT export_mark(IUnknown *object, struct context *context);
/* Drops the marks that the ending call has left, and no others. */
void export_drop_marks(void);

#endif
