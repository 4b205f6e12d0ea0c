/*
 * Listening and connecting.
 *
 * A listener's places are instances of its pipe. An event named after the pipe says that somebody
 * listens, for two reasons: FILE_FLAG_FIRST_PIPE_INSTANCE fails with the same code as a lack of
 * rights, and Wine 8 does not heed it. So a place that waits for clients and is not ours, which we
 * can see, counts as another program's, too.
 */
#include "plugins/namedpipe/pipe_handle_windows.h"

#include "plugins/namedpipe/pipe_windows.h"
#include "plugins/unixsock/user_windows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What other users may do with a pipe that everyone may connect to: read and write, but not
 * FILE_CREATE_PIPE_INSTANCE. */
#define CONNECT_RIGHTS 0x12019b

#define PIPE_PATH_SIZE (PIPE_NAME_SIZE + 16)

struct pipe_listener {
    struct via_listener base;
    WCHAR path[PIPE_PATH_SIZE];
    char name[PIPE_NAME_SIZE];
    char address[PIPE_ADDRESS_SIZE];
    HANDLE claim;
    PSECURITY_DESCRIPTOR security;
    bool keeps_messages;
    bool has_instance; /* base.lock: the next one is not the first */
};

static HRESULT create_pipe(struct pipe_listener *listener, HANDLE *pipe)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, listener->security, FALSE};
    HANDLE made =
        CreateNamedPipeW(listener->path,
                         PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED |
                             (listener->has_instance ? 0 : FILE_FLAG_FIRST_PIPE_INSTANCE),
                         (listener->keeps_messages ? PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE
                                                   : PIPE_TYPE_BYTE | PIPE_READMODE_BYTE) |
                             PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
                         PIPE_UNLIMITED_INSTANCES, PIPE_QUOTA, PIPE_QUOTA, 0, &attributes);
    if (made == INVALID_HANDLE_VALUE)
        return overlapped_fail_error("CreateNamedPipe", GetLastError());
    HRESULT hr =
        listener->keeps_messages ? overlapped_bind_with_packets(made) : overlapped_bind(made);
    if (FAILED(hr)) {
        CloseHandle(made);
    } else {
        listener->has_instance = true;
        *pipe = made;
    }
    return hr;
}

static HRESULT start_instance(struct via_listener *listener, struct overlapped_instance *instance)
{
    struct pipe_listener *self = (struct pipe_listener *)listener;
    for (;;) {
        HRESULT hr = create_pipe(self, &instance->handle);
        if (FAILED(hr))
            return hr;
        if (ConnectNamedPipe(instance->handle, (OVERLAPPED *)(void *)&instance->waiting.storage))
            return self->keeps_messages ? S_OK : S_FALSE; /* with a packet, or without */
        DWORD error = GetLastError();
        if (error == ERROR_PIPE_CONNECTED)
            return S_FALSE;
        if (error == ERROR_IO_PENDING)
            return S_OK;
        CloseHandle(instance->handle);
        if (error != ERROR_NO_DATA) /* a client has come and gone */
            return overlapped_fail_error("ConnectNamedPipe", error);
    }
}

static HRESULT open_instance(struct via_listener *listener, HANDLE pipe, struct via_stream **stream)
{
    return pipe_stream_new(pipe, true, ((struct pipe_listener *)listener)->keeps_messages, stream);
}

static void drop_instance(HANDLE pipe)
{
    CancelIoEx(pipe, NULL);
    CloseHandle(pipe);
}

static void end_listener(struct via_listener *listener)
{
    CloseHandle(((struct pipe_listener *)listener)->claim);
}

static void free_listener(struct via_listener *listener)
{
    struct pipe_listener *self = (struct pipe_listener *)listener;
    if (self->security != NULL)
        LocalFree(self->security);
    free(self);
}

static const struct overlapped_listener_kind listener_kind = {
    .start = start_instance,
    .open = open_instance,
    .drop = drop_instance,
    .end = end_listener,
    .free = free_listener,
};

/* Takes the right to listen under this name. */
static HRESULT claim_name(struct pipe_listener *listener)
{
    WCHAR name[PIPE_NAME_SIZE + 32];
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, listener->security, FALSE};
    _snwprintf(name, sizeof name / sizeof name[0], L"Global\\viaduct-pipe-%hs", listener->name);
    SetLastError(0);
    listener->claim = CreateEventW(&attributes, TRUE, FALSE, name);
    DWORD error = GetLastError();
    if (listener->claim != NULL && error != ERROR_ALREADY_EXISTS)
        return S_OK;
    if (listener->claim != NULL)
        CloseHandle(listener->claim);
    if (error == ERROR_ALREADY_EXISTS || error == ERROR_ACCESS_DENIED ||
        error == ERROR_INVALID_HANDLE)
        return socket_fail(VIA_E_ADDRESS_IN_USE,
                           "cannot listen on %s: another process listens there", listener->address);
    return overlapped_fail_error("claiming the name of a pipe", error);
}

