/*
 * The reactor on a completion port. Everything that happens arrives there as a packet, and its key
 * says what it is: a wake, an overlapped operation of a bound handle, a watched handle
 * (handle_watcher.c), or, under Wine, readiness of a Unix descriptor, which one helper thread reads
 * from epoll (unix_watcher.c) and posts.
 *
 * Callbacks run without the lock. `running` names the watch whose callback runs, so that a close
 * from another thread can wait for it. A packet names its watch by pointer and counts in
 * `n_queued`; a closed watch is freed when no packet names it any more.
 */
#include "core/os/windows/poller_parts.h"

#include "core/os/clock.h"
#include "core/os/windows/text.h"
#include "core/util/error.h"

#include <stdlib.h>

/* Packets taken at once. */
#define BATCH_SIZE 64

enum packet_key { KEY_WAKE = 1, KEY_HANDLE, KEY_WATCH };

struct post {
    struct post *next;
    void (*run)(void *argument);
    void *argument;
};

HRESULT os_poller_new(struct os_poller **poller)
{
    struct os_poller *self = calloc(1, sizeof(*self));
    if (!self)
        return error_set(E_OUTOFMEMORY, "no memory for the reactor");
    self->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 0);
    if (!self->port) {
        HRESULT hr = windows_fail(GetLastError(), "reactor", "make a completion port");
        free(self);
        return hr;
    }
    os_mutex_init(&self->lock);
    os_cond_init(&self->idle);
    self->posts_end = &self->posts;
    *poller = self;
    return S_OK;
}

static void run_posts(struct os_poller *self)
{
    os_mutex_lock(&self->lock);
    struct post *post = self->posts;
    self->posts = NULL;
    self->posts_end = &self->posts;
    os_mutex_unlock(&self->lock);
    while (post) {
        struct post *next = post->next;
        post->run(post->argument);
        free(post);
        post = next;
    }
}

static DWORD timeout_ms(uint64_t deadline_ns)
{
    if (deadline_ns == OS_NEVER)
        return INFINITE;
    uint64_t now = os_now_ns();
    if (deadline_ns <= now)
        return 0;
    uint64_t left = (deadline_ns - now + 999999u) / 1000000u;
    return left > 3600000u ? 3600000u : (DWORD)left;
}

/* Under the lock: frees a closed watch that nothing names any more. */
static bool is_unused(const struct os_watch *watch)
{
    return watch->is_closed && watch->n_queued == 0 && watch->poller->running != watch;
}

static void run_watch(struct os_poller *self, struct os_watch *watch, uint32_t events)
{
    os_mutex_lock(&self->lock);
    watch->n_queued--;
    /* A closed descriptor is news for whatever is armed. */
    bool is_wanted = events & (watch->armed | (watch->armed ? VIA_READY_CLOSED : 0));
    if (!watch->is_closing && is_wanted) {
        if (!watch->has_edges)
            watch->armed = 0;
        self->running = watch;
        os_mutex_unlock(&self->lock);
        watch->ready(watch->argument, events);
        os_mutex_lock(&self->lock);
        self->running = NULL;
        os_cond_broadcast(&self->idle);
    }
    bool last = is_unused(watch);
    os_mutex_unlock(&self->lock);
    if (last)
        free(watch);
}

static void run_overlapped(OVERLAPPED *overlapped, DWORD n_bytes)
{
    struct via_plugin_overlapped *operation = (struct via_plugin_overlapped *)(void *)overlapped;
    NTSTATUS status = (NTSTATUS)overlapped->Internal;
    operation->done(operation, status >= 0 ? 0 : RtlNtStatusToDosError(status), n_bytes);
}

static void run_packet(struct os_poller *self, const OVERLAPPED_ENTRY *packet)
{
    if (packet->lpCompletionKey == KEY_HANDLE)
        run_overlapped(packet->lpOverlapped, packet->dwNumberOfBytesTransferred);
    else if (packet->lpCompletionKey == KEY_WATCH)
        run_watch(self, (struct os_watch *)(void *)packet->lpOverlapped,
                  packet->dwNumberOfBytesTransferred);
}

