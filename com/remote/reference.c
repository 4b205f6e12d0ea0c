#include "com/remote/reference.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "com/remote/export.h"
#include "com/remote/forward.h"
#include "com/remote/handoff.h"
#include "com/abi/guid.h"
#include "com/remote/import.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
#include "com/remote/promise.h"
#include "core/util/error.h"

/* --- outgoing --- */

void reference_out_init(struct reference_out *out, struct peer *peer)
{
    *out = (struct reference_out){.peer = peer};
}

/* Room for one more entry of `size` bytes and for what it takes. */
static HRESULT reserve(struct reference_out *out, size_t size)
{
    if (out->n_entries == REFERENCE_MAX)
        return error_set(VIA_E_LIMIT, "more than %d objects in one call", REFERENCE_MAX);
    if (out->capacity - out->size < size) {
        size_t capacity = out->capacity * 2 + size + 64;
        uint8_t *more = realloc(out->table, capacity);
        if (more == NULL)
            return error_set(E_OUTOFMEMORY, "no memory for the objects of a call");
        out->table = more;
        out->capacity = capacity;
    }
    if (out->n_given == out->max_given) {
        uint16_t max = (uint16_t)(out->max_given * 2 + 4);
        void *more = realloc(out->given, max * sizeof *out->given);
        if (more == NULL)
            return error_set(E_OUTOFMEMORY, "no memory for the objects of a call");
        out->given = more;
        out->max_given = max;
    }
    return S_OK;
}

static void write_entry(struct reference_out *out, const struct wire_reference *reference)
{
    wire_reference_write(out->table + out->size, reference);
    out->size += wire_reference_size(reference);
    out->n_entries++;
}

static HRESULT add_own(struct reference_out *out, IUnknown *object)
{
    struct node *node = out->peer->node;
    struct wire_reference reference; /* not cleared: most of it is for third parties */
    reference.kind = WIRE_REFERENCE_MINE;
    HRESULT hr = reserve(out, wire_reference_size(&reference));
    if (SUCCEEDED(hr))
        hr = link_node_need_reactor(node->link); /* whoever gets it may call and release it */
    if (FAILED(hr))
        return hr;
    struct exported *exported;
    hr = export_hold(node, object, &exported);
    if (FAILED(hr))
        return hr;
    reference.object = exported->id;
    hr = peer_give(out->peer, exported);
    if (FAILED(hr))
        return hr;
    out->given[out->n_given++] = (struct reference_given){.id = reference.object};
    write_entry(out, &reference);
    return S_OK;
}

/* As many of the owner's addresses as an entry takes. */
static void add_addresses(struct wire_reference *third, const struct link_peer *owner)
{
    for (const char *const *a = owner->addresses; a != NULL && *a != NULL; a++) {
        size_t size = strlen(*a) + 1;
        if (third->n_addresses == WIRE_REFERENCE_MAX_ADDRESSES ||
            size > sizeof third->addresses - third->addresses_size)
            break;
        memcpy(third->addresses + third->addresses_size, *a, size);
        third->addresses_size = (uint16_t)(third->addresses_size + size);
        third->n_addresses++;
    }
}

void reference_describe_third(const struct import *import, struct wire_reference *reference)
{
    const struct link_peer *owner = peer_info(import->peer);
    *reference = (struct wire_reference){
        .kind = WIRE_REFERENCE_THIRD, .object = import->id, .process_id = owner->process_id};
    memcpy(reference->owner, &import->owner, sizeof reference->owner);
    add_addresses(reference, owner);
}

static HRESULT add_third(struct reference_out *out, struct import *import)
{
    struct wire_reference reference;
    reference_describe_third(import, &reference);
    HRESULT hr = reserve(out, wire_reference_size(&reference));
    struct reference_given given = {.import = import};
    struct link_id t2;
    if (SUCCEEDED(hr))
        hr = link_node_need_reactor(out->peer->node->link); /* the recipient may ask to forward */
    if (SUCCEEDED(hr))
        hr = handoff_provide(import, out->peer, &given.t1, &t2);
    if (FAILED(hr))
        return hr;
    import_ref(import);
    out->given[out->n_given++] = given;
    memcpy(reference.t1, &given.t1, sizeof reference.t1);
    memcpy(reference.t2, &t2, sizeof reference.t2);
    write_entry(out, &reference);
    return S_OK;
}

static HRESULT add_yours(struct reference_out *out, uint64_t id)
{
    struct wire_reference reference;
    reference.kind = WIRE_REFERENCE_YOURS;
    reference.object = id;
    HRESULT hr = reserve(out, wire_reference_size(&reference));
    if (SUCCEEDED(hr))
        write_entry(out, &reference);
    return hr;
}

