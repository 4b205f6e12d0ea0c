/* The calls come on a thread of the runtime, one at a time and in the order of the posts. */
#include "listener.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "print.h"

struct listener {
    IBoardEvents IBoardEvents_iface;
    atomic_uint references;
    atomic_uint n_posts;
};

static struct listener *listener_from_IBoardEvents(IBoardEvents *iface)
{
    return (struct listener *)((char *)iface - offsetof(struct listener, IBoardEvents_iface));
}

static HRESULT STDMETHODCALLTYPE Listener_QueryInterface(IBoardEvents *iface, REFIID iid,
                                                         void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IBoardEvents))
        return E_NOINTERFACE;
    IBoardEvents_AddRef(iface);
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Listener_AddRef(IBoardEvents *iface)
{
    return atomic_fetch_add(&listener_from_IBoardEvents(iface)->references, 1) + 1;
}

static ULONG STDMETHODCALLTYPE Listener_Release(IBoardEvents *iface)
{
    struct listener *listener = listener_from_IBoardEvents(iface);
    ULONG left = atomic_fetch_sub(&listener->references, 1) - 1;

    if (left == 0)
        free(listener);
    return left;
}

static HRESULT STDMETHODCALLTYPE Listener_Posted(IBoardEvents *iface, ULONG number, BSTR text)
{
    printf("%u: ", (unsigned)number);
    print_text(text);
    putchar('\n');
    atomic_fetch_add(&listener_from_IBoardEvents(iface)->n_posts, 1);
    return S_OK;
}

static const IBoardEventsVtbl listener_vtable = {
    Listener_QueryInterface,
    Listener_AddRef,
    Listener_Release,
    Listener_Posted,
};

IBoardEvents *listener_new(void)
{
    struct listener *listener = calloc(1, sizeof(*listener));

    if (!listener)
        return NULL;
    listener->IBoardEvents_iface.lpVtbl = &listener_vtable;
    listener->references = 1;
    return &listener->IBoardEvents_iface;
}

ULONG listener_count(IBoardEvents *listener)
{
    return atomic_load(&listener_from_IBoardEvents(listener)->n_posts);
}
