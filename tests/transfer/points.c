#include "tests/transfer/points.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "tests/transfer/transfer_object.h"

struct points {
    IEnumPoint IEnumPoint_iface;
    atomic_uint refs;
    ULONG n;
    ULONG at;
};

static atomic_long n_next;

static struct points *from_iface(IEnumPoint *iface)
{
    return (struct points *)((char *)iface - offsetof(struct points, IEnumPoint_iface));
}

static HRESULT STDMETHODCALLTYPE Points_QueryInterface(IEnumPoint *iface, REFIID iid, void **object)
{
    bool is_known = IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_IEnumPoint);
    *object = is_known ? iface : NULL;
    if (is_known)
        IEnumPoint_AddRef(iface);
    return is_known ? S_OK : E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE Points_AddRef(IEnumPoint *iface)
{
    return (ULONG)atomic_fetch_add(&from_iface(iface)->refs, 1) + 1;
}

static ULONG STDMETHODCALLTYPE Points_Release(IEnumPoint *iface)
{
    ULONG refs = (ULONG)atomic_fetch_sub(&from_iface(iface)->refs, 1) - 1;
    if (refs == 0)
        free(from_iface(iface));
    return refs;
}

static HRESULT STDMETHODCALLTYPE Points_Next(IEnumPoint *iface, ULONG n,
                                             struct TransferPoint *points, ULONG *fetched)
{
    struct points *self = from_iface(iface);
    ULONG taken = self->n - self->at < n ? self->n - self->at : n;
    atomic_fetch_add(&n_next, 1);
    for (ULONG i = 0; i < taken; i++)
        points[i] = (struct TransferPoint){(LONG)(self->at + i), transfer_text("point")};
    self->at += taken;
    if (fetched != NULL)
        *fetched = taken;
    return taken == n ? S_OK : S_FALSE;
}

static HRESULT STDMETHODCALLTYPE Points_Skip(IEnumPoint *iface, ULONG n)
{
    struct points *self = from_iface(iface);
    ULONG left = self->n - self->at;
    self->at += left < n ? left : n;
    return left < n ? S_FALSE : S_OK;
}

static HRESULT STDMETHODCALLTYPE Points_Reset(IEnumPoint *iface)
{
    from_iface(iface)->at = 0;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Points_Clone(IEnumPoint *iface, IEnumPoint **clone)
{
    *clone = points_new(from_iface(iface)->n, from_iface(iface)->at);
    return *clone != NULL ? S_OK : E_OUTOFMEMORY;
}

static const IEnumPointVtbl points_vtbl = {Points_QueryInterface, Points_AddRef, Points_Release,
                                           Points_Next,           Points_Skip,   Points_Reset,
                                           Points_Clone};

IEnumPoint *points_new(ULONG n, ULONG at)
{
    struct points *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->IEnumPoint_iface.lpVtbl = &points_vtbl;
    atomic_init(&self->refs, 1);
    self->n = n;
    self->at = at;
    return &self->IEnumPoint_iface;
}

LONG points_count_next(void)
{
    return (LONG)atomic_load(&n_next);
}
