/*
 * Readiness of a stream. For reading a zero-byte read is left pending on the port: it completes
 * when bytes arrive and takes none of them. It is not cancelled by a disarm, which would cost as
 * much as a call; a later arm finds it still there. A result that was old when the stream was armed
 * again is not believed: another read of nothing says how it is now.
 */
#include "plugins/unixsock/overlapped_stream_windows.h"

#include <string.h>

HRESULT overlapped_set_ready(struct via_stream *stream, void (*ready)(void *token, uint32_t events),
                             void *token)
{
    AcquireSRWLockExclusive(&stream->lock);
    stream->ready = ready;
    stream->token = token;
    ReleaseSRWLockExclusive(&stream->lock);
    return S_OK;
}

void overlapped_report(struct via_stream *stream, uint32_t events)
{
    if ((events & stream->armed) == 0 || stream->closing)
        return;
    events &= stream->armed | VIA_READY_CLOSED;
    stream->armed &= ~events;
    stream->reporting = true;
    ReleaseSRWLockExclusive(&stream->lock);
    stream->ready(stream->token, events);
    AcquireSRWLockExclusive(&stream->lock);
    stream->reporting = false;
    WakeAllConditionVariable(&stream->wake);
}

static void on_post(void *argument)
{
    struct via_stream *stream = argument;
    AcquireSRWLockExclusive(&stream->lock);
    uint32_t events = stream->pending;
    stream->pending = 0;
    stream->posted = false;
    overlapped_report(stream, events);
    ReleaseSRWLockExclusive(&stream->lock);
    overlapped_stream_unref(stream);
    atomic_fetch_sub(&overlapped_n_pending, 1);
}

HRESULT overlapped_notify(struct via_stream *stream, uint32_t events)
{
    if ((events & stream->armed) == 0 || stream->closing)
        return S_OK;
    if (!stream->posted) {
        atomic_fetch_add(&stream->n_references, 1);
        atomic_fetch_add(&overlapped_n_pending, 1);
        HRESULT hr = socket_host->post(on_post, stream);
        if (FAILED(hr)) {
            atomic_fetch_sub(&overlapped_n_pending, 1);
            atomic_fetch_sub(&stream->n_references, 1);
            return hr;
        }
        stream->posted = true;
    }
    stream->pending |= events;
    return S_OK;
}

static void on_probed(struct via_plugin_overlapped *overlapped, uint32_t error, uint32_t n_bytes)
{
    struct via_stream *stream =
        (struct via_stream *)(void *)((char *)overlapped - offsetof(struct via_stream, probe));
    (void)n_bytes;
    AcquireSRWLockExclusive(&stream->lock);
    stream->probing = false;
    /* A read of nothing takes a message that is empty, and only that; of another one it says that
     * there is more. */
    if (stream->keeps_messages && error == 0)
        stream->has_empty = true;
    if (error == ERROR_MORE_DATA)
        error = 0;
    if ((stream->armed & VIA_READY_READ) && !stream->closing) {
        if (error == 0 && stream->armed_again && !stream->keeps_messages)
            overlapped_probe(stream);
        else
            overlapped_report(stream, VIA_READY_READ | (error != 0 ? VIA_READY_CLOSED : 0));
    } else if (error != 0) {
        overlapped_report(stream, VIA_READY_CLOSED);
    }
    ReleaseSRWLockExclusive(&stream->lock);
    overlapped_stream_leave(stream);
    overlapped_stream_unref(stream);
    atomic_fetch_sub(&overlapped_n_pending, 1);
}

HRESULT overlapped_probe(struct via_stream *stream)
{
    static uint8_t nothing;
    stream->armed_again = false;
    if (!overlapped_stream_enter(stream))
        return overlapped_notify(stream, VIA_READY_READ | VIA_READY_CLOSED);
    memset(&stream->probe.storage, 0, sizeof stream->probe.storage);
    stream->probe.done = on_probed;
    DWORD error = stream->kind->read(stream->handle, &nothing, 0,
                                     (OVERLAPPED *)(void *)&stream->probe.storage);
    if (stream->keeps_messages && (error == 0 || error == ERROR_MORE_DATA))
        error = ERROR_IO_PENDING; /* its packet says what it is */
    if (error != ERROR_IO_PENDING) {
        overlapped_stream_leave(stream);
        return overlapped_notify(stream, VIA_READY_READ | (error != 0 ? VIA_READY_CLOSED : 0));
    }
    stream->probing = true;
    atomic_fetch_add(&stream->n_references, 1);
    atomic_fetch_add(&overlapped_n_pending, 1);
    overlapped_stream_started(stream);
    return S_OK;
}

HRESULT overlapped_arm(struct via_stream *stream, uint32_t events)
{
    HRESULT hr = S_OK;
    bool news = (events & VIA_READY_READ) &&
                (stream->broken != S_OK ||
                 (!stream->starved && stream->receiving.head < stream->receiving.tail));
    AcquireSRWLockExclusive(&stream->lock);
    uint32_t closed = stream->keeps_messages ? VIA_READY_CLOSED : 0;
    stream->armed |= events & (VIA_READY_READ | VIA_READY_WRITE | closed);
    if (news || ((events & VIA_READY_READ) && stream->has_empty))
        hr = overlapped_notify(stream, VIA_READY_READ);
    else if ((events & VIA_READY_READ) && stream->probing)
        stream->armed_again = true;
    else if ((events & VIA_READY_READ) && !atomic_load(&stream->connecting))
        hr = overlapped_probe(stream);
    else if ((events & closed) && !stream->probing)
        hr = overlapped_probe(stream);
    /* The end of a write that pends reports itself. */
    if (SUCCEEDED(hr) && (events & VIA_READY_WRITE) && !stream->writing)
        hr = overlapped_notify(stream, VIA_READY_WRITE);
    ReleaseSRWLockExclusive(&stream->lock);
    return hr;
}

void overlapped_disarm(struct via_stream *stream, uint32_t events)
{
    AcquireSRWLockExclusive(&stream->lock);
    stream->armed &= ~events;
    stream->pending &= ~events;
    ReleaseSRWLockExclusive(&stream->lock);
}
