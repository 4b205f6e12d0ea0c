#include "com/marshal/thunks.h"
#include "com/marshal/plan.h"

/* Interfaces with more slots are rare, and get closures there. */
#define FIRST_SLOT   3
#define ONES(M)      M(3) M(4) M(5) M(6) M(7) M(8) M(9)
#define TENS(M)      M(10) M(11) M(12) M(13) M(14) M(15) M(16) M(17) M(18) M(19)
#define TWENTIES(M)  M(20) M(21) M(22) M(23) M(24) M(25) M(26) M(27) M(28) M(29)
#define EACH_SLOT(M) ONES(M) TENS(M) TWENTIES(M)

#define THUNKS(slot)                                                                              \
    static HRESULT STDMETHODCALLTYPE thunk_0_##slot(void *self)                                   \
    {                                                                                             \
        return thunk_arrive(self, slot, NULL);                                                    \
    }                                                                                             \
    static HRESULT STDMETHODCALLTYPE thunk_1_##slot(void *self, uintptr_t a)                      \
    {                                                                                             \
        uintptr_t words[] = {a};                                                                  \
        return thunk_arrive(self, slot, words);                                                   \
    }                                                                                             \
    static HRESULT STDMETHODCALLTYPE thunk_2_##slot(void *self, uintptr_t a, uintptr_t b)         \
    {                                                                                             \
        uintptr_t words[] = {a, b};                                                               \
        return thunk_arrive(self, slot, words);                                                   \
    }                                                                                             \
    static HRESULT STDMETHODCALLTYPE thunk_3_##slot(void *self, uintptr_t a, uintptr_t b,         \
                                                    uintptr_t c)                                  \
    {                                                                                             \
        uintptr_t words[] = {a, b, c};                                                            \
        return thunk_arrive(self, slot, words);                                                   \
    }                                                                                             \
    static HRESULT STDMETHODCALLTYPE thunk_4_##slot(void *self, uintptr_t a, uintptr_t b,         \
                                                    uintptr_t c, uintptr_t d)                     \
    {                                                                                             \
        uintptr_t words[] = {a, b, c, d};                                                         \
        return thunk_arrive(self, slot, words);                                                   \
    }                                                                                             \
    static HRESULT STDMETHODCALLTYPE thunk_5_##slot(void *self, uintptr_t a, uintptr_t b,         \
                                                    uintptr_t c, uintptr_t d, uintptr_t e)        \
    {                                                                                             \
        uintptr_t words[] = {a, b, c, d, e};                                                      \
        return thunk_arrive(self, slot, words);                                                   \
    }                                                                                             \
    static HRESULT STDMETHODCALLTYPE thunk_6_##slot(                                              \
        void *self, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e, uintptr_t f) \
    {                                                                                             \
        uintptr_t words[] = {a, b, c, d, e, f};                                                   \
        return thunk_arrive(self, slot, words);                                                   \
    }
EACH_SLOT(THUNKS)

#define CODE(function) ((const void *)(uintptr_t)(function))
#define ENTRIES(slot)                                                                        \
    {CODE(thunk_0_##slot), CODE(thunk_1_##slot), CODE(thunk_2_##slot), CODE(thunk_3_##slot), \
     CODE(thunk_4_##slot), CODE(thunk_5_##slot), CODE(thunk_6_##slot)},

static const void *const thunks[][PLAN_MAX_WORDS + 1] = {EACH_SLOT(ENTRIES)};

const void *thunk_find(unsigned slot, unsigned n_words)
{
    if (slot < FIRST_SLOT || slot - FIRST_SLOT >= sizeof(thunks) / sizeof(thunks[0]) ||
        n_words > PLAN_MAX_WORDS)
        return NULL;
    return thunks[slot - FIRST_SLOT][n_words];
}
