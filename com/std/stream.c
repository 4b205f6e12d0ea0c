#include "com/std/stream.h"

#include <stdlib.h>
#include <string.h>

#include "com/remote/runtime.h"
#include "core/os/handle.h"
#include "core/os/thread.h"
#include "core/util/error.h"

struct stream {
    IStream IStream_iface;
    struct ref refs;
    struct stream_store *store; /* read-only; a reference */
    struct os_mutex lock;
    uint64_t position; /* lock; OS_NO_OFFSET: the store has none */
};

/* What CopyTo moves at once. */
#define COPY_SIZE ((size_t)64 << 10)

static struct stream *from_iface(IStream *iface)
{
    return (struct stream *)((char *)iface - offsetof(struct stream, IStream_iface));
}

static void store_unref(struct stream_store *store)
{
    if (ref_dec(&store->refs) == 0)
        store->operations->free(store);
}

static HRESULT STDMETHODCALLTYPE Stream_QueryInterface(IStream *iface, REFIID iid, void **object)
{
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_ISequentialStream) &&
        !IsEqualIID(iid, &IID_IStream))
        return E_NOINTERFACE;
    ref_inc(&from_iface(iface)->refs);
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Stream_AddRef(IStream *iface)
{
    return ref_inc(&from_iface(iface)->refs);
}

static ULONG STDMETHODCALLTYPE Stream_Release(IStream *iface)
{
    struct stream *self = from_iface(iface);
    ULONG left = ref_dec(&self->refs);
    if (left > 0)
        return left;
    store_unref(self->store);
    os_mutex_deinit(&self->lock);
    free(self);
    return 0;
}

static void advance_locked(struct stream *self, size_t n)
{
    if (self->position != OS_NO_OFFSET)
        self->position += n;
}

