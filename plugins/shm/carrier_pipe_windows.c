/*
 * A pipe as the carrier of a section, and none at all.
 *
 * One overlapped read is always under way; its event is what is watched and waited for. The event's
 * low bit keeps completions away from the port that pipes of a listener are bound to. A write that
 * the system does not take at once stays in a buffer of ours, and there is none behind it until it
 * has gone. The pipe breaks when the peer's process ends: its handles are not inherited.
 */
#include "plugins/shm/form_windows.h"
#include "plugins/shm/section_windows.h"

#include "plugins/namedpipe/pipe_handle_windows.h"
#include "plugins/unixsock/user_windows.h"

#include <stdlib.h>
#include <string.h>

#define MESSAGE_SIZE 64u
_Static_assert(MESSAGE_SIZE >= SECTION_SETUP_SIZE && MESSAGE_SIZE >= sizeof(struct record), "");

struct line_pipe {
    SRWLOCK lock;
    HANDLE handle; /* lock; INVALID_HANDLE_VALUE: shut */
    HANDLE read_event;
    HANDLE write_event;
    OVERLAPPED reading; /* lock, with all that follows */
    OVERLAPPED writing;
    bool is_writing;
    bool is_reading;
    HRESULT broken; /* of the read */
    uint8_t in[MESSAGE_SIZE];
    uint8_t out[MESSAGE_SIZE];
};

static OVERLAPPED overlapped_of(HANDLE event)
{
    return (OVERLAPPED){.hEvent = (HANDLE)((uintptr_t)event | 1)};
}

/* With the lock. The event is set when it is done, or has failed. */
static void start_read(struct line_pipe *pipe, size_t size)
{
    pipe->reading = overlapped_of(pipe->read_event);
    pipe->is_reading = ReadFile(pipe->handle, pipe->in, (DWORD)size, NULL, &pipe->reading) ||
                       GetLastError() == ERROR_IO_PENDING;
    if (!pipe->is_reading) {
        pipe->broken = overlapped_fail_error("reading a pipe", GetLastError());
        SetEvent(pipe->read_event);
    }
}

/* With the lock: VIA_S_WOULD_BLOCK while it is under way. */
static HRESULT finish(struct line_pipe *pipe, OVERLAPPED *overlapped, DWORD *n)
{
    if (GetOverlappedResult(pipe->handle, overlapped, n, FALSE))
        return S_OK;
    DWORD error = GetLastError();
    return error == ERROR_IO_INCOMPLETE ? VIA_S_WOULD_BLOCK
                                        : overlapped_fail_error("a pipe", error);
}

/* With the lock. */
static HRESULT receive_locked(struct line_pipe *pipe, void *data, size_t size, size_t *n)
{
    DWORD got = 0;
    if (pipe->handle == INVALID_HANDLE_VALUE || pipe->broken != S_OK)
        return FAILED(pipe->broken)
                   ? pipe->broken
                   : socket_fail(RPC_E_DISCONNECTED, "the peer has closed the connection");
    HRESULT hr = finish(pipe, &pipe->reading, &got);
    if (hr == VIA_S_WOULD_BLOCK)
        return hr;
    pipe->is_reading = false;
    if (FAILED(hr)) {
        pipe->broken = hr;
        SetEvent(pipe->read_event);
        return hr;
    }
    *n = got < size ? got : size;
    memcpy(data, pipe->in, *n);
    start_read(pipe, sizeof(struct record));
    return S_OK;
}

static HRESULT receive_message(struct carrier_line *line, void *data, size_t size, size_t *n,
                               struct socket_received *received)
{
    struct line_pipe *pipe = line->pipe;
    received->n_descriptors = 0;
    AcquireSRWLockExclusive(&pipe->lock);
    HRESULT hr = receive_locked(pipe, data, size, n);
    ReleaseSRWLockExclusive(&pipe->lock);
    return hr;
}

/* With the lock. */
static HRESULT send_locked(struct line_pipe *pipe, const void *data, size_t size)
{
    DWORD n = 0;
    if (pipe->handle == INVALID_HANDLE_VALUE)
        return socket_fail(RPC_E_DISCONNECTED, "the peer has closed the connection");
    if (pipe->is_writing) {
        HRESULT hr = finish(pipe, &pipe->writing, &n);
        if (hr == VIA_S_WOULD_BLOCK)
            return hr;
        pipe->is_writing = false;
        if (FAILED(hr))
            return hr;
    }
    memcpy(pipe->out, data, size);
    pipe->writing = overlapped_of(pipe->write_event);
    if (WriteFile(pipe->handle, pipe->out, (DWORD)size, NULL, &pipe->writing))
        return S_OK;
    if (GetLastError() != ERROR_IO_PENDING)
        return overlapped_fail_error("writing to a pipe", GetLastError());
    pipe->is_writing = true;
    return S_OK;
}