static void set_thread(struct os_poller *self, uint64_t thread)
{
    os_mutex_lock(&self->lock);
    self->thread = thread;
    os_mutex_unlock(&self->lock);
}

/* False when nothing came. */
static bool run_batch(struct os_poller *poller, DWORD ms)
{
    OVERLAPPED_ENTRY packets[BATCH_SIZE];
    ULONG n = 0;
    if (!GetQueuedCompletionStatusEx(poller->port, packets, BATCH_SIZE, &n, ms, FALSE))
        return false;
    for (ULONG i = 0; i < n; i++)
        run_packet(poller, &packets[i]);
    return true;
}

void os_poller_run_once(struct os_poller *poller, uint64_t deadline_ns)
{
    set_thread(poller, os_thread_id());
    run_batch(poller, timeout_ms(deadline_ns));
    run_posts(poller);
    set_thread(poller, 0);
}

void os_poller_drain(struct os_poller *poller)
{
    while (run_batch(poller, 0) || poller->posts)
        run_posts(poller);
}

void os_poller_free(struct os_poller *poller)
{
    if (!poller)
        return;
    unix_watcher_free(poller->watcher);
    /* Packets that name closed watches free them. */
    os_poller_drain(poller);
    CloseHandle(poller->port);
    os_cond_deinit(&poller->idle);
    os_mutex_deinit(&poller->lock);
    free(poller);
}

void os_poller_wake(struct os_poller *poller)
{
    PostQueuedCompletionStatus(poller->port, 0, KEY_WAKE, NULL);
}

HRESULT os_poller_post(struct os_poller *poller, void (*run)(void *argument), void *argument)
{
    struct post *post = malloc(sizeof(*post));
    if (!post)
        return error_set(E_OUTOFMEMORY, "no memory to post to the reactor");
    *post = (struct post){.run = run, .argument = argument};
    os_mutex_lock(&poller->lock);
    *poller->posts_end = post;
    poller->posts_end = &post->next;
    os_mutex_unlock(&poller->lock);
    os_poller_wake(poller);
    return S_OK;
}

void poller_report(struct os_watch *watch, uint32_t events)
{
    /* The callback that is still to run comes after this edge, and edges have no number. */
    if (watch->has_edges && watch->n_queued > 0)
        return;
    watch->n_queued++;
    if (!PostQueuedCompletionStatus(watch->poller->port, events, KEY_WATCH,
                                    (OVERLAPPED *)(void *)watch))
        watch->n_queued--;
}

static HRESULT watch_new(struct os_poller *poller, void (*ready)(void *argument, uint32_t events),
                         void *argument, struct os_watch **watch)
{
    struct os_watch *self = calloc(1, sizeof(*self));
    if (!self)
        return error_set(E_OUTOFMEMORY, "no memory for a watch");
    *self =
        (struct os_watch){.poller = poller, .descriptor = -1, .ready = ready, .argument = argument};
    *watch = self;
    return S_OK;
}

HRESULT os_watch_open(struct os_poller *poller, intptr_t descriptor,
                      void (*ready)(void *argument, uint32_t events), void *argument,
                      struct os_watch **watch)
{
    const struct unix_module *module = unix_module();
    HRESULT hr = S_OK;
    if (!module) {
        hr = watch_new(poller, ready, argument, watch);
        if (SUCCEEDED(hr))
            (*watch)->handle = (HANDLE)descriptor;
        return hr;
    }
    os_mutex_lock(&poller->lock);
    if (!poller->watcher)
        hr = unix_watcher_new(poller, module, &poller->watcher);
    os_mutex_unlock(&poller->lock);
    if (SUCCEEDED(hr))
        hr = watch_new(poller, ready, argument, watch);
    if (FAILED(hr))
        return hr;
    (*watch)->descriptor = (int32_t)descriptor;
    hr = unix_watcher_add(poller->watcher, *watch);
    if (FAILED(hr)) {
        free(*watch);
        *watch = NULL;
    }
    return hr;
}

