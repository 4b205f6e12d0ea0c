#include "com/remote/kept.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "com/marshal/marshal.h"
#include "com/remote/export.h"
#include "com/remote/peer.h"
#include "com/remote/stub.h"
#include "core/util/error.h"
#include "core/wire/frame.h"

enum kept_state {
    KEPT_PENDING,  /* not answered */
    KEPT_STARTING, /* answered; a thread starts what waits, and what comes meanwhile waits, too */
    KEPT_ANSWERED
};

struct kept {
    struct table_link link; /* peer->kept; peer->lock */
    atomic_uint refs;  /* the table's, the call's until it is answered, and those of calls on it */
    struct peer *peer; /* read-only; a reference */
    uint64_t call_id;  /* read-only */
    enum kept_state state;   /* peer->lock */
    struct stub_call *first; /* peer->lock; waiting */
    struct stub_call **last; /* peer->lock */
    /* Read-only from KEPT_STARTING on. */
    HRESULT code;
    struct error_record *error; /* of a failure */
    unsigned n_results;
    struct {
        bool is_null;
        struct exported *exported; /* a reference; NULL, and not is_null: it lives elsewhere */
    } results[KEPT_MAX_RESULTS];
};

static struct kept *find_locked(struct peer *peer, uint64_t call_id)
{
    struct table_link *link = table_find(&peer->kept, table_hash_u64(call_id));
    while (link != NULL) {
        struct kept *kept = TABLE_ENTRY(link, struct kept, link);
        if (kept->call_id == call_id)
            return kept;
        link = table_again(link);
    }
    return NULL;
}

HRESULT kept_begin(struct peer *peer, uint64_t call_id, struct kept **result)
{
    struct kept *kept = calloc(1, sizeof *kept);
    if (kept == NULL)
        return error_set(E_OUTOFMEMORY, "no memory to keep the results of a call");
    atomic_init(&kept->refs, 2);
    kept->peer = peer_ref(peer);
    kept->call_id = call_id;
    kept->last = &kept->first;
    HRESULT hr = S_OK;
    os_mutex_lock(&peer->lock);
    if (peer->kept.n_links >= WIRE_MAX_KEPT)
        hr = VIA_E_LIMIT;
    else if (find_locked(peer, call_id) != NULL)
        hr = VIA_E_PROTOCOL;
    else if (peer->dead)
        hr = RPC_E_DISCONNECTED;
    else if (!table_insert(&peer->kept, &kept->link, table_hash_u64(call_id)))
        hr = E_OUTOFMEMORY;
    os_mutex_unlock(&peer->lock);
    if (SUCCEEDED(hr)) {
        *result = kept;
        return S_OK;
    }
    atomic_store(&kept->refs, 1);
    kept_unref(kept);
    if (hr == VIA_E_LIMIT)
        return error_set(hr, "the results of %u calls are kept, none of which was finished",
                         WIRE_MAX_KEPT);
    return error_set(hr, "the results of call %" PRIu64 " cannot be kept", call_id);
}

