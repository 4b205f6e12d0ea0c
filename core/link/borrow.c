/*
 * The peer's arenas: mapped to be read, and what calls bring in them.
 *
 * The peer chooses every number here. An arena's size is checked by the transport against what the
 * system says of the memory; a block lies in an arena, or the connection ends. What the bytes are
 * can change at any time: they are handed out as they lie to methods that agree to that, of a peer
 * who is the same user; for all others they are copied, once.
 */
#include "core/link/memory.h"

#include "core/link/message.h"
#include "core/link/node.h"
#include "core/link/sender.h"
#include "core/link/switch.h"
#include "core/os/identity.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "core/util/log.h"

#include <stdlib.h>
#include <string.h>

/* In private copies of one peer's blocks at once: as much as its arenas hold. Somebody who passes
 * one block in many calls cannot make this side hold more. */
#define MAX_COPIED WIRE_MAX_ARENA_BYTES
/* A buffer is kept for the next copy up to here. */
#define MAX_SPARE ((size_t)32 * 1024 * 1024)

struct borrowed {
    struct list link;                      /* memory->borrowed; memory->lock */
    struct ref refs;                       /* the list's, and those of views */
    uint32_t id;                           /* read-only */
    const uint8_t *base;                   /* read-only; NULL: it could not be mapped */
    size_t size;                           /* read-only */
    const struct via_transport *transport; /* read-only */
};

struct view {
    struct borrowed *arena; /* a reference */
    uint32_t position;
    size_t offset;
    size_t size;
    void *copy; /* private; or NULL */
    size_t room;
    size_t counted; /* of memory->copied_bytes */
};

struct link_views {
    struct memory *memory; /* a reference */
    uint32_t n;
    struct view views[];
};

/* --- what a connection has --- */

static const struct via_transport *find_transport(const struct link_connection *connection)
{
    const struct via_transport *transport;
    if (FAILED(plugin_set_find(connection->node->plugins, "shm", &transport))) {
        error_clear();
        return NULL;
    }
    bool can = transport->size >= offsetof(struct via_transport, memory_unmap) + sizeof(void *) &&
               transport->memory_new != NULL && transport->memory_map != NULL &&
               transport->memory_unmap != NULL;
    return can ? transport : NULL;
}

bool memory_can(const struct link_connection *connection)
{
    const struct via_transport *base = connection->base.transport;
    bool is_wanted =
        !connection->node->settings.stay || (base->capabilities & VIA_TRANSPORT_SHARED);
    return is_wanted && (base->capabilities & VIA_TRANSPORT_DESCRIPTORS) &&
           find_transport(connection) != NULL;
}

struct memory *memory_of(struct link_connection *connection)
{
    struct memory *memory = atomic_load_explicit(&connection->memory, memory_order_acquire);
    if (memory != NULL || !connection->has_memory)
        return memory;
    struct memory *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL)
        return NULL;
    ref_init(&fresh->refs);
    os_mutex_init(&fresh->lock);
    list_init(&fresh->arenas);
    list_init(&fresh->lent);
    list_init(&fresh->borrowed);
    fresh->transport = find_transport(connection);
    fresh->is_trusted = os_identity_is_self(&connection->peer.identity);
    fresh->next_id = 1;
    if (atomic_compare_exchange_strong(&connection->memory, &memory, fresh))
        return fresh;
    memory_unref(fresh);
    return memory;
}

struct memory *memory_ref(struct memory *memory)
{
    ref_inc(&memory->refs);
    return memory;
}

void memory_unref(struct memory *memory)
{
    if (memory == NULL || ref_dec(&memory->refs) != 0)
        return;
    free(memory->spare);
    os_mutex_deinit(&memory->lock);
    free(memory);
}

HRESULT memory_send(struct link_connection *connection, enum wire_memory_step step, uint32_t arena,
                    size_t size, const via_os_handle *handle)
{
    struct wire_memory body = {.step = step, .arena = arena, .size = size};
    struct link_request request = {.kind = WIRE_MEMORY,
                                   .body = &body,
                                   .body_size = sizeof body,
                                   .handles = handle,
                                   .n_handles = handle != NULL};
    return sender_send(connection, &request, 0, SEND_QUEUE, 0);
}

/* --- the peer's arenas --- */

static void unref_borrowed(struct borrowed *arena)
{
    if (ref_dec(&arena->refs) != 0)
        return;
    if (arena->base != NULL)
        arena->transport->memory_unmap(arena->base, arena->size);
    free(arena);
}

static struct borrowed *find_locked(struct memory *memory, uint32_t id)
{
    for (struct list *l = memory->borrowed.next; l != &memory->borrowed; l = l->next)
        if (list_entry(l, struct borrowed, link)->id == id)
            return list_entry(l, struct borrowed, link);
    return NULL;
}

