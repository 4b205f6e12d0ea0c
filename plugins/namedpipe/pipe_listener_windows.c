/*
 * Listening and connecting.
 *
 * A listener keeps a few instances of its pipe waiting on the completion port; when one is taken
 * the next is made before its client is served, so that there is always one to connect to. Clients
 * that have connected wait in a queue of at most `backlog`; beyond it no further instance is made,
 * and clients find the pipe busy.
 *
 * An event named after the pipe says that somebody listens, for two reasons:
 * FILE_FLAG_FIRST_PIPE_INSTANCE fails with the same code as a lack of rights, and Wine 8 does not
 * heed it.
 */
#include "plugins/namedpipe/pipe_windows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_LISTENING 4

struct instance {
    struct via_plugin_overlapped connect;
    struct via_listener *listener;
    HANDLE pipe;
    struct instance *next; /* in `listening` or `connected` */
};

struct via_listener {
    WCHAR path[NAMEDPIPE_MAX_NAME + 16];
    char name[NAMEDPIPE_MAX_NAME + 1];
    HANDLE claim;
    PSECURITY_DESCRIPTOR security;
    uint32_t backlog;
    void (*ready)(void *token, uint32_t events);
    void *token;
    _Atomic uint32_t n_references; /* its owner, instances that listen, a post */
    SRWLOCK lock;                  /* all that follows */
    CONDITION_VARIABLE wake;
    struct instance *listening;
    struct instance *connected; /* in the order of their coming */
    uint32_t n_listening;
    uint32_t n_connected;
    bool armed;
    bool posted;
    bool reporting;
    bool closing;
};

static void listener_unref(struct via_listener *listener)
{
    if (atomic_fetch_sub(&listener->n_references, 1) != 1)
        return;
    if (listener->security != NULL)
        LocalFree(listener->security);
    free(listener);
}

/* With the lock, on the reactor thread. */
static void report(struct via_listener *listener)
{
    if (!listener->armed || listener->connected == NULL || listener->closing)
        return;
    listener->armed = false;
    listener->reporting = true;
    ReleaseSRWLockExclusive(&listener->lock);
    listener->ready(listener->token, VIA_READY_READ);
    AcquireSRWLockExclusive(&listener->lock);
    listener->reporting = false;
    WakeAllConditionVariable(&listener->wake);
}

static void on_post(void *argument)
{
    struct via_listener *listener = argument;
    AcquireSRWLockExclusive(&listener->lock);
    listener->posted = false;
    report(listener);
    ReleaseSRWLockExclusive(&listener->lock);
    listener_unref(listener);
    atomic_fetch_sub(&pipe_n_pending, 1);
}

/* With the lock. */
static HRESULT post_report(struct via_listener *listener)
{
    if (!listener->armed || listener->connected == NULL || listener->posted)
        return S_OK;
    atomic_fetch_add(&listener->n_references, 1);
    atomic_fetch_add(&pipe_n_pending, 1);
    HRESULT hr = pipe_host->post(on_post, listener);
    if (FAILED(hr)) {
        atomic_fetch_sub(&pipe_n_pending, 1);
        atomic_fetch_sub(&listener->n_references, 1);
        return hr;
    }
    listener->posted = true;
    return S_OK;
}

static void unlink_instance(struct instance **list, struct instance *instance)
{
    while (*list != instance)
        list = &(*list)->next;
    *list = instance->next;
    instance->next = NULL;
}

static void append_connected(struct via_listener *listener, struct instance *instance)
{
    struct instance **end = &listener->connected;
    while (*end != NULL)
        end = &(*end)->next;
    *end = instance;
    listener->n_connected++;
}

static HRESULT create_pipe(struct via_listener *listener, bool first, HANDLE *pipe)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, listener->security, FALSE};
    HANDLE made = CreateNamedPipeW(
        listener->path,
        PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | (first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0),
        PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
        PIPE_UNLIMITED_INSTANCES, PIPE_QUOTA, PIPE_QUOTA, 0, &attributes);
    if (made == INVALID_HANDLE_VALUE)
        return pipe_fail_error("CreateNamedPipe", GetLastError());
    HRESULT hr = pipe_host->bind_handle(made);
    if (SUCCEEDED(hr) &&
        !SetFileCompletionNotificationModes(made, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS))
        hr = pipe_fail_error("SetFileCompletionNotificationModes", GetLastError());
    if (FAILED(hr))
        CloseHandle(made);
    else
        *pipe = made;
    return hr;
}