void kept_unref(struct kept *kept)
{
    if (kept == NULL || atomic_fetch_sub_explicit(&kept->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (unsigned i = 0; i < kept->n_results; i++)
        export_unref(kept->results[i].exported);
    error_record_free(kept->error);
    peer_unref(kept->peer);
    free(kept);
}

/* --- the answer --- */

/* The export that the object was handed out as; NULL: it is another process'. */
static struct exported *find_export(struct peer *peer, const struct reference_out *out,
                                    const struct kept_notes *notes, const IUnknown *object)
{
    struct wire_reference entry;
    const uint8_t *table = out->table;
    size_t size = out->size;
    unsigned n = 0;
    while (n < notes->n && notes->notes[n].object != object)
        n++;
    if (n == notes->n)
        return NULL;
    for (uint32_t i = 0; i <= notes->notes[n].index; i++)
        if (FAILED(wire_reference_next(&table, &size, &entry)))
            return NULL;
    return entry.kind == WIRE_REFERENCE_MINE ? peer_resolve(peer, entry.object) : NULL;
}

static void take_results(struct kept *kept, const struct marshal_invocation *invocation,
                         const struct reference_out *out, const struct kept_notes *notes)
{
    IUnknown *object;
    while (kept->n_results < KEPT_MAX_RESULTS &&
           marshal_result_object(invocation, kept->n_results, &object)) {
        unsigned i = kept->n_results++;
        kept->results[i].is_null = object == NULL;
        if (object != NULL)
            kept->results[i].exported = find_export(kept->peer, out, notes, object);
    }
}

/* Until nothing waits any more. */
static void start_waiting(struct kept *kept)
{
    struct peer *peer = kept->peer;
    os_mutex_lock(&peer->lock);
    kept->state = KEPT_STARTING;
    while (kept->first != NULL) {
        struct stub_call *ready = kept->first;
        kept->first = NULL;
        kept->last = &kept->first;
        os_mutex_unlock(&peer->lock);
        while (ready != NULL) {
            struct stub_call *next = ready->next;
            stub_start_aimed(ready);
            ready = next;
        }
        os_mutex_lock(&peer->lock);
    }
    kept->state = KEPT_ANSWERED;
    os_mutex_unlock(&peer->lock);
}

void kept_answer(struct kept *kept, const struct marshal_invocation *invocation,
                 const struct reference_out *out, const struct kept_notes *notes, HRESULT code)
{
    if (kept == NULL)
        return;
    struct error_record *failure = error_take();
    kept->code = code;
    if (invocation != NULL)
        take_results(kept, invocation, out, notes);
    else
        kept->error = error_record_copy(failure);
    start_waiting(kept);
    kept_unref(kept);
    error_give(failure);
}

/* --- calls on it --- */

struct kept *kept_find(struct peer *peer, uint64_t call_id)
{
    os_mutex_lock(&peer->lock);
    struct kept *kept = find_locked(peer, call_id);
    if (kept != NULL)
        atomic_fetch_add_explicit(&kept->refs, 1, memory_order_relaxed);
    os_mutex_unlock(&peer->lock);
    if (kept == NULL)
        error_set(RPC_E_INVALID_OBJECT,
                  "the results of call %" PRIu64 " are not kept for this peer, or not any more",
                  call_id);
    return kept;
}

bool kept_is_answered(struct kept *kept)
{
    os_mutex_lock(&kept->peer->lock);
    bool is_answered = kept->state == KEPT_ANSWERED;
    os_mutex_unlock(&kept->peer->lock);
    return is_answered;
}

bool kept_wait(struct kept *kept, struct stub_call *call)
{
    os_mutex_lock(&kept->peer->lock);
    bool waits = kept->state != KEPT_ANSWERED;
    if (waits) {
        call->next = NULL;
        *kept->last = call;
        kept->last = &call->next;
    }
    os_mutex_unlock(&kept->peer->lock);
    return waits;
}

HRESULT kept_result(const struct kept *kept, uint32_t index, struct exported **exported)
{
    if (FAILED(kept->code)) {
        error_give(error_record_copy(kept->error));
        return error_wrap(kept->code, "the call that was to return the object has failed");
    }
    if (index >= kept->n_results)
        return error_set(RPC_E_INVALID_OBJECT,
                         "call %" PRIu64 " has %u results that are objects, and no result %" PRIu32,
                         kept->call_id, kept->n_results, index);
    if (kept->results[index].is_null)
        return error_set(E_POINTER, "the call that was to return the object has returned none");
    if (kept->results[index].exported == NULL)
        return error_set(VIA_E_ELSEWHERE, "the object lives in another process");
    *exported = export_ref(kept->results[index].exported);
    return S_OK;
}

/* --- the end --- */

void kept_finish(struct peer *peer, uint64_t call_id)
{
    os_mutex_lock(&peer->lock);
    struct kept *kept = find_locked(peer, call_id);
    if (kept != NULL)
        table_remove(&peer->kept, &kept->link);
    os_mutex_unlock(&peer->lock);
    kept_unref(kept); /* NULL: it was refused before it was entered */
}

void kept_peer_closed(struct peer *peer)
{
    struct kept *kept;
    do {
        kept = NULL;
        os_mutex_lock(&peer->lock);
        struct table_link *link = table_walk(&peer->kept, NULL);
        if (link != NULL) {
            kept = TABLE_ENTRY(link, struct kept, link);
            table_remove(&peer->kept, link);
        }
        os_mutex_unlock(&peer->lock);
        kept_unref(kept);
    } while (kept != NULL);
}
