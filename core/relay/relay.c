/*
 * A relay's life and its listener. See relay.h and relay_parts.h.
 */
#include "core/relay/relay_parts.h"

#include "core/os/clock.h"
#include "core/os/poller.h"
#include "core/plugin/plugin_set.h"
#include "core/relay/pattern.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "core/util/strings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CLIENTS_DEFAULT 1024u
#define PATIENCE_DEFAULT_MS 2000u
/* Clients that one report takes in, before others get their turn. */
#define ACCEPT_BATCH 64
#define BACKLOG      128u
/* Before the next try when descriptors are exhausted. */
#define PAUSE_MS 100u
/* Between two warnings about one listener. */
#define WARN_AGAIN_NS (10u * 1000000000ull)

void relay_settings_default(struct relay_settings *settings)
{
    *settings = (struct relay_settings){.patience_ms = PATIENCE_DEFAULT_MS,
                                        .max_clients = MAX_CLIENTS_DEFAULT};
}

/* --- sets --- */

HRESULT relay_set_new(struct os_poller *poller, const struct plugin_set *plugins,
                      struct relay_set **set)
{
    struct relay_set *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for relays");
    self->poller = poller;
    self->plugins = plugins;
    timer_init(&self->timer);
    os_mutex_init(&self->lock);
    list_init(&self->relays);
    *set = self;
    return S_OK;
}

void relay_set_free(struct relay_set *set)
{
    if (set == NULL)
        return;
    for (;;) {
        os_mutex_lock(&set->lock);
        struct list *first = list_is_empty(&set->relays) ? NULL : set->relays.next;
        os_mutex_unlock(&set->lock);
        if (first == NULL)
            break;
        relay_stop(list_entry(first, struct relay, link));
    }
    timer_stop(set);
    splice_pool_deinit(&set->pipes);
    os_mutex_deinit(&set->lock);
    free(set);
}

/* --- letting clients in: on the reactor --- */

void relay_warn(struct relay *relay, const char *text)
{
    uint64_t now_ns = os_now_ns();
    if (relay->warned_ns != 0 && now_ns - relay->warned_ns < WARN_AGAIN_NS)
        return;
    relay->warned_ns = now_ns;
    log_warning("relay", "%s: %s", relay->listen, text);
}

static void pause_listener(struct relay *relay, HRESULT hr)
{
    char text[ERROR_TEXT_SIZE];
    char warning[ERROR_TEXT_SIZE + 64];
    snprintf(warning, sizeof warning, "%s; clients are refused or have to wait",
             error_format(error_get(), hr, text, sizeof text));
    relay_warn(relay, warning);
    relay->paused_until_ns = os_deadline_ms(PAUSE_MS);
    timer_need(relay->set, relay->paused_until_ns);
}

static void on_listener(void *token, uint32_t events)
{
    struct relay *relay = token;
    HRESULT hr = S_OK;
    (void)events;
    for (int i = 0; i < ACCEPT_BATCH && hr == S_OK && !relay->is_ending; i++) {
        struct via_stream *stream;
        hr = relay->transport->listener_accept(relay->listener, &stream);
        if (hr == S_OK)
            session_start(relay, stream);
    }
    if (SUCCEEDED(hr))
        hr = relay->transport->listener_arm(relay->listener);
    if (FAILED(hr))
        pause_listener(relay, hr);
    error_clear();
}

static void tick_list(struct list *sessions, uint64_t now_ns, uint64_t *due_ns)
{
    struct list *next;
    for (struct list *l = sessions->next; l != sessions; l = next) {
        next = l->next; /* it may leave the list, alone */
        uint64_t due = session_tick(list_entry(l, struct relay_session, link), now_ns);
        *due_ns = due < *due_ns ? due : *due_ns;
    }
}

uint64_t relay_tick(struct relay *relay, uint64_t now_ns)
{
    uint64_t due_ns = OS_NEVER;
    if (relay->paused_until_ns != 0 && relay->paused_until_ns <= now_ns && !relay->is_ending) {
        relay->paused_until_ns = 0;
        HRESULT hr = relay->transport->listener_arm(relay->listener);
        if (FAILED(hr))
            pause_listener(relay, hr);
    }
    if (relay->paused_until_ns != 0 && !relay->is_ending)
        due_ns = relay->paused_until_ns;
    tick_list(&relay->waiting, now_ns, &due_ns);
    tick_list(&relay->open, now_ns, &due_ns);
    if (!list_is_empty(&relay->dead))
        relay_sweep(relay);
    return due_ns;
}

/* --- the end of sessions: posts --- */

static void close_list(struct list *sessions)
{
    while (!list_is_empty(sessions))
        session_close(list_entry(sessions->next, struct relay_session, link));
}

static void sweep(void *argument)
{
    struct relay *relay = argument;
    relay->is_sweeping = false;
    close_list(&relay->dead);
    error_clear();
    if (relay->ended != NULL)
        os_waiter_wake(relay->ended);
}

