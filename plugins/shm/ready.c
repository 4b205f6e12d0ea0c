/*
 * Readiness of a stream: one-shot reports of what was armed, always from the reactor's thread.
 *
 * What is armed and not true yet is written into the ring's words (RING_PARKED); the peer then sets
 * this side's event, which the reactor watches for its edges, so that arming costs no system call.
 * The carrier and the peer's process are watched as well, for the end, for the set-up, and for
 * wake-ups from a peer that cannot set the event. Whatever of these comes, the armed conditions are
 * looked at again. What is true when it is armed is reported by a post, which holds a reference to
 * the stream, because it cannot be taken back when the stream closes.
 */
#include "plugins/shm/stream.h"

/* Posts of all streams that have not run yet; deinit waits for none. */
static _Atomic uint32_t n_posts;

void shm_ready_init(struct via_stream *stream)
{
    socket_lock_init(&stream->readiness.lock);
}

void shm_ready_deinit(struct via_stream *stream)
{
    socket_lock_deinit(&stream->readiness.lock);
}

HRESULT shm_set_ready(struct via_stream *stream, void (*ready)(void *token, uint32_t events),
                      void *token)
{
    struct stream_readiness *self = &stream->readiness;
    socket_lock_enter(&self->lock);
    self->ready = ready;
    self->token = token;
    socket_lock_leave(&self->lock);
    return S_OK;
}

/* --- conditions; all with the lock --- */

static bool can_read(struct via_stream *stream, bool is_up)
{
    const struct stream_readiness *self = &stream->readiness;
    return self->read_is_broken || (is_up && atomic_load(&stream->in->head) != self->read_beyond);
}

static bool can_write(struct via_stream *stream, bool is_up)
{
    const struct stream_readiness *self = &stream->readiness;
    switch (self->write_wait) {
    case WRITE_NOW:
        return true;
    case WRITE_AFTER_SETUP:
        return is_up;
    case WRITE_AFTER_CARRIER:
        return false;
    default:
        return (int64_t)(atomic_load(&stream->out->tail) - self->write_from) >= 0;
    }
}

/* Which of the armed conditions are true. */
static uint32_t find_news(struct via_stream *stream)
{
    struct stream_readiness *self = &stream->readiness;
    bool is_up = shm_is_up(stream);
    if (shm_has_ended(stream) || atomic_load(&stream->state) == STREAM_REFUSED)
        return self->armed;
    uint32_t news = can_read(stream, is_up) ? VIA_READY_READ : 0;
    if (can_write(stream, is_up))
        news |= VIA_READY_WRITE;
    return news & self->armed;
}

/* Says in the ring that nobody is awake for what is armed. A thread that waits has the word for
 * itself; it looks here when it has waited. */
static void park(struct via_stream *stream, uint32_t events)
{
    struct stream_readiness *self = &stream->readiness;
    uint32_t how = self->event_watch != NULL ? RING_PARKED : RING_CARRIER;
    uint32_t awake = RING_AWAKE;
    if (events & VIA_READY_READ)
        atomic_compare_exchange_strong(&stream->in->reader_sleep, &awake, how);
    if ((events & VIA_READY_WRITE) && self->write_wait == WRITE_AFTER_TAIL)
        atomic_store(&stream->out->writer_sleep, how);
}

static void unpark(struct via_stream *stream, uint32_t events)
{
    uint32_t how = stream->readiness.event_watch != NULL ? RING_PARKED : RING_CARRIER;
    if (events & VIA_READY_READ)
        atomic_compare_exchange_strong(&stream->in->reader_sleep, &how, RING_AWAKE);
    if (events & VIA_READY_WRITE)
        atomic_store(&stream->out->writer_sleep, RING_AWAKE);
}

/* --- watches --- */

static void look_on_reactor(struct via_stream *stream);

static void on_event(void *argument, uint32_t events)
{
    (void)events;
    look_on_reactor(argument);
}

static void on_carrier(void *argument, uint32_t events)
{
    struct via_stream *stream = argument;
    struct stream_readiness *self = &stream->readiness;
    socket_lock_enter(&self->lock);
    self->carrier_armed = false;
    if ((events & VIA_READY_WRITE) && self->write_wait == WRITE_AFTER_CARRIER)
        self->write_wait = WRITE_NOW;
    socket_lock_leave(&self->lock);
    if (shm_is_up(stream))
        carrier_receive(stream);
    else
        setup_finish(stream);
    look_on_reactor(stream);
}

