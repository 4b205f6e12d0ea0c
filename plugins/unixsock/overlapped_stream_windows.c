/*
 * A stream's life, and its receiving half.
 *
 * Nothing blocks but the wait: a peek takes what is there, by the kind's own means. (In Wine 8 a
 * read that is cancelled again costs twice as much.) The wait is an overlapped read straight into
 * the receive buffer, with an event of its own whose low bit keeps its completion away from the
 * port, and a second event for interrupts.
 *
 * `shutdown` may come while other threads use the handle; it is closed by whoever uses it last.
 */
#include "plugins/unixsock/overlapped_stream_windows.h"

#include <stdlib.h>
#include <string.h>

HRESULT overlapped_buffer_make_room(struct overlapped_buffer *buffer, size_t room)
{
    if (buffer->memory.data == NULL) {
        HRESULT hr = socket_host->buffer_get(STREAM_BUFFER_SIZE, &buffer->memory);
        if (FAILED(hr))
            return hr;
    }
    if (buffer->head == buffer->tail) {
        buffer->head = buffer->tail = 0;
    } else if (buffer->memory.size - buffer->tail < room) {
        memmove(buffer->memory.data, buffer->memory.data + buffer->head,
                buffer->tail - buffer->head);
        buffer->tail -= buffer->head;
        buffer->head = 0;
    }
    return S_OK;
}

void overlapped_buffer_give_back(struct overlapped_buffer *buffer)
{
    if (buffer->memory.data != NULL)
        socket_host->buffer_put(&buffer->memory);
    memset(buffer, 0, sizeof *buffer);
}

HRESULT overlapped_stream_new(const struct overlapped_kind *kind, HANDLE handle, bool is_server,
                              struct via_stream **stream)
{
    struct via_stream *self = calloc(1, sizeof *self);
    HANDLE read_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE interrupt_event = CreateEventW(NULL, FALSE, FALSE, NULL);
    if (self == NULL || read_event == NULL || interrupt_event == NULL) {
        free(self);
        if (read_event != NULL)
            CloseHandle(read_event);
        if (interrupt_event != NULL)
            CloseHandle(interrupt_event);
        kind->close(handle);
        return socket_fail(E_OUTOFMEMORY, "out of memory for a connection");
    }
    self->kind = kind;
    self->handle = handle;
    self->is_server = is_server;
    self->read_event = read_event;
    self->interrupt_event = interrupt_event;
    atomic_init(&self->n_users, 1);
    atomic_init(&self->n_references, 1);
    InitializeSRWLock(&self->lock);
    InitializeConditionVariable(&self->wake);
    *stream = self;
    return S_OK;
}

void overlapped_stream_unref(struct via_stream *stream)
{
    if (atomic_fetch_sub(&stream->n_references, 1) != 1)
        return;
    overlapped_buffer_give_back(&stream->sending);
    CloseHandle(stream->read_event);
    CloseHandle(stream->interrupt_event);
    free(stream);
}

bool overlapped_stream_enter(struct via_stream *stream)
{
    uint32_t n = atomic_load(&stream->n_users);
    while (n != 0) {
        if (atomic_compare_exchange_weak(&stream->n_users, &n, n + 1)) {
            if (!atomic_load(&stream->shut))
                return true;
            overlapped_stream_leave(stream);
            return false;
        }
    }
    return false;
}

void overlapped_stream_leave(struct via_stream *stream)
{
    if (atomic_fetch_sub(&stream->n_users, 1) == 1)
        stream->kind->close(stream->handle);
}

void overlapped_stream_started(struct via_stream *stream)
{
    if (atomic_load(&stream->shut))
        CancelIoEx(stream->handle, NULL);
}

void overlapped_shutdown(struct via_stream *stream)
{
    if (atomic_exchange(&stream->shut, true))
        return;
    /* Still the owner's use, which the leave gives up. */
    stream->kind->shut(stream->handle);
    CancelIoEx(stream->handle, NULL);
    SetEvent(stream->interrupt_event);
    overlapped_stream_leave(stream);
}

HRESULT overlapped_finish(struct via_stream *stream)
{
    if (!overlapped_stream_enter(stream))
        return socket_fail(RPC_E_DISCONNECTED, "the peer has closed the connection");
    HRESULT hr = stream->kind->finish(stream->handle);
    overlapped_stream_leave(stream);
    return hr;
}

/* Winsock does not say. */
HRESULT overlapped_is_over(struct via_stream *stream)
{
    (void)stream;
    return S_FALSE;
}

