/* An object with IEcho for the tests of the marshaller, and a proxy to it whose calls go through
 * payloads. */
#ifndef TESTS_MARSHAL_ECHO_H
#define TESTS_MARSHAL_ECHO_H

#include "com/marshal/marshal.h"
#include "core/util/buffer.h"
#include "marshal_test.h"

struct echo {
    IEcho IEcho_iface;
    long refs;
    LONG level;
    LONG noted;
};

void echo_init(struct echo *echo);

/* What a call went through: for golden bytes and for damaging. */
struct wire_tap {
    uint8_t call[65536];
    size_t call_size;
    uint8_t reply[65536];
    size_t reply_size;
};

/* A proxy: an interface pointer whose calls are encoded, decoded, run on `target`, and back. */
struct loop_proxy {
    const void *const *vtable;
    IEcho *target;
    IUnknown *objects[64];
    size_t n_objects;
    struct wire_tap *tap; /* may be NULL */
    struct marshal_scratch scratch;
};
HRESULT loop_proxy_init(struct loop_proxy *proxy, IEcho *target);
/* Releases the objects in its table; a call does at its end. */
void loop_proxy_forget(struct loop_proxy *proxy);
IEcho *loop_proxy_face(struct loop_proxy *proxy);
/* The functions that carry object pointers by index, in the table of the proxy. */
struct marshal_pointers loop_pointers(struct loop_proxy *proxy);

#endif
