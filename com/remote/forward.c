#include "com/remote/forward.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/node.h>
#include <viaduct/runtime.h>

#include "com/marshal/marshal.h"
#include "com/remote/describe.h"
#include "com/remote/export.h"
#include "com/remote/handoff.h"
#include "com/remote/import.h"
#include "com/remote/peer.h"
#include "com/remote/reference.h"
#include "core/os/clock.h"
#include "core/util/error.h"

/* --- the recipient --- */

static uint32_t ms_until(uint64_t deadline_ns)
{
    uint64_t now_ns = os_now_ns();
    if (deadline_ns <= now_ns)
        return 1;
    uint64_t ms = (deadline_ns - now_ns) / 1000000u + 1;
    return ms < VIA_NO_DEADLINE ? (uint32_t)ms : VIA_NO_DEADLINE;
}

static HRESULT call_forward(struct import *root, uint64_t id, const struct reference_third *third,
                            IUnknown **object)
{
    GUID owner;
    GUID t1;
    GUID t2;
    struct face *face;
    HRESULT hr = import_face(root, &IID_IForwarder, &face); /* asking for it is calling it */
    if (FAILED(hr))
        return hr;
    memcpy(&owner, &third->owner, sizeof owner);
    memcpy(&t1, &third->t1, sizeof t1);
    memcpy(&t2, &third->t2, sizeof t2);
    return IForwarder_Forward((IForwarder *)face, &owner, id, &t1, &t2, object);
}

HRESULT forward_ask(struct peer *sender, uint64_t id, const struct reference_third *third,
                    uint64_t deadline_ns, struct import **import)
{
    struct import *root;
    IUnknown *object = NULL;
    HRESULT hr = import_received(sender, 0, &root);
    if (FAILED(hr))
        return hr;
    uint32_t before = via_thread_set_deadline(ms_until(deadline_ns));
    hr = call_forward(root, id, third, &object);
    via_thread_set_deadline(before);
    import_unref(root);
    if (FAILED(hr))
        return hr;
    *import = import_of(object);
    if (*import != NULL)
        return S_OK;
    if (object != NULL)
        object->lpVtbl->Release(object);
    return error_set(VIA_E_PROTOCOL,
                     "what was forwarded is no object of the process that forwards");
}

/* --- the sender --- */

/* What the call returns in place of the proxy, which would be handed on like any other: not a proxy
 * itself, it has the proxy's identity, and so the proxy is what is exported. */
struct stand_in {
    IUnknown IUnknown_iface;
    atomic_uint refs;
    struct import *import; /* a reference */
};

static struct stand_in *from_IUnknown(IUnknown *iface)
{
    return (struct stand_in *)((char *)iface - offsetof(struct stand_in, IUnknown_iface));
}

static HRESULT STDMETHODCALLTYPE StandIn_QueryInterface(IUnknown *iface, REFIID iid, void **object)
{
    IUnknown *identity = (IUnknown *)&from_IUnknown(iface)->import->unknown;
    return identity->lpVtbl->QueryInterface(identity, iid, object);
}

static ULONG STDMETHODCALLTYPE StandIn_AddRef(IUnknown *iface)
{
    return (ULONG)atomic_fetch_add(&from_IUnknown(iface)->refs, 1) + 1;
}

static ULONG STDMETHODCALLTYPE StandIn_Release(IUnknown *iface)
{
    struct stand_in *self = from_IUnknown(iface);
    ULONG refs = (ULONG)atomic_fetch_sub(&self->refs, 1) - 1;
    if (refs > 0)
        return refs;
    import_unref(self->import);
    free(self);
    return 0;
}

static const IUnknownVtbl stand_in_vtable = {
    StandIn_QueryInterface,
    StandIn_AddRef,
    StandIn_Release,
};

HRESULT forward_give(struct node *node, uint64_t id, const struct reference_third *third,
                     uint64_t deadline_ns, IUnknown **object)
{
    struct import *import;
    HRESULT hr = handoff_accept(node, id, third, deadline_ns, &import);
    if (FAILED(hr))
        return error_wrap(hr, "an object that was handed on cannot be forwarded");
    struct stand_in *self = calloc(1, sizeof *self);
    if (self == NULL) {
        import_unref(import);
        return error_set(E_OUTOFMEMORY, "no memory to forward an object");
    }
    self->IUnknown_iface.lpVtbl = (void *)&stand_in_vtable;
    atomic_init(&self->refs, 1);
    self->import = import;
    *object = &self->IUnknown_iface;
    return S_OK;
}

void forward_learn(const struct exported *exported, const GUID *iid)
{
    struct import *import = import_of(exported->identity);
    const struct marshal_interface *itf;
    if (import != NULL && FAILED(describe_interface(import, iid, &itf)))
        error_clear(); /* whoever asked is told of that by what comes next */
}
