/*
 * The reactor on epoll. Every watch is one-shot, a report disarms it, unless it is armed for edges.
 * One that is armed with VIA_READY_AGAIN is one-shot only for who has armed it: the kernel goes on
 * to watch it by level, so that while somebody waits no byte can be overlooked, and to arm it again
 * is to note it here. What the kernel reports when nobody waits ends that.
 *
 * Callbacks run without the lock. `running` names the watch whose callback runs, so that a close
 * from another thread can wait for it; a closed watch is kept until the batch that may still name
 * it is done.
 */
#include "core/os/poller.h"
#include "core/os/clock.h"
#include "core/os/thread.h"
#include "core/util/error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Reports taken from the kernel at once. */
#define BATCH_SIZE 64

struct post {
    struct post *next;
    void (*run)(void *argument);
    void *argument;
};

struct os_poller {
    int epoll;      /* read-only */
    int wake_event; /* read-only */
    struct os_mutex lock;
    struct os_cond idle;      /* a callback has returned */
    struct post *posts;       /* under lock */
    struct post **posts_end;  /* under lock */
    struct os_watch *running; /* under lock */
    uint64_t thread;          /* of the reactor, while it is in run_once; under lock */
    struct os_watch *closed;  /* closed during a batch; under lock */
};

struct os_watch {
    struct os_poller *poller; /* read-only */
    int descriptor;           /* read-only */
    bool owns_descriptor;     /* read-only: a pidfd */
    void (*ready)(void *argument, uint32_t events);
    void *argument;
    uint32_t armed;        /* under lock */
    bool has_edges;        /* a report leaves it armed; under lock */
    bool stays;            /* the kernel watches for bytes by level; under lock */
    bool is_closed;        /* under lock */
    struct os_watch *next; /* in `closed` */
};

