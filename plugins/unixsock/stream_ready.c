/*
 * Readiness of a stream: one-shot reports of what was armed.
 *
 * While only bytes to read are waited for, the host's watch is asked to go on when it has reported:
 * a stream that is served and armed again and again costs no system call for that.
 *
 * What the socket is ready for comes from the host's watch. Bytes that lie in our buffer already
 * have no descriptor; they are reported by a post to the reactor, which holds a reference to the
 * stream, because it cannot be taken back when the stream closes. The end of the peer's process is
 * watched from the first arm on, and reported as the end of the stream.
 */
#include "plugins/unixsock/stream_parts.h"

/* Posts of all streams that have not run yet; deinit waits for none. */
static _Atomic uint32_t n_posts;

void readiness_init(struct via_stream *stream)
{
    socket_lock_init(&stream->readiness.lock);
}

void readiness_deinit(struct via_stream *stream)
{
    socket_lock_deinit(&stream->readiness.lock);
}

HRESULT stream_set_ready(struct via_stream *stream, void (*ready)(void *token, uint32_t events),
                         void *token)
{
    struct stream_readiness *self = &stream->readiness;
    socket_lock_enter(&self->lock);
    self->ready = ready;
    self->token = token;
    socket_lock_leave(&self->lock);
    return S_OK;
}

/* The watch's report, on the reactor thread. */
static void on_watch(void *argument, uint32_t events)
{
    struct via_stream *stream = argument;
    struct stream_readiness *self = &stream->readiness;
    socket_lock_enter(&self->lock);
    uint32_t fired = (events & VIA_READY_CLOSED) ? self->armed : (events & self->armed);
    self->armed &= ~fired;
    if (self->armed != 0)
        socket_host->watch_arm(self->watch, self->armed);
    socket_lock_leave(&self->lock);
    if (fired != 0)
        self->ready(self->token, fired | (events & VIA_READY_CLOSED));
}

/* The peer's process has ended: on the reactor thread, once. */
static void on_life(void *argument, uint32_t events)
{
    struct via_stream *stream = argument;
    struct stream_readiness *self = &stream->readiness;
    (void)events;
    atomic_store_explicit(&stream->is_orphaned, true, memory_order_release);
    socket_lock_enter(&self->lock);
    bool report = !self->closing && (self->armed & VIA_READY_READ);
    self->armed &= ~VIA_READY_READ;
    socket_lock_leave(&self->lock);
    if (report)
        self->ready(self->token, VIA_READY_READ | VIA_READY_CLOSED);
}

/* The posted report of buffered bytes, on the reactor thread. */
static void on_post(void *argument)
{
    struct via_stream *stream = argument;
    struct stream_readiness *self = &stream->readiness;
    socket_lock_enter(&self->lock);
    self->posted = false;
    bool report = !self->closing && (self->armed & VIA_READY_READ);
    if (report) {
        self->armed &= ~VIA_READY_READ;
        self->reporting = true;
    }
    socket_lock_leave(&self->lock);
    if (report) {
        self->ready(self->token, VIA_READY_READ);
        socket_lock_enter(&self->lock);
        self->reporting = false;
        socket_lock_wake_all(&self->lock);
        socket_lock_leave(&self->lock);
    }
    stream_unref(stream);
    atomic_fetch_sub(&n_posts, 1);
}

void stream_wait_for_posts(void)
{
    while (atomic_load(&n_posts) != 0)
        socket_yield();
}

static HRESULT post_report(struct via_stream *stream)
{
    struct stream_readiness *self = &stream->readiness;
    if (self->posted)
        return S_OK;
    atomic_fetch_add_explicit(&stream->n_references, 1, memory_order_relaxed);
    atomic_fetch_add(&n_posts, 1);
    self->posted = true;
    HRESULT hr = socket_host->post(on_post, stream);
    if (FAILED(hr)) {
        self->posted = false;
        atomic_fetch_sub(&n_posts, 1);
        stream_unref(stream);
    }
    return hr;
}

/* Whether there is something to report that the socket would not: bytes that the last peek was
 * content with or did not see, or the end of a stream that broke or lost its peer. */
static bool has_news(const struct via_stream *stream)
{
    const struct stream_receiver *receiver = &stream->receiver;
    return receiver->broken != S_OK || atomic_load(&stream->is_orphaned) ||
           (!stream->starved && receiver->buffer.head < receiver->buffer.tail);
}

static HRESULT open_watches(struct via_stream *stream)
{
    struct stream_readiness *self = &stream->readiness;
    HRESULT hr = S_OK;
    if (self->watch == NULL)
        hr = socket_host->watch_open(stream->descriptor, on_watch, stream, &self->watch);
    if (SUCCEEDED(hr) && self->life_watch == NULL && stream->life >= 0) {
        hr = socket_host->watch_open(stream->life, on_life, stream, &self->life_watch);
        if (SUCCEEDED(hr))
            hr = socket_host->watch_arm(self->life_watch, VIA_READY_READ);
    }
    return hr;
}

HRESULT stream_arm(struct via_stream *stream, uint32_t events)
{
    struct stream_readiness *self = &stream->readiness;
    events &= VIA_READY_READ | VIA_READY_WRITE | VIA_READY_CLOSED;
    socket_lock_enter(&self->lock);
    HRESULT hr = open_watches(stream);
    bool buffered = (events & VIA_READY_READ) && has_news(stream);
    uint32_t before = self->armed;
    if (SUCCEEDED(hr)) {
        self->armed |= events;
        /* What is reported by a post is not watched as well. */
        uint32_t watched = buffered ? self->armed & ~VIA_READY_READ : self->armed;
        if (buffered)
            hr = post_report(stream);
        if (SUCCEEDED(hr) && watched != 0)
            hr = socket_host->watch_arm(
                self->watch, watched == VIA_READY_READ ? watched | VIA_READY_AGAIN : watched);
    }
    if (FAILED(hr))
        self->armed = before;
    socket_lock_leave(&self->lock);
    return hr;
}

void stream_disarm(struct via_stream *stream, uint32_t events)
{
    struct stream_readiness *self = &stream->readiness;
    socket_lock_enter(&self->lock);
    uint32_t before = self->armed;
    self->armed &= ~events;
    if (self->watch != NULL) {
        /* What is not armed may be watched all the same. */
        if (self->armed == 0)
            socket_host->watch_disarm(self->watch);
        else if (self->armed != before)
            socket_host->watch_arm(self->watch, self->armed);
    }
    socket_lock_leave(&self->lock);
}

void readiness_close(struct via_stream *stream)
{
    struct stream_readiness *self = &stream->readiness;
    socket_lock_enter(&self->lock);
    self->closing = true;
    self->armed = 0;
    while (self->reporting)
        socket_lock_sleep(&self->lock);
    struct via_plugin_watch *watch = self->watch;
    struct via_plugin_watch *life_watch = self->life_watch;
    self->watch = self->life_watch = NULL;
    socket_lock_leave(&self->lock);
    if (watch != NULL)
        socket_host->watch_close(watch);
    if (life_watch != NULL)
        socket_host->watch_close(life_watch);
}
