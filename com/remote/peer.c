#include "com/remote/peer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "com/remote/export.h"
#include "com/remote/frames.h"
#include "com/remote/node.h"
#include "com/remote/runtime.h"
#include "com/remote/stub.h"
#include "core/util/error.h"

/* Entries of one release frame. */
#define MAX_RELEASES_IN_FRAME 1024

HRESULT peer_new(struct node *node, struct link_connection *connection, struct peer **result)
{
    struct peer *peer = calloc(1, sizeof *peer);
    if (peer == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a peer");
    atomic_init(&peer->refs, 1);
    peer->node = node;
    peer->connection = link_connection_ref(connection);
    os_mutex_init(&peer->lock);
    list_init(&peer->imports);
    bindings_init(&peer->bindings);
    *result = peer;
    return S_OK;
}

struct peer *peer_ref(struct peer *peer)
{
    atomic_fetch_add_explicit(&peer->refs, 1, memory_order_relaxed);
    return peer;
}

void peer_unref(struct peer *peer)
{
    if (peer == NULL)
        return;
    if (atomic_fetch_sub_explicit(&peer->refs, 1, memory_order_acq_rel) != 1)
        return;
    link_connection_unref(peer->connection);
    bindings_deinit(&peer->bindings);
    table_deinit(&peer->entries);
    table_deinit(&peer->kept);
    error_record_free(peer->cause);
    os_mutex_deinit(&peer->lock);
    free(peer->releases);
    free(peer);
}

struct peer *peer_of(const struct link_connection *connection)
{
    return link_connection_user(connection);
}

const struct link_peer *peer_info(const struct peer *peer)
{
    return link_connection_peer(peer->connection);
}

bool peer_is_dead(struct peer *peer)
{
    os_mutex_lock(&peer->lock);
    bool dead = peer->dead;
    os_mutex_unlock(&peer->lock);
    return dead;
}

/* --- entries --- */

static struct peer_entry *find_locked(struct peer *peer, uint64_t id)
{
    if (peer->recent != NULL && peer->recent->id == id)
        return peer->recent;
    struct table_link *link = table_find(&peer->entries, table_hash_u64(id));
    while (link != NULL) {
        struct peer_entry *entry = TABLE_ENTRY(link, struct peer_entry, link);
        if (entry->id == id)
            return peer->recent = entry;
        link = table_again(link);
    }
    return NULL;
}

static void free_entry(struct peer_entry *entry)
{
    export_unref(entry->exported);
    peer_unref(entry->peer);
    free(entry);
}

/* True: nobody needs the entry any more, and the caller frees it without the lock. */
static bool forget_locked(struct peer_entry *entry)
{
    bool is_root = entry->id == 0; /* the peer may name it as long as it lives */
    if (entry->count > 0 || entry->n_calls > 0 || (is_root && !entry->peer->dead))
        return false;
    if (entry->listed)
        table_remove(&entry->peer->entries, &entry->link);
    if (entry->peer->recent == entry)
        entry->peer->recent = NULL;
    entry->listed = false;
    return true;
}

static struct peer_entry *insert_locked(struct peer *peer, struct exported *exported)
{
    if (peer->entries.n_links >= PEER_MAX_ENTRIES)
        return NULL;
    struct peer_entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return NULL;
    entry->id = exported->id;
    entry->last = &entry->first;
    if (!table_insert(&peer->entries, &entry->link, table_hash_u64(entry->id))) {
        free(entry);
        return NULL;
    }
    entry->listed = true;
    entry->peer = peer_ref(peer);
    entry->exported = export_ref(exported);
    return entry;
}

HRESULT peer_give(struct peer *peer, struct exported *exported)
{
    HRESULT hr = S_OK;
    bool keeps_holder = false;
    os_mutex_lock(&peer->lock);
    struct peer_entry *entry = find_locked(peer, exported->id);
    if (peer->dead)
        hr = RPC_E_DISCONNECTED;
    else if (entry == NULL && (entry = insert_locked(peer, exported)) == NULL)
        hr = VIA_E_LIMIT;
    if (SUCCEEDED(hr)) {
        keeps_holder = entry->count == 0;
        entry->count++;
    }
    os_mutex_unlock(&peer->lock);
    if (keeps_holder)
        export_unref(exported); /* the entry has a reference of its own; the holder stays */
    else
        export_unhold(exported);
    if (hr == RPC_E_DISCONNECTED)
        return peer_disconnected(peer);
    if (FAILED(hr))
        return error_set(hr, "the peer holds too many objects (%u), or memory is short",
                         PEER_MAX_ENTRIES);
    return S_OK;
}

HRESULT peer_take_back(struct peer *peer, uint64_t id, uint64_t count)
{
    os_mutex_lock(&peer->lock);
    struct peer_entry *entry = find_locked(peer, id);
    bool was_given = entry != NULL && entry->count >= count;
    bool last = false;
    bool forgotten = false;
    struct exported *exported = NULL;
    if (was_given && count > 0) {
        entry->count -= count;
        last = entry->count == 0;
        exported = last ? export_ref(entry->exported) : NULL;
        forgotten = forget_locked(entry);
    }
    os_mutex_unlock(&peer->lock);
    if (!was_given)
        return error_set(VIA_E_PROTOCOL,
                         "the peer releases object %" PRIu64 " %" PRIu64
                         " times, which is more than it was given",
                         id, count);
    if (forgotten)
        free_entry(entry);
    if (last)
        export_unhold(exported);
    return S_OK;
}

static HRESULT not_given(uint64_t id)
{
    return error_set(RPC_E_INVALID_OBJECT,
                     "object %" PRIu64 " was not given to this peer, or it has released it", id);
}

struct exported *peer_resolve(struct peer *peer, uint64_t id)
{
    if (id == 0)
        return export_ref(peer->node->root);
    os_mutex_lock(&peer->lock);
    struct peer_entry *entry = find_locked(peer, id);
    struct exported *exported = NULL;
    if (entry != NULL && entry->count > 0)
        exported = export_ref(entry->exported);
    os_mutex_unlock(&peer->lock);
    if (exported == NULL)
        not_given(id);
    return exported;
}

static bool may_run_locked(struct peer_entry *entry, const struct stub_call *call)
{
    const struct link_id *chain = &call->item.call.chain;
    if (!call->has_order)
        return true;
    bool may = entry->oneway_runs ? memcmp(&entry->oneway_chain, chain, sizeof *chain) == 0
                                  : !entry->is_passing;
    if (may && call->is_oneway) {
        entry->oneway_runs = true;
        entry->oneway_chain = *chain;
    }
    return may;
}

struct peer_entry *peer_enter(struct peer *peer, uint64_t id, const struct stub_call *call,
                              bool *may_run)
{
    os_mutex_lock(&peer->lock);
    struct peer_entry *entry = find_locked(peer, id);
    if (entry == NULL && id == 0 && !peer->dead)
        entry = insert_locked(peer, peer->node->root);
    if (entry != NULL && entry->count == 0 && id != 0)
        entry = NULL;
    if (entry != NULL) {
        entry->n_calls++;
        *may_run = may_run_locked(entry, call);
    }
    os_mutex_unlock(&peer->lock);
    if (entry == NULL)
        not_given(id);
    return entry;
}

struct peer_entry *peer_enter_exported(struct peer *peer, struct exported *exported)
{
    os_mutex_lock(&peer->lock);
    struct peer_entry *entry = find_locked(peer, exported->id);
    if (entry == NULL && !peer->dead)
        entry = insert_locked(peer, exported);
    if (entry != NULL)
        entry->n_calls++;
    os_mutex_unlock(&peer->lock);
    if (entry == NULL)
        error_set(RPC_E_DISCONNECTED, "the caller is gone, or memory is short");
    return entry;
}

/* --- order --- */

bool peer_may_run(struct peer_entry *entry, const struct stub_call *call)
{
    os_mutex_lock(&entry->peer->lock);
    bool may = may_run_locked(entry, call);
    os_mutex_unlock(&entry->peer->lock);
    return may;
}

bool peer_order_enter(struct peer_entry *entry, struct stub_call *call)
{
    struct peer *peer = entry->peer;
    os_mutex_lock(&peer->lock);
    bool may = may_run_locked(entry, call);
    if (!may) {
        call->next = NULL;
        *entry->last = call;
        entry->last = &call->next;
    }
    os_mutex_unlock(&peer->lock);
    return may;
}

/* No one-way call runs: what may start now, a list through `next`. */
static struct stub_call *take_ready_locked(struct peer_entry *entry)
{
    struct stub_call *ready = entry->first;
    struct stub_call **end = &entry->first;
    while (*end != NULL && !entry->oneway_runs) {
        struct stub_call *call = *end;
        if (call->is_oneway) {
            entry->oneway_runs = true;
            entry->oneway_chain = call->item.call.chain;
        }
        end = &call->next;
    }
    entry->first = *end;
    if (end != &entry->first)
        *end = NULL;
    if (entry->first == NULL)
        entry->last = &entry->first;
    return ready;
}

static bool leave_locked(struct peer_entry *entry)
{
    entry->n_calls--;
    return forget_locked(entry);
}

/* Without the lock: a call that starts may be over, and the next one-way call too, before this
 * returns. */
static void start_all(struct stub_call *ready, void (*start)(struct stub_call *ready))
{
    while (ready != NULL) {
        struct stub_call *next = ready->next;
        start(ready);
        ready = next;
    }
}

void peer_leave(struct peer_entry *entry, const struct stub_call *call,
                void (*start)(struct stub_call *ready))
{
    struct peer *peer = entry->peer;
    os_mutex_lock(&peer->lock);
    bool passes = false;
    if (call->is_oneway && call->has_order) {
        entry->oneway_runs = false;
        passes = !entry->is_passing; /* else the thread that does comes by again */
        entry->is_passing = true;
    }
    while (passes && !entry->oneway_runs && entry->first != NULL) {
        struct stub_call *ready = take_ready_locked(entry);
        os_mutex_unlock(&peer->lock);
        start_all(ready, start);
        os_mutex_lock(&peer->lock);
    }
    if (passes)
        entry->is_passing = false;
    bool forgotten = leave_locked(entry);
    os_mutex_unlock(&peer->lock);
    if (forgotten)
        free_entry(entry);
}

/* --- giving back --- */

static void add_locked(struct peer *peer, uint64_t id, uint32_t count)
{
    if (peer->n_releases == peer->max_releases) {
        size_t max = peer->max_releases == 0 ? 16 : peer->max_releases * 2;
        struct peer_release *more = realloc(peer->releases, max * sizeof *more);
        if (more == NULL)
            return; /* the peer keeps the object until the connection ends */
        peer->releases = more;
        peer->max_releases = max;
    }
    peer->releases[peer->n_releases++] = (struct peer_release){id, count, 0};
}

void peer_release(struct peer *peer, uint64_t id, uint32_t count)
{
    if (count == 0 || id == 0)
        return;
    os_mutex_lock(&peer->lock);
    if (!peer->dead)
        add_locked(peer, id, count);
    bool mine = !peer->releasing && !peer->dead && peer->n_releases > 0;
    if (mine)
        peer->releasing = true;
    while (mine && peer->n_releases > 0) {
        struct peer_release *batch = peer->releases;
        size_t n = peer->n_releases;
        peer->releases = NULL;
        peer->n_releases = peer->max_releases = 0;
        os_mutex_unlock(&peer->lock);
        for (size_t i = 0; i < n; i += MAX_RELEASES_IN_FRAME) {
            size_t k = n - i < MAX_RELEASES_IN_FRAME ? n - i : MAX_RELEASES_IN_FRAME;
            if (FAILED(frame_post_release(peer->connection, batch + i, k)))
                error_clear(); /* the connection has ended, and with it what it held */
        }
        free(batch);
        os_mutex_lock(&peer->lock);
    }
    if (mine)
        peer->releasing = false;
    os_mutex_unlock(&peer->lock);
}

/* --- the end --- */

/* Empties the table into a list, by the entries' links. Each counts as in use, so that it lasts
 * until its turn; those with calls under way go with the last of them. */
static struct table_link *take_all_locked(struct peer *peer)
{
    struct table_link *all = NULL;
    struct table_link *next;
    peer->recent = NULL;
    for (struct table_link *l = table_walk(&peer->entries, NULL); l != NULL; l = next) {
        struct peer_entry *entry = TABLE_ENTRY(l, struct peer_entry, link);
        next = table_walk(&peer->entries, l);
        entry->listed = false;
        entry->n_calls++;
        l->next = all;
        all = l;
    }
    table_deinit(&peer->entries);
    return all;
}

/* What the peer held of one object is given back. */
static void settle(struct peer_entry *entry)
{
    struct peer *peer = entry->peer;
    os_mutex_lock(&peer->lock);
    struct exported *held = entry->count > 0 ? export_ref(entry->exported) : NULL;
    entry->count = 0;
    bool forgotten = leave_locked(entry);
    os_mutex_unlock(&peer->lock);
    if (forgotten)
        free_entry(entry);
    if (held != NULL)
        export_unhold(held);
}

void peer_closed(struct peer *peer)
{
    os_mutex_lock(&peer->lock);
    peer->dead = true;
    if (peer->cause == NULL)
        peer->cause = link_connection_cause(peer->connection);
    peer->n_releases = 0;
    struct table_link *all = take_all_locked(peer);
    os_mutex_unlock(&peer->lock);
    while (all != NULL) {
        struct peer_entry *entry = TABLE_ENTRY(all, struct peer_entry, link);
        all = all->next;
        settle(entry);
    }
}

/* "calculator, process 4711 (Windows), at unix:/run/x.sock" */
static void describe(const struct link_peer *info, char *text, size_t size)
{
    const char *agent = info->agent != NULL && info->agent[0] != '\0' ? info->agent : "the peer";
    const char *address = info->address != NULL ? info->address : "";
    snprintf(text, size, "%s, process %" PRIu32 "%s%s%s", agent, info->process_id,
             info->is_windows ? " (Windows)" : "", address[0] != '\0' ? ", at " : "", address);
}

/* A host knows how the processes that it has started have ended, and this process' host asks those
 * that it is peered with. Whoever fails before the answer is known asks himself. */
static void explain(struct peer *peer)
{
    static _Thread_local bool asks; /* a host that asks its peers may find that they have ended */
    const struct link_peer *info = peer_info(peer);
    os_mutex_lock(&peer->lock);
    bool ask = !asks && !peer->explained && !atomic_load(&peer->node->closed);
    os_mutex_unlock(&peer->lock);
    if (!ask)
        return;
    char *text = NULL;
    asks = true;
    HRESULT hr = runtime_ask_exit(peer->node, &info->node, &text);
    asks = false;
    if (hr != S_OK)
        return;
    error_set(RPC_E_SERVER_DIED, "%s", text);
    free(text);
    struct error_record *known = error_take();
    os_mutex_lock(&peer->lock);
    if (!peer->explained && known != NULL) {
        struct error_record *previous = peer->cause;
        peer->cause = known;
        peer->explained = true;
        known = previous;
    }
    os_mutex_unlock(&peer->lock);
    error_record_free(known);
}

HRESULT peer_disconnected(struct peer *peer)
{
    char who[512];
    describe(peer_info(peer), who, sizeof who);
    explain(peer);
    os_mutex_lock(&peer->lock);
    if (peer->cause == NULL)
        peer->cause = link_connection_cause(peer->connection);
    struct error_record *cause = error_record_copy(peer->cause);
    os_mutex_unlock(&peer->lock);
    error_give(cause);
    return error_wrap(RPC_E_DISCONNECTED, "the connection to %s has ended", who);
}
