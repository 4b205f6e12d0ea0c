/*
 * A listener keeps a few places waiting on the completion port; when one is taken the next is made
 * before its client is served, so that there is always one to connect to. Clients that have
 * connected wait in a queue of at most `backlog`; beyond it no further place is made, and clients
 * find the server busy.
 */
#include "plugins/unixsock/overlapped_listener_windows.h"

#include <stdlib.h>

#define N_LISTENING 4

void overlapped_listener_init(struct via_listener *listener,
                              const struct overlapped_listener_kind *kind,
                              const struct via_listen_options *options,
                              void (*ready)(void *token, uint32_t events), void *token)
{
    listener->kind = kind;
    listener->ready = ready;
    listener->token = token;
    listener->backlog = options->backlog > 0 ? options->backlog : 64;
    atomic_init(&listener->n_references, 1);
    InitializeSRWLock(&listener->lock);
    InitializeConditionVariable(&listener->wake);
}

void overlapped_listener_unref(struct via_listener *listener)
{
    if (atomic_fetch_sub(&listener->n_references, 1) == 1)
        listener->kind->free(listener);
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
    overlapped_listener_unref(listener);
    atomic_fetch_sub(&overlapped_n_pending, 1);
}

/* With the lock. */
static HRESULT post_report(struct via_listener *listener)
{
    if (!listener->armed || listener->connected == NULL || listener->posted)
        return S_OK;
    atomic_fetch_add(&listener->n_references, 1);
    atomic_fetch_add(&overlapped_n_pending, 1);
    HRESULT hr = socket_host->post(on_post, listener);
    if (FAILED(hr)) {
        atomic_fetch_sub(&overlapped_n_pending, 1);
        atomic_fetch_sub(&listener->n_references, 1);
        return hr;
    }
    listener->posted = true;
    return S_OK;
}

static void unlink_instance(struct overlapped_instance **list, struct overlapped_instance *instance)
{
    while (*list != instance)
        list = &(*list)->next;
    *list = instance->next;
    instance->next = NULL;
}

static void append_connected(struct via_listener *listener, struct overlapped_instance *instance)
{
    struct overlapped_instance **end = &listener->connected;
    while (*end != NULL)
        end = &(*end)->next;
    *end = instance;
    listener->n_connected++;
}

static void on_connected(struct via_plugin_overlapped *overlapped, uint32_t error,
                         uint32_t n_bytes);

/* Makes one place wait, or finds that a client is there already. With the lock. */
static HRESULT add_instance(struct via_listener *listener)
{
    struct overlapped_instance *instance = calloc(1, sizeof *instance);
    if (instance == NULL)
        return socket_fail(E_OUTOFMEMORY, "out of memory");
    instance->listener = listener;
    instance->waiting.done = on_connected;
    HRESULT hr = listener->kind->start(listener, instance);
    if (hr == S_OK) { /* its packet cannot be handled before the lock is left */
        instance->next = listener->listening;
        listener->listening = instance;
        listener->n_listening++;
        atomic_fetch_add(&listener->n_references, 1);
        atomic_fetch_add(&overlapped_n_pending, 1);
    } else if (hr == S_FALSE) {
        append_connected(listener, instance);
        hr = post_report(listener);
    } else {
        free(instance);
    }
    return hr;
}

/* Keeps places waiting as long as the queue is not full. With the lock. */
static HRESULT refill(struct via_listener *listener)
{
    HRESULT hr = S_OK;
    while (SUCCEEDED(hr) && listener->n_listening < N_LISTENING &&
           listener->n_connected < listener->backlog)
        hr = add_instance(listener);
    return hr;
}

static void on_connected(struct via_plugin_overlapped *overlapped, uint32_t error, uint32_t n_bytes)
{
    struct overlapped_instance *instance = (struct overlapped_instance *)(void *)overlapped;
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
            listener->kind->drop(instance->handle);
            free(instance);
        }
        if (FAILED(refill(listener)))
            socket_host->log(VIA_LOG_WARNING, "a listener has fewer waiting places than it should: "
                                              "the system refuses more");
        report(listener);
    }
    ReleaseSRWLockExclusive(&listener->lock);
    overlapped_listener_unref(listener);
    atomic_fetch_sub(&overlapped_n_pending, 1);
}

HRESULT overlapped_listener_start(struct via_listener *listener)
{
    AcquireSRWLockExclusive(&listener->lock);
    HRESULT hr = refill(listener);
    bool waits = listener->listening != NULL || listener->connected != NULL;
    ReleaseSRWLockExclusive(&listener->lock);
    return waits ? S_OK : hr;
}

HRESULT overlapped_listener_take(struct via_listener *listener, HANDLE *handle)
{
    AcquireSRWLockExclusive(&listener->lock);
    struct overlapped_instance *instance = listener->connected;
    if (instance != NULL) {
        listener->connected = instance->next;
        listener->n_connected--;
        refill(listener); /* what fails here is tried again at the next client */
    }
    ReleaseSRWLockExclusive(&listener->lock);
    if (instance == NULL)
        return VIA_S_WOULD_BLOCK;
    *handle = instance->handle;
    free(instance);
    return S_OK;
}

HRESULT overlapped_listener_accept(struct via_listener *listener, struct via_stream **stream)
{
    HANDLE handle;
    HRESULT hr = overlapped_listener_take(listener, &handle);
    return hr == S_OK ? listener->kind->open(listener, handle, stream) : hr;
}

HRESULT overlapped_listener_arm(struct via_listener *listener)
{
    AcquireSRWLockExclusive(&listener->lock);
    listener->armed = true;
    HRESULT hr = post_report(listener);
    ReleaseSRWLockExclusive(&listener->lock);
    return hr;
}

void overlapped_listener_close(struct via_listener *listener)
{
    AcquireSRWLockExclusive(&listener->lock);
    listener->closing = true;
    while (listener->reporting)
        SleepConditionVariableSRW(&listener->wake, &listener->lock, INFINITE, 0);
    /* The memory of each is freed by the packet of its cancelled wait. */
    for (struct overlapped_instance *instance = listener->listening; instance != NULL;) {
        struct overlapped_instance *next = instance->next;
        listener->kind->drop(instance->handle);
        instance = next;
    }
    listener->listening = NULL;
    while (listener->connected != NULL) {
        struct overlapped_instance *instance = listener->connected;
        listener->connected = instance->next;
        listener->kind->drop(instance->handle);
        free(instance);
    }
    listener->kind->end(listener);
    ReleaseSRWLockExclusive(&listener->lock);
    overlapped_listener_unref(listener);
}
