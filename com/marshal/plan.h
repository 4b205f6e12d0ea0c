/*
 * The prepared form of interfaces and methods: what com/marshal knows before the first call and
 * never computes again.
 */
#ifndef COM_MARSHAL_PLAN_H
#define COM_MARSHAL_PLAN_H

#include "com/marshal/marshal.h"
#include "com/marshal/types.h"

#include <ffi.h>
#include <stdatomic.h>

/* Methods with at most so many parameters, each of which is one word, need no libffi. */
#define PLAN_MAX_WORDS 6

/* How an argument is made a word, as integers and pointers are passed. */
enum plan_word {
    PLAN_WORD_NONE, /* it is passed in another way */
    PLAN_WORD_I8,
    PLAN_WORD_U8,
    PLAN_WORD_I16,
    PLAN_WORD_U16,
    PLAN_WORD_I32,
    PLAN_WORD_U32,
    PLAN_WORD_WHOLE
};

/* What a native argument is made of, besides its type. */
struct plan_param {
    const struct via_param *param;
    const struct plan_type *type;
    uint32_t storage; /* where the value's storage is in an invocation's */
    enum plan_word word;
    bool is_in;
    bool is_out;
    bool is_by_ref;
    bool is_nullable;    /* by reference, and the pointer may be NULL */
    bool is_buffer;      /* [out], size_is, in the caller's memory */
    bool is_lendable;    /* [in], size_is, and its bytes are its values: may be passed beside the
                            payload, and left where they are */
    bool is_in_place;    /* where they can change, too */
    bool is_needed;      /* others are made and read by it: a size, a discriminant, an IID */
    bool is_size_of_in;  /* counts the elements of an [in] array: can be filled in by name */
    bool is_size_of_out; /* the same of an [out] array */
};

/* One copy between a payload of a fixed form and the value of a parameter. */
struct plan_step {
    uint16_t param;
    bool is_bool; /* a VARIANT_BOOL, which is made 0 or -1, and must be; else any bytes are right */
    uint32_t size;
    uint32_t value;   /* where in the parameter's value */
    uint32_t storage; /* where in an invocation's storage */
    uint32_t payload; /* where in the payload */
};

/* What goes one way, where every parameter has a fixed size: no counts, no strings, no pointers. */
struct plan_form {
    bool is_fixed;
    bool has_holes; /* bytes of the payload that no step writes, for alignment */
    uint16_t n_steps;
    uint32_t size; /* of the payload */
    struct plan_step *steps;
};

struct marshal_method {
    const struct marshal_interface *of; /* the interface */
    const struct via_typelib *lib;
    const struct via_interface *owner;
    const struct via_method *method;
    const char *full_name; /* as in the header: "get_Level"; heap memory where it is not the name */
    uint16_t slot;
    uint16_t n_params;
    uint32_t storage_size; /* of the values of all parameters */
    uint32_t storage_at;   /* in an invocation's block */
    bool is_plain;         /* no parameter has pointers in it */
    bool is_words;         /* at most PLAN_MAX_WORDS parameters, all of them words */
    struct plan_param *params;
    struct plan_form in;
    struct plan_form out;
    ffi_type **ffi_types; /* n_params + 1: `This` first */
    ffi_cif cif;
};

struct plan_slot {
    const struct marshal_method *method;
    marshal_call call;
    ffi_closure *closure; /* NULL: a thunk does */
};

struct plan_vtable {
    const struct marshal_vtable_kind *kind;
    struct plan_vtable *next;
    struct plan_slot *slots; /* what the functions in the entries want to know */
    const void *entries[];   /* the vtable itself */
};

struct marshal_interface {
    GUID iid;
    uint8_t hash[MARSHAL_HASH_SIZE];
    const struct via_typelib *lib;
    atomic_bool is_outdated;                 /* a registered description has replaced it */
    struct marshal_interface *next_outdated; /* under the lock of plan.c */
    uint16_t n_slots;
    uint16_t first_slot; /* of methods[0]; of a dispinterface the one behind the last */
    uint16_t n_methods;
    bool is_dispinterface; /* its methods have no slots */
    struct marshal_method *methods;
    _Atomic(struct plan_vtable *) vtables; /* one of each kind; only ever added to */
};

/* ffi.c: the libffi description of a parameter passed by value; lives as long as the process. NULL
 * without memory. */
ffi_type *plan_ffi_type(const struct plan_type *type);

/* dispatch.c: slots 3 to 6 of interfaces that derive from IDispatch, where the kind has none. */
extern const void *const plan_dispatch_slots[4];

#endif