HRESULT os_watch_arm(struct os_watch *watch, uint32_t events)
{
    events &= ~VIA_READY_AGAIN;
    if (watch->handle)
        return handle_watcher_arm(watch, events, true);
    os_mutex_lock(&watch->poller->lock);
    watch->armed = events;
    watch->has_edges = false;
    HRESULT hr = unix_watcher_arm(watch->poller->watcher, watch, events);
    os_mutex_unlock(&watch->poller->lock);
    return hr;
}

HRESULT os_watch_arm_edges(struct os_watch *watch)
{
    if (watch->handle)
        return handle_watcher_arm(watch, VIA_READY_READ, false);
    os_mutex_lock(&watch->poller->lock);
    watch->armed = VIA_READY_READ;
    watch->has_edges = true;
    HRESULT hr = unix_watcher_arm_edges(watch->poller->watcher, watch);
    os_mutex_unlock(&watch->poller->lock);
    return hr;
}

void os_watch_disarm(struct os_watch *watch)
{
    os_mutex_lock(&watch->poller->lock);
    if (!watch->handle && watch->armed != 0)
        unix_watcher_arm(watch->poller->watcher, watch, 0);
    watch->armed = 0;
    os_mutex_unlock(&watch->poller->lock);
}

void os_watch_close(struct os_watch *watch)
{
    if (!watch)
        return;
    struct os_poller *poller = watch->poller;
    uint64_t self = os_thread_id();
    if (watch->handle)
        handle_watcher_stop(watch);
    if (watch->owns_handle)
        CloseHandle(watch->handle);
    os_mutex_lock(&poller->lock);
    if (watch->descriptor >= 0)
        unix_watcher_remove(poller->watcher, watch);
    watch->is_closing = true;
    watch->armed = 0;
    while (poller->running == watch && poller->thread != self)
        os_cond_wait(&poller->idle, &poller->lock, OS_NEVER);
    watch->is_closed = true;
    bool last = is_unused(watch);
    os_mutex_unlock(&poller->lock);
    if (last)
        free(watch);
}

HRESULT os_watch_process(struct os_poller *poller, uint32_t process_id,
                         void (*ready)(void *argument, uint32_t events), void *argument,
                         struct os_watch **watch)
{
    HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, process_id);
    bool is_absent = !process && GetLastError() == ERROR_INVALID_PARAMETER;
    /* One that has ended can be opened as long as somebody has a handle to it. */
    if (process && WaitForSingleObject(process, 0) == WAIT_OBJECT_0) {
        CloseHandle(process);
        is_absent = true;
    }
    if (is_absent)
        return error_set(VIA_WIN32(2), "there is no process %u", process_id);
    if (!process)
        return windows_fail(GetLastError(), "process", "watch it");
    HRESULT hr = watch_new(poller, ready, argument, watch);
    if (FAILED(hr)) {
        CloseHandle(process);
        return hr;
    }
    struct os_watch *self = *watch;
    self->handle = process;
    self->owns_handle = true;
    self->armed = VIA_READY_CLOSED;
    /* Under the lock: its end is not reported, and so nobody closes it, before `wait` is set. */
    os_mutex_lock(&poller->lock);
    bool registered = handle_watcher_start(self, VIA_READY_CLOSED, true);
    os_mutex_unlock(&poller->lock);
    if (registered)
        return S_OK;
    hr = windows_fail(GetLastError(), "process", "watch it");
    CloseHandle(process);
    free(self);
    *watch = NULL;
    return hr;
}

HRESULT os_poller_bind_handle(struct os_poller *poller, void *handle)
{
    if (CreateIoCompletionPort(handle, poller->port, KEY_HANDLE, 0))
        return S_OK;
    return windows_fail(GetLastError(), "handle", "bind it to the reactor");
}