HRESULT os_poller_new(struct os_poller **poller)
{
    struct os_poller *self = calloc(1, sizeof(*self));
    if (!self)
        return error_set(E_OUTOFMEMORY, "no memory for the reactor");
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    self->wake_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN};
    if (self->epoll < 0 || self->wake_event < 0 ||
        epoll_ctl(self->epoll, EPOLL_CTL_ADD, self->wake_event, &event)) {
        HRESULT hr =
            error_set(VIA_E_LIMIT, "cannot make the reactor: %s; raise the limit of open files",
                      strerror(errno));
        if (self->epoll >= 0)
            close(self->epoll);
        if (self->wake_event >= 0)
            close(self->wake_event);
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

static void watch_free(struct os_watch *watch)
{
    if (watch->owns_descriptor)
        close(watch->descriptor);
    free(watch);
}

static void free_closed(struct os_poller *self)
{
    os_mutex_lock(&self->lock);
    struct os_watch *watch = self->closed;
    self->closed = NULL;
    self->thread = 0;
    os_mutex_unlock(&self->lock);
    while (watch) {
        struct os_watch *next = watch->next;
        watch_free(watch);
        watch = next;
    }
}

void os_poller_free(struct os_poller *poller)
{
    if (!poller)
        return;
    while (poller->posts)
        run_posts(poller);
    free_closed(poller);
    close(poller->epoll);
    close(poller->wake_event);
    os_cond_deinit(&poller->idle);
    os_mutex_deinit(&poller->lock);
    free(poller);
}

void os_poller_wake(struct os_poller *poller)
{
    uint64_t one = 1;
    ssize_t n = write(poller->wake_event, &one, sizeof(one));
    (void)n; /* a full counter is a wake already */
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

static uint32_t epoll_to_ready(uint32_t events)
{
    uint32_t ready = 0;
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
        ready |= VIA_READY_READ;
    if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
        ready |= VIA_READY_WRITE;
    if (events & (EPOLLHUP | EPOLLERR | EPOLLRDHUP))
        ready |= VIA_READY_CLOSED;
    return ready;
}

static uint32_t ready_to_epoll(uint32_t events)
{
    uint32_t flags = EPOLLONESHOT;
    if (events & VIA_READY_READ)
        flags |= EPOLLIN | EPOLLRDHUP;
    if (events & VIA_READY_WRITE)
        flags |= EPOLLOUT;
    return flags;
}

/* Tells the kernel what to watch for; false: it cannot. */
static bool modify_locked(struct os_watch *watch, uint32_t flags)
{
    struct epoll_event event = {.events = flags, .data.ptr = watch};
    return epoll_ctl(watch->poller->epoll, EPOLL_CTL_MOD, watch->descriptor, &event) == 0;
}

/* The kernel watches for nothing. */
static void mute_locked(struct os_watch *watch)
{
    watch->stays = false;
    modify_locked(watch, EPOLLONESHOT);
}

static void dispatch(struct os_poller *self, struct os_watch *watch, uint32_t events)
{
    os_mutex_lock(&self->lock);
    /* A pidfd becomes readable when its process ends. */
    uint32_t ready = watch->owns_descriptor ? VIA_READY_CLOSED : epoll_to_ready(events);
    if (watch->is_closed || !(ready & watch->armed)) {
        if (!watch->is_closed && watch->stays)
            mute_locked(watch);
        os_mutex_unlock(&self->lock);
        return;
    }
    if (!watch->has_edges)
        watch->armed = 0;
    self->running = watch;
    os_mutex_unlock(&self->lock);
    watch->ready(watch->argument, ready);
    os_mutex_lock(&self->lock);
    self->running = NULL;
    os_cond_broadcast(&self->idle);
    os_mutex_unlock(&self->lock);
}

static void clear_wake(struct os_poller *self)
{
    uint64_t count;
    ssize_t n = read(self->wake_event, &count, sizeof(count));
    (void)n;
}

static int timeout_ms(uint64_t deadline_ns)
{
    if (deadline_ns == OS_NEVER)
        return -1;
    uint64_t now = os_now_ns();
    if (deadline_ns <= now)
        return 0;
    uint64_t left = (deadline_ns - now + 999999u) / 1000000u;
    return left > 3600000u ? 3600000 : (int)left;
}

static void set_thread(struct os_poller *self, uint64_t thread)
{
    os_mutex_lock(&self->lock);
    self->thread = thread;
    os_mutex_unlock(&self->lock);
}

void os_poller_run_once(struct os_poller *poller, uint64_t deadline_ns)
{
    struct epoll_event events[BATCH_SIZE];
    /* From here to free_closed() a closed watch is kept: this batch may name it. */
    set_thread(poller, os_thread_id());
    int n = epoll_wait(poller->epoll, events, BATCH_SIZE, timeout_ms(deadline_ns));
    for (int i = 0; i < n; i++) {
        if (events[i].data.ptr)
            dispatch(poller, events[i].data.ptr, events[i].events);
        else
            clear_wake(poller);
    }
    run_posts(poller);
    free_closed(poller);
}

void os_poller_drain(struct os_poller *poller)
{
    do
        os_poller_run_once(poller, 0);
    while (poller->posts);
}

static HRESULT watch_new(struct os_poller *poller, int descriptor, bool is_pidfd,
                         void (*ready)(void *argument, uint32_t events), void *argument,
                         struct os_watch **watch)
{
    struct os_watch *self = calloc(1, sizeof(*self));
    if (!self)
        return error_set(E_OUTOFMEMORY, "no memory for a watch");
    *self = (struct os_watch){.poller = poller,
                              .descriptor = descriptor,
                              .ready = ready,
                              .argument = argument,
                              .owns_descriptor = is_pidfd,
                              .armed = is_pidfd ? VIA_READY_CLOSED : 0};
    /* The callback may run before this returns; its owner must have the pointer by then. */
    *watch = self;
    struct epoll_event event = {.events = ready_to_epoll(is_pidfd ? VIA_READY_READ : 0),
                                .data.ptr = self};
    if (epoll_ctl(poller->epoll, EPOLL_CTL_ADD, descriptor, &event)) {
        *watch = NULL;
        free(self);
        return error_set(VIA_E_LIMIT, "cannot watch descriptor %d: %s", descriptor,
                         strerror(errno));
    }
    return S_OK;
}

HRESULT os_watch_open(struct os_poller *poller, intptr_t descriptor,
                      void (*ready)(void *argument, uint32_t events), void *argument,
                      struct os_watch **watch)
{
    return watch_new(poller, (int)descriptor, false, ready, argument, watch);
}

static HRESULT arm(struct os_watch *watch, uint32_t events, uint32_t flags)
{
    os_mutex_lock(&watch->poller->lock);
    watch->armed = events;
    watch->has_edges = flags & EPOLLET;
    watch->stays = !(flags & (EPOLLET | EPOLLONESHOT));
    bool works = modify_locked(watch, flags);
    os_mutex_unlock(&watch->poller->lock);
    if (!works)
        return error_set(E_FAIL, "cannot arm descriptor %d: %s", watch->descriptor,
                         strerror(errno));
    return S_OK;
}

HRESULT os_watch_arm(struct os_watch *watch, uint32_t events)
{
    if (events != (VIA_READY_READ | VIA_READY_AGAIN))
        return arm(watch, events & ~VIA_READY_AGAIN, ready_to_epoll(events));
    os_mutex_lock(&watch->poller->lock);
    bool stays = watch->stays;
    if (stays)
        watch->armed = VIA_READY_READ;
    os_mutex_unlock(&watch->poller->lock);
    return stays ? S_OK : arm(watch, VIA_READY_READ, EPOLLIN | EPOLLRDHUP);
}

HRESULT os_watch_arm_edges(struct os_watch *watch)
{
    return arm(watch, VIA_READY_READ, EPOLLIN | EPOLLET);
}

void os_watch_disarm(struct os_watch *watch)
{
    os_mutex_lock(&watch->poller->lock);
    if (watch->armed != 0 || watch->stays)
        mute_locked(watch);
    watch->armed = 0;
    os_mutex_unlock(&watch->poller->lock);
}

void os_watch_close(struct os_watch *watch)
{
    if (!watch)
        return;
    struct os_poller *poller = watch->poller;
    uint64_t self = os_thread_id();
    os_mutex_lock(&poller->lock);
    epoll_ctl(poller->epoll, EPOLL_CTL_DEL, watch->descriptor, NULL);
    watch->is_closed = true;
    watch->armed = 0;
    while (poller->running == watch && poller->thread != self)
        os_cond_wait(&poller->idle, &poller->lock, OS_NEVER);
    bool keep = poller->thread != 0;
    if (keep) {
        watch->next = poller->closed;
        poller->closed = watch;
    }
    os_mutex_unlock(&poller->lock);
    if (keep)
        os_poller_wake(poller);
    else
        watch_free(watch);
}

HRESULT os_watch_process(struct os_poller *poller, uint32_t process_id,
                         void (*ready)(void *argument, uint32_t events), void *argument,
                         struct os_watch **watch)
{
    int descriptor = (int)syscall(SYS_pidfd_open, (pid_t)process_id, 0);
    if (descriptor < 0 && errno == ESRCH)
        return error_set(VIA_WIN32(2), "there is no process %u", process_id);
    if (descriptor < 0)
        return error_set(E_NOTIMPL, "cannot watch process %u: %s", process_id, strerror(errno));
    HRESULT hr = watch_new(poller, descriptor, true, ready, argument, watch);
    if (FAILED(hr))
        close(descriptor);
    return hr;
}

HRESULT os_poller_bind_handle(struct os_poller *poller, void *handle)
{
    (void)poller;
    (void)handle;
    return E_NOTIMPL;
}
