/*
 * See peers.h. A peer that this host connects to has a thread of its own, which sleeps while the
 * connection lives; the death watch of the peer's object wakes it.
 */
#include "host/peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "com/registry/class_name.h"
#include "host/text.h"

#define CONNECT_TIMEOUT_MS 5000u
#define RETRY_FIRST_MS     100u
#define RETRY_MAX_MS       5000u
/* A connection that has held for so long has recovered from what failed before: one that ends at
 * once is as good as none. */
#define RECOVERED_MS 10000u

/* A host that this one is peered with. */
struct peer_host {
    struct peers *peers;                  /* read-only */
    const struct peer_settings *settings; /* read-only */
    struct os_thread *thread;             /* the owner's; NULL for one that connects to us */
    IViaductHost *host;                   /* peers->lock; NULL: not connected */
    char failure[512];                    /* peers->lock */
};

/* Where an object came from that this host has handed on. */
struct origin {
    GUID node;
    size_t peer; /* index */
};

/* Nodes whose origin is remembered: as many as ends of processes are (EXITS_MAX). */
#define MAX_ORIGINS 256u

struct peers {
    const char *own_name;    /* read-only */
    IViaductHost *own;       /* read-only after start; borrowed */
    size_t n_peers;          /* read-only */
    struct peer_host *peers; /* read-only array */
    struct os_mutex lock;
    struct os_cond changed;
    bool stopping;                      /* lock */
    struct origin origins[MAX_ORIGINS]; /* lock; a ring */
    size_t n_origins;                   /* lock; ever noted */
};

HRESULT peers_new(const struct peer_settings *settings, size_t n_settings, const char *own_name,
                  struct peers **out)
{
    struct peers *peers = calloc(1, sizeof(*peers));

    if (peers)
        peers->peers = calloc(n_settings + 1, sizeof(*peers->peers));
    if (!peers || !peers->peers) {
        free(peers);
        return error_set(E_OUTOFMEMORY, "no memory for the peers");
    }
    os_mutex_init(&peers->lock);
    os_cond_init(&peers->changed);
    peers->own_name = own_name;
    peers->n_peers = n_settings;
    for (size_t i = 0; i < n_settings; i++) {
        struct peer_host *peer = &peers->peers[i];

        peer->peers = peers;
        peer->settings = &settings[i];
        snprintf(peer->failure, sizeof(peer->failure), "%s",
                 settings[i].address ? "not tried yet" : "it has not connected yet");
    }
    *out = peers;
    return S_OK;
}

/* --- coming and going --- */

/* The watch may be of a connection before this one, so that the object itself is asked. */
static void died(void *context, const char *reason)
{
    struct peer_host *peer = context;
    struct via_peer_info info = {.size = sizeof(info)};
    IViaductHost *host = NULL;

    os_mutex_lock(&peer->peers->lock);
    if (peer->host && via_get_peer((IUnknown *)peer->host, &info) == S_OK && info.is_dead) {
        host = peer->host;
        peer->host = NULL;
        snprintf(peer->failure, sizeof(peer->failure), "%s", reason);
        if (!peer->peers->stopping)
            log_warning("host", "peer %s is gone: %s", peer->settings->name, reason);
        os_cond_broadcast(&peer->peers->changed);
    }
    os_mutex_unlock(&peer->peers->lock);
    if (host)
        IViaductHost_Release(host);
}

/* Makes `host` the peer's; the one before it, if any, is let go. */
static HRESULT adopt(struct peer_host *peer, IViaductHost *host)
{
    IViaductHost *before;
    uint64_t cookie;
    HRESULT hr;

    os_mutex_lock(&peer->peers->lock);
    before = peer->host;
    peer->host = host;
    IViaductHost_AddRef(host);
    peer->failure[0] = 0;
    os_mutex_unlock(&peer->peers->lock);
    if (before)
        IViaductHost_Release(before);
    log_info("host", "connected with peer %s", peer->settings->name);
    /* It ends with the last reference. A peer that has died meanwhile is reported at once. */
    hr = via_death_watch((IUnknown *)host, died, peer, &cookie);
    return FAILED(hr) ? text_take_error(hr) : S_OK;
}