static void on_life(void *argument, uint32_t events)
{
    (void)events;
    shm_end(argument, STREAM_GONE);
    look_on_reactor(argument);
}

/* With the lock: whatever can bring news is watched. */
static HRESULT open_watches(struct via_stream *stream)
{
    struct stream_readiness *self = &stream->readiness;
    const struct carrier_line *line = &stream->carrier.line;
    HRESULT hr = S_OK;
    if (self->carrier_watch == NULL && line->descriptor >= 0)
        hr = socket_host->watch_open(line->descriptor, on_carrier, stream, &self->carrier_watch);
    if (SUCCEEDED(hr) && self->life_watch == NULL && line->life >= 0 &&
        !line->kind->ends_with_process) {
        hr = socket_host->watch_open(line->life, on_life, stream, &self->life_watch);
        if (SUCCEEDED(hr))
            hr = socket_host->watch_arm(self->life_watch, VIA_READY_READ);
    }
    if (SUCCEEDED(hr) && self->event_watch == NULL && shm_is_up(stream) && stream->own_event >= 0) {
        hr = socket_host->watch_open(stream->own_event, on_event, stream, &self->event_watch);
        if (SUCCEEDED(hr))
            hr = socket_host->watch_arm_edges(self->event_watch);
    }
    return hr;
}

static HRESULT arm_carrier(struct stream_readiness *self)
{
    bool for_write = (self->armed & VIA_READY_WRITE) && self->write_wait == WRITE_AFTER_CARRIER;
    HRESULT hr = S_OK;
    if (self->carrier_armed && !for_write)
        return S_OK;
    if (self->carrier_watch != NULL)
        hr = socket_host->watch_arm(self->carrier_watch,
                                    VIA_READY_READ | (for_write ? VIA_READY_WRITE : 0));
    self->carrier_armed = SUCCEEDED(hr);
    return hr;
}

bool shm_ready_watch(struct via_stream *stream)
{
    struct stream_readiness *self = &stream->readiness;
    if (atomic_load_explicit(&self->carrier_armed, memory_order_relaxed))
        return true;
    socket_lock_enter(&self->lock);
    bool watched =
        !self->closing && SUCCEEDED(open_watches(stream)) && SUCCEEDED(arm_carrier(self));
    socket_lock_leave(&self->lock);
    return watched;
}

/* --- reports --- */

/* With the lock: what is armed will be reported as soon as it is true. `news`: what is already. */
static HRESULT settle(struct via_stream *stream, uint32_t *news)
{
    struct stream_readiness *self = &stream->readiness;
    *news = find_news(stream);
    bool is_watched_for = shm_is_waiting(stream) && !shm_has_ended(stream);
    if (self->armed == *news && !is_watched_for)
        return S_OK;
    HRESULT hr = open_watches(stream);
    if (FAILED(hr))
        return hr;
    uint32_t parked = self->armed & ~*news;
    if (shm_is_up(stream)) {
        park(stream, parked);
        *news = find_news(stream); /* what came before the words could be seen */
        unpark(stream, parked & *news);
    }
    return self->armed == *news && !shm_is_waiting(stream) ? S_OK : arm_carrier(self);
}

static void on_post(void *argument)
{
    struct via_stream *stream = argument;
    socket_lock_enter(&stream->readiness.lock);
    stream->readiness.posted = false;
    socket_lock_leave(&stream->readiness.lock);
    look_on_reactor(stream);
    shm_unref(stream);
    atomic_fetch_sub(&n_posts, 1);
}

void shm_ready_wait_for_posts(void)
{
    while (atomic_load(&n_posts) != 0)
        socket_yield();
}

/* With the lock. */
static HRESULT post_report(struct via_stream *stream)
{
    struct stream_readiness *self = &stream->readiness;
    if (self->posted || self->closing)
        return S_OK;
    atomic_fetch_add_explicit(&stream->n_references, 1, memory_order_relaxed);
    atomic_fetch_add(&n_posts, 1);
    self->posted = true;
    HRESULT hr = socket_host->post(on_post, stream);
    if (FAILED(hr)) {
        self->posted = false;
        atomic_fetch_sub(&n_posts, 1);
        shm_unref(stream);
    }
    return hr;
}