void overlapped_close(struct via_stream *stream)
{
    AcquireSRWLockExclusive(&stream->lock);
    stream->closing = true;
    while (stream->reporting)
        SleepConditionVariableSRW(&stream->wake, &stream->lock, INFINITE, 0);
    bool writing = stream->writing;
    ReleaseSRWLockExclusive(&stream->lock);
    overlapped_shutdown(stream);
    overlapped_buffer_give_back(&stream->receiving);
    if (!writing)
        overlapped_buffer_give_back(&stream->sending);
    overlapped_stream_unref(stream);
}

HRESULT overlapped_peer_identity(struct via_stream *stream, struct via_peer_identity *identity)
{
    identity->flags = 0;
    if (!overlapped_stream_enter(stream))
        return socket_fail(RPC_E_DISCONNECTED, "the peer has closed the connection");
    HRESULT hr = stream->kind->identify(stream->handle, stream->is_server, identity);
    overlapped_stream_leave(stream);
    return hr;
}

/* --- receiving --- */

static HRESULT fail_again(HRESULT hr)
{
    return hr == RPC_E_DISCONNECTED ? socket_fail(hr, "the peer has closed the connection")
                                    : socket_fail(hr, "the stream broke before");
}

void overlapped_prepare_read(struct via_stream *stream)
{
    memset(&stream->reading, 0, sizeof stream->reading);
    stream->reading.hEvent = (HANDLE)((uintptr_t)stream->read_event | 1);
}

DWORD overlapped_cancel_read(struct via_stream *stream)
{
    DWORD n = 0;
    CancelIoEx(stream->handle, &stream->reading);
    WaitForSingleObject(stream->read_event, INFINITE);
    return GetOverlappedResult(stream->handle, &stream->reading, &n, FALSE) ? n : 0;
}

static HRESULT receive(struct via_stream *stream, void *data, size_t size, size_t *n)
{
    if (stream->broken != S_OK)
        return fail_again(stream->broken);
    if (atomic_load(&stream->connecting))
        return VIA_S_WOULD_BLOCK;
    HRESULT hr;
    if (overlapped_stream_enter(stream)) {
        hr = stream->kind->receive(stream, data, size, n);
        overlapped_stream_leave(stream);
    } else {
        hr = fail_again(RPC_E_DISCONNECTED);
    }
    if (FAILED(hr))
        stream->broken = hr;
    return hr;
}

HRESULT overlapped_peek(struct via_stream *stream, size_t want, const uint8_t **span, size_t *size)
{
    struct overlapped_buffer *buffer = &stream->receiving;
    if (want > STREAM_MAX_SPAN)
        return socket_fail(E_INVALIDARG, "peek of %u bytes; %u is the most", (unsigned)want,
                           STREAM_MAX_SPAN);
    HRESULT hr = S_OK;
    while (buffer->tail - buffer->head < want && hr == S_OK) {
        size_t n = 0;
        hr = overlapped_buffer_make_room(buffer, want - (buffer->tail - buffer->head));
        if (hr == S_OK)
            hr = receive(stream, buffer->memory.data + buffer->tail,
                         buffer->memory.size - buffer->tail, &n);
        buffer->tail += n;
    }
    *size = buffer->tail - buffer->head;
    *span = buffer->memory.data + buffer->head;
    stream->starved = hr == VIA_S_WOULD_BLOCK;
    return *size >= want ? S_OK : hr;
}

void overlapped_consume(struct via_stream *stream, size_t n)
{
    stream->receiving.head += n;
}

HRESULT overlapped_read_into(struct via_stream *stream, void *memory, size_t size, size_t *n)
{
    struct overlapped_buffer *buffer = &stream->receiving;
    size_t buffered = buffer->tail - buffer->head;
    if (buffered > 0) {
        *n = buffered < size ? buffered : size;
        memcpy(memory, buffer->memory.data + buffer->head, *n);
        buffer->head += *n;
        return S_OK;
    }
    HRESULT hr = receive(stream, memory, size, n);
    stream->starved = hr == VIA_S_WOULD_BLOCK;
    return hr;
}

HRESULT overlapped_take_handles(struct via_stream *stream, via_os_handle *handles, uint32_t n)
{
    (void)stream;
    (void)handles;
    return n == 0 ? S_OK : socket_fail(VIA_E_PROTOCOL, "this transport carries no handles");
}

/* --- waiting --- */

