/*
 * What of a stream is a pipe's own. How much has arrived is asked of PeekNamedPipe, and just that
 * is read, which completes at once.
 */
#include "plugins/namedpipe/pipe_windows.h"

#include "plugins/namedpipe/pipe_handle_windows.h"
#include "plugins/unixsock/user_windows.h"

static DWORD pipe_read(HANDLE pipe, void *data, DWORD size, OVERLAPPED *overlapped)
{
    return ReadFile(pipe, data, size, NULL, overlapped) ? 0 : GetLastError();
}

static DWORD pipe_write(HANDLE pipe, const void *data, DWORD size, OVERLAPPED *overlapped)
{
    return WriteFile(pipe, data, size, NULL, overlapped) ? 0 : GetLastError();
}

static HRESULT pipe_receive(struct via_stream *stream, void *data, size_t size, size_t *n)
{
    DWORD available = 0;
    DWORD read = 0;
    if (!PeekNamedPipe(stream->handle, NULL, 0, NULL, &available, NULL))
        return overlapped_fail_error("PeekNamedPipe", GetLastError());
    if (available == 0)
        return VIA_S_WOULD_BLOCK;
    if (size > available)
        size = available;
    overlapped_prepare_read(stream);
    if (ReadFile(stream->handle, data, (DWORD)size, NULL, &stream->reading))
        GetOverlappedResult(stream->handle, &stream->reading, &read, FALSE);
    else if (GetLastError() == ERROR_IO_PENDING)
        read = overlapped_cancel_read(stream);
    else
        return overlapped_fail_error("ReadFile", GetLastError());
    *n = read;
    return read > 0 ? S_OK : VIA_S_WOULD_BLOCK;
}

HRESULT pipe_identify(HANDLE pipe, bool is_server, struct via_peer_identity *identity)
{
    ULONG id = 0;
    BOOL known =
        is_server ? GetNamedPipeClientProcessId(pipe, &id) : GetNamedPipeServerProcessId(pipe, &id);
    if (!known)
        return overlapped_fail_error("asking who is at the other end of a pipe", GetLastError());
    HRESULT hr = user_of_process(id, identity->sid);
    if (FAILED(hr))
        return hr;
    identity->pid = id;
    identity->flags = VIA_PEER_HAS_PID | VIA_PEER_HAS_SID;
    return S_OK;
}

/* Closing the handle says it to the peer, without what has not been read being lost. */
static void pipe_shut(HANDLE pipe)
{
    (void)pipe;
}

static void pipe_close(HANDLE pipe)
{
    CloseHandle(pipe);
}

const struct overlapped_kind pipe_kind = {
    .nothing_is_the_end = false,
    .read = pipe_read,
    .write = pipe_write,
    .receive = pipe_receive,
    .identify = pipe_identify,
    .shut = pipe_shut,
    .close = pipe_close,
};

HRESULT pipe_stream_new(HANDLE pipe, bool is_server, bool keeps_messages,
                        struct via_stream **stream)
{
    HRESULT hr = overlapped_stream_new(&pipe_kind, pipe, is_server, stream);
    if (SUCCEEDED(hr))
        (*stream)->keeps_messages = keeps_messages;
    return hr;
}
