/*
 * Reference counts. An increment needs no order: whoever makes one holds a reference already. A
 * decrement releases what this owner did with the object, and the last one acquires what all others
 * did before it may free.
 */
#ifndef CORE_UTIL_REF_H
#define CORE_UTIL_REF_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct ref {
    atomic_uint_fast32_t count;
};

static inline void ref_init(struct ref *ref)
{
    atomic_init(&ref->count, 1);
}

static inline uint32_t ref_inc(struct ref *ref)
{
    uint_fast32_t old = atomic_fetch_add_explicit(&ref->count, 1, memory_order_relaxed);
    assert(old > 0 && old < UINT32_MAX);
    return (uint32_t)old + 1;
}

/* For tables that hold objects without counting them: takes a reference unless the last one is
 * gone. */
static inline bool ref_inc_unless_zero(struct ref *ref)
{
    uint_fast32_t old = atomic_load_explicit(&ref->count, memory_order_relaxed);
    while (old > 0)
        if (atomic_compare_exchange_weak_explicit(&ref->count, &old, old + 1, memory_order_acquire,
                                                  memory_order_relaxed))
            return true;
    return false;
}

/* What is left; 0: the caller frees. */
static inline uint32_t ref_dec(struct ref *ref)
{
    /* acq_rel rather than a release and a fence: the same code on x86, and TSan knows no fences. */
    uint_fast32_t old = atomic_fetch_sub_explicit(&ref->count, 1, memory_order_acq_rel);
    assert(old > 0);
    return (uint32_t)old - 1;
}

#endif
