/*
 * The sending half of a stream. One write is under way at a time; bytes behind it gather meanwhile.
 * A write that the system has room for completes at once; one that pends keeps its bytes where they
 * are until its packet has come, which is what the stream's readiness to write is. (A write of no
 * bytes would not do: it completes however full the system is.)
 */
#include "plugins/unixsock/overlapped_stream_windows.h"

#include <string.h>

HRESULT overlapped_is_connected(struct via_stream *stream, DWORD *error)
{
    AcquireSRWLockExclusive(&stream->lock);
    bool is_decided = !atomic_load(&stream->connecting);
    HRESULT hr = stream->send_broken;
    *error = stream->connect_error;
    ReleaseSRWLockExclusive(&stream->lock);
    return is_decided ? hr : S_FALSE;
}

static void on_written(struct via_plugin_overlapped *overlapped, uint32_t error, uint32_t n_bytes);

static HRESULT fail_again(HRESULT hr)
{
    return hr == RPC_E_DISCONNECTED ? socket_fail(hr, "the peer has closed the connection")
                                    : socket_fail(hr, "the stream broke before");
}

/* Prepares an operation of `write`, which holds the handle then. */
static OVERLAPPED *prepare(struct via_stream *stream)
{
    memset(&stream->write.storage, 0, sizeof stream->write.storage);
    stream->write.done = on_written;
    return (OVERLAPPED *)(void *)&stream->write.storage;
}

/* It pends. Its packet cannot be handled before the lock is left. */
static void started(struct via_stream *stream, size_t size)
{
    stream->writing = true;
    stream->write_size = size;
    atomic_fetch_add(&stream->n_references, 1);
    atomic_fetch_add(&overlapped_n_pending, 1);
    overlapped_stream_started(stream);
}

/* One write, from the head. With the lock. */
static HRESULT write_piece(struct via_stream *stream, size_t size)
{
    static const uint8_t nothing;
    struct overlapped_buffer *buffer = &stream->sending;
    const uint8_t *data = size > 0 ? buffer->memory.data + buffer->head : &nothing;
    if (!overlapped_stream_enter(stream))
        return stream->send_broken = fail_again(RPC_E_DISCONNECTED);
    DWORD error = stream->kind->write(stream->handle, data, (DWORD)size, prepare(stream));
    if (error == ERROR_IO_PENDING || (error == 0 && stream->keeps_messages)) {
        started(stream, size);
        return S_OK;
    }
    if (error == 0)
        buffer->head += size;
    else
        stream->send_broken = overlapped_fail_error("sending", error);
    overlapped_stream_leave(stream);
    return stream->send_broken;
}

/* Writes what is committed and not under way. With the lock. */
static HRESULT push(struct via_stream *stream)
{
    const struct overlapped_buffer *buffer = &stream->sending;
    HRESULT hr = stream->send_broken != S_OK ? fail_again(stream->send_broken) : S_OK;
    while (hr == S_OK && !stream->writing && buffer->head < buffer->tail)
        hr = write_piece(stream, buffer->tail - buffer->head);
    if (FAILED(hr))
        return hr;
    return stream->writing ? VIA_S_WOULD_BLOCK : S_OK;
}

/* With the lock: who waits to read has been promised a report. */
static void end_connecting(struct via_stream *stream, DWORD error)
{
    atomic_store(&stream->connecting, false);
    stream->connect_error = error;
    if (error == 0 && stream->kind->connected != NULL)
        stream->kind->connected(stream->handle);
    if ((stream->armed & VIA_READY_READ) && !stream->closing)
        overlapped_probe(stream);
}

DWORD overlapped_connect(struct via_stream *stream,
                         DWORD (*start)(HANDLE handle, const void *argument,
                                        OVERLAPPED *overlapped),
                         const void *argument)
{
    DWORD error = ERROR_OPERATION_ABORTED;
    AcquireSRWLockExclusive(&stream->lock);
    if (overlapped_stream_enter(stream)) {
        error = start(stream->handle, argument, prepare(stream));
        atomic_store(&stream->connecting, error == ERROR_IO_PENDING);
        if (error == ERROR_IO_PENDING)
            started(stream, 0);
        else
            overlapped_stream_leave(stream);
        if (error == 0 && stream->kind->connected != NULL)
            stream->kind->connected(stream->handle);
    }
    ReleaseSRWLockExclusive(&stream->lock);
    return error == ERROR_IO_PENDING ? 0 : error;
}