static HRESULT read_locked(struct stream *self, void *data, size_t size, size_t *n)
{
    HRESULT hr = self->store->operations->read(self->store, self->position, data, size, n);
    if (SUCCEEDED(hr))
        advance_locked(self, *n);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Stream_Read(IStream *iface, void *data, ULONG size, ULONG *n_read)
{
    struct stream *self = from_iface(iface);
    size_t n = 0;
    if (n_read != NULL)
        *n_read = 0;
    if (data == NULL)
        return STG_E_INVALIDPOINTER;
    os_mutex_lock(&self->lock);
    HRESULT hr = size > 0 ? read_locked(self, data, size, &n) : S_OK;
    os_mutex_unlock(&self->lock);
    if (n_read != NULL)
        *n_read = (ULONG)n;
    if (FAILED(hr))
        return runtime_publish(hr);
    bool is_end = n < size && (n == 0 || self->store->has_positions);
    return is_end ? S_FALSE : S_OK;
}

static HRESULT STDMETHODCALLTYPE Stream_Write(IStream *iface, const void *data, ULONG size,
                                              ULONG *n_written)
{
    struct stream *self = from_iface(iface);
    size_t done = 0;
    HRESULT hr = S_OK;
    if (n_written != NULL)
        *n_written = 0;
    if (data == NULL)
        return STG_E_INVALIDPOINTER;
    os_mutex_lock(&self->lock);
    while (done < size && SUCCEEDED(hr)) {
        size_t n = 0;
        hr = self->store->operations->write(self->store, self->position, (const char *)data + done,
                                            size - done, &n);
        done += n;
        advance_locked(self, n);
    }
    os_mutex_unlock(&self->lock);
    if (n_written != NULL)
        *n_written = (ULONG)done;
    return FAILED(hr) ? runtime_publish(hr) : S_OK;
}

static HRESULT origin_locked(struct stream *self, DWORD origin, uint64_t *base)
{
    STATSTG status = {0};
    HRESULT hr = S_OK;
    switch (origin) {
    case STREAM_SEEK_SET:
        *base = 0;
        return S_OK;
    case STREAM_SEEK_CUR:
        *base = self->position;
        return S_OK;
    case STREAM_SEEK_END:
        hr = self->store->operations->look(self->store, &status);
        *base = status.cbSize.QuadPart;
        return hr;
    default:
        return STG_E_INVALIDFUNCTION;
    }
}

static HRESULT STDMETHODCALLTYPE Stream_Seek(IStream *iface, LARGE_INTEGER move, DWORD origin,
                                             ULARGE_INTEGER *position)
{
    struct stream *self = from_iface(iface);
    uint64_t base = 0;
    if (!self->store->has_positions)
        return STG_E_INVALIDFUNCTION;
    os_mutex_lock(&self->lock);
    HRESULT hr = origin_locked(self, origin, &base);
    uint64_t target = base + (uint64_t)move.QuadPart;
    if (SUCCEEDED(hr) && target > INT64_MAX)
        hr = STG_E_INVALIDFUNCTION; /* before the start, or behind what any stream can have */
    if (SUCCEEDED(hr))
        self->position = target;
    if (position != NULL)
        position->QuadPart = self->position;
    os_mutex_unlock(&self->lock);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Stream_SetSize(IStream *iface, ULARGE_INTEGER size)
{
    struct stream *self = from_iface(iface);
    if (!self->store->has_positions || size.QuadPart > INT64_MAX)
        return STG_E_INVALIDFUNCTION;
    HRESULT hr = self->store->operations->set_size(self->store, size.QuadPart);
    return FAILED(hr) ? runtime_publish(hr) : S_OK;
}

/* A short write without an error is one of a stream that takes no more. */
static HRESULT pass_on(IStream *to, const char *data, size_t size, uint64_t *written)
{
    HRESULT hr = S_OK;
    for (size_t done = 0; done < size && SUCCEEDED(hr);) {
        ULONG n = 0;
        hr = IStream_Write(to, data + done, (ULONG)(size - done), &n);
        *written += n;
        done += n;
        if (SUCCEEDED(hr) && n == 0)
            hr = STG_E_MEDIUMFULL;
    }
    return hr;
}

static HRESULT STDMETHODCALLTYPE Stream_CopyTo(IStream *iface, IStream *to, ULARGE_INTEGER size,
                                               ULARGE_INTEGER *n_read, ULARGE_INTEGER *n_written)
{
    uint64_t taken = 0;
    uint64_t written = 0;
    if (to == NULL)
        return STG_E_INVALIDPOINTER;
    char *piece = malloc(COPY_SIZE);
    HRESULT hr = piece != NULL ? S_OK : E_OUTOFMEMORY;
    while (SUCCEEDED(hr) && taken < size.QuadPart) {
        uint64_t left = size.QuadPart - taken;
        ULONG n = 0;
        hr = Stream_Read(iface, piece, left < COPY_SIZE ? (ULONG)left : (ULONG)COPY_SIZE, &n);
        taken += n;
        if (SUCCEEDED(hr) && n == 0)
            break;
        if (SUCCEEDED(hr))
            hr = pass_on(to, piece, n, &written);
    }
    free(piece);
    if (n_read != NULL)
        n_read->QuadPart = taken;
    if (n_written != NULL)
        n_written->QuadPart = written;
    return FAILED(hr) ? hr : S_OK;
}

static HRESULT STDMETHODCALLTYPE Stream_Commit(IStream *iface, DWORD flags)
{
    struct stream *self = from_iface(iface);
    if (flags & STGC_DANGEROUSLYCOMMITMERELYTODISKCACHE)
        return S_OK;
    HRESULT hr = self->store->operations->flush(self->store);
    return FAILED(hr) ? runtime_publish(hr) : S_OK;
}

/* There are no transactions: what is written is written. */
static HRESULT STDMETHODCALLTYPE Stream_Revert(IStream *iface)
{
    (void)iface;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Stream_LockRegion(IStream *iface, ULARGE_INTEGER offset,
                                                   ULARGE_INTEGER size, DWORD type)
{
    (void)iface, (void)offset, (void)size, (void)type;
    return STG_E_INVALIDFUNCTION;
}

static HRESULT STDMETHODCALLTYPE Stream_Stat(IStream *iface, STATSTG *status, DWORD flags)
{
    struct stream *self = from_iface(iface);
    if (status == NULL)
        return STG_E_INVALIDPOINTER;
    if (flags > STATFLAG_NOOPEN)
        return STG_E_INVALIDFLAG;
    *status = (STATSTG){.type = STGTY_STREAM, .grfMode = STGM_READWRITE};
    HRESULT hr = self->store->operations->look(self->store, status);
    return FAILED(hr) ? runtime_publish(hr) : S_OK;
}

static HRESULT STDMETHODCALLTYPE Stream_Clone(IStream *iface, IStream **clone)
{
    struct stream *self = from_iface(iface);
    if (clone == NULL)
        return STG_E_INVALIDPOINTER;
    *clone = NULL;
    os_mutex_lock(&self->lock);
    uint64_t position = self->position;
    os_mutex_unlock(&self->lock);
    ref_inc(&self->store->refs);
    HRESULT hr = stream_new(self->store, position, clone);
    return FAILED(hr) ? runtime_publish(hr) : S_OK;
}

static const IStreamVtbl stream_vtbl = {
    Stream_QueryInterface, Stream_AddRef,     Stream_Release, Stream_Read,   Stream_Write,
    Stream_Seek,           Stream_SetSize,    Stream_CopyTo,  Stream_Commit, Stream_Revert,
    Stream_LockRegion,     Stream_LockRegion, Stream_Stat,    Stream_Clone,
};

HRESULT stream_new(struct stream_store *store, uint64_t position, IStream **stream)
{
    struct stream *self = calloc(1, sizeof *self);
    if (self == NULL) {
        store_unref(store);
        return error_set(E_OUTOFMEMORY, "no memory for a stream");
    }
    self->IStream_iface.lpVtbl = (IStreamVtbl *)&stream_vtbl; /* Windows declares it not const */
    ref_init(&self->refs);
    os_mutex_init(&self->lock);
    self->store = store;
    self->position = store->has_positions ? position : OS_NO_OFFSET;
    *stream = &self->IStream_iface;
    return S_OK;
}