static HRESULT send_message(struct carrier_line *line, const void *data, size_t size,
                            const int32_t *descriptors, uint32_t n)
{
    struct line_pipe *pipe = line->pipe;
    (void)descriptors;
    (void)n;
    AcquireSRWLockExclusive(&pipe->lock);
    HRESULT hr = send_locked(pipe, data, size);
    ReleaseSRWLockExclusive(&pipe->lock);
    return hr;
}

static void shut(struct carrier_line *line)
{
    struct line_pipe *pipe = line->pipe;
    DWORD n;
    AcquireSRWLockExclusive(&pipe->lock);
    if (pipe->handle != INVALID_HANDLE_VALUE) {
        CancelIoEx(pipe->handle, NULL);
        /* What is cancelled has ended before its memory may go. */
        if (pipe->is_reading)
            GetOverlappedResult(pipe->handle, &pipe->reading, &n, TRUE);
        if (pipe->is_writing)
            GetOverlappedResult(pipe->handle, &pipe->writing, &n, TRUE);
        pipe->is_reading = pipe->is_writing = false;
        CloseHandle(pipe->handle);
        pipe->handle = INVALID_HANDLE_VALUE;
        SetEvent(pipe->read_event);
    }
    ReleaseSRWLockExclusive(&pipe->lock);
}

static void close_line(struct carrier_line *line)
{
    struct line_pipe *pipe = line->pipe;
    shut(line);
    CloseHandle(pipe->read_event);
    CloseHandle(pipe->write_event);
    free(pipe);
}

static const struct carrier_kind carrier_pipe = {
    .max_handles = 0,
    .ends_with_process = true,
    .send = send_message,
    .receive = receive_message,
    .take_setup = section_setup_receive,
    .shutdown = shut,
    .close = close_line,
};

static bool is_own_user(const struct via_peer_identity *peer)
{
    char own[USER_SID_SIZE];
    return SUCCEEDED(user_of_process(GetCurrentProcessId(), own)) && strcmp(own, peer->sid) == 0;
}

HRESULT carrier_pipe_line(void *handle, bool is_server, size_t first_size,
                          struct carrier_line *line)
{
    *line = (struct carrier_line){.kind = &carrier_pipe, .life = -1};
    /* A server that does not let us see who it is can be one that we trust all the same. */
    if (FAILED(pipe_identify(handle, is_server, &line->peer)))
        line->peer.flags = 0;
    line->is_same_user = (line->peer.flags & VIA_PEER_HAS_SID) && is_own_user(&line->peer);
    struct line_pipe *pipe = calloc(1, sizeof *pipe);
    HANDLE read_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    HANDLE write_event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (pipe == NULL || read_event == NULL || write_event == NULL) {
        if (read_event != NULL)
            CloseHandle(read_event);
        if (write_event != NULL)
            CloseHandle(write_event);
        free(pipe);
        CloseHandle(handle);
        return socket_fail(E_OUTOFMEMORY, "out of memory for a connection");
    }
    InitializeSRWLock(&pipe->lock);
    pipe->handle = handle;
    pipe->read_event = read_event;
    pipe->write_event = write_event;
    line->pipe = pipe;
    line->descriptor = section_descriptor(read_event);
    AcquireSRWLockExclusive(&pipe->lock);
    start_read(pipe, first_size);
    ReleaseSRWLockExclusive(&pipe->lock);
    return S_OK;
}

/* --- none --- */

static HRESULT send_nothing(struct carrier_line *line, const void *data, size_t size,
                            const int32_t *descriptors, uint32_t n)
{
    (void)line;
    (void)data;
    (void)size;
    (void)descriptors;
    (void)n;
    return S_OK;
}

static HRESULT receive_nothing(struct carrier_line *line, void *data, size_t size, size_t *n,
                               struct socket_received *received)
{
    (void)line;
    (void)data;
    (void)size;
    (void)n;
    received->n_descriptors = 0;
    return VIA_S_WOULD_BLOCK;
}

static void do_nothing(struct carrier_line *line)
{
    (void)line;
}

static const struct carrier_kind carrier_absent = {
    .max_handles = 0,
    .ends_with_process = false,
    .send = send_nothing,
    .receive = receive_nothing,
    .shutdown = do_nothing,
    .close = do_nothing,
};

HRESULT carrier_absent_line(const struct via_peer_identity *peer, struct carrier_line *line)
{
    if ((peer->flags & VIA_PEER_HAS_SID) == 0 || (peer->flags & VIA_PEER_HAS_PID) == 0)
        return socket_fail(E_NOTIMPL, "shm needs a peer that is known by its user and process");
    int32_t life = system_process_life(peer->pid);
    if (life < 0)
        return GetLastError() == ERROR_ACCESS_DENIED
                   ? socket_fail(E_ACCESSDENIED, "the end of process %u cannot be watched",
                                 (unsigned)peer->pid)
                   : socket_fail(VIA_E_IDENTITY, "there is no process %u", (unsigned)peer->pid);
    *line = (struct carrier_line){.kind = &carrier_absent,
                                  .descriptor = -1,
                                  .life = life,
                                  .peer = *peer,
                                  .is_same_user = is_own_user(peer)};
    return S_OK;
}