/* Without memory for the post the next end, or the next tick, sweeps them up. */
void relay_sweep(struct relay *relay)
{
    if (relay->is_sweeping)
        return;
    relay->is_sweeping = SUCCEEDED(os_poller_post(relay->set->poller, sweep, relay));
    if (!relay->is_sweeping)
        timer_need(relay->set, os_deadline_ms(PAUSE_MS));
}

/* A post, the last but for a sweep that is on its way, which then says that it is the last. */
static void end(void *argument)
{
    struct relay *relay = argument;
    relay->is_ending = true;
    os_mutex_lock(&relay->set->lock);
    list_remove(&relay->link);
    os_mutex_unlock(&relay->set->lock);
    close_list(&relay->waiting);
    close_list(&relay->open);
    close_list(&relay->dead);
    error_clear();
    if (!relay->is_sweeping)
        os_waiter_wake(relay->ended);
}

struct ending {
    struct relay *relay;
    struct os_waiter waiter;
};

/* The listener is closed here, where nothing can be about to arm it. */
static void begin_end(void *argument)
{
    struct ending *ending = argument;
    struct relay *relay = ending->relay;
    relay->transport->listener_close(relay->listener);
    relay->ended = &ending->waiter;
    end(relay);
}

void relay_set_down(struct relay *relay, bool is_down, const char *failure)
{
    os_mutex_lock(&relay->lock);
    relay->is_down = is_down;
    if (failure != NULL)
        snprintf(relay->failure, sizeof relay->failure, "%s", failure);
    os_mutex_unlock(&relay->lock);
}

/* --- starting --- */

static void free_relay(struct relay *relay)
{
    access_deinit(&relay->access);
    access_deinit(&relay->trust);
    strings_free(relay->targets);
    free(relay->listen);
    os_mutex_deinit(&relay->lock);
    free(relay);
}

static HRESULT check_targets(const struct relay_settings *settings)
{
    size_t n = 0;
    HRESULT hr = pattern_check(settings->listen);
    for (; SUCCEEDED(hr) && settings->connect[n] != NULL; n++) {
        char scheme[PLUGIN_SCHEME_SIZE];
        const char *rest;
        hr = pattern_check(settings->connect[n]);
        if (SUCCEEDED(hr))
            hr = plugin_address_split(settings->connect[n], scheme, &rest);
    }
    if (SUCCEEDED(hr) && (n == 0 || n > RELAY_MAX_TARGETS))
        hr = error_set(E_INVALIDARG, "a relay connects to 1 to %u addresses, not %zu",
                       RELAY_MAX_TARGETS, n);
    return hr;
}

static HRESULT check_transports(struct relay *relay)
{
    const char *rest;
    const struct via_transport *target;
    HRESULT hr = plugin_set_resolve(relay->set->plugins, relay->listen, &relay->transport, &rest);
    for (char **address = relay->targets; SUCCEEDED(hr) && *address != NULL; address++)
        hr = plugin_set_resolve(relay->set->plugins, *address, &target, &rest);
    if (SUCCEEDED(hr) && (relay->transport->capabilities & VIA_TRANSPORT_ANONYMOUS) &&
        !relay->access.is_everyone)
        hr = error_set(E_INVALIDARG,
                       "%s cannot tell who its clients are, so that no rule can hold; say that "
                       "\"everyone\" may connect, or listen at a pipe: or unix: address",
                       relay->listen);
    if (SUCCEEDED(hr) && relay->messages &&
        !(relay->transport->capabilities & VIA_TRANSPORT_MESSAGES))
        hr = error_set(E_INVALIDARG, "%s keeps no messages: only pipes of Windows do",
                       relay->listen);
    return hr;
}

