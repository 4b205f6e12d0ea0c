/* Streams over open files, pipes and sockets. */
#include "com/std/stream.h"

#include <stdlib.h>

#include "com/remote/runtime.h"
#include "core/os/handle.h"
#include "core/util/error.h"

struct open_file {
    struct stream_store store; /* first */
    intptr_t handle;           /* read-only once the stream is given out; ours */
};

static intptr_t handle_of(struct stream_store *store)
{
    return ((struct open_file *)store)->handle;
}

static HRESULT file_read(struct stream_store *store, uint64_t offset, void *data, size_t size,
                         size_t *n)
{
    HRESULT hr;
    size_t piece;
    *n = 0;
    do {
        uint64_t at = offset == OS_NO_OFFSET ? offset : offset + *n;
        piece = 0;
        hr = os_handle_read(handle_of(store), at, (char *)data + *n, size - *n, &piece);
        *n += piece;
    } while (SUCCEEDED(hr) && store->has_positions && piece > 0 && *n < size);
    return hr;
}

static HRESULT file_write(struct stream_store *store, uint64_t offset, const void *data,
                          size_t size, size_t *n)
{
    return os_handle_write(handle_of(store), offset, data, size, n);
}

static HRESULT file_set_size(struct stream_store *store, uint64_t size)
{
    return os_handle_set_size(handle_of(store), size);
}

static FILETIME filetime(uint64_t time)
{
    return (FILETIME){(DWORD)time, (DWORD)(time >> 32)};
}

static HRESULT file_look(struct stream_store *store, STATSTG *status)
{
    struct os_handle_status found;
    HRESULT hr = os_handle_look(handle_of(store), &found);
    if (FAILED(hr))
        return hr;
    status->cbSize.QuadPart = found.size;
    status->mtime = filetime(found.modified);
    status->ctime = filetime(found.changed);
    status->atime = filetime(found.accessed);
    return S_OK;
}

static HRESULT file_flush(struct stream_store *store)
{
    return os_handle_flush(handle_of(store));
}

static void file_free(struct stream_store *store)
{
    os_handle_close(handle_of(store));
    free(store);
}

static const struct stream_store_operations operations = {file_read, file_write, file_set_size,
                                                          file_look, file_flush, file_free};

HRESULT via_stream_on_handle(VIA_HANDLE handle, IStream **stream)
{
    uint64_t position = 0;
    *stream = NULL;
    if (os_handle_is_none((intptr_t)handle))
        return runtime_publish(error_set(E_HANDLE, "a stream needs an open file"));
    struct open_file *self = calloc(1, sizeof *self);
    if (self == NULL)
        return runtime_publish(error_set(E_OUTOFMEMORY, "no memory for a stream"));
    self->store = (struct stream_store){.operations = &operations};
    ref_init(&self->store.refs);
    self->handle = OS_NO_HANDLE; /* the caller's until nothing can fail any more */
    self->store.has_positions = os_handle_has_position((intptr_t)handle, &position);
    HRESULT hr = stream_new(&self->store, position, stream);
    if (SUCCEEDED(hr))
        self->handle = (intptr_t)handle;
    return runtime_publish(hr);
}