static HRESULT join(struct peer_host *peer, IViaductHost *host)
{
    BSTR name = text_to_bstr(peer->peers->own_name);
    HRESULT hr = name ? IViaductHost_Join(host, name, peer->peers->own)
                      : error_set(E_OUTOFMEMORY, "no memory for a name");

    SysFreeString(name);
    if (hr != E_ACCESSDENIED)
        return FAILED(hr) ? text_take_error(hr) : S_OK;
    /* It does not expect us, and so will not use our classes; we may use its. */
    log_debug("host", "peer %s does not know a host named %s", peer->settings->name,
              peer->peers->own_name);
    return S_OK;
}

static HRESULT connect_once(struct peer_host *peer)
{
    IViaductHost *host = NULL;
    uint32_t before = via_thread_set_deadline(CONNECT_TIMEOUT_MS);
    HRESULT hr = via_connect(peer->settings->address, &IID_IViaductHost, (void **)&host);

    if (FAILED(hr))
        hr = text_take_error(hr);
    else
        hr = join(peer, host);
    if (SUCCEEDED(hr))
        hr = adopt(peer, host);
    if (host)
        IViaductHost_Release(host);
    via_thread_set_deadline(before);
    return hr;
}

uint32_t peers_retry_ms(uint32_t before_ms, uint64_t connected_ns)
{
    if (before_ms == 0 || connected_ns >= RECOVERED_MS * 1000000ull)
        return RETRY_FIRST_MS;
    return before_ms * 2 < RETRY_MAX_MS ? before_ms * 2 : RETRY_MAX_MS;
}

static void keep_connected(void *argument)
{
    struct peer_host *peer = argument;
    struct peers *peers = peer->peers;
    uint32_t wait_ms = 0;

    os_mutex_lock(&peers->lock);
    while (!peers->stopping) {
        uint64_t began_ns, retry_ns;
        char failure[512];
        HRESULT hr;

        os_mutex_unlock(&peers->lock);
        hr = connect_once(peer);
        if (FAILED(hr))
            error_format(error_get(), hr, failure, sizeof(failure));
        began_ns = os_now_ns();
        os_mutex_lock(&peers->lock);
        if (FAILED(hr))
            memcpy(peer->failure, failure, sizeof(failure));
        while (peer->host && !peers->stopping)
            os_cond_wait(&peers->changed, &peers->lock, OS_NEVER);
        wait_ms = peers_retry_ms(wait_ms, os_now_ns() - began_ns);
        retry_ns = os_deadline_ms(wait_ms);
        while (!peer->host && !peers->stopping &&
               os_cond_wait(&peers->changed, &peers->lock, retry_ns))
            continue;
    }
    os_mutex_unlock(&peers->lock);
}

HRESULT peers_start(struct peers *peers, IViaductHost *own)
{
    HRESULT hr = S_OK;

    peers->own = own;
    for (size_t i = 0; SUCCEEDED(hr) && i < peers->n_peers; i++) {
        if (peers->peers[i].settings->address)
            hr = os_thread_start(keep_connected, &peers->peers[i], "via-peer",
                                 &peers->peers[i].thread);
    }
    return hr;
}

void peers_stop(struct peers *peers)
{
    os_mutex_lock(&peers->lock);
    peers->stopping = true;
    os_cond_broadcast(&peers->changed);
    os_mutex_unlock(&peers->lock);
    for (size_t i = 0; i < peers->n_peers; i++) {
        struct peer_host *peer = &peers->peers[i];
        IViaductHost *host;

        if (peer->thread)
            os_thread_join(peer->thread);
        peer->thread = NULL;
        os_mutex_lock(&peers->lock);
        host = peer->host;
        peer->host = NULL;
        os_mutex_unlock(&peers->lock);
        if (host)
            IViaductHost_Release(host);
    }
}