/* What was promised goes as what it turns out to be. */
static HRESULT add_promised(struct reference_out *out, struct import *import, uint32_t *index)
{
    IUnknown *object;
    HRESULT hr = promise_object(import, &object);
    if (FAILED(hr))
        return hr;
    hr = reference_out_add(out, object, index);
    object->lpVtbl->Release(object);
    return hr;
}

HRESULT reference_out_add(struct reference_out *out, IUnknown *object, uint32_t *index)
{
    struct import *import = import_of(object);
    HRESULT hr;
    if (import != NULL && import->promise != NULL)
        return add_promised(out, import, index);
    if (import == NULL || import->node != out->peer->node)
        hr = add_own(out, object);
    else if (import->peer == out->peer)
        hr = add_yours(out, import->id);
    else if (import_is_dead(import))
        hr = import->peer != NULL ? peer_disconnected(import->peer) : import_never_reached(import);
    else
        hr = add_third(out, import);
    if (SUCCEEDED(hr))
        *index = (uint32_t)out->n_entries - 1;
    return hr;
}

void reference_out_end(struct reference_out *out, bool sent)
{
    for (uint16_t i = 0; i < out->n_given; i++) {
        struct reference_given *given = &out->given[i];
        if (!sent && given->import == NULL && FAILED(peer_take_back(out->peer, given->id, 1)))
            error_clear(); /* the connection has ended, and taken everything back */
        if (!sent && given->import != NULL)
            handoff_withdraw(given->import, &given->t1);
        if (given->import != NULL)
            import_unref(given->import);
    }
    free(out->given);
    free(out->table);
    *out = (struct reference_out){0};
}

/* --- incoming --- */

void reference_read_third(const struct wire_reference *reference, struct reference_third *third)
{
    memcpy(&third->owner, reference->owner, sizeof third->owner);
    memcpy(&third->t1, reference->t1, sizeof third->t1);
    memcpy(&third->t2, reference->t2, sizeof third->t2);
    third->process_id = reference->process_id;
    third->n_addresses = reference->n_addresses;
    memcpy(third->text, reference->addresses, reference->addresses_size);
}

