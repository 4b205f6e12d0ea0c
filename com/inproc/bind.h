/*
 * IBindEventHandler of proxies: JScript's `function object::Event() {}`.
 *
 * The first handler of a proxy makes a sink and advises it of the events of the object's class. The
 * sink is an IDispatch of the thread that bound, and calls the handler that has the event's name.
 * It is unadvised when the proxy ends.
 */
#ifndef COM_INPROC_BIND_H
#define COM_INPROC_BIND_H

#include <viaduct/com.h>

extern const IID bind_iid;
extern const void *const bind_slots[1];
#define BIND_N_SLOTS 1u

/* A proxy's; at first zero. */
struct bind_data {
    struct bind_sink *sink;         /* a reference */
    struct IConnectionPoint *point; /* a reference */
    DWORD cookie;
};

/* The proxy is gone. */
void bind_end(void *data);

#endif
