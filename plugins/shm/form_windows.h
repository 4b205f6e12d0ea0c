/*
 * The two forms of shared memory in a Windows program (system.h says what each function does), and
 * what only Windows's own has.
 */
#ifndef SHM_FORM_WINDOWS_H
#define SHM_FORM_WINDOWS_H

#include "plugins/shm/system.h"

struct system_form {
    void (*close)(int32_t descriptor);
    HRESULT (*duplicate)(int32_t descriptor, int32_t *duplicate);
    HRESULT (*memory_new)(uint64_t size, int32_t *descriptor);
    HRESULT (*memory_lend)(uint64_t size, int32_t *descriptor, uint8_t **at); /* or NULL */
    HRESULT (*memory_check)(int32_t descriptor, uint64_t size);
    uint8_t *(*memory_map)(int32_t descriptor, const struct system_piece *pieces, unsigned n);
    void (*memory_unmap)(uint8_t *at, const struct system_piece *pieces, unsigned n);
    HRESULT (*event_new)(int32_t *descriptor);
    bool (*event_check)(int32_t descriptor);
    void (*event_set)(int32_t descriptor);
    void (*sleep)(_Atomic uint32_t *word, uint32_t value, uint64_t timeout_ns, int32_t bell);
    void (*wake)(_Atomic uint32_t *word, int32_t bell);
    bool (*wait_readable)(int32_t descriptor, int32_t timeout_ms);
    int32_t (*process_life)(uint32_t pid);
    bool (*life_is_over)(int32_t life);
};

extern const struct system_form module_form;
extern const struct system_form section_form;

/* The handle that a number stands for: only 32 bits of a handle are significant, and they are
 * extended by their sign. */
static inline void *section_handle(int32_t descriptor)
{
    return (void *)(intptr_t)descriptor;
}
static inline int32_t section_descriptor(void *handle)
{
    return (int32_t)(intptr_t)handle;
}

#endif
