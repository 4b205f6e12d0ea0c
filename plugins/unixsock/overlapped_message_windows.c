/*
 * Messages instead of bytes: what is received of a pipe in message mode.
 *
 * How much has arrived cannot be asked, since PeekNamedPipe shows an empty message as nothing at
 * all; so a message is read, and the read taken back where it pends. Readiness is the zero-byte
 * read of all streams, which takes an empty message away: it is kept in `has_empty`. While that
 * read is under way nothing else is read, or it could take a message that comes before.
 */
#include "plugins/unixsock/overlapped_stream_windows.h"

HRESULT overlapped_keeps_messages(struct via_stream *stream)
{
    return stream->keeps_messages ? S_OK : S_FALSE;
}

/* The read has been started with that result. */
static HRESULT finish_read(struct via_stream *stream, DWORD error, size_t *n, uint32_t *goes_on)
{
    DWORD read = 0;
    if (error == ERROR_IO_PENDING) {
        CancelIoEx(stream->handle, &stream->reading);
        WaitForSingleObject(stream->read_event, INFINITE);
    } else if (error != 0 && error != ERROR_MORE_DATA) {
        return overlapped_fail_error("receiving", error);
    }
    error =
        GetOverlappedResult(stream->handle, &stream->reading, &read, FALSE) ? 0 : GetLastError();
    if (error == ERROR_OPERATION_ABORTED)
        return VIA_S_WOULD_BLOCK;
    if (error != 0 && error != ERROR_MORE_DATA)
        return overlapped_fail_error("receiving", error);
    *n = read;
    *goes_on = error == ERROR_MORE_DATA;
    return S_OK;
}

HRESULT overlapped_read_message(struct via_stream *stream, void *buffer, size_t size, size_t *n,
                                uint32_t *goes_on)
{
    *n = 0;
    *goes_on = 0;
    AcquireSRWLockExclusive(&stream->lock);
    bool has_empty = stream->has_empty;
    bool probing = stream->probing;
    stream->has_empty = false;
    ReleaseSRWLockExclusive(&stream->lock);
    if (has_empty)
        return S_OK;
    if (stream->broken != S_OK)
        return socket_fail(stream->broken, "the peer has closed the connection");
    if (probing)
        return VIA_S_WOULD_BLOCK;
    HRESULT hr = RPC_E_DISCONNECTED;
    if (overlapped_stream_enter(stream)) {
        overlapped_prepare_read(stream);
        hr = finish_read(stream,
                         stream->kind->read(stream->handle, buffer, (DWORD)size, &stream->reading),
                         n, goes_on);
        overlapped_stream_leave(stream);
    }
    if (FAILED(hr))
        stream->broken = hr;
    return hr;
}