/* Reports what is true, on the reactor thread. */
static void look_on_reactor(struct via_stream *stream)
{
    struct stream_readiness *self = &stream->readiness;
    uint32_t news = 0;
    socket_lock_enter(&self->lock);
    HRESULT hr = self->closing ? S_OK : settle(stream, &news); /* else the rings may be gone */
    if (FAILED(hr)) /* what cannot be watched is tried again by who reads and writes */
        news = self->armed;
    self->reporting = news != 0;
    if (self->reporting) {
        self->armed &= ~news;
        bool has_ended = shm_has_ended(stream);
        socket_lock_leave(&self->lock);
        self->ready(self->token, news | (has_ended ? VIA_READY_CLOSED : 0));
        socket_lock_enter(&self->lock);
        self->reporting = false;
        socket_lock_wake_all(&self->lock);
    }
    socket_lock_leave(&self->lock);
}

void shm_ready_look(struct via_stream *stream)
{
    struct stream_readiness *self = &stream->readiness;
    socket_lock_enter(&self->lock);
    if (self->armed != 0)
        post_report(stream);
    socket_lock_leave(&self->lock);
}

/* With the lock: what an arm by the holder of the reader right or of the sender lock is for. */
static void set_conditions(struct via_stream *stream, uint32_t events)
{
    struct stream_readiness *self = &stream->readiness;
    const struct stream_receiver *receiver = &stream->receiver;
    const struct stream_sender *sender = &stream->sender;
    if (events & VIA_READY_READ) {
        self->read_is_broken = receiver->broken != S_OK;
        self->read_beyond = receiver->starved ? receiver->ring.seen : receiver->ring.consumed;
    }
    if (events & VIA_READY_WRITE) {
        size_t waiting = sender->tail - sender->head;
        size_t most = sender->ring.capacity / 2;
        if (waiting == 0 && sender->first == NULL) {
            self->write_wait = WRITE_NOW;
        } else if (sender->ring.capacity == 0) {
            self->write_wait = WRITE_AFTER_SETUP;
        } else if (sender->first != NULL) {
            self->write_wait = WRITE_AFTER_CARRIER;
        } else {
            self->write_wait = WRITE_AFTER_TAIL;
            self->write_from =
                sender->ring.committed + (waiting < most ? waiting : most) - sender->ring.capacity;
        }
    }
}

HRESULT shm_arm(struct via_stream *stream, uint32_t events)
{
    struct stream_readiness *self = &stream->readiness;
    uint32_t news;
    events &= VIA_READY_READ | VIA_READY_WRITE;
    if (events & VIA_READY_READ && shm_is_up(stream))
        shm_release(stream);
    socket_lock_enter(&self->lock);
    uint32_t before = self->armed;
    set_conditions(stream, events);
    self->armed |= events;
    HRESULT hr = settle(stream, &news);
    if (SUCCEEDED(hr) && news != 0)
        hr = post_report(stream);
    if (FAILED(hr))
        self->armed = before;
    socket_lock_leave(&self->lock);
    return hr;
}

void shm_disarm(struct via_stream *stream, uint32_t events)
{
    struct stream_readiness *self = &stream->readiness;
    socket_lock_enter(&self->lock);
    events &= self->armed;
    self->armed &= ~events;
    if (shm_is_up(stream))
        unpark(stream, events);
    socket_lock_leave(&self->lock);
}

void shm_ready_close(struct via_stream *stream)
{
    struct stream_readiness *self = &stream->readiness;
    socket_lock_enter(&self->lock);
    self->closing = true;
    self->armed = 0;
    while (self->reporting)
        socket_lock_sleep(&self->lock);
    struct via_plugin_watch *watches[] = {self->carrier_watch, self->life_watch, self->event_watch};
    self->carrier_watch = self->life_watch = self->event_watch = NULL;
    socket_lock_leave(&self->lock);
    for (size_t i = 0; i < sizeof watches / sizeof watches[0]; i++) {
        if (watches[i] != NULL)
            socket_host->watch_close(watches[i]);
    }
}
