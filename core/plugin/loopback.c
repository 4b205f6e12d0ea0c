/*
 * Names, listeners and the table of the loopback transport.
 */
#include "core/plugin/loopback_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAME 200

struct via_listener {
    struct via_listener *next;
    char *name; /* read-only */
    void (*ready)(void *token, uint32_t events);
    void *token;
    uint32_t backlog;
    /* registry_lock: */
    struct via_stream **waiting; /* `backlog` places */
    uint32_t n_waiting;
    bool armed;
    bool posted;
    bool reporting;
    bool closed;
    unsigned n_references; /* its owner, and a post */
};

const struct via_plugin_host *loopback_host;
_Atomic uint32_t loopback_n_posts;

static struct os_mutex registry_lock = OS_MUTEX_INITIALIZER;
static struct os_cond registry_wake;   /* while the plugin is up */
static struct via_listener *listeners; /* registry_lock */
static unsigned n_inits;               /* registry_lock */

HRESULT loopback_fail(HRESULT code, const char *message)
{
    return loopback_host->set_error(code, message);
}

static HRESULT fail_at(HRESULT code, const char *address, const char *problem)
{
    char message[400];
    snprintf(message, sizeof message, "loop:%.100s: %s", address, problem);
    return loopback_fail(code, message);
}

static struct via_listener *find(const char *name)
{
    struct via_listener *listener = listeners;
    while (listener != NULL && strcmp(listener->name, name) != 0)
        listener = listener->next;
    return listener;
}

/* Called with the lock; leaves it. */
static void unref_and_unlock(struct via_listener *listener)
{
    bool last = --listener->n_references == 0;
    os_mutex_unlock(&registry_lock);
    if (last) {
        free(listener->waiting);
        free(listener->name);
        free(listener);
    }
}

static void on_post(void *argument)
{
    struct via_listener *listener = argument;
    os_mutex_lock(&registry_lock);
    listener->posted = false;
    if (listener->armed && listener->n_waiting > 0 && !listener->closed) {
        listener->armed = false;
        listener->reporting = true;
        os_mutex_unlock(&registry_lock);
        listener->ready(listener->token, VIA_READY_READ);
        os_mutex_lock(&registry_lock);
        listener->reporting = false;
        os_cond_broadcast(&registry_wake);
    }
    unref_and_unlock(listener);
    atomic_fetch_sub(&loopback_n_posts, 1);
}

/* Posts a report if one is due. Called with the lock. */
static HRESULT notify(struct via_listener *listener)
{
    if (!listener->armed || listener->n_waiting == 0 || listener->posted)
        return S_OK;
    atomic_fetch_add(&loopback_n_posts, 1);
    HRESULT hr = loopback_host->post(on_post, listener);
    if (FAILED(hr)) {
        atomic_fetch_sub(&loopback_n_posts, 1);
        return hr;
    }
    listener->posted = true;
    listener->n_references++;
    return S_OK;
}

static HRESULT loopback_listen(const char *address, const struct via_listen_options *options,
                               void (*ready)(void *token, uint32_t events), void *token,
                               struct via_listener **listener)
{
    if (strlen(address) > MAX_NAME)
        return fail_at(VIA_E_ADDRESS, address, "the name is longer than 200 bytes");
    struct via_listener *self = calloc(1, sizeof *self);
    uint32_t backlog = options->backlog > 0 ? options->backlog : 16;
    struct via_stream **waiting = calloc(backlog, sizeof *waiting);
    char *name = strdup(address);
    HRESULT hr = self != NULL && waiting != NULL && name != NULL
                     ? S_OK
                     : loopback_fail(E_OUTOFMEMORY, "out of memory");
    os_mutex_lock(&registry_lock);
    if (SUCCEEDED(hr) && find(address) != NULL)
        hr = fail_at(VIA_E_ADDRESS_IN_USE, address, "there is a listener of that name already");
    if (SUCCEEDED(hr)) {
        *self = (struct via_listener){.next = listeners,
                                      .name = name,
                                      .ready = ready,
                                      .token = token,
                                      .backlog = backlog,
                                      .waiting = waiting,
                                      .n_references = 1};
        listeners = self;
        *listener = self;
    }
    os_mutex_unlock(&registry_lock);
    if (FAILED(hr)) {
        free(name);
        free(waiting);
        free(self);
    }
    return hr;
}

