/*
 * The prepared form of interfaces and methods: what com/marshal knows before the first call and
 * never computes again.
 */
#ifndef COM_MARSHAL_PLAN_H
#define COM_MARSHAL_PLAN_H

#include "com/marshal/marshal.h"
#include "com/typelib/typelib.h"

#include <ffi.h>
#include <stdatomic.h>

/* What a native argument is made of, besides its type. */
struct plan_param {
    const struct via_param *param;
    const struct via_type *type;
    uint32_t size;    /* bytes of the type's native storage */
    uint32_t storage; /* where its storage is in an invocation's block */
    bool is_in;
    bool is_out;
    bool is_by_ref;
    bool is_buffer;     /* [out], size_is, in the caller's memory */
    bool is_plain;      /* no pointers in it: nothing to free */
    bool is_size_of_in; /* counts the elements of an [in] array: can be filled in by name */
};

struct marshal_method {
    const struct marshal_interface *of; /* the interface */
    const struct via_typelib *lib;
    const struct via_interface *owner;
    const struct via_method *method;
    uint16_t slot;
    uint16_t n_params;
    uint32_t storage_size; /* of an invocation's block */
    bool is_plain;         /* no parameter has pointers in it */
    struct plan_param *params;
    ffi_type **ffi_types; /* n_params + 1: `This` first */
    ffi_cif cif;
};

struct plan_slot {
    const struct marshal_method *method;
    marshal_call call;
    ffi_closure *closure;
};

struct marshal_interface {
    GUID iid;
    uint8_t hash[MARSHAL_HASH_SIZE];
    const struct via_typelib *lib;
    uint16_t n_slots;
    uint16_t first_slot; /* of methods[0] */
    struct marshal_method *methods;
    _Atomic(const void *const *) vtable; /* set once */
    struct plan_slot *slots;             /* what its closures get; set before `vtable` */
};

/* The native size of a value that is passed by value or stored. */
uint32_t plan_native_size(const struct via_typelib *lib, const struct via_type *type);
/* How the payload aligns it, and the fewest bytes that one takes there. */
uint32_t plan_wire_alignment(const struct via_typelib *lib, const struct via_type *type);
uint32_t plan_wire_minimum(const struct via_typelib *lib, const struct via_type *type);
/* No pointers in it. */
bool plan_is_plain(const struct via_typelib *lib, const struct via_type *type);

/* ffi.c: the libffi description of a parameter passed by value; lives as long as the process. NULL
 * without memory. */
ffi_type *plan_ffi_type(const struct via_typelib *lib, const struct via_type *type);

#endif
