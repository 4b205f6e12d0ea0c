/*
 * Counted and failing allocations. The linker's --wrap leads every allocation of the program's own
 * code (of static libraries too) through here. Live ones stand in a table by address, so that
 * memory which came from elsewhere may be freed here and the other way round: an address that is
 * not in the table is not ours to judge.
 *
 * Under AddressSanitizer nothing is recorded (a table of addresses would hide every leak from
 * LeakSanitizer, which is asked instead); the failing allocator works there too.
 */
#include "tests/harness/internal.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef HARNESS_LEAK_SANITIZER
#include <sanitizer/lsan_interface.h>
#endif

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);

static atomic_bool failure_planned;
static atomic_size_t until_failure; /* allocations that still succeed */
static atomic_bool failure_happened;
static atomic_bool fills_freed;
#define FILLING 0xDD /* as a pointer, one that leads nowhere */

void harness_fail_allocation(size_t n)
{
    atomic_store(&until_failure, n);
    atomic_store(&failure_happened, false);
    atomic_store(&failure_planned, true);
}

void harness_fill_freed(bool fills)
{
    atomic_store(&fills_freed, fills);
}

bool harness_allocation_failed(void)
{
    atomic_store(&failure_planned, false);
    return atomic_load(&failure_happened);
}

static bool must_fail(void)
{
    if (!atomic_load_explicit(&failure_planned, memory_order_relaxed))
        return false;
    if (atomic_fetch_sub(&until_failure, 1) != 0)
        return false;
    atomic_store(&failure_planned, false);
    atomic_store(&failure_happened, true);
    errno = ENOMEM;
    return true;
}

#ifdef HARNESS_LEAK_SANITIZER

/* LeakSanitizer reports a lost block again at every check, so there is none after the first leak.
 */
static bool leak_seen;
static bool leak_unreported;

static void record(void *memory, size_t size, const void *caller)
{
    (void)memory;
    (void)size;
    (void)caller;
}

static size_t forget(const void *memory)
{
    (void)memory;
    return 0;
}

size_t harness_live_allocations(void)
{
    const struct allocations_mark any = {0};

    return allocations_settled(&any) ? 0 : SIZE_MAX;
}

void allocations_mark(struct allocations_mark *mark)
{
    mark->serial = 0;
    mark->n_live = 0;
}

bool allocations_settled(const struct allocations_mark *mark)
{
    (void)mark;
    if (!leak_seen && __lsan_do_recoverable_leak_check())
        leak_seen = leak_unreported = true;
    return !leak_unreported;
}

void allocations_report(const struct allocations_mark *mark)
{
    (void)mark;
    printf(
        "  LeakSanitizer's report is above; later tests of this run are not checked for leaks\n");
    leak_unreported = false;
}

#else

#define N_BUCKETS 4096u

struct block {
    struct block *next;
    const void *memory;
    size_t size;
    const void *caller;
    uint64_t serial;
};

/* Each bucket under its own lock. */
static struct {
    atomic_flag lock;
    struct block *first;
} buckets[N_BUCKETS];
static atomic_uint_fast64_t next_serial = 1;
static atomic_uint_fast64_t n_live;

static unsigned bucket_lock(const void *memory)
{
    unsigned index = (unsigned)(((uintptr_t)memory >> 4) * 2654435761u >> 7) % N_BUCKETS;

    while (atomic_flag_test_and_set_explicit(&buckets[index].lock, memory_order_acquire))
        system_yield();
    return index;
}

static void bucket_unlock(unsigned index)
{
    atomic_flag_clear_explicit(&buckets[index].lock, memory_order_release);
}

static void record(void *memory, size_t size, const void *caller)
{
    struct block *block;
    unsigned index;

    if (!memory || !(block = __real_malloc(sizeof(*block))))
        return;
    block->memory = memory;
    block->size = size;
    block->caller = caller;
    block->serial = atomic_fetch_add(&next_serial, 1);
    atomic_fetch_add(&n_live, 1);
    index = bucket_lock(memory);
    block->next = buckets[index].first;
    buckets[index].first = block;
    bucket_unlock(index);
}

/* Must come before the memory is given back: afterwards another thread may be given the same
 * address. */
static size_t forget(const void *memory)
{
    struct block **link, *block = NULL;
    unsigned index = bucket_lock(memory);
    size_t size = 0;

    for (link = &buckets[index].first; *link; link = &(*link)->next) {
        if ((*link)->memory == memory) {
            block = *link;
            *link = block->next;
            size = block->size;
            atomic_fetch_sub(&n_live, 1);
            break;
        }
    }
    bucket_unlock(index);
    __real_free(block);
    return size;
}

size_t harness_live_allocations(void)
{
    return (size_t)atomic_load(&n_live);
}

void allocations_mark(struct allocations_mark *mark)
{
    mark->serial = atomic_load(&next_serial);
    mark->n_live = atomic_load(&n_live);
}

/* Calls `visit` for up to `limit` blocks that were made after the mark; returns how many there are.
 */
static unsigned visit_since(const struct allocations_mark *mark, unsigned limit)
{
    unsigned n = 0, i;
    struct block *block;

    for (i = 0; i < N_BUCKETS; i++) {
        while (atomic_flag_test_and_set_explicit(&buckets[i].lock, memory_order_acquire))
            system_yield();
        for (block = buckets[i].first; block; block = block->next) {
            char place[256];

            if (block->serial < mark->serial || n++ >= limit)
                continue;
            system_describe_address(block->caller, place, sizeof(place));
            printf("  %llu bytes, allocated near %s\n", (unsigned long long)block->size, place);
        }
        bucket_unlock(i);
    }
    return n;
}

bool allocations_settled(const struct allocations_mark *mark)
{
    return atomic_load(&n_live) <= mark->n_live || visit_since(mark, 0) == 0;
}

void allocations_report(const struct allocations_mark *mark)
{
    printf("  %u blocks in all\n", visit_since(mark, 8));
}

#endif

#define CALLER __builtin_return_address(0)

void *__wrap_malloc(size_t size)
{
    void *memory = must_fail() ? NULL : __real_malloc(size);

    record(memory, size, CALLER);
    return memory;
}

void *__wrap_calloc(size_t count, size_t size)
{
    void *memory = must_fail() ? NULL : __real_calloc(count, size);

    record(memory, count * size, CALLER);
    return memory;
}

void *__wrap_realloc(void *memory, size_t size)
{
    size_t old_size;
    void *moved;

    if (must_fail())
        return NULL;
    old_size = memory ? forget(memory) : 0;
    moved = __real_realloc(memory, size);
    if (moved)
        record(moved, size, CALLER);
    else if (size != 0)
        record(memory, old_size, CALLER);
    return moved;
}

void __wrap_free(void *memory)
{
    size_t size = memory ? forget(memory) : 0;

    if (atomic_load_explicit(&fills_freed, memory_order_relaxed) && size > 0)
        memset(memory, FILLING, size);
    __real_free(memory);
}

char *__wrap_strndup(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    char *copy = must_fail() ? NULL : __real_malloc(length + 1);

    if (!copy)
        return NULL;
    memcpy(copy, text, length);
    copy[length] = '\0';
    record(copy, length + 1, CALLER);
    return copy;
}

char *__wrap_strdup(const char *text)
{
    size_t length = strlen(text);
    char *copy = must_fail() ? NULL : __real_malloc(length + 1);

    if (!copy)
        return NULL;
    memcpy(copy, text, length + 1);
    record(copy, length + 1, CALLER);
    return copy;
}