static HRESULT start_listening(struct pipe_listener *listener,
                               const struct via_listen_options *options)
{
    HRESULT hr = user_security_new((enum via_listen_access)options->access, CONNECT_RIGHTS,
                                   &listener->security);
    if (SUCCEEDED(hr))
        hr = claim_name(listener);
    if (FAILED(hr))
        return hr;
    hr = WaitNamedPipeW(listener->path, 1) ? E_ACCESSDENIED
                                           : overlapped_listener_start(&listener->base);
    if (hr == E_ACCESSDENIED)
        hr = socket_fail(VIA_E_ADDRESS_IN_USE,
                         "cannot listen on %s: a program that is not Viaduct has that pipe, "
                         "or a listener that has closed still has clients",
                         listener->address);
    if (FAILED(hr))
        CloseHandle(listener->claim);
    return hr;
}

static void path_of(const char *name, WCHAR path[PIPE_PATH_SIZE])
{
    _snwprintf(path, PIPE_PATH_SIZE, L"\\\\.\\pipe\\%hs", name);
}

HRESULT pipe_listener_new(const char *name, const char *address,
                          const struct via_listen_options *options,
                          void (*ready)(void *token, uint32_t events), void *token,
                          struct via_listener **listener)
{
    struct pipe_listener *self = calloc(1, sizeof *self);
    if (self == NULL)
        return socket_fail(E_OUTOFMEMORY, "out of memory");
    snprintf(self->name, sizeof self->name, "%s", name);
    snprintf(self->address, sizeof self->address, "%s", address);
    path_of(name, self->path);
    self->keeps_messages = socket_listen_flags(options) & VIA_OPEN_MESSAGES;
    overlapped_listener_init(&self->base, &listener_kind, options, ready, token);
    HRESULT hr = start_listening(self, options);
    if (FAILED(hr)) {
        overlapped_listener_unref(&self->base);
        return hr;
    }
    *listener = &self->base;
    return S_OK;
}

static HRESULT fail_connect(const char *address, DWORD error)
{
    switch (error) {
    case ERROR_PIPE_BUSY:
        return VIA_S_WOULD_BLOCK;
    case ERROR_FILE_NOT_FOUND:
        return socket_fail(VIA_WIN32(2),
                           "cannot connect to %s: nobody listens there; is the server running?",
                           address);
    case ERROR_ACCESS_DENIED:
        return socket_fail(E_ACCESSDENIED,
                           "cannot connect to %s: its server does not let this user in", address);
    default:
        return overlapped_fail_error("opening a pipe", error);
    }
}

/* VIA_E_IDENTITY unless the server is this user's, or SYSTEM's or an administrator's. */
static HRESULT check_server(HANDLE pipe)
{
    ULONG id = 0;
    GetNamedPipeServerProcessId(pipe, &id);
    return user_check_server(id, pipe, SE_KERNEL_OBJECT, "the pipe");
}

bool pipe_is_in_message_mode(HANDLE pipe)
{
    DWORD state;
    return GetNamedPipeHandleState(pipe, &state, NULL, NULL, NULL, NULL, 0) &&
           (state & PIPE_READMODE_MESSAGE);
}

/* Without the right to change it the pipe is one of bytes, as every pipe is at first. */
static void read_as_it_was_made(HANDLE pipe)
{
    DWORD flags;
    DWORD mode = PIPE_READMODE_MESSAGE;
    if (GetNamedPipeInfo(pipe, &flags, NULL, NULL, NULL) && (flags & PIPE_TYPE_MESSAGE))
        SetNamedPipeHandleState(pipe, &mode, NULL, NULL);
}

/* Not GENERIC_WRITE, which asks for the right to make instances as well. The server may look at who
 * we are, and not act as us. */
static HANDLE open_pipe(const WCHAR *path, DWORD rights)
{
    return CreateFileW(path, GENERIC_READ | FILE_WRITE_DATA | rights, 0, NULL, OPEN_EXISTING,
                       FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION,
                       NULL);
}

HRESULT pipe_open(const char *name, const char *address, const struct via_connect_options *options,
                  HANDLE *pipe)
{
    bool is_foreign = socket_connect_flags(options) & VIA_OPEN_FOREIGN;
    WCHAR path[PIPE_PATH_SIZE];
    path_of(name, path);
    HANDLE opened = open_pipe(path, is_foreign ? FILE_WRITE_ATTRIBUTES : 0);
    if (opened == INVALID_HANDLE_VALUE && is_foreign && GetLastError() == ERROR_ACCESS_DENIED)
        opened = open_pipe(path, 0);
    if (opened == INVALID_HANDLE_VALUE)
        return fail_connect(address, GetLastError());
    if (is_foreign)
        read_as_it_was_made(opened);
    HRESULT hr = options->check_server_owner ? check_server(opened) : S_OK;
    if (FAILED(hr)) {
        CloseHandle(opened);
        return hr;
    }
    *pipe = opened;
    return S_OK;
}
