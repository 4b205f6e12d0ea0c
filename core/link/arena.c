/*
 * The own arenas: blocks in them, and the calls that use those.
 *
 * A block is wanted by the application, which builds arguments in it (is_kept), or by calls
 * (n_uses), and goes when neither wants it. Free room is what lies between blocks; a new one takes
 * the first gap that is large enough, so that one call after another uses the same, warm memory.
 */
#include "core/link/memory.h"

#include "core/link/handle.h"
#include "core/link/node.h"
#include "core/link/switch.h"
#include "core/util/error.h"
#include "core/util/log.h"

#include <stdlib.h>
#include <string.h>

/* Blocks are whole pages: two never share one. */
#define BLOCK_UNIT 4096u
/* The first arena of a connection, if no more is wanted. Each is as large as all before it. */
#define FIRST_ARENA ((size_t)1024 * 1024)
/* What is not in a block already is copied into one from this size on: below it a copy in the
 * payload costs less. */
#define COPY_MIN ((size_t)16 * 1024)
/* So small a block is not worth its place: its bytes go into the payload. */
#define PASS_MIN ((size_t)2048)

struct arena {
    struct list link;      /* memory->arenas; memory->lock */
    struct memory *memory; /* a reference */
    uint32_t id;           /* read-only */
    uint8_t *base;         /* read-only */
    size_t size;           /* read-only */
    bool is_refused;       /* memory->lock: the peer has not mapped it */
    struct list blocks;    /* memory->lock: by offset */
};

struct arena_block {
    struct list link; /* arena->blocks */
    struct arena *arena;
    size_t offset;
    size_t size;
    uint32_t n_uses; /* memory->lock: by calls that are not answered */
    bool is_kept;    /* memory->lock: the application has it */
};

struct link_blocks {
    struct list link;      /* memory->lent; memory->lock */
    struct memory *memory; /* a reference */
    uint64_t call_id;
    bool is_answered;  /* memory->lock: while the caller did not look */
    bool is_abandoned; /* memory->lock: the caller does not wait for the answer */
    uint32_t n;
    struct wire_block wire[WIRE_MAX_BLOCKS];
    struct arena_block *blocks[WIRE_MAX_BLOCKS];
};

/* --- all arenas of the process, by address: a block is freed by its pointer alone --- */

static struct {
    struct os_mutex lock;
    struct arena **arenas; /* lock; sorted */
    size_t n, room;        /* lock */
} known = {.lock = OS_MUTEX_INITIALIZER};

