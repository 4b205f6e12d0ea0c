/*
 * A connection point: the sinks of one source interface of an object, and the emitter by which the
 * object calls them all.
 *
 * Both belong to the object: their AddRef and Release are the object's, as is usual for connection
 * points, so that they last exactly as long. Their memory lasts until the last sink has gone too.
 */
#ifndef COM_STD_CONNECTION_POINT_H
#define COM_STD_CONNECTION_POINT_H

#include <stdbool.h>
#include <viaduct/com.h>
#include <viaduct/events.h>

#include "core/os/thread.h"
#include "core/util/list.h"
#include "core/util/ref.h"

struct marshal_interface;
struct node;
struct sink;

/* What the emitter's pointer points to. */
struct emitter {
    const void *const *vtable;
};

struct connection_point {
    IConnectionPoint IConnectionPoint_iface;
    struct emitter emitter;
    struct connection_point *next;        /* read-only; the object's next one */
    struct ref refs;                      /* of its memory: the object's end, sinks */
    struct node *node;                    /* read-only; a reference */
    IUnknown *object;                     /* read-only; borrowed */
    IConnectionPointContainer *container; /* read-only; borrowed: the object's */
    const struct marshal_interface *itf;  /* read-only: the source interface */
    struct via_event_options options;     /* read-only; no zeroes */
    struct os_mutex lock;
    struct list sinks;                  /* lock */
    struct via_event_counters counters; /* lock */
    DWORD last_cookie;                  /* lock */
    bool is_closed;                     /* lock: the object ends */
};

HRESULT connection_point_new(IUnknown *object, IConnectionPointContainer *container, REFIID iid,
                             const struct via_event_options *options,
                             struct connection_point **point);
struct connection_point *connection_point_ref(struct connection_point *point);
void connection_point_unref(struct connection_point *point);
/* The object ends: sinks leave when they have had what is queued. Drops the object's reference. */
void connection_point_close(struct connection_point *point);

/* The sink's process has ended, or it has been unadvised: it leaves now. False: it has already. */
bool connection_point_remove(struct connection_point *point, struct sink *sink, bool is_dead);

#endif