static HRESULT keep_third(struct reference_entry *entry, const struct wire_reference *reference)
{
    entry->third = malloc(sizeof *entry->third);
    if (entry->third == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a reference");
    reference_read_third(reference, entry->third);
    return S_OK;
}

static HRESULT resolve_entry(struct reference_in *in, struct reference_entry *entry,
                             const struct wire_reference *reference)
{
    entry->id = reference->object;
    switch (reference->kind) {
    case WIRE_REFERENCE_MINE:
        return import_received(in->peer, entry->id, &entry->import);
    case WIRE_REFERENCE_YOURS:
        in->has_local = true;
        entry->exported = peer_resolve(in->peer, entry->id);
        return entry->exported != NULL ? S_OK : RPC_E_INVALID_OBJECT;
    case WIRE_REFERENCE_THIRD:
        in->has_third = true;
        return keep_third(entry, reference);
    default:
        return S_OK;
    }
}

HRESULT reference_in_read(struct reference_in *in, const uint8_t *table, size_t size, uint16_t n)
{
    struct peer *peer = in->peer;
    in->entries = calloc(n, sizeof *in->entries);
    if (in->entries == NULL) {
        reference_settle(peer, table, size, n);
        return error_set(E_OUTOFMEMORY, "no memory for the references of a frame");
    }
    struct wire_reference reference;
    HRESULT hr = S_OK;
    while (in->n < n && SUCCEEDED(hr)) {
        hr = wire_reference_next(&table, &size, &reference);
        if (FAILED(hr))
            return hr; /* nothing behind it can be found */
        hr = resolve_entry(in, &in->entries[in->n], &reference);
        in->n++;
    }
    /* What was taken over is released with `in`; the rest is given back here. The entry that failed
     * has been settled, or takes nothing. */
    if (FAILED(hr)) {
        struct error_record *why = error_take();
        reference_settle(peer, table, size, (uint16_t)(n - in->n));
        error_give(why);
    }
    return hr;
}

/* The owner cannot be reached, for the reason that is the thread's error, but by whoever has handed
 * its object on. An owner that does not let us in, or cannot prove itself, is another matter. */
static HRESULT have_forwarded(struct peer *sender, struct reference_entry *entry,
                              uint64_t deadline_ns)
{
    struct error_record *cause = error_take();
    HRESULT hr = forward_ask(sender, entry->id, entry->third, deadline_ns, &entry->import);
    if (SUCCEEDED(hr)) {
        error_record_free(cause);
        return S_OK;
    }
    char text[ERROR_TEXT_SIZE];
    error_format(error_get(), hr, text, sizeof text);
    error_give(cause);
    return error_wrap(VIA_E_UNREACHABLE,
                      "process %" PRIu32 " does not forward the object either, "
                      "which it has handed on: %s",
                      peer_info(sender)->process_id, text);
}

static HRESULT connect_entry(struct reference_in *in, struct reference_entry *entry,
                             uint64_t deadline_ns)
{
    struct node *node = in->peer->node;
    struct reference_third *third = entry->third;
    if (memcmp(&third->owner, link_node_id(node->link), sizeof third->owner) == 0)
        return handoff_accept_own(node, entry->id, third, &entry->exported);
    HRESULT hr = handoff_accept(node, entry->id, third, deadline_ns, &entry->import);
    if (hr == VIA_E_UNREACHABLE)
        hr = have_forwarded(in->peer, entry, deadline_ns);
    if (SUCCEEDED(hr))
        return S_OK;
    struct error_record *cause = error_take();
    return import_new_dead(node, &third->owner, entry->id, cause, &entry->import);
}

HRESULT reference_in_connect(struct reference_in *in, uint64_t deadline_ns)
{
    for (uint16_t i = 0; i < in->n; i++) {
        struct reference_entry *entry = &in->entries[i];
        if (entry->third == NULL)
            continue;
        HRESULT hr = connect_entry(in, entry, deadline_ns);
        if (FAILED(hr))
            return hr;
        free(entry->third);
        entry->third = NULL;
    }
    return S_OK;
}

HRESULT reference_in_get(struct reference_in *in, uint32_t index, const GUID *iid, void **pointer)
{
    *pointer = NULL;
    if (index == REFERENCE_NULL_INDEX)
        return S_OK;
    if (index >= in->n)
        return error_set(RPC_E_INVALID_DATA,
                         "the payload names reference %" PRIu32 ", but the frame has %u", index,
                         in->n);
    struct reference_entry *entry = &in->entries[index];
    if (entry->exported != NULL)
        return export_lend(entry->exported, iid, pointer);
    if (entry->import == NULL)
        return S_OK;
    struct face *face;
    HRESULT hr = import_face(entry->import, iid, &face);
    if (FAILED(hr))
        return hr;
    import_ref(entry->import);
    *pointer = face;
    return S_OK;
}

void reference_in_end(struct reference_in *in)
{
    for (uint16_t i = 0; i < in->n; i++) {
        struct reference_entry *entry = &in->entries[i];
        export_unref(entry->exported);
        if (entry->import != NULL)
            import_unref(entry->import);
        free(entry->third);
    }
    free(in->entries);
    *in = (struct reference_in){0};
}

void reference_settle(struct peer *peer, const uint8_t *table, size_t size, uint16_t n)
{
    struct wire_reference reference;
    for (uint16_t i = 0; i < n; i++) {
        if (FAILED(wire_reference_next(&table, &size, &reference))) {
            error_clear(); /* core/wire has checked the table; the peer has changed it since */
            return;
        }
        if (reference.kind == WIRE_REFERENCE_MINE)
            peer_release(peer, reference.object, 1);
    }
}

/* --- replies --- */

HRESULT reference_keep(struct peer *peer, struct link_message *reply)
{
    struct reference_in *in = malloc(sizeof *in);
    if (in == NULL) {
        reference_settle(peer, reply->references, reply->references_size, reply->n_references);
        return error_set(E_OUTOFMEMORY, "no memory for the references of a frame");
    }
    HRESULT hr = reference_in_resolve(in, peer, reply->references, reply->references_size,
                                      reply->n_references);
    if (FAILED(hr)) {
        reference_in_deinit(in);
        free(in);
        return hr;
    }
    reply->user = in;
    return S_OK;
}

HRESULT reference_in_take(struct reference_in *in, struct peer *peer, struct link_message *reply)
{
    struct reference_in *kept = reply->user;
    if (kept == NULL)
        return reference_in_resolve(in, peer, reply->references, reply->references_size,
                                    reply->n_references);
    *in = *kept;
    free(kept);
    reply->user = NULL;
    return S_OK;
}

void reference_drop(struct peer *peer, struct link_message *reply)
{
    struct reference_in *kept = reply->user;
    if (kept == NULL) {
        reference_settle(peer, reply->references, reply->references_size, reply->n_references);
        return;
    }
    reference_in_deinit(kept);
    free(kept);
    reply->user = NULL;
}