/* The first one that does not lie before the address. */
static size_t known_find_locked(const uint8_t *address)
{
    size_t low = 0;
    size_t high = known.n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (known.arenas[middle]->base + known.arenas[middle]->size <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool known_add(struct arena *arena)
{
    os_mutex_lock(&known.lock);
    if (known.n == known.room) {
        size_t room = known.room != 0 ? known.room * 2 : 16;
        struct arena **arenas = realloc(known.arenas, room * sizeof *arenas);
        if (arenas == NULL) {
            os_mutex_unlock(&known.lock);
            return false;
        }
        known.arenas = arenas;
        known.room = room;
    }
    size_t at = known_find_locked(arena->base);
    memmove(known.arenas + at + 1, known.arenas + at, (known.n - at) * sizeof *known.arenas);
    known.arenas[at] = arena;
    known.n++;
    os_mutex_unlock(&known.lock);
    return true;
}

static void known_remove(const struct arena *arena)
{
    os_mutex_lock(&known.lock);
    size_t at = known_find_locked(arena->base);
    known.n--;
    memmove(known.arenas + at, known.arenas + at + 1, (known.n - at) * sizeof *known.arenas);
    if (known.n == 0) {
        free(known.arenas);
        known.arenas = NULL;
        known.room = 0;
    }
    os_mutex_unlock(&known.lock);
}

static struct arena *known_find(const uint8_t *address)
{
    os_mutex_lock(&known.lock);
    size_t at = known_find_locked(address);
    struct arena *found =
        at < known.n && address >= known.arenas[at]->base ? known.arenas[at] : NULL;
    os_mutex_unlock(&known.lock);
    return found;
}

/* --- arenas --- */

static void free_arena(struct arena *arena)
{
    struct memory *memory = arena->memory;
    known_remove(arena);
    memory->transport->memory_unmap(arena->base, arena->size);
    free(arena);
    memory_unref(memory);
}

/* Takes it out of the list; whoever has done so frees it. */
static void remove_locked(struct memory *memory, struct arena *arena)
{
    list_remove(&arena->link);
    memory->n_arenas--;
    memory->arena_bytes -= arena->size;
}

/* Made, known to the peer, and not in the list yet; NULL, with the thread's error. */
static struct arena *make_arena(struct link_connection *connection, struct memory *memory,
                                uint32_t id, size_t size)
{
    void *base;
    via_os_handle handle;
    struct arena *arena = calloc(1, sizeof *arena);
    HRESULT hr = arena != NULL ? memory->transport->memory_new(size, &handle, &base)
                               : error_set(E_OUTOFMEMORY, "no memory for an arena");
    if (FAILED(hr)) {
        free(arena);
        return NULL;
    }
    *arena = (struct arena){.memory = memory_ref(memory), .id = id, .base = base, .size = size};
    list_init(&arena->blocks);
    if (!known_add(arena)) {
        memory->transport->memory_unmap(base, size);
        handle_close(connection->base.transport, handle);
        memory_unref(memory);
        free(arena);
        error_set(E_OUTOFMEMORY, "no memory for an arena");
        return NULL;
    }
    hr = memory_send(connection, WIRE_MEMORY_OFFER, id, size, &handle);
    handle_close(connection->base.transport, handle);
    if (SUCCEEDED(hr))
        return arena;
    free_arena(arena);
    return NULL;
}

static size_t round_up(size_t size, size_t unit)
{
    return (size + unit - 1) / unit * unit;
}

/* Whether an arena with room for so much is to be made, which is the caller's then. */
static bool plan_arena_locked(struct memory *memory, size_t size, size_t *wanted, uint32_t *id)
{
    size_t left = WIRE_MAX_ARENA_BYTES - memory->arena_bytes;
    size_t least = round_up(size, WIRE_ARENA_UNIT);
    if (memory->is_growing || memory->is_refused || memory->is_closed || size > left ||
        memory->n_arenas == WIRE_MAX_ARENAS)
        return false;
    *wanted = memory->arena_bytes > FIRST_ARENA ? memory->arena_bytes : FIRST_ARENA;
    if (*wanted < least || *wanted > left)
        *wanted = least;
    *id = memory->next_id++;
    memory->is_growing = true;
    memory->n_arenas++;
    memory->arena_bytes += *wanted;
    return true;
}

/* One more arena with room for so much; false: there is none. */
static bool grow(struct link_connection *connection, struct memory *memory, size_t size)
{
    size_t wanted;
    uint32_t id;
    os_mutex_lock(&memory->lock);
    bool may = plan_arena_locked(memory, size, &wanted, &id);
    os_mutex_unlock(&memory->lock);
    if (!may)
        return false;
    struct arena *arena = make_arena(connection, memory, id, wanted);
    if (arena == NULL) {
        char text[ERROR_TEXT_SIZE];
        log_info("link", "arguments for process %u are copied from now on: no shared memory: %s",
                 (unsigned)connection->peer.process_id,
                 error_format(error_get(), E_FAIL, text, sizeof text));
        error_clear();
    }
    os_mutex_lock(&memory->lock);
    memory->is_growing = false;
    memory->is_refused |= arena == NULL;
    bool is_kept = arena != NULL && !memory->is_closed;
    if (is_kept) {
        list_append(&memory->arenas, &arena->link);
    } else {
        memory->n_arenas--;
        memory->arena_bytes -= wanted;
    }
    os_mutex_unlock(&memory->lock);
    if (is_kept)
        switch_watch(connection);
    else if (arena != NULL)
        free_arena(arena); /* nobody will come for it */
    return is_kept;
}

/* --- blocks --- */

/* Where the first gap of that size is; the block that follows it, or the list's head. */
static struct list *find_gap(struct arena *arena, size_t size, size_t *offset)
{
    size_t at = 0;
    struct list *l = arena->blocks.next;
    for (; l != &arena->blocks; l = l->next) {
        const struct arena_block *block = list_entry(l, struct arena_block, link);
        if (block->offset - at >= size)
            break;
        at = block->offset + block->size;
    }
    *offset = at;
    return l != &arena->blocks || arena->size - at >= size ? l : NULL;
}

/* Puts the block, whose size is set, somewhere. */
static bool place_locked(struct memory *memory, struct arena_block *block)
{
    if (memory->is_closed)
        return false;
    for (struct list *l = memory->arenas.next; l != &memory->arenas; l = l->next) {
        struct arena *arena = list_entry(l, struct arena, link);
        struct list *next = arena->is_refused ? NULL : find_gap(arena, block->size, &block->offset);
        if (next == NULL)
            continue;
        block->arena = arena;
        list_append(next, &block->link); /* in front of it */
        return true;
    }
    return false;
}

static struct arena_block *new_block(struct link_connection *connection, struct memory *memory,
                                     size_t size, bool is_kept)
{
    if (size == 0 || size > WIRE_MAX_ARENA_BYTES)
        return NULL;
    struct arena_block *block = malloc(sizeof *block);
    if (block == NULL)
        return NULL;
    *block = (struct arena_block){
        .size = round_up(size, BLOCK_UNIT), .is_kept = is_kept, .n_uses = !is_kept};
    bool grew = false;
    do {
        os_mutex_lock(&memory->lock);
        bool is_placed = place_locked(memory, block);
        os_mutex_unlock(&memory->lock);
        if (is_placed)
            return block;
    } while (!grew && (grew = grow(connection, memory, block->size)));
    free(block);
    return NULL;
}

/* Frees what nobody wants any more. An arena comes back that is to be freed, or NULL. */
static struct arena *drop_locked(struct memory *memory, struct arena_block *block)
{
    struct arena *arena = block->arena;
    if (block->is_kept || block->n_uses != 0)
        return NULL;
    list_remove(&block->link);
    free(block);
    if (!memory->is_closed || !list_is_empty(&arena->blocks))
        return NULL;
    remove_locked(memory, arena);
    return arena;
}

/* The block that has all of the array in it. */
static struct arena_block *find_locked(struct memory *memory, const uint8_t *data, size_t size)
{
    for (struct list *l = memory->arenas.next; l != &memory->arenas; l = l->next) {
        struct arena *arena = list_entry(l, struct arena, link);
        if (data < arena->base || data >= arena->base + arena->size || arena->is_refused)
            continue;
        size_t offset = (size_t)(data - arena->base);
        for (struct list *b = arena->blocks.next; b != &arena->blocks; b = b->next) {
            struct arena_block *block = list_entry(b, struct arena_block, link);
            if (offset >= block->offset && offset - block->offset < block->size)
                return size <= block->size - (offset - block->offset) ? block : NULL;
        }
    }
    return NULL;
}

void *link_block_new(struct link_connection *connection, size_t size)
{
    struct memory *memory = memory_of(connection);
    struct arena_block *block = memory != NULL ? new_block(connection, memory, size, true) : NULL;
    return block != NULL ? block->arena->base + block->offset : NULL;
}

bool link_block_free(void *data)
{
    struct arena *arena = known_find(data);
    if (arena == NULL)
        return false;
    struct memory *memory = arena->memory;
    struct arena *emptied = NULL;
    os_mutex_lock(&memory->lock);
    struct list *l = arena->blocks.next;
    while (l != &arena->blocks &&
           arena->base + list_entry(l, struct arena_block, link)->offset != (uint8_t *)data)
        l = l->next;
    bool is_there = l != &arena->blocks && list_entry(l, struct arena_block, link)->is_kept;
    if (is_there) {
        list_entry(l, struct arena_block, link)->is_kept = false;
        emptied = drop_locked(memory, list_entry(l, struct arena_block, link));
    }
    os_mutex_unlock(&memory->lock);
    if (emptied != NULL)
        free_arena(emptied);
    return is_there;
}

/* --- blocks of a call --- */

static struct link_blocks *new_blocks(struct memory *memory)
{
    struct link_blocks *blocks = malloc(sizeof *blocks);
    if (blocks == NULL)
        return NULL;
    blocks->link = (struct list){0};
    blocks->memory = memory_ref(memory);
    blocks->call_id = 0;
    blocks->is_answered = false;
    blocks->is_abandoned = false;
    blocks->n = 0;
    return blocks;
}

/* The block that passes the array, with a use by the call; NULL: it is not passed so. */
static struct arena_block *use_block(struct link_connection *connection, struct memory *memory,
                                     const void *data, size_t size)
{
    os_mutex_lock(&memory->lock);
    struct arena_block *block = find_locked(memory, data, size);
    if (block != NULL)
        block->n_uses++;
    os_mutex_unlock(&memory->lock);
    if (block != NULL || size < COPY_MIN)
        return block;
    block = new_block(connection, memory, size, false);
    if (block != NULL)
        memcpy(block->arena->base + block->offset, data, size);
    return block;
}

bool link_blocks_add(struct link_blocks **list, struct link_connection *connection,
                     const void *data, size_t size, size_t position)
{
    struct memory *memory = size >= PASS_MIN ? memory_of(connection) : NULL;
    if (memory == NULL || position > UINT32_MAX || (*list != NULL && (*list)->n == WIRE_MAX_BLOCKS))
        return false;
    struct link_blocks *blocks = *list != NULL ? *list : new_blocks(memory);
    struct arena_block *block = blocks != NULL ? use_block(connection, memory, data, size) : NULL;
    if (block == NULL) {
        if (blocks != *list)
            link_blocks_free(blocks);
        return false;
    }
    uintptr_t inside = (uintptr_t)data - (uintptr_t)(block->arena->base + block->offset);
    if (inside >= block->size)
        inside = 0; /* a copy */
    blocks->wire[blocks->n] = (struct wire_block){.arena = block->arena->id,
                                                  .position = (uint32_t)position,
                                                  .offset = block->offset + inside,
                                                  .size = size};
    blocks->blocks[blocks->n++] = block;
    *list = blocks;
    return true;
}

void link_blocks_free(struct link_blocks *blocks)
{
    if (blocks == NULL)
        return;
    struct memory *memory = blocks->memory;
    struct arena *emptied[WIRE_MAX_BLOCKS];
    uint32_t n_emptied = 0;
    os_mutex_lock(&memory->lock);
    list_remove(&blocks->link);
    for (uint32_t i = 0; i < blocks->n; i++) {
        blocks->blocks[i]->n_uses--;
        struct arena *arena = drop_locked(memory, blocks->blocks[i]);
        if (arena != NULL)
            emptied[n_emptied++] = arena;
    }
    os_mutex_unlock(&memory->lock);
    for (uint32_t i = 0; i < n_emptied; i++)
        free_arena(emptied[i]);
    free(blocks);
    memory_unref(memory);
}

uint32_t memory_blocks(const struct link_blocks *blocks, const struct wire_block **list)
{
    if (blocks == NULL)
        return 0;
    *list = blocks->wire;
    return blocks->n;
}

void memory_lend(struct link_blocks *blocks, uint64_t call_id)
{
    if (blocks == NULL)
        return;
    os_mutex_lock(&blocks->memory->lock);
    blocks->call_id = call_id;
    list_append(&blocks->memory->lent, &blocks->link);
    os_mutex_unlock(&blocks->memory->lock);
}

void memory_take_back(struct link_blocks *blocks)
{
    if (blocks == NULL)
        return;
    os_mutex_lock(&blocks->memory->lock);
    list_remove(&blocks->link);
    os_mutex_unlock(&blocks->memory->lock);
}

void memory_settle(struct link_blocks *blocks, bool is_answered)
{
    if (blocks == NULL)
        return;
    os_mutex_lock(&blocks->memory->lock);
    /* Nobody will answer any more, and nobody needs the room, once the connection has ended. */
    bool is_over = is_answered || blocks->is_answered || blocks->memory->is_closed;
    blocks->is_abandoned = !is_over;
    os_mutex_unlock(&blocks->memory->lock);
    if (is_over)
        link_blocks_free(blocks);
}

void memory_answered(struct link_connection *connection, uint64_t call_id)
{
    struct memory *memory = atomic_load_explicit(&connection->memory, memory_order_acquire);
    if (memory == NULL)
        return;
    struct link_blocks *abandoned = NULL;
    os_mutex_lock(&memory->lock);
    for (struct list *l = memory->lent.next; l != &memory->lent && abandoned == NULL; l = l->next) {
        struct link_blocks *blocks = list_entry(l, struct link_blocks, link);
        if (blocks->call_id != call_id)
            continue;
        blocks->is_answered = true;
        if (!blocks->is_abandoned)
            break; /* its caller is about to look */
        abandoned = blocks;
        list_remove(l);
        break;
    }
    os_mutex_unlock(&memory->lock);
    link_blocks_free(abandoned);
}

/* --- the peer's word, idleness and the end --- */

HRESULT arena_refused(struct memory *memory, uint32_t id)
{
    os_mutex_lock(&memory->lock);
    memory->is_refused = true;
    for (struct list *l = memory->arenas.next; l != &memory->arenas; l = l->next)
        if (list_entry(l, struct arena, link)->id == id)
            list_entry(l, struct arena, link)->is_refused = true;
    os_mutex_unlock(&memory->lock);
    return S_OK;
}

/* An arena without blocks, taken out of the list; NULL: there is none. */
static struct arena *take_empty(struct memory *memory)
{
    struct arena *found = NULL;
    os_mutex_lock(&memory->lock);
    for (struct list *l = memory->arenas.next; l != &memory->arenas && found == NULL; l = l->next)
        if (list_is_empty(&list_entry(l, struct arena, link)->blocks))
            found = list_entry(l, struct arena, link);
    if (found != NULL)
        remove_locked(memory, found);
    os_mutex_unlock(&memory->lock);
    return found;
}

bool memory_trim(struct link_connection *connection)
{
    struct memory *memory = atomic_load_explicit(&connection->memory, memory_order_acquire);
    if (memory == NULL)
        return false;
    struct arena *arena;
    while ((arena = take_empty(memory)) != NULL) {
        if (FAILED(memory_send(connection, WIRE_MEMORY_WITHDRAW, arena->id, arena->size, NULL)))
            error_clear(); /* the connection has it */
        free_arena(arena);
    }
    os_mutex_lock(&memory->lock);
    void *spare = memory->spare;
    memory->spare = NULL;
    bool has_more = !list_is_empty(&memory->arenas) || memory->copied_bytes != 0;
    os_mutex_unlock(&memory->lock);
    free(spare);
    return has_more;
}

void memory_close(struct link_connection *connection)
{
    struct memory *memory = atomic_load_explicit(&connection->memory, memory_order_acquire);
    if (memory == NULL)
        return;
    struct arena *arena;
    for (;;) {
        struct list *abandoned = NULL;
        os_mutex_lock(&memory->lock);
        memory->is_closed = true;
        for (struct list *l = memory->lent.next; l != &memory->lent && abandoned == NULL;
             l = l->next)
            if (list_entry(l, struct link_blocks, link)->is_abandoned)
                abandoned = l;
        if (abandoned != NULL)
            list_remove(abandoned);
        os_mutex_unlock(&memory->lock);
        if (abandoned == NULL)
            break;
        link_blocks_free(list_entry(abandoned, struct link_blocks, link));
    }
    while ((arena = take_empty(memory)) != NULL)
        free_arena(arena);
    memory_forget_borrowed(memory);
}
