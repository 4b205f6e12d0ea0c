/* The arguments of one call in memory of our own: at the object's side, and for calls by name. */
#ifndef COM_MARSHAL_INVOCATION_H
#define COM_MARSHAL_INVOCATION_H

#include "com/marshal/native.h"

struct marshal_invocation {
    const struct marshal_method *method;
    void **values;         /* what libffi gets: pointers to the arguments, `This` first */
    void **pointers;       /* the arguments that are pointers: by reference, and buffers */
    int64_t *entry_values; /* of size parameters, before the call */
    char *storage;         /* zeroed; method->storage_size bytes */
    void *self;            /* `This` */
    struct automation_reference *references; /* what VARIANTs of the call refer to */
    bool is_decoded; /* the storage holds values that native_clear() may walk */
    bool is_on_heap;
    uint64_t lent; /* a bit for each parameter whose array is not the invocation's own */
};
_Static_assert(TYPELIB_MAX_PARAMS <= 64, "a bit for each parameter");

/* Where the storage is in an invocation's block; what is in front depends on the number of
 * parameters. */
uint32_t invocation_storage_at(uint16_t n_params);
/* With empty storage, in `scratch` if it fits (and is not NULL); NULL without memory (the error is
 * set). */
struct marshal_invocation *invocation_new(const struct marshal_method *method,
                                          struct marshal_scratch *scratch);
/* The value behind parameter `i`. */
static inline void *invocation_value(const struct marshal_invocation *self, uint16_t i)
{
    return self->storage + self->method->params[i].storage;
}
static inline void *const *invocation_arguments(const struct marshal_invocation *self)
{
    return (void *const *)self->values + 1;
}
/* Notes what size parameters hold now. */
void invocation_note_sizes(struct marshal_invocation *self);
/* Does that, and makes the buffers that [out] arrays need. E_INVALIDARG names a
 * size that no reply could carry. */
HRESULT invocation_prepare_results(struct marshal_invocation *self);
/* Puts results, laid out as an invocation's storage is, into a caller's arguments. What [in,out]
 * ones held is freed; arrays in the caller's memory are copied, and their blocks stay. */
void invocation_deliver(const struct marshal_method *method, void **arguments, const char *storage);
/* The arguments as they will be, as libffi has them: results, which are laid out as an invocation's
 * storage is, and what of the caller's stays. */
struct mixed_arguments {
    void *values[TYPELIB_MAX_PARAMS];
    void *pointers[TYPELIB_MAX_PARAMS];
};
void invocation_mix(const struct marshal_method *method, void *const *arguments, char *storage,
                    struct mixed_arguments *mixed);
/* Elements of a top-level size_is array, by the caller's arguments; -1: unknown or negative. */
int64_t invocation_entry_count(const struct marshal_method *method, uint16_t i,
                               void *const *arguments);
/* The scope to walk parameter `i` in. */
struct native_scope invocation_scope(const struct marshal_invocation *self, uint16_t i);

#endif