static HRESULT fill_in(struct relay *relay, const struct relay_settings *settings)
{
    relay->targets = strings_copy(settings->connect);
    if (relay->targets == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a relay");
    relay->idle_ms = settings->idle_ms;
    relay->patience_ms = settings->patience_ms;
    relay->max_clients = settings->max_clients;
    relay->open_flags = VIA_OPEN_FOREIGN | (settings->network ? VIA_OPEN_NETWORK : 0);
    relay->messages = settings->messages;
    HRESULT hr = pattern_expand(settings->listen, NULL, &relay->listen);
    if (SUCCEEDED(hr))
        hr = access_parse(settings->access, &relay->access);
    if (SUCCEEDED(hr))
        hr = access_parse(settings->trust, &relay->trust);
    return SUCCEEDED(hr) ? check_transports(relay) : hr;
}

static HRESULT make_relay(struct relay_set *set, const struct relay_settings *settings,
                          struct relay **out)
{
    HRESULT hr = check_targets(settings);
    if (FAILED(hr))
        return hr;
    struct relay *relay = calloc(1, sizeof *relay);
    if (relay == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a relay");
    relay->set = set;
    os_mutex_init(&relay->lock);
    list_init(&relay->waiting);
    list_init(&relay->open);
    list_init(&relay->dead);
    hr = fill_in(relay, settings);
    if (FAILED(hr))
        free_relay(relay);
    else
        *out = relay;
    return hr;
}

/* Names of pipes do not distinguish case. */
static bool is_same_address(const char *one, const char *other)
{
    bool is_pipe = strncmp(one, "pipe:", 5) == 0 && strncmp(other, "pipe:", 5) == 0;
    return is_pipe ? strcasecmp(one, other) == 0 : strcmp(one, other) == 0;
}

/* Whether who connects to `relay`'s targets comes to `address` by relays of this set. With its
 * lock. There are no circles among them, so that it ends. */
static bool leads_to_locked(const struct relay *relay, const char *address)
{
    for (char **target = relay->targets; *target != NULL; target++) {
        char *expanded;
        bool leads = false;
        if (FAILED(pattern_expand(*target, NULL, &expanded)))
            continue;
        leads = is_same_address(expanded, address);
        struct relay_set *set = relay->set;
        for (struct list *l = set->relays.next; l != &set->relays && !leads; l = l->next) {
            const struct relay *next = list_entry(l, struct relay, link);
            leads = is_same_address(expanded, next->listen) && leads_to_locked(next, address);
        }
        free(expanded);
        if (leads)
            return true;
    }
    return false;
}

/* From here on ticks see it. */
static HRESULT join_set(struct relay *relay)
{
    struct relay_set *set = relay->set;
    HRESULT hr = S_OK;
    os_mutex_lock(&set->lock);
    if (leads_to_locked(relay, relay->listen))
        hr = error_set(VIA_E_ADDRESS, "a relay from %s would lead to itself", relay->listen);
    else
        list_append(&set->relays, &relay->link);
    os_mutex_unlock(&set->lock);
    return hr;
}

static void leave_set(struct relay *relay)
{
    os_mutex_lock(&relay->set->lock);
    list_remove(&relay->link);
    os_mutex_unlock(&relay->set->lock);
}

static HRESULT listen(struct relay *relay)
{
    struct via_listen_options options = {
        sizeof options, access_is_wide(&relay->access) ? VIA_ACCESS_EVERYONE : VIA_ACCESS_SAME_USER,
        BACKLOG, relay->open_flags | (relay->messages ? VIA_OPEN_MESSAGES : 0)};
    const char *rest = strchr(relay->listen, ':') + 1;
    HRESULT hr = relay->transport->listen(rest, &options, on_listener, relay, &relay->listener);
    if (SUCCEEDED(hr))
        hr = relay->transport->listener_arm(relay->listener);
    else if (!plugin_address_is_named(relay->listen, error_get() ? error_get()->text : ""))
        error_wrap(hr, "cannot listen at %s", relay->listen);
    return hr;
}

HRESULT relay_start(struct relay_set *set, const struct relay_settings *settings,
                    struct relay **out)
{
    struct relay *relay = NULL;
    HRESULT hr = make_relay(set, settings, &relay);
    if (FAILED(hr))
        return hr;
    hr = join_set(relay);
    if (SUCCEEDED(hr)) {
        hr = listen(relay);
        if (FAILED(hr) && relay->listener != NULL)
            relay->transport->listener_close(relay->listener);
        if (FAILED(hr))
            leave_set(relay);
    }
    if (FAILED(hr))
        free_relay(relay);
    else
        *out = relay;
    return hr;
}

void relay_stop(struct relay *relay)
{
    struct ending ending = {.relay = relay};
    os_waiter_init(&ending.waiter);
    while (FAILED(os_poller_post(relay->set->poller, begin_end, &ending)))
        os_sleep_ms(PAUSE_MS);
    os_waiter_wait(&ending.waiter, OS_NEVER);
    os_waiter_deinit(&ending.waiter);
    free_relay(relay);
    error_clear();
}

void relay_get_status(struct relay *relay, struct relay_status *status)
{
    uint64_t counts[sizeof relay->counts / sizeof relay->counts[0]];
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
        counts[i] = atomic_load_explicit(&relay->counts[i], memory_order_relaxed);
    *status = (struct relay_status){.n_clients = counts[COUNT_CLIENTS],
                                    .n_total = counts[COUNT_TOTAL],
                                    .n_refused = counts[COUNT_REFUSED],
                                    .n_unreachable = counts[COUNT_UNREACHABLE],
                                    .bytes_to_target = counts[COUNT_BYTES + TO_TARGET],
                                    .bytes_to_client = counts[COUNT_BYTES + TO_CLIENT]};
    os_mutex_lock(&relay->lock);
    status->is_down = relay->is_down;
    snprintf(status->failure, sizeof status->failure, "%s", relay->failure);
    os_mutex_unlock(&relay->lock);
}
