#include "com/remote/reference.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "com/remote/export.h"
#include "com/remote/handoff.h"
#include "com/abi/guid.h"
#include "com/remote/import.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
#include "core/util/error.h"

/* Entries as docs/wire-protocol.md lays them out. */
#define ENTRY_HEADER  8
#define ENTRY_OBJECT  16
#define THIRD_FIXED   72
#define THIRD_OWNER   16
#define THIRD_T1      32
#define THIRD_T2      48
#define THIRD_PROCESS 64
#define THIRD_N       68
#define THIRD_BYTES   70

static uint16_t load16(const uint8_t *bytes)
{
    uint16_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static uint32_t load32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static uint64_t load64(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

/* --- outgoing --- */

void reference_out_init(struct reference_out *out, struct peer *peer)
{
    *out = (struct reference_out){.peer = peer};
}

/* Room for one more entry of `size` bytes and for what it takes. */
static uint8_t *reserve(struct reference_out *out, size_t size)
{
    if (out->n_entries == REFERENCE_MAX) {
        error_set(VIA_E_LIMIT, "more than %d objects in one call", REFERENCE_MAX);
        return NULL;
    }
    if (out->capacity - out->size < size) {
        size_t capacity = out->capacity * 2 + size + 64;
        uint8_t *more = realloc(out->table, capacity);
        if (more == NULL)
            goto no_memory;
        out->table = more;
        out->capacity = capacity;
    }
    if (out->n_given == out->max_given) {
        uint16_t max = (uint16_t)(out->max_given * 2 + 4);
        void *more = realloc(out->given, max * sizeof *out->given);
        if (more == NULL)
            goto no_memory;
        out->given = more;
        out->max_given = max;
    }
    memset(out->table + out->size, 0, size);
    return out->table + out->size;
no_memory:
    error_set(E_OUTOFMEMORY, "no memory for the objects of a call");
    return NULL;
}

static void close_entry(struct reference_out *out, uint8_t *entry, size_t size,
                        enum reference_kind kind, uint64_t id)
{
    uint16_t size16 = (uint16_t)size;
    memcpy(entry, &size16, sizeof size16);
    entry[2] = (uint8_t)kind;
    memcpy(entry + ENTRY_HEADER, &id, sizeof id);
    out->size += size;
    out->n_entries++;
}

static HRESULT add_own(struct reference_out *out, IUnknown *object)
{
    struct node *node = out->peer->node;
    uint8_t *entry = reserve(out, ENTRY_OBJECT);
    if (entry == NULL)
        return error_get()->code;
    HRESULT hr = link_node_need_reactor(node->link); /* whoever gets it may call and release it */
    if (FAILED(hr))
        return hr;
    struct exported *exported;
    hr = export_hold(node, object, &exported);
    if (FAILED(hr))
        return hr;
    uint64_t id = exported->id;
    hr = peer_give(out->peer, exported);
    if (FAILED(hr))
        return hr;
    out->given[out->n_given++] = (struct reference_given){.id = id};
    close_entry(out, entry, ENTRY_OBJECT, REFERENCE_MINE, id);
    return S_OK;
}

static size_t addresses_size(const struct link_peer *owner, uint16_t *n)
{
    size_t size = 0;
    *n = 0;
    for (const char *const *a = owner->addresses; a != NULL && *a != NULL; a++) {
        if (*n == REFERENCE_MAX_ADDRESSES || size + strlen(*a) + 1 > REFERENCE_ADDRESSES_SIZE)
            break;
        size += strlen(*a) + 1;
        ++*n;
    }
    return size;
}

static HRESULT add_third(struct reference_out *out, struct import *import)
{
    const struct link_peer *owner = peer_info(import->peer);
    uint16_t n_addresses;
    size_t text_size = addresses_size(owner, &n_addresses);
    size_t size = (THIRD_FIXED + text_size + 7) & ~(size_t)7;
    uint8_t *entry = reserve(out, size);
    if (entry == NULL)
        return error_get()->code;
    struct reference_given given = {.import = import};
    struct link_id t2;
    HRESULT hr = handoff_provide(import, out->peer, &given.t1, &t2);
    if (FAILED(hr))
        return hr;
    import_ref(import);
    out->given[out->n_given++] = given;
    memcpy(entry + THIRD_OWNER, &import->owner, sizeof import->owner);
    memcpy(entry + THIRD_T1, &given.t1, sizeof given.t1);
    memcpy(entry + THIRD_T2, &t2, sizeof t2);
    memcpy(entry + THIRD_PROCESS, &owner->process_id, sizeof owner->process_id);
    memcpy(entry + THIRD_N, &n_addresses, sizeof n_addresses);
    uint16_t bytes = (uint16_t)text_size;
    memcpy(entry + THIRD_BYTES, &bytes, sizeof bytes);
    char *text = (char *)entry + THIRD_FIXED;
    for (uint16_t i = 0; i < n_addresses; i++) {
        size_t length = strlen(owner->addresses[i]) + 1;
        memcpy(text, owner->addresses[i], length);
        text += length;
    }
    close_entry(out, entry, size, REFERENCE_THIRD, import->id);
    return S_OK;
}

static HRESULT add_yours(struct reference_out *out, uint64_t id)
{
    uint8_t *entry = reserve(out, ENTRY_OBJECT);
    if (entry == NULL)
        return error_get()->code;
    close_entry(out, entry, ENTRY_OBJECT, REFERENCE_YOURS, id);
    return S_OK;
}

HRESULT reference_out_add(struct reference_out *out, IUnknown *object, uint32_t *index)
{
    struct import *import = import_of(object);
    HRESULT hr;
    if (import == NULL || import->node != out->peer->node)
        hr = add_own(out, object);
    else if (import->peer == out->peer)
        hr = add_yours(out, import->id);
    else if (import_is_dead(import))
        hr =
            import->peer != NULL
                ? peer_disconnected(import->peer)
                : (error_give(error_record_copy(import->cause)),
                   error_wrap(RPC_E_DISCONNECTED, "an object that is handed on was never reached"));
    else
        hr = add_third(out, import);
    if (SUCCEEDED(hr))
        *index = (uint32_t)out->n_entries - 1;
    return hr;
}

void reference_out_deinit(struct reference_out *out, bool sent)
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

static HRESULT malformed(const char *what)
{
    return error_set(VIA_E_PROTOCOL, "the reference table of a frame is malformed: %s", what);
}

static HRESULT read_third(struct reference_entry *entry, const uint8_t *bytes, size_t size)
{
    if (size < THIRD_FIXED)
        return malformed("a third party's entry is too short");
    uint16_t n = load16(bytes + THIRD_N);
    uint16_t text_size = load16(bytes + THIRD_BYTES);
    if (n > REFERENCE_MAX_ADDRESSES || text_size > REFERENCE_ADDRESSES_SIZE ||
        text_size > size - THIRD_FIXED)
        return malformed("a third party's addresses are too many or too long");
    struct reference_third *third = calloc(1, sizeof *third);
    if (third == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a reference");
    entry->third = third;
    memcpy(&third->owner, bytes + THIRD_OWNER, sizeof third->owner);
    memcpy(&third->t1, bytes + THIRD_T1, sizeof third->t1);
    memcpy(&third->t2, bytes + THIRD_T2, sizeof third->t2);
    third->process_id = load32(bytes + THIRD_PROCESS);
    memcpy(third->text, bytes + THIRD_FIXED, text_size);
    size_t n_ends = 0;
    for (size_t i = 0; i < text_size; i++)
        n_ends += third->text[i] == '\0';
    if (n_ends != n || (n > 0 && third->text[text_size - 1] != '\0'))
        return malformed("a third party's addresses do not end where they should");
    third->n_addresses = n;
    return S_OK;
}

static HRESULT resolve_entry(struct reference_in *in, struct reference_entry *entry,
                             const uint8_t *bytes, size_t size)
{
    entry->kind = bytes[2];
    if (entry->kind == REFERENCE_NULL)
        return S_OK;
    if (size < ENTRY_OBJECT)
        return malformed("an entry is too short");
    entry->id = load64(bytes + ENTRY_HEADER);
    switch (entry->kind) {
    case REFERENCE_MINE:
        return import_received(in->peer, entry->id, &entry->import);
    case REFERENCE_YOURS:
        in->has_local = true;
        entry->exported = peer_resolve(in->peer, entry->id);
        return entry->exported != NULL ? S_OK : RPC_E_INVALID_OBJECT;
    case REFERENCE_THIRD:
        in->has_third = true;
        return read_third(entry, bytes, size);
    default:
        return malformed("an entry's kind is unknown");
    }
}

HRESULT reference_in_resolve(struct reference_in *in, struct peer *peer, const uint8_t *table,
                             size_t size, uint16_t n)
{
    *in = (struct reference_in){.peer = peer};
    if (n == 0)
        return S_OK;
    in->entries = calloc(n, sizeof *in->entries);
    if (in->entries == NULL) {
        reference_settle(peer, table, size, n);
        return error_set(E_OUTOFMEMORY, "no memory for the references of a frame");
    }
    for (uint16_t i = 0; i < n; i++) {
        size_t entry_size = size >= ENTRY_HEADER ? load16(table) : 0;
        HRESULT hr = entry_size >= ENTRY_HEADER && entry_size <= size
                         ? resolve_entry(in, &in->entries[i], table, entry_size)
                         : malformed("an entry is longer than the table");
        if (FAILED(hr)) {
            /* What was taken over is released with `in`; the rest is given back here. The entry
             * that failed has been settled, or takes nothing. */
            if (entry_size >= ENTRY_HEADER && entry_size <= size)
                reference_settle(peer, table + entry_size, size - entry_size,
                                 (uint16_t)(n - i - 1));
            in->n = (uint16_t)(i + 1);
            return hr;
        }
        table += entry_size;
        size -= entry_size;
    }
    in->n = n;
    return S_OK;
}

static HRESULT connect_entry(struct reference_in *in, struct reference_entry *entry,
                             uint64_t deadline_ns)
{
    struct node *node = in->peer->node;
    struct reference_third *third = entry->third;
    if (memcmp(&third->owner, link_node_id(node->link), sizeof third->owner) == 0)
        return handoff_accept_own(node, entry->id, third, &entry->exported);
    HRESULT hr = handoff_accept(node, entry->id, third, deadline_ns, &entry->import);
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
    if (entry->exported != NULL) {
        HRESULT hr = export_query(entry->exported, iid, pointer);
        if (SUCCEEDED(hr))
            ((IUnknown *)*pointer)->lpVtbl->AddRef(*pointer);
        return hr;
    }
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

void reference_in_deinit(struct reference_in *in)
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
    for (uint16_t i = 0; i < n; i++) {
        size_t entry_size = size >= ENTRY_HEADER ? load16(table) : 0;
        if (entry_size < ENTRY_HEADER || entry_size > size)
            return;
        if (table[2] == REFERENCE_MINE && entry_size >= ENTRY_OBJECT)
            peer_release(peer, load64(table + ENTRY_HEADER), 1);
        table += entry_size;
        size -= entry_size;
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