static HRESULT check_offer(struct memory *memory, const struct wire_memory *offer,
                           const struct link_message *message)
{
    os_mutex_lock(&memory->lock);
    bool is_good = message->n_handles == 1 && offer->arena > memory->last_borrowed &&
                   offer->size != 0 && offer->size % WIRE_ARENA_UNIT == 0 &&
                   memory->n_borrowed < WIRE_MAX_ARENAS &&
                   offer->size <= WIRE_MAX_ARENA_BYTES - memory->borrowed_bytes;
    os_mutex_unlock(&memory->lock);
    return is_good ? S_OK
                   : error_set(VIA_E_PROTOCOL,
                               "the peer offers arena %u of %llu bytes with %u handles out of turn",
                               (unsigned)offer->arena, (unsigned long long)offer->size,
                               message->n_handles);
}

static HRESULT offered(struct link_connection *connection, struct memory *memory,
                       const struct wire_memory *offer, const struct link_message *message)
{
    HRESULT hr = check_offer(memory, offer, message);
    if (FAILED(hr))
        return hr;
    struct borrowed *arena = calloc(1, sizeof *arena);
    if (arena == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the peer's arena");
    const void *base = NULL;
    hr = memory->transport->memory_map(message->handles[0], (size_t)offer->size, &base);
    if (hr == VIA_E_PROTOCOL) {
        free(arena);
        return hr;
    }
    *arena = (struct borrowed){.id = offer->arena,
                               .base = SUCCEEDED(hr) ? base : NULL,
                               .size = (size_t)offer->size,
                               .transport = memory->transport};
    ref_init(&arena->refs);
    os_mutex_lock(&memory->lock);
    list_append(&memory->borrowed, &arena->link);
    memory->n_borrowed++;
    memory->borrowed_bytes += arena->size;
    memory->last_borrowed = arena->id;
    os_mutex_unlock(&memory->lock);
    if (SUCCEEDED(hr)) {
        switch_watch(connection);
        return S_OK;
    }
    char text[ERROR_TEXT_SIZE];
    log_info("link", "memory of process %u is refused: %s", (unsigned)connection->peer.process_id,
             error_format(error_get(), hr, text, sizeof text));
    error_clear();
    return memory_send(connection, WIRE_MEMORY_REFUSE, offer->arena, 0, NULL);
}

static HRESULT withdrawn(struct memory *memory, uint32_t id)
{
    os_mutex_lock(&memory->lock);
    struct borrowed *arena = find_locked(memory, id);
    if (arena != NULL) {
        list_remove(&arena->link);
        memory->n_borrowed--;
        memory->borrowed_bytes -= arena->size;
    }
    os_mutex_unlock(&memory->lock);
    if (arena == NULL)
        return error_set(VIA_E_PROTOCOL, "the peer withdraws arena %u, which it has not offered",
                         (unsigned)id);
    unref_borrowed(arena);
    return S_OK;
}

HRESULT memory_received(struct link_connection *connection, struct link_message *message)
{
    struct wire_memory said;
    memcpy(&said, message->body, sizeof said);
    if (!connection->has_memory)
        return error_set(VIA_E_PROTOCOL, "a frame of kind memory, which hello has not announced");
    struct memory *memory = memory_of(connection);
    if (memory == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the peer's arenas");
    switch (said.step) {
    case WIRE_MEMORY_OFFER:
        return offered(connection, memory, &said, message);
    case WIRE_MEMORY_REFUSE:
        return arena_refused(memory, said.arena);
    case WIRE_MEMORY_WITHDRAW:
        return withdrawn(memory, said.arena);
    default:
        return error_set(VIA_E_PROTOCOL, "a memory frame with the unknown step %u",
                         (unsigned)said.step);
    }
}

void memory_forget_borrowed(struct memory *memory)
{
    struct list *link;
    os_mutex_lock(&memory->lock);
    while ((link = list_pop(&memory->borrowed)) != NULL) {
        os_mutex_unlock(&memory->lock);
        unref_borrowed(list_entry(link, struct borrowed, link));
        os_mutex_lock(&memory->lock);
    }
    os_mutex_unlock(&memory->lock);
}

/* --- blocks of a call that has arrived --- */

static HRESULT add_view(struct link_views *views, const struct wire_block *block)
{
    struct memory *memory = views->memory;
    os_mutex_lock(&memory->lock);
    struct borrowed *arena = find_locked(memory, block->arena);
    bool is_good = arena != NULL && block->size != 0 && block->offset < arena->size &&
                   block->size <= arena->size - block->offset;
    if (is_good)
        ref_inc(&arena->refs);
    os_mutex_unlock(&memory->lock);
    if (!is_good)
        return error_set(VIA_E_PROTOCOL,
                         "a call has %llu bytes at %llu of arena %u, which are not there",
                         (unsigned long long)block->size, (unsigned long long)block->offset,
                         (unsigned)block->arena);
    views->views[views->n++] = (struct view){.arena = arena,
                                             .position = block->position,
                                             .offset = (size_t)block->offset,
                                             .size = (size_t)block->size};
    return S_OK;
}

HRESULT memory_borrow(struct link_connection *connection, const uint8_t *content, uint32_t n,
                      struct link_views **out)
{
    struct memory *memory = memory_of(connection);
    if (memory == NULL)
        return error_set(VIA_E_PROTOCOL, "a call has blocks, which hello has not announced");
    struct link_views *views = calloc(1, sizeof *views + n * sizeof views->views[0]);
    if (views == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the blocks of a call");
    views->memory = memory_ref(memory);
    HRESULT hr = S_OK;
    for (uint32_t i = 0; i < n && SUCCEEDED(hr); i++) {
        struct wire_block block;
        wire_block_read(content, i, &block);
        hr = add_view(views, &block);
    }
    if (SUCCEEDED(hr))
        *out = views;
    else
        memory_free_views(views);
    return hr;
}

static void uncount(struct memory *memory, struct view *view)
{
    os_mutex_lock(&memory->lock);
    memory->copied_bytes -= view->counted;
    os_mutex_unlock(&memory->lock);
    view->counted = 0;
}

/* Memory for a copy: the spare buffer, whose pages are there, if it fits. */
static HRESULT take_room(struct memory *memory, struct view *view)
{
    os_mutex_lock(&memory->lock);
    bool may = view->size <= MAX_COPIED - memory->copied_bytes;
    if (may && memory->spare != NULL && memory->spare_size >= view->size) {
        view->copy = memory->spare;
        view->room = memory->spare_size;
        memory->spare = NULL;
    }
    view->counted = may ? view->size : 0;
    memory->copied_bytes += view->counted;
    os_mutex_unlock(&memory->lock);
    if (!may)
        return error_set(VIA_E_LIMIT, "the arguments of one peer's calls take more than %u bytes",
                         MAX_COPIED);
    if (view->copy != NULL)
        return S_OK;
    view->copy = malloc(view->size);
    view->room = view->size;
    if (view->copy != NULL)
        return S_OK;
    uncount(memory, view);
    return error_set(E_OUTOFMEMORY, "no memory for an argument of %zu bytes", view->size);
}

/* The larger one is kept for the next copy. */
static void give_back_room(struct memory *memory, const struct view *view)
{
    void *unwanted = view->copy;
    os_mutex_lock(&memory->lock);
    memory->copied_bytes -= view->counted;
    bool is_better = memory->spare == NULL || memory->spare_size < view->room;
    if (is_better && view->room <= MAX_SPARE && !memory->is_closed) {
        unwanted = memory->spare;
        memory->spare = view->copy;
        memory->spare_size = view->room;
    }
    os_mutex_unlock(&memory->lock);
    free(unwanted);
}

HRESULT link_message_block(struct link_message *message, uint32_t index, bool in_place,
                           const void **data)
{
    struct link_views *views = message->views;
    struct view *view = &views->views[index];
    if (view->arena->base == NULL)
        return error_set(VIA_E_LIMIT, "the caller's memory could not be mapped here");
    const uint8_t *bytes = view->arena->base + view->offset;
    if (in_place && views->memory->is_trusted) {
        *data = bytes;
        return S_OK;
    }
    if (view->copy == NULL) {
        HRESULT hr = take_room(views->memory, view);
        if (FAILED(hr))
            return hr;
        memcpy(view->copy, bytes, view->size);
    }
    *data = view->copy;
    return S_OK;
}

uint32_t link_message_n_blocks(const struct link_message *message)
{
    return message->views != NULL ? message->views->n : 0;
}

void link_message_block_at(const struct link_message *message, uint32_t index, size_t *position,
                           size_t *size)
{
    *position = message->views->views[index].position;
    *size = message->views->views[index].size;
}

void memory_uncount_views(struct link_views *views)
{
    for (uint32_t i = 0; i < views->n; i++) {
        if (views->views[i].copy != NULL)
            uncount(views->memory, &views->views[i]);
    }
}

void memory_free_views(struct link_views *views)
{
    if (views == NULL)
        return;
    for (uint32_t i = 0; i < views->n; i++) {
        if (views->views[i].copy != NULL)
            give_back_room(views->memory, &views->views[i]);
        unref_borrowed(views->views[i].arena);
    }
    memory_unref(views->memory);
    free(views);
}