static void on_connected(struct via_plugin_overlapped *overlapped, uint32_t error,
                         uint32_t n_bytes);

/* Makes one instance listen, or finds that a client is there already. With the lock. */
static HRESULT add_instance(struct via_listener *listener, bool first)
{
    struct instance *instance = calloc(1, sizeof *instance);
    if (instance == NULL)
        return pipe_fail(E_OUTOFMEMORY, "out of memory");
    HRESULT hr = create_pipe(listener, first, &instance->pipe);
    if (FAILED(hr)) {
        free(instance);
        return hr;
    }
    instance->listener = listener;
    instance->connect.done = on_connected;
    DWORD error = ConnectNamedPipe(instance->pipe, (OVERLAPPED *)(void *)&instance->connect.storage)
                      ? ERROR_PIPE_CONNECTED
                      : GetLastError();
    if (error == ERROR_PIPE_CONNECTED) {
        append_connected(listener, instance);
        return post_report(listener);
    }
    if (error == ERROR_IO_PENDING) {
        instance->next = listener->listening;
        listener->listening = instance;
        listener->n_listening++;
        atomic_fetch_add(&listener->n_references, 1);
        atomic_fetch_add(&pipe_n_pending, 1);
        return S_OK;
    }
    CloseHandle(instance->pipe);
    free(instance);
    /* ERROR_NO_DATA: a client has come and gone. */
    return error == ERROR_NO_DATA ? S_OK : pipe_fail_error("ConnectNamedPipe", error);
}

/* Keeps instances listening as long as the queue is not full. With the lock. */
static HRESULT refill(struct via_listener *listener, bool first)
{
    HRESULT hr = S_OK;
    while (SUCCEEDED(hr) && listener->n_listening < N_LISTENING &&
           listener->n_connected < listener->backlog) {
        hr = add_instance(listener, first);
        first = false;
    }
    return hr;
}

static void on_connected(struct via_plugin_overlapped *overlapped, uint32_t error, uint32_t n_bytes)
{
    struct instance *instance = (struct instance *)(void *)overlapped;
    struct via_listener *listener = instance->listener;
    (void)n_bytes;
    AcquireSRWLockExclusive(&listener->lock);
    if (listener->closing) { /* its handle is closed, and it is in no list */
        free(instance);
    } else {
        unlink_instance(&listener->listening, instance);
        listener->n_listening--;
        if (error == 0) {
            append_connected(listener, instance);
        } else {
            CloseHandle(instance->pipe);
            free(instance);
        }
        if (FAILED(refill(listener, false)))
            pipe_host->log(VIA_LOG_WARNING, "a pipe has fewer waiting instances than it should: "
                                            "the system refuses more");
        report(listener);
    }
    ReleaseSRWLockExclusive(&listener->lock);
    listener_unref(listener);
    atomic_fetch_sub(&pipe_n_pending, 1);
}

/* Takes the right to listen under this name. */
static HRESULT claim_name(struct via_listener *listener)
{
    WCHAR name[NAMEDPIPE_MAX_NAME + 32];
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
        return pipe_fail(VIA_E_ADDRESS_IN_USE,
                         "cannot listen on pipe:%s: another process listens there", listener->name);
    return pipe_fail_error("claiming the name of a pipe", error);
}

static HRESULT start_listening(struct via_listener *listener,
                               const struct via_listen_options *options)
{
    HRESULT hr = pipe_security_new((enum via_listen_access)options->access, &listener->security);
    if (SUCCEEDED(hr))
        hr = claim_name(listener);
    if (FAILED(hr))
        return hr;
    AcquireSRWLockExclusive(&listener->lock);
    hr = refill(listener, true);
    ReleaseSRWLockExclusive(&listener->lock);
    if (hr == E_ACCESSDENIED)
        hr = pipe_fail(VIA_E_ADDRESS_IN_USE,
                       "cannot listen on pipe:%s: a program that is not Viaduct has that pipe, or "
                       "a listener that has closed still has clients",
                       listener->name);
    if (FAILED(hr) && listener->listening == NULL)
        CloseHandle(listener->claim);
    return listener->listening != NULL ? S_OK : hr;
}