static HRESULT loopback_accept(struct via_listener *listener, struct via_stream **stream)
{
    HRESULT hr = VIA_S_WOULD_BLOCK;
    os_mutex_lock(&registry_lock);
    if (listener->n_waiting > 0) {
        *stream = listener->waiting[0];
        memmove(listener->waiting, listener->waiting + 1,
                --listener->n_waiting * sizeof *listener->waiting);
        hr = S_OK;
    }
    os_mutex_unlock(&registry_lock);
    return hr;
}

static HRESULT loopback_listener_arm(struct via_listener *listener)
{
    os_mutex_lock(&registry_lock);
    listener->armed = true;
    HRESULT hr = notify(listener);
    os_mutex_unlock(&registry_lock);
    return hr;
}

static void loopback_listener_close(struct via_listener *listener)
{
    os_mutex_lock(&registry_lock);
    for (struct via_listener **at = &listeners; *at != NULL; at = &(*at)->next) {
        if (*at == listener) {
            *at = listener->next;
            break;
        }
    }
    listener->closed = true;
    while (listener->reporting)
        os_cond_wait(&registry_wake, &registry_lock, UINT64_MAX);
    for (uint32_t i = 0; i < listener->n_waiting; i++)
        loopback_close(listener->waiting[i]);
    listener->n_waiting = 0;
    unref_and_unlock(listener);
}

static HRESULT loopback_connect(const char *address, const struct via_connect_options *options,
                                struct via_stream **stream)
{
    struct via_stream *ends[2];
    (void)options;
    if (strlen(address) > MAX_NAME)
        return fail_at(VIA_E_ADDRESS, address, "the name is longer than 200 bytes");
    HRESULT hr = loopback_pair_new(ends);
    if (FAILED(hr))
        return hr;
    os_mutex_lock(&registry_lock);
    struct via_listener *listener = find(address);
    if (listener == NULL) {
        hr = fail_at(VIA_WIN32(2), address, "nobody listens there");
    } else if (listener->n_waiting == listener->backlog) {
        hr = VIA_S_WOULD_BLOCK;
    } else {
        listener->waiting[listener->n_waiting++] = ends[1];
        hr = notify(listener);
        if (FAILED(hr))
            listener->n_waiting--;
    }
    os_mutex_unlock(&registry_lock);
    if (hr == S_OK) {
        *stream = ends[0];
    } else {
        loopback_close(ends[0]);
        loopback_close(ends[1]);
    }
    return hr;
}

static HRESULT loopback_init(const struct via_plugin_host *host)
{
    os_mutex_lock(&registry_lock);
    bool first = n_inits++ == 0;
    if (first)
        os_cond_init(&registry_wake);
    loopback_host = host;
    os_mutex_unlock(&registry_lock);
    return first ? S_OK : S_FALSE;
}

static void loopback_deinit(void)
{
    os_mutex_lock(&registry_lock);
    bool last = n_inits > 0 && --n_inits == 0;
    os_mutex_unlock(&registry_lock);
    while (last && atomic_load(&loopback_n_posts) != 0)
        os_thread_yield();
    if (last)
        os_cond_deinit(&registry_wake);
}

static const struct via_transport transport = {
    .size = sizeof transport,
    .version = 1,
    .capabilities = VIA_TRANSPORT_HANDLES,
    .max_span = LOOPBACK_MAX_SPAN,
    .max_handles = LOOPBACK_MAX_HANDLES,
    .listen = loopback_listen,
    .listener_accept = loopback_accept,
    .listener_arm = loopback_listener_arm,
    .listener_close = loopback_listener_close,
    .connect = loopback_connect,
    .set_ready = loopback_set_ready,
    .reserve = loopback_reserve,
    .commit = loopback_commit,
    .peek = loopback_peek,
    .consume = loopback_consume,
    .read_into = loopback_read_into,
    .take_handles = loopback_take_handles,
    .wait = loopback_wait,
    .interrupt = loopback_interrupt,
    .arm = loopback_arm,
    .disarm = loopback_disarm,
    .park = loopback_park,
    .peer_identity = loopback_peer_identity,
    .shutdown = loopback_shutdown,
    .close = loopback_close,
};

static const char *const schemes[] = {"loop", NULL};

const struct via_plugin plugin_loopback = {
    .abi = VIA_PLUGIN_ABI,
    .size = sizeof plugin_loopback,
    .name = "loopback",
    .version = "1.0.0",
    .schemes = schemes,
    .init = loopback_init,
    .deinit = loopback_deinit,
    .transport = &transport,
};