/* Milliseconds until the deadline, rounded up. */
static DWORD left_ms(uint64_t deadline_ns)
{
    if (deadline_ns == UINT64_MAX)
        return INFINITE;
    uint64_t now = socket_host->now_ns();
    uint64_t ms = now >= deadline_ns ? 0 : (deadline_ns - now + 999999) / 1000000;
    return ms < 0x7fffffff ? (DWORD)ms : 0x7fffffff;
}

static bool take_interruption(struct via_stream *stream)
{
    return atomic_load(&stream->interrupted) && atomic_exchange(&stream->interrupted, false);
}

/* The read is under way: until it completes, is interrupted, or the deadline passes. */
static HRESULT sleep_for_read(struct via_stream *stream, uint64_t deadline_ns, DWORD *n)
{
    HANDLE events[2] = {stream->read_event, stream->interrupt_event};
    for (;;) {
        HRESULT hr = S_OK;
        DWORD result = WaitForMultipleObjects(2, events, FALSE, left_ms(deadline_ns));
        if (result == WAIT_OBJECT_0)
            return GetOverlappedResult(stream->handle, &stream->reading, n, FALSE)
                       ? S_OK
                       : overlapped_fail_error("receiving", GetLastError());
        if (atomic_load(&stream->shut))
            hr = fail_again(RPC_E_DISCONNECTED);
        else if (take_interruption(stream))
            hr = VIA_S_INTERRUPTED;
        else if (result == WAIT_TIMEOUT && socket_host->now_ns() >= deadline_ns)
            hr = RPC_E_TIMEOUT;
        if (hr == S_OK)
            continue; /* the event of an interrupt that was taken before */
        *n = overlapped_cancel_read(stream);
        if (*n == 0)
            return hr == RPC_E_TIMEOUT ? socket_fail(hr, "nothing arrived before the deadline")
                                       : hr;
        /* The bytes came first; the interrupt is for the next wait. */
        if (hr == VIA_S_INTERRUPTED)
            overlapped_interrupt(stream);
        return S_OK;
    }
}

/* Reads at least one byte. The handle is held. */
static HRESULT read_blocking(struct via_stream *stream, uint8_t *data, size_t size,
                             uint64_t deadline_ns, DWORD *n)
{
    const struct overlapped_kind *kind = stream->kind;
    HRESULT hr = S_OK;
    *n = 0;
    while (hr == S_OK && *n == 0) {
        overlapped_prepare_read(stream);
        DWORD error = kind->read(stream->handle, data, (DWORD)size, &stream->reading);
        if (error == 0)
            GetOverlappedResult(stream->handle, &stream->reading, n, FALSE);
        else if (error == ERROR_IO_PENDING)
            hr = sleep_for_read(stream, deadline_ns, n);
        else
            hr = overlapped_fail_error("receiving", error);
        if (hr == S_OK && *n == 0 && kind->nothing_is_the_end)
            hr = fail_again(RPC_E_DISCONNECTED);
    }
    return hr;
}

HRESULT overlapped_wait(struct via_stream *stream, uint64_t deadline_ns)
{
    struct overlapped_buffer *buffer = &stream->receiving;
    if (take_interruption(stream))
        return VIA_S_INTERRUPTED;
    if (stream->broken != S_OK)
        return S_OK;
    HRESULT hr = overlapped_buffer_make_room(buffer, 1);
    if (FAILED(hr))
        return hr;
    /* Full to the brim: there is more than any peek may want, so there is nothing to wait for. */
    if (buffer->tail == buffer->memory.size || !overlapped_stream_enter(stream))
        return S_OK;
    DWORD n;
    hr = read_blocking(stream, buffer->memory.data + buffer->tail,
                       buffer->memory.size - buffer->tail, deadline_ns, &n);
    overlapped_stream_leave(stream);
    buffer->tail += n;
    if (n > 0)
        stream->starved = false;
    if (FAILED(hr) && hr != RPC_E_TIMEOUT)
        stream->broken = hr;
    return hr == RPC_E_DISCONNECTED ? S_OK : hr;
}

void overlapped_interrupt(struct via_stream *stream)
{
    atomic_store(&stream->interrupted, true);
    SetEvent(stream->interrupt_event);
}

void overlapped_park(struct via_stream *stream)
{
    if (stream->receiving.head == stream->receiving.tail)
        overlapped_buffer_give_back(&stream->receiving);
    AcquireSRWLockExclusive(&stream->lock);
    if (!stream->reserved && !stream->writing && stream->sending.head == stream->sending.tail)
        overlapped_buffer_give_back(&stream->sending);
    ReleaseSRWLockExclusive(&stream->lock);
}
