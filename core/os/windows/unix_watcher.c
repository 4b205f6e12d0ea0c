/*
 * Readiness of Unix descriptors under Wine: one thread waits in epoll, through the winelib module,
 * and posts what it sees to the reactor's completion port. Reports are one-shot, but for edges.
 *
 * epoll gives tokens, not pointers, because a report may already be on its way when its watch is
 * closed: a token is a place in a table and the number of the watch that has the place, and one
 * that does not fit any more is dropped.
 */
#include "core/os/windows/poller_parts.h"

#include "core/util/error.h"

#include <stdlib.h>

/* Linux's numbers. */
#define LINUX_EPOLLIN      0x001u
#define LINUX_EPOLLOUT     0x004u
#define LINUX_EPOLLERR     0x008u
#define LINUX_EPOLLHUP     0x010u
#define LINUX_EPOLLRDHUP   0x2000u
#define LINUX_EPOLLONESHOT (1u << 30)
#define LINUX_EPOLLET      (1u << 31)

/* The token of the event that ends the thread. */
#define END_TOKEN UINT64_MAX

struct place {
    struct os_watch *watch; /* NULL: free */
    uint32_t number;        /* of its present or last user */
};

struct unix_watcher {
    struct os_poller *poller;         /* read-only */
    const struct unix_module *module; /* read-only */
    int32_t poll;                     /* read-only */
    int32_t end_event;                /* read-only */
    struct os_thread *thread;
    struct place *places; /* under the poller's lock */
    uint32_t n_places;    /* under the poller's lock */
};

static uint32_t to_ready(uint32_t events)
{
    uint32_t ready = 0;
    if (events & (LINUX_EPOLLIN | LINUX_EPOLLRDHUP | LINUX_EPOLLHUP | LINUX_EPOLLERR))
        ready |= VIA_READY_READ;
    if (events & (LINUX_EPOLLOUT | LINUX_EPOLLHUP | LINUX_EPOLLERR))
        ready |= VIA_READY_WRITE;
    if (events & (LINUX_EPOLLHUP | LINUX_EPOLLERR | LINUX_EPOLLRDHUP))
        ready |= VIA_READY_CLOSED;
    return ready;
}

static uint32_t to_epoll(uint32_t events)
{
    uint32_t flags = LINUX_EPOLLONESHOT;
    if (events & VIA_READY_READ)
        flags |= LINUX_EPOLLIN | LINUX_EPOLLRDHUP;
    if (events & VIA_READY_WRITE)
        flags |= LINUX_EPOLLOUT;
    return flags;
}

static void report(struct unix_watcher *self, uint64_t token, uint32_t events)
{
    uint32_t index = (uint32_t)token;
    os_mutex_lock(&self->poller->lock);
    if (index < self->n_places && self->places[index].watch &&
        self->places[index].number == token >> 32)
        poller_report(self->places[index].watch, to_ready(events));
    os_mutex_unlock(&self->poller->lock);
}

static void watch_descriptors(void *argument)
{
    struct unix_watcher *self = argument;
    uint64_t tokens[64];
    uint32_t events[64];
    for (;;) {
        int32_t n = self->module->poll_wait(self->poll, tokens, events, 64, -1);
        if (n < 0)
            return;
        for (int32_t i = 0; i < n; i++) {
            if (tokens[i] == END_TOKEN)
                return;
            report(self, tokens[i], events[i]);
        }
    }
}

HRESULT unix_watcher_new(struct os_poller *poller, const struct unix_module *module,
                         struct unix_watcher **watcher)
{
    struct unix_watcher *self = calloc(1, sizeof(*self));
    if (!self)
        return error_set(E_OUTOFMEMORY, "no memory to watch descriptors");
    self->poller = poller;
    self->module = module;
    self->poll = module->poll_new();
    self->end_event = module->calls.event_new();
    HRESULT hr = S_OK;
    if (self->poll < 0 || self->end_event < 0 ||
        module->poll_add(self->poll, self->end_event, LINUX_EPOLLIN, END_TOKEN) < 0)
        hr = error_set(VIA_E_LIMIT, "descriptors cannot be watched; raise the limit of open files");
    if (SUCCEEDED(hr))
        hr = os_thread_start(watch_descriptors, self, "viaduct-unix", &self->thread);
    if (SUCCEEDED(hr)) {
        *watcher = self;
        return S_OK;
    }
    unix_watcher_free(self);
    return hr;
}

void unix_watcher_free(struct unix_watcher *watcher)
{
    if (!watcher)
        return;
    if (watcher->thread) {
        watcher->module->calls.event_set(watcher->end_event);
        os_thread_join(watcher->thread);
    }
    if (watcher->poll >= 0)
        watcher->module->calls.close(watcher->poll);
    if (watcher->end_event >= 0)
        watcher->module->calls.close(watcher->end_event);
    free(watcher->places);
    free(watcher);
}

/* Under the lock: a free place, or UINT32_MAX without memory. */
static uint32_t find_place(struct unix_watcher *self)
{
    for (uint32_t i = 0; i < self->n_places; i++)
        if (!self->places[i].watch)
            return i;
    uint32_t n = self->n_places ? self->n_places * 2 : 16;
    struct place *larger = realloc(self->places, n * sizeof(*larger));
    if (!larger)
        return UINT32_MAX;
    for (uint32_t i = self->n_places; i < n; i++)
        larger[i] = (struct place){0};
    uint32_t index = self->n_places;
    self->places = larger;
    self->n_places = n;
    return index;
}

HRESULT unix_watcher_add(struct unix_watcher *watcher, struct os_watch *watch)
{
    os_mutex_lock(&watcher->poller->lock);
    uint32_t index = find_place(watcher);
    HRESULT hr = S_OK;
    if (index == UINT32_MAX) {
        hr = error_set(E_OUTOFMEMORY, "no memory to watch a descriptor");
    } else {
        struct place *place = &watcher->places[index];
        place->watch = watch;
        place->number = place->number == UINT32_MAX - 1 ? 0 : place->number + 1;
        watch->token = (uint64_t)place->number << 32 | index;
        int32_t result =
            watcher->module->poll_add(watcher->poll, watch->descriptor, to_epoll(0), watch->token);
        if (result < 0) {
            place->watch = NULL;
            hr = error_set(VIA_E_LIMIT, "cannot watch descriptor %d: Linux error %d",
                           watch->descriptor, -result);
        }
    }
    os_mutex_unlock(&watcher->poller->lock);
    return hr;
}

static HRESULT modify(struct unix_watcher *watcher, const struct os_watch *watch, uint32_t flags)
{
    int32_t result =
        watcher->module->poll_modify(watcher->poll, watch->descriptor, flags, watch->token);
    if (result < 0)
        return error_set(E_FAIL, "cannot arm descriptor %d: Linux error %d", watch->descriptor,
                         -result);
    return S_OK;
}

HRESULT unix_watcher_arm(struct unix_watcher *watcher, const struct os_watch *watch,
                         uint32_t events)
{
    return modify(watcher, watch, to_epoll(events));
}

HRESULT unix_watcher_arm_edges(struct unix_watcher *watcher, const struct os_watch *watch)
{
    return modify(watcher, watch, LINUX_EPOLLIN | LINUX_EPOLLET);
}

void unix_watcher_remove(struct unix_watcher *watcher, const struct os_watch *watch)
{
    watcher->module->poll_remove(watcher->poll, watch->descriptor);
    watcher->places[(uint32_t)watch->token].watch = NULL;
}