HRESULT pipe_listen(const char *address, const struct via_listen_options *options,
                    void (*ready)(void *token, uint32_t events), void *token,
                    struct via_listener **listener)
{
    char name[NAMEDPIPE_MAX_NAME + 1];
    HRESULT hr = namedpipe_check_name(pipe_host, address, name);
    if (FAILED(hr))
        return hr;
    struct via_listener *self = calloc(1, sizeof *self);
    if (self == NULL)
        return pipe_fail(E_OUTOFMEMORY, "out of memory");
    memcpy(self->name, name, sizeof name);
    _snwprintf(self->path, sizeof self->path / sizeof self->path[0], L"\\\\.\\pipe\\%hs", name);
    self->ready = ready;
    self->token = token;
    self->backlog = options->backlog > 0 ? options->backlog : 64;
    atomic_init(&self->n_references, 1);
    InitializeSRWLock(&self->lock);
    InitializeConditionVariable(&self->wake);
    hr = start_listening(self, options);
    if (FAILED(hr)) {
        listener_unref(self);
        return hr;
    }
    *listener = self;
    return S_OK;
}

HRESULT pipe_listener_accept(struct via_listener *listener, struct via_stream **stream)
{
    AcquireSRWLockExclusive(&listener->lock);
    struct instance *instance = listener->connected;
    if (instance != NULL) {
        listener->connected = instance->next;
        listener->n_connected--;
        refill(listener, false); /* what fails here is tried again at the next client */
    }
    ReleaseSRWLockExclusive(&listener->lock);
    if (instance == NULL)
        return VIA_S_WOULD_BLOCK;
    HANDLE pipe = instance->pipe;
    free(instance);
    return pipe_stream_new(pipe, true, stream);
}

HRESULT pipe_listener_arm(struct via_listener *listener)
{
    AcquireSRWLockExclusive(&listener->lock);
    listener->armed = true;
    HRESULT hr = post_report(listener);
    ReleaseSRWLockExclusive(&listener->lock);
    return hr;
}

void pipe_listener_close(struct via_listener *listener)
{
    AcquireSRWLockExclusive(&listener->lock);
    listener->closing = true;
    while (listener->reporting)
        SleepConditionVariableSRW(&listener->wake, &listener->lock, INFINITE, 0);
    /* The memory of each is freed by the packet of its cancelled connect. */
    for (struct instance *instance = listener->listening; instance != NULL;) {
        struct instance *next = instance->next;
        CancelIoEx(instance->pipe, NULL);
        CloseHandle(instance->pipe);
        instance = next;
    }
    listener->listening = NULL;
    while (listener->connected != NULL) {
        struct instance *instance = listener->connected;
        listener->connected = instance->next;
        CloseHandle(instance->pipe);
        free(instance);
    }
    CloseHandle(listener->claim);
    ReleaseSRWLockExclusive(&listener->lock);
    listener_unref(listener);
}

static HRESULT fail_connect(const char *name, DWORD error)
{
    switch (error) {
    case ERROR_PIPE_BUSY:
        return VIA_S_WOULD_BLOCK;
    case ERROR_FILE_NOT_FOUND:
        return pipe_fail(VIA_WIN32(2),
                         "cannot connect to pipe:%s: nobody listens there; is the server running?",
                         name);
    case ERROR_ACCESS_DENIED:
        return pipe_fail(E_ACCESSDENIED,
                         "cannot connect to pipe:%s: its server does not let this user in", name);
    default:
        return pipe_fail_error("opening a pipe", error);
    }
}

HRESULT pipe_connect(const char *address, const struct via_connect_options *options,
                     struct via_stream **stream)
{
    char name[NAMEDPIPE_MAX_NAME + 1];
    WCHAR path[NAMEDPIPE_MAX_NAME + 16];
    HRESULT hr = namedpipe_check_name(pipe_host, address, name);
    if (FAILED(hr))
        return hr;
    _snwprintf(path, sizeof path / sizeof path[0], L"\\\\.\\pipe\\%hs", name);
    /* Not GENERIC_WRITE, which asks for the right to make instances as well. The server may look at
     * who we are, and not act as us. */
    HANDLE pipe =
        CreateFileW(path, GENERIC_READ | FILE_WRITE_DATA, 0, NULL, OPEN_EXISTING,
                    FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
    if (pipe == INVALID_HANDLE_VALUE)
        return fail_connect(name, GetLastError());
    if (options->check_server_owner)
        hr = pipe_check_server(pipe);
    if (SUCCEEDED(hr))
        hr = pipe_host->bind_handle(pipe);
    if (SUCCEEDED(hr) &&
        !SetFileCompletionNotificationModes(pipe, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS))
        hr = pipe_fail_error("SetFileCompletionNotificationModes", GetLastError());
    if (FAILED(hr)) {
        CloseHandle(pipe);
        return hr;
    }
    return pipe_stream_new(pipe, false, stream);
}