void peers_free(struct peers *peers)
{
    if (!peers)
        return;
    os_cond_deinit(&peers->changed);
    os_mutex_deinit(&peers->lock);
    free(peers->peers);
    free(peers);
}

HRESULT peers_join(struct peers *peers, const char *name, IViaductHost *host)
{
    for (size_t i = 0; host && i < peers->n_peers; i++) {
        const struct peer_settings *settings = peers->peers[i].settings;

        if (strcmp(settings->name, name) == 0 && !settings->address)
            return adopt(&peers->peers[i], host);
    }
    return error_set(E_ACCESSDENIED, "no peer named \"%.64s\" is expected to connect to this host",
                     name);
}

/* --- looking up --- */

size_t peers_count(const struct peers *peers)
{
    return peers->n_peers;
}

const char *peers_name(const struct peers *peers, size_t index)
{
    return peers->peers[index].settings->name;
}

HRESULT peers_get(struct peers *peers, size_t index, IViaductHost **host)
{
    struct peer_host *peer = &peers->peers[index];
    HRESULT hr = S_OK;

    os_mutex_lock(&peers->lock);
    if (peer->host) {
        *host = peer->host;
        IViaductHost_AddRef(*host);
    } else {
        hr = error_set(VIA_E_UNREACHABLE, "host %s is not connected: %s", peer->settings->name,
                       peer->failure);
    }
    os_mutex_unlock(&peers->lock);
    return hr;
}

HRESULT peers_find(struct peers *peers, const char *name, IViaductHost **host)
{
    char names[512];
    size_t used = 0;

    names[0] = 0;
    for (size_t i = 0; i < peers->n_peers; i++) {
        if (strcmp(peers_name(peers, i), name) == 0)
            return peers_get(peers, i, host);
        if (used < sizeof(names))
            used +=
                (size_t)snprintf(names + used, sizeof(names) - used, ", %s", peers_name(peers, i));
    }
    return error_set(REGDB_E_CLASSNOTREG, "this host has no peer named %s; it knows: %s%s", name,
                     CLASS_NAME_LOCAL, names);
}

/* --- where nodes come from --- */

static struct origin *find_origin_locked(struct peers *peers, const GUID *node)
{
    size_t n_used = peers->n_origins < MAX_ORIGINS ? peers->n_origins : MAX_ORIGINS;

    for (size_t i = 0; i < n_used; i++) {
        if (IsEqualGUID(&peers->origins[i].node, node))
            return &peers->origins[i];
    }
    return NULL;
}

void peers_note_node(struct peers *peers, IViaductHost *host, const GUID *node)
{
    struct origin *origin;
    size_t index = 0;

    os_mutex_lock(&peers->lock);
    while (index < peers->n_peers && peers->peers[index].host != host)
        index++;
    if (index < peers->n_peers) { /* else the connection has ended meanwhile */
        origin = find_origin_locked(peers, node);
        if (!origin)
            origin = &peers->origins[peers->n_origins++ % MAX_ORIGINS];
        *origin = (struct origin){*node, index};
    }
    os_mutex_unlock(&peers->lock);
}

bool peers_order_by_node(struct peers *peers, const GUID *node, size_t *indexes)
{
    const struct origin *origin;
    size_t n = 0, first = peers->n_peers;

    os_mutex_lock(&peers->lock);
    origin = find_origin_locked(peers, node);
    if (origin)
        first = origin->peer;
    os_mutex_unlock(&peers->lock);
    if (first < peers->n_peers)
        indexes[n++] = first;
    for (size_t i = 0; i < peers->n_peers; i++) {
        if (i != first)
            indexes[n++] = i;
    }
    return first < peers->n_peers;
}

void peers_status(struct peers *peers, size_t index, struct peer_status *status)
{
    struct peer_host *peer = &peers->peers[index];

    os_mutex_lock(&peers->lock);
    status->name = peer->settings->name;
    status->address = peer->settings->address ? peer->settings->address : "";
    status->connected = peer->host != NULL;
    snprintf(status->failure, sizeof(status->failure), "%s", peer->failure);
    os_mutex_unlock(&peers->lock);
}
