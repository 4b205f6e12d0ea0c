#include "com/remote/stream_slots.h"

#include <stdlib.h>
#include <string.h>

#include "com/marshal/marshal.h"
#include "com/remote/import.h"
#include "com/remote/proxy.h"
#include "com/remote/runtime.h"
#include "core/util/error.h"

/* A piece goes through shared memory as a whole where there is any, and is long enough for that to
 * pay; and short enough for hundreds of streams at once. */
#define PIECE_SIZE ((ULONG)256 << 10)

static HRESULT call(void *pointer, unsigned slot, void **arguments)
{
    const struct face *face = pointer;
    return proxy_call(pointer, marshal_interface_method(face->itf, slot), arguments);
}

/* --- the object's side --- */

static HRESULT STDMETHODCALLTYPE face_Read(void *pointer, ULONG wanted, ULONG *size, BYTE **data)
{
    struct stream_face *self = pointer;
    ULONG most = wanted < PIECE_SIZE ? wanted : PIECE_SIZE; /* the peer may ask for anything */
    *size = 0;
    *data = CoTaskMemAlloc(most);
    if (*data == NULL)
        return E_OUTOFMEMORY;
    HRESULT hr = self->stream->lpVtbl->Read(self->stream, *data, most, size);
    if (SUCCEEDED(hr) && *size > most)
        hr = E_UNEXPECTED;
    if (FAILED(hr)) {
        CoTaskMemFree(*data);
        *data = NULL;
        *size = 0;
    }
    return hr;
}

static const void *const face_vtable[] = {NULL, NULL, NULL, (const void *)(uintptr_t)face_Read};

void *stream_face_init(struct stream_face *face, void *stream)
{
    face->vtable = face_vtable;
    face->stream = stream;
    return face;
}

/* --- the caller's: ISequentialStream --- */

/* One call; `*n` is how many bytes it brought. */
static HRESULT read_piece(void *pointer, BYTE *to, ULONG wanted, ULONG *n)
{
    BYTE *data = NULL;
    BYTE **result = &data;
    ULONG size = 0;
    ULONG *counted = &size;
    void *arguments[] = {&wanted, &counted, &result};
    HRESULT hr = call(pointer, BUILTIN_STREAM_READ_SLOT, arguments);
    *n = 0;
    if (SUCCEEDED(hr) && size > wanted) {
        hr = runtime_publish(error_set(RPC_E_INVALID_DATA,
                                       "a stream gave %u bytes, of which %u were wanted",
                                       (unsigned)size, (unsigned)wanted));
    } else if (SUCCEEDED(hr)) {
        memcpy(to, data, size);
        *n = size;
    }
    CoTaskMemFree(data);
    return hr;
}

static HRESULT STDMETHODCALLTYPE proxy_Read(void *pointer, void *data, ULONG size, ULONG *n_read)
{
    ULONG done = 0;
    HRESULT hr = S_OK;
    if (n_read != NULL)
        *n_read = 0;
    if (data == NULL)
        return STG_E_INVALIDPOINTER;
    for (bool is_short = false; done < size && hr == S_OK && !is_short;) {
        ULONG wanted = size - done < PIECE_SIZE ? size - done : PIECE_SIZE;
        ULONG n;
        hr = read_piece(pointer, (BYTE *)data + done, wanted, &n);
        done += n;
        is_short = n < wanted;
    }
    if (n_read != NULL)
        *n_read = done;
    return hr;
}

static HRESULT STDMETHODCALLTYPE proxy_Write(void *pointer, const void *data, ULONG size,
                                             ULONG *n_written)
{
    ULONG done = 0;
    HRESULT hr = S_OK;
    if (n_written != NULL)
        *n_written = 0;
    if (data == NULL)
        return STG_E_INVALIDPOINTER;
    for (bool is_short = false; done < size && hr == S_OK && !is_short;) {
        const BYTE *piece = (const BYTE *)data + done;
        ULONG n = size - done < PIECE_SIZE ? size - done : PIECE_SIZE;
        ULONG written = 0;
        ULONG *counted = &written;
        void *arguments[] = {&piece, &n, &counted};
        hr = call(pointer, BUILTIN_STREAM_WRITE_SLOT, arguments);
        done += written < n ? written : n;
        is_short = written < n;
    }
    if (n_written != NULL)
        *n_written = done;
    return hr;
}

/* --- IStream --- */

static HRESULT STDMETHODCALLTYPE proxy_Seek(void *pointer, LARGE_INTEGER move, DWORD origin,
                                            ULARGE_INTEGER *position)
{
    ULARGE_INTEGER unasked;
    ULARGE_INTEGER *result = position != NULL ? position : &unasked;
    void *arguments[] = {&move, &origin, &result};
    return call(pointer, BUILTIN_STREAM_SEEK_SLOT, arguments);
}

static HRESULT STDMETHODCALLTYPE proxy_SetSize(void *pointer, ULARGE_INTEGER size)
{
    void *arguments[] = {&size};
    return call(pointer, BUILTIN_STREAM_SIZE_SLOT, arguments);
}

