/* The calls come on a thread of the runtime, one at a time and in the order of the posts. */
#include "listener.h"

#include <stdatomic.h>
#include <stdio.h>
#include <viaduct/object.h>

#include "print.h"

struct listener {
    struct via_object object;
    IBoardEvents IBoardEvents_iface;
    atomic_uint n_posts;
};

VIA_OBJECT_METHODS(Listener, struct listener, IBoardEvents)

static HRESULT STDMETHODCALLTYPE Listener_Posted(IBoardEvents *iface, ULONG number, BSTR text)
{
    printf("%u: ", (unsigned)number);
    print_text(text);
    putchar('\n');
    atomic_fetch_add(&VIA_OBJECT_OF(iface, struct listener, IBoardEvents)->n_posts, 1);
    return S_OK;
}

static const IBoardEventsVtbl listener_vtable = {
    Listener_QueryInterface,
    Listener_AddRef,
    Listener_Release,
    Listener_Posted,
};

static const struct via_object_interface listener_interfaces[] = {
    VIA_OBJECT_INTERFACE(struct listener, IBoardEvents, listener_vtable),
    {.iid = NULL},
};

static const struct via_object_kind listener_kind = {
    .size = sizeof(struct listener),
    .interfaces = listener_interfaces,
};

IBoardEvents *listener_new(void)
{
    struct listener *listener = via_object_new(&listener_kind);

    return listener ? &listener->IBoardEvents_iface : NULL;
}

ULONG listener_count(IBoardEvents *listener)
{
    return atomic_load(&VIA_OBJECT_OF(listener, struct listener, IBoardEvents)->n_posts);
}
