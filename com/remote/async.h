/*
 * Asynchronous calls, <viaduct/async.h>: what com/remote itself knows of them.
 *
 * A call is counted twice. Its handles are those who may still want something of it: the
 * application, a completion callback that is to come. With the last of them a call that is
 * not over is given up: its answer is given back when it comes. Its references keep the memory: the
 * handles together have one, and so has core/link as long as the call is pending there.
 *
 * Answers are taken in two steps. core/link has the reply, with its references resolved, on some
 * reader's thread. The first thread that wants the results makes them ready: it connects to the
 * owners of third parties' objects, which blocks, and the others wait for it. From then on nothing
 * of the call changes, and results can be decoded as often as wanted.
 */
#ifndef COM_REMOTE_ASYNC_H
#define COM_REMOTE_ASYNC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <viaduct/async.h>

#include "com/remote/parcel.h"
#include "com/remote/reference.h"
#include "core/link/link.h"
#include "core/os/thread.h"
#include "core/util/list.h"

struct error_record;
struct import;
struct marshal_method;
struct node;

enum async_state {
    ASYNC_RAW,  /* the answer has not come, or nobody has looked at it */
    ASYNC_BUSY, /* a thread makes it ready */
    ASYNC_READY
};

struct via_call {
    atomic_uint refs;
    atomic_uint handles;
    struct node *node;                   /* read-only; a reference, or NULL: a call of no proxy */
    const struct marshal_method *method; /* read-only */
    struct import *import;    /* read-only; a COM reference to what is called; NULL: no proxy */
    struct link_async *async; /* set once; NULL: it ran within begin */
    bool is_kept;             /* read-only; the peer keeps its results until finish is told */
    struct parcel
        arguments; /* read-only; of one on a promised object, to make it again elsewhere */

    struct os_mutex lock;
    enum async_state state; /* lock */
    struct list waiting;    /* lock: threads that wait for ASYNC_READY */
    bool is_over;           /* lock: core/link's part is */

    via_call_done done; /* lock; set once, and read-only then */
    void *done_context; /* the same */
    struct link_job done_job;
    struct link_job again_job;
    struct link_timer *timer; /* lock: of the deadline, where a callback waits for it */

    /* Written by the thread that makes it ready, read-only from then on. */
    HRESULT code;
    struct error_record *error; /* of a failure */
    const uint8_t *payload;     /* of the results */
    size_t payload_size;
    struct marshal_pointers pointers;
    struct reference_in in;
    struct link_message *reply; /* core/link's; of a call that it has made */
    struct parcel parcel;       /* the results of a call that core/link has not made */

    int64_t sizes[]; /* what the [in] arguments were that results are read by, MARSHAL_KEPT_WORDS
                        each; read-only */
};

/* One more handle; via_call_release() gives it back. */
void async_hold(struct via_call *call);
/* On its connection. */
uint64_t async_id(const struct via_call *call);
bool async_is_over(const struct via_call *call);
bool async_is_kept(const struct via_call *call);
/* Blocks. Result `index` of the objects that it returns, with a reference, or NULL; a failure of
 * the call. `*is_over` false: the wait has failed. */
HRESULT async_object(struct via_call *call, unsigned index, uint64_t deadline_ns, IUnknown **object,
                     bool *is_over);

#endif
