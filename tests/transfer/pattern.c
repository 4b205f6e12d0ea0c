#include "tests/transfer/pattern.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "core/os/clock.h"

struct pattern {
    ISequentialStream ISequentialStream_iface;
    atomic_uint refs;
    LONGLONG size;
    LONGLONG fails_at;
    _Atomic LONGLONG position;
    atomic_bool is_closed;
};

static atomic_long the_count;

static struct pattern *from_iface(ISequentialStream *iface)
{
    return (struct pattern *)((char *)iface - offsetof(struct pattern, ISequentialStream_iface));
}

/* No period that is a power of two. */
static BYTE byte_at(LONGLONG offset)
{
    return (BYTE)(offset % 251);
}

void pattern_fill(BYTE *bytes, LONGLONG offset, ULONG n)
{
    BYTE next = byte_at(offset);
    for (ULONG i = 0; i < n; i++) {
        bytes[i] = next;
        next = next == 250 ? 0 : (BYTE)(next + 1);
    }
}

bool pattern_is(const BYTE *bytes, LONGLONG offset, ULONG n)
{
    BYTE next = byte_at(offset);
    for (ULONG i = 0; i < n; i++) {
        if (bytes[i] != next)
            return false;
        next = next == 250 ? 0 : (BYTE)(next + 1);
    }
    return true;
}

static HRESULT STDMETHODCALLTYPE Pattern_QueryInterface(ISequentialStream *iface, REFIID iid,
                                                        void **object)
{
    bool is_known = IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_ISequentialStream);
    *object = is_known ? iface : NULL;
    if (is_known)
        ISequentialStream_AddRef(iface);
    return is_known ? S_OK : E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE Pattern_AddRef(ISequentialStream *iface)
{
    return (ULONG)atomic_fetch_add(&from_iface(iface)->refs, 1) + 1;
}

static ULONG STDMETHODCALLTYPE Pattern_Release(ISequentialStream *iface)
{
    struct pattern *self = from_iface(iface);
    ULONG refs = (ULONG)atomic_fetch_sub(&self->refs, 1) - 1;
    if (refs > 0)
        return refs;
    free(self);
    atomic_fetch_sub(&the_count, 1);
    return 0;
}

static HRESULT STDMETHODCALLTYPE Pattern_Read(ISequentialStream *iface, void *data, ULONG size,
                                              ULONG *n_read)
{
    struct pattern *self = from_iface(iface);
    LONGLONG left = self->size - self->position;
    ULONG n = left < size ? (ULONG)left : size;
    if (self->fails_at >= 0 && self->position + n > self->fails_at)
        return STG_E_READFAULT;
    pattern_fill(data, self->position, n);
    atomic_fetch_add(&self->position, n);
    if (n_read != NULL)
        *n_read = n;
    return n < size ? S_FALSE : S_OK;
}

static HRESULT STDMETHODCALLTYPE Pattern_Write(ISequentialStream *iface, const void *data,
                                               ULONG size, ULONG *n_written)
{
    struct pattern *self = from_iface(iface);
    while (atomic_load(&self->is_closed))
        os_sleep_ms(1);
    if ((self->fails_at >= 0 && self->position + size > self->fails_at) ||
        !pattern_is(data, self->position, size))
        return STG_E_WRITEFAULT;
    atomic_fetch_add(&self->position, size);
    if (n_written != NULL)
        *n_written = size;
    return S_OK;
}

static const ISequentialStreamVtbl pattern_vtbl = {Pattern_QueryInterface, Pattern_AddRef,
                                                   Pattern_Release, Pattern_Read, Pattern_Write};

ISequentialStream *pattern_new(LONGLONG size, LONGLONG fails_at)
{
    struct pattern *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->ISequentialStream_iface.lpVtbl = (ISequentialStreamVtbl *)&pattern_vtbl;
    atomic_init(&self->refs, 1);
    self->size = size;
    self->fails_at = fails_at;
    atomic_fetch_add(&the_count, 1);
    return &self->ISequentialStream_iface;
}

LONGLONG pattern_position(ISequentialStream *stream)
{
    return atomic_load(&from_iface(stream)->position);
}

void pattern_set_gate(ISequentialStream *stream, bool is_open)
{
    atomic_store(&from_iface(stream)->is_closed, !is_open);
}

LONG pattern_count(void)
{
    return (LONG)atomic_load(&the_count);
}