/* A short write without an error is one of a stream that takes no more. */
static HRESULT write_all(IStream *to, const BYTE *data, ULONG size, uint64_t *written)
{
    HRESULT hr = S_OK;
    for (ULONG done = 0; done < size && SUCCEEDED(hr);) {
        ULONG n = 0;
        hr = IStream_Write(to, data + done, size - done, &n);
        *written += n;
        done += n;
        if (SUCCEEDED(hr) && n == 0)
            hr = STG_E_MEDIUMFULL;
    }
    return hr;
}

static HRESULT copy_here(void *pointer, IStream *to, uint64_t size, uint64_t *n_read,
                         uint64_t *written)
{
    BYTE *piece = malloc(PIECE_SIZE);
    HRESULT hr = piece != NULL ? S_OK : E_OUTOFMEMORY;
    while (SUCCEEDED(hr) && *n_read < size) {
        ULONG wanted = size - *n_read < PIECE_SIZE ? (ULONG)(size - *n_read) : PIECE_SIZE;
        ULONG n;
        hr = read_piece(pointer, piece, wanted, &n);
        *n_read += n;
        if (SUCCEEDED(hr) && n == 0)
            break;
        if (SUCCEEDED(hr))
            hr = write_all(to, piece, n, written);
    }
    free(piece);
    return FAILED(hr) ? hr : S_OK;
}

static bool has_same_owner(void *pointer, IStream *other)
{
    const struct import *mine = ((struct face *)pointer)->import;
    const struct import *its = import_of(other);
    return its != NULL && memcmp(&mine->owner, &its->owner, sizeof mine->owner) == 0;
}

static HRESULT STDMETHODCALLTYPE proxy_CopyTo(void *pointer, IStream *to, ULARGE_INTEGER size,
                                              ULARGE_INTEGER *n_read, ULARGE_INTEGER *n_written)
{
    uint64_t counts[2] = {0, 0};
    uint64_t *read_at = &counts[0];
    uint64_t *written_at = &counts[1];
    HRESULT hr;
    if (n_read != NULL)
        n_read->QuadPart = 0;
    if (n_written != NULL)
        n_written->QuadPart = 0;
    if (to == NULL)
        return STG_E_INVALIDPOINTER;
    if (has_same_owner(pointer, to)) {
        void *arguments[] = {&to, &size, &read_at, &written_at};
        hr = call(pointer, BUILTIN_STREAM_COPY_SLOT, arguments);
    } else {
        hr = copy_here(pointer, to, size.QuadPart, &counts[0], &counts[1]);
    }
    if (n_read != NULL)
        n_read->QuadPart = counts[0];
    if (n_written != NULL)
        n_written->QuadPart = counts[1];
    return hr;
}

static HRESULT STDMETHODCALLTYPE proxy_Commit(void *pointer, DWORD flags)
{
    void *arguments[] = {&flags};
    return call(pointer, BUILTIN_STREAM_COMMIT_SLOT, arguments);
}

static HRESULT STDMETHODCALLTYPE proxy_Revert(void *pointer)
{
    return call(pointer, BUILTIN_STREAM_REVERT_SLOT, NULL);
}

static HRESULT STDMETHODCALLTYPE proxy_LockRegion(void *pointer, ULARGE_INTEGER offset,
                                                  ULARGE_INTEGER size, DWORD type)
{
    void *arguments[] = {&offset, &size, &type};
    return call(pointer, BUILTIN_STREAM_LOCK_SLOT, arguments);
}

static HRESULT STDMETHODCALLTYPE proxy_UnlockRegion(void *pointer, ULARGE_INTEGER offset,
                                                    ULARGE_INTEGER size, DWORD type)
{
    void *arguments[] = {&offset, &size, &type};
    return call(pointer, BUILTIN_STREAM_UNLOCK_SLOT, arguments);
}

static HRESULT STDMETHODCALLTYPE proxy_Stat(void *pointer, STATSTG *status, DWORD flags)
{
    if (status == NULL)
        return STG_E_INVALIDPOINTER;
    void *arguments[] = {&status, &flags};
    return call(pointer, BUILTIN_STREAM_STAT_SLOT, arguments);
}

static HRESULT STDMETHODCALLTYPE proxy_Clone(void *pointer, IStream **clone)
{
    if (clone == NULL)
        return STG_E_INVALIDPOINTER;
    void *arguments[] = {&clone};
    return call(pointer, BUILTIN_STREAM_CLONE_SLOT, arguments);
}

#define SLOT(function) (const void *)(uintptr_t)(function)

const void *const stream_proxy_vtable[] = {
    SLOT(proxy_QueryInterface), SLOT(proxy_AddRef),     SLOT(proxy_Release),
    SLOT(proxy_Read),           SLOT(proxy_Write),      SLOT(proxy_Seek),
    SLOT(proxy_SetSize),        SLOT(proxy_CopyTo),     SLOT(proxy_Commit),
    SLOT(proxy_Revert),         SLOT(proxy_LockRegion), SLOT(proxy_UnlockRegion),
    SLOT(proxy_Stat),           SLOT(proxy_Clone),
};