static void on_written(struct via_plugin_overlapped *overlapped, uint32_t error, uint32_t n_bytes)
{
    struct via_stream *stream =
        (struct via_stream *)(void *)((char *)overlapped - offsetof(struct via_stream, write));
    (void)n_bytes;
    AcquireSRWLockExclusive(&stream->lock);
    stream->writing = false;
    stream->sending.head += stream->write_size;
    if (error != 0 && stream->send_broken == S_OK)
        stream->send_broken = overlapped_fail_error("sending", error);
    if (atomic_load(&stream->connecting))
        end_connecting(stream, error);
    if (!stream->closing)
        overlapped_report(stream, VIA_READY_WRITE);
    ReleaseSRWLockExclusive(&stream->lock);
    overlapped_stream_leave(stream);
    overlapped_stream_unref(stream);
    atomic_fetch_sub(&overlapped_n_pending, 1);
}

/* What is reserved becomes a message of `n` bytes. With the lock. */
static HRESULT push_message(struct via_stream *stream, size_t n)
{
    if (stream->send_broken != S_OK)
        return fail_again(stream->send_broken);
    if (!stream->keeps_messages || stream->writing)
        return socket_fail(E_INVALIDARG, "a message where there is no place for one");
    HRESULT hr = write_piece(stream, n);
    return hr == S_OK && stream->writing ? VIA_S_WOULD_BLOCK : hr;
}

/* Room behind the tail; what is being written cannot be moved. With the lock. */
static HRESULT make_room(struct via_stream *stream, size_t min, size_t *room)
{
    struct overlapped_buffer *buffer = &stream->sending;
    if (!stream->writing) {
        HRESULT hr = overlapped_buffer_make_room(buffer, min);
        if (FAILED(hr))
            return hr;
    }
    *room = buffer->memory.size - buffer->tail;
    return S_OK;
}

HRESULT overlapped_reserve(struct via_stream *stream, size_t min, uint8_t **span, size_t *size)
{
    size_t room = 0;
    if (min > STREAM_MAX_SPAN)
        return socket_fail(E_INVALIDARG, "reserve of %u bytes; %u is the most", (unsigned)min,
                           STREAM_MAX_SPAN);
    AcquireSRWLockExclusive(&stream->lock);
    HRESULT hr = stream->send_broken != S_OK ? fail_again(stream->send_broken)
                                             : make_room(stream, min, &room);
    if (hr == S_OK && stream->keeps_messages && stream->writing) {
        hr = VIA_S_WOULD_BLOCK;
    } else if (SUCCEEDED(hr) && room < min) {
        hr = push(stream);
        if (SUCCEEDED(hr))
            hr = make_room(stream, min, &room);
        if (SUCCEEDED(hr) && room < min)
            hr = VIA_S_WOULD_BLOCK;
    }
    if (hr == S_OK) {
        stream->reserved = true;
        *span = stream->sending.memory.data + stream->sending.tail;
        *size = room;
    }
    ReleaseSRWLockExclusive(&stream->lock);
    return hr;
}

HRESULT overlapped_commit(struct via_stream *stream, size_t n, const via_os_handle *handles,
                          uint32_t n_handles, uint32_t flags)
{
    struct overlapped_buffer *buffer = &stream->sending;
    (void)handles;
    if (n_handles > 0)
        return socket_fail(E_INVALIDARG, "this transport carries no handles");
    HRESULT hr = S_OK;
    AcquireSRWLockExclusive(&stream->lock);
    if (n > 0 && (!stream->reserved || n > buffer->memory.size - buffer->tail)) {
        hr = socket_fail(E_INVALIDARG, "commit of %u bytes that were not reserved", (unsigned)n);
    } else {
        buffer->tail += n;
        stream->reserved = false;
        if (flags & VIA_COMMIT_MESSAGE)
            hr = push_message(stream, n);
        else if (flags & VIA_COMMIT_FLUSH)
            hr = push(stream);
        else if (stream->send_broken != S_OK)
            hr = fail_again(stream->send_broken);
    }
    ReleaseSRWLockExclusive(&stream->lock);
    return hr;
}
