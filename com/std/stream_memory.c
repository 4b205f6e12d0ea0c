/* Streams over memory of their own. */
#include "com/std/stream.h"

#include <stdlib.h>
#include <string.h>

#include "com/remote/runtime.h"
#include "core/os/thread.h"
#include "core/util/error.h"

struct memory {
    struct stream_store store; /* first */
    struct os_mutex lock;
    char *bytes; /* lock */
    size_t size; /* lock */
    size_t room; /* lock */
};

static HRESULT no_memory(uint64_t size)
{
    return error_set(E_OUTOFMEMORY, "no memory for a stream of %llu bytes",
                     (unsigned long long)size);
}

/* What is new is zero. */
static HRESULT resize_locked(struct memory *self, uint64_t size)
{
    if (size > SIZE_MAX / 2)
        return no_memory(size);
    if (size > self->room) {
        size_t room = self->room * 2 > size ? self->room * 2 : (size_t)size;
        char *larger = realloc(self->bytes, room);
        if (larger == NULL)
            return no_memory(size);
        self->bytes = larger;
        self->room = room;
    }
    if (size > self->size)
        memset(self->bytes + self->size, 0, (size_t)size - self->size);
    self->size = (size_t)size;
    return S_OK;
}

static HRESULT memory_read(struct stream_store *store, uint64_t offset, void *data, size_t size,
                           size_t *n)
{
    struct memory *self = (struct memory *)store;
    os_mutex_lock(&self->lock);
    size_t left = offset < self->size ? self->size - (size_t)offset : 0;
    *n = left < size ? left : size;
    if (*n > 0)
        memcpy(data, self->bytes + offset, *n);
    os_mutex_unlock(&self->lock);
    return S_OK;
}

static HRESULT memory_write(struct stream_store *store, uint64_t offset, const void *data,
                            size_t size, size_t *n)
{
    struct memory *self = (struct memory *)store;
    os_mutex_lock(&self->lock);
    HRESULT hr = offset + size > self->size ? resize_locked(self, offset + size) : S_OK;
    if (SUCCEEDED(hr)) {
        memcpy(self->bytes + offset, data, size);
        *n = size;
    }
    os_mutex_unlock(&self->lock);
    return hr;
}

static HRESULT memory_set_size(struct stream_store *store, uint64_t size)
{
    struct memory *self = (struct memory *)store;
    os_mutex_lock(&self->lock);
    HRESULT hr = resize_locked(self, size);
    os_mutex_unlock(&self->lock);
    return hr;
}

static HRESULT memory_look(struct stream_store *store, STATSTG *status)
{
    struct memory *self = (struct memory *)store;
    os_mutex_lock(&self->lock);
    status->cbSize.QuadPart = self->size;
    os_mutex_unlock(&self->lock);
    return S_OK;
}

static HRESULT memory_flush(struct stream_store *store)
{
    (void)store;
    return S_OK;
}

static void memory_free(struct stream_store *store)
{
    struct memory *self = (struct memory *)store;
    os_mutex_deinit(&self->lock);
    free(self->bytes);
    free(self);
}

static const struct stream_store_operations operations = {
    memory_read, memory_write, memory_set_size, memory_look, memory_flush, memory_free};

HRESULT via_stream_on_memory(const void *data, size_t size, IStream **stream)
{
    *stream = NULL;
    struct memory *self = calloc(1, sizeof *self);
    if (self == NULL)
        return runtime_publish(no_memory(size));
    self->store = (struct stream_store){.operations = &operations, .has_positions = true};
    ref_init(&self->store.refs);
    os_mutex_init(&self->lock);
    HRESULT hr = resize_locked(self, size);
    if (FAILED(hr)) {
        memory_free(&self->store);
        return runtime_publish(hr);
    }
    if (data != NULL && size > 0)
        memcpy(self->bytes, data, size);
    return runtime_publish(stream_new(&self->store, 0, stream));
}
