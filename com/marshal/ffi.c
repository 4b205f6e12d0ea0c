/* Types as libffi sees them, and vtables of thunks and closures. */
#include "com/marshal/plan.h"
#include "com/marshal/thunks.h"
#include "core/os/thread.h"
#include "core/util/error.h"

#include <stddef.h>
#include <stdlib.h>

static ffi_type *scalar_type(uint8_t kind)
{
    switch (kind) {
    case VIA_TYPE_I8:
        return &ffi_type_sint8;
    case VIA_TYPE_U8:
        return &ffi_type_uint8;
    case VIA_TYPE_I16:
    case VIA_TYPE_BOOL:
        return &ffi_type_sint16;
    case VIA_TYPE_U16:
    case VIA_TYPE_WCHAR:
        return &ffi_type_uint16;
    case VIA_TYPE_I32:
    case VIA_TYPE_ENUM:
    case VIA_TYPE_HRESULT:
        return &ffi_type_sint32;
    case VIA_TYPE_U32:
        return &ffi_type_uint32;
    case VIA_TYPE_I64:
    case VIA_TYPE_CY: /* a union of 8 bytes, which both ABIs pass as such a number */
        return &ffi_type_sint64;
    case VIA_TYPE_U64:
        return &ffi_type_uint64;
    case VIA_TYPE_F32:
        return &ffi_type_float;
    case VIA_TYPE_F64:
    case VIA_TYPE_DATE:
        return &ffi_type_double;
    default:
        return NULL;
    }
}

/* Fixed arrays in a struct are so many elements in a row. */
static size_t count_elements(const struct plan_type *type)
{
    size_t n = 1;
    for (; type->kind == VIA_TYPE_ARRAY; type = type->element)
        n *= type->count;
    return n;
}

static ffi_type *make_struct(size_t n_elements)
{
    ffi_type *type = calloc(1, sizeof(*type));
    if (!type)
        return NULL;
    type->type = FFI_TYPE_STRUCT;
    type->elements = calloc(n_elements + 1, sizeof(ffi_type *));
    if (!type->elements) {
        free(type);
        return NULL;
    }
    return type;
}

static ffi_type *guid_type(void)
{
    static ffi_type *elements[] = {&ffi_type_uint32, &ffi_type_uint16, &ffi_type_uint16,
                                   &ffi_type_uint8,  &ffi_type_uint8,  &ffi_type_uint8,
                                   &ffi_type_uint8,  &ffi_type_uint8,  &ffi_type_uint8,
                                   &ffi_type_uint8,  &ffi_type_uint8,  NULL};
    /* libffi fills in size and alignment: a fresh one each time, since threads prepare at once. */
    ffi_type *type = calloc(1, sizeof(*type));
    if (type) {
        type->type = FFI_TYPE_STRUCT;
        type->elements = elements;
    }
    return type;
}

/* DECIMAL and VARIANT: to both ABIs so many words. */
static ffi_type *words_type(uint32_t size)
{
    ffi_type *self = make_struct(size / sizeof(uint64_t));
    for (uint32_t i = 0; self && i < size / sizeof(uint64_t); i++)
        self->elements[i] = &ffi_type_uint64;
    return self;
}

/* --- unions, and structs with unions in them: libffi has none of those --- */

static bool has_union(const struct plan_type *type)
{
    while (type->kind == VIA_TYPE_ARRAY)
        type = type->element;
    bool is_there = type->kind == VIA_TYPE_UNION;
    for (uint16_t i = 0; type->kind == VIA_TYPE_STRUCT && i < type->record->n_fields; i++)
        is_there |= has_union(type->record->fields[i].type);
    return is_there;
}

/* A struct of at most two words is passed in registers, on the System V ABI: of each word, in one
 * for reals if nothing else is in it. */
#define MAX_PIECES 2

/* Marks the words in which something lies that is no real number. */
static void mark_integers(const struct plan_type *type, uint32_t at, bool is_integer[MAX_PIECES])
{
    bool is_real =
        type->kind == VIA_TYPE_F32 || type->kind == VIA_TYPE_F64 || type->kind == VIA_TYPE_DATE;
    if (type->kind == VIA_TYPE_ARRAY) {
        for (uint32_t i = 0; i < type->count; i++)
            mark_integers(type->element, at + i * type->element->size, is_integer);
    } else if (type->kind == VIA_TYPE_STRUCT) {
        for (uint16_t i = 0; i < type->record->n_fields; i++)
            mark_integers(type->record->fields[i].type, at + type->record->fields[i].offset,
                          is_integer);
    } else if (type->kind == VIA_TYPE_UNION) {
        for (uint16_t i = 0; i < type->choice->n_arms; i++)
            if (type->choice->arms[i].type)
                mark_integers(type->choice->arms[i].type, at, is_integer);
    } else if (!is_real) {
        for (uint32_t byte = at; byte < at + type->size; byte++)
            is_integer[byte / sizeof(uint64_t)] = true;
    }
}

static ffi_type *unit_type(uint32_t size)
{
    switch (size) {
    case 1:
        return &ffi_type_uint8;
    case 2:
        return &ffi_type_uint16;
    case 4:
        return &ffi_type_uint32;
    default:
        return &ffi_type_uint64;
    }
}

/* A struct of numbers that is passed as the type is. */
static ffi_type *opaque_type(const struct plan_type *type)
{
    bool is_integer[MAX_PIECES] = {true, true};
    uint32_t unit = type->alignment;
    uint32_t n = type->size / unit;
    ffi_type *self = make_struct(n);
    if (!self)
        return NULL;
    if (type->size <= MAX_PIECES * sizeof(uint64_t)) {
        is_integer[0] = is_integer[1] = false;
        mark_integers(type, 0, is_integer);
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t word = i * unit / (uint32_t)sizeof(uint64_t);
        bool is_real = word < MAX_PIECES && !is_integer[word];
        if (is_real)
            self->elements[i] = unit == sizeof(float) ? &ffi_type_float : &ffi_type_double;
        else
            self->elements[i] = unit_type(unit);
    }
    return self;
}

static ffi_type *struct_type(const struct plan_struct *record)
{
    size_t n = 0;
    for (uint16_t i = 0; i < record->n_fields; i++)
        n += count_elements(record->fields[i].type);
    ffi_type *self = make_struct(n);
    if (!self)
        return NULL;
    size_t at = 0;
    for (uint16_t i = 0; i < record->n_fields; i++) {
        const struct plan_type *field = record->fields[i].type;
        size_t count = count_elements(field);
        while (field->kind == VIA_TYPE_ARRAY)
            field = field->element;
        ffi_type *element = plan_ffi_type(field);
        for (size_t j = 0; j < count; j++)
            self->elements[at++] = element;
        if (!element)
            return NULL; /* what was made stays: types live as long as the process */
    }
    return self;
}

ffi_type *plan_ffi_type(const struct plan_type *type)
{
    if (type->kind == VIA_TYPE_GUID)
        return guid_type();
    if (has_union(type))
        return opaque_type(type);
    if (type->kind == VIA_TYPE_STRUCT)
        return struct_type(type->record);
    if (type->kind == VIA_TYPE_DECIMAL || type->kind == VIA_TYPE_VARIANT)
        return words_type(type->size);
    if (type->kind == VIA_TYPE_HANDLE && type->size == sizeof(int))
        return &ffi_type_sint;
    ffi_type *scalar = scalar_type(type->kind);
    return scalar ? scalar : &ffi_type_pointer;
}

/* --- vtables --- */

static void on_call(ffi_cif *cif, void *result, void **arguments, void *user)
{
    const struct plan_slot *slot = user;
    (void)cif;
    *(ffi_sarg *)result = slot->call(*(void **)arguments[0], slot->method, arguments + 1);
}

HRESULT thunk_arrive(void *pointer, unsigned slot, uintptr_t *words)
{
    const char *entries = *(const char *const *)pointer;
    const struct plan_vtable *vtable =
        (const void *)(entries - offsetof(struct plan_vtable, entries));
    const struct plan_slot *self = &vtable->slots[slot];
    void *arguments[PLAN_MAX_WORDS];
    for (uint16_t i = 0; i < self->method->n_params; i++)
        arguments[i] = &words[i]; /* little-endian: narrow numbers are in front */
    return self->call(pointer, self->method, arguments);
}

static const void *make_closure(struct plan_slot *slot)
{
    void *code = NULL;
    slot->closure = ffi_closure_alloc(sizeof(ffi_closure), &code);
    if (!slot->closure)
        return NULL;
    ffi_status status =
        ffi_prep_closure_loc(slot->closure, (ffi_cif *)&slot->method->cif, on_call, slot, code);
    return status == FFI_OK ? code : NULL;
}

static const void *make_function(struct plan_slot *slot)
{
    const struct marshal_method *method = slot->method;
    const void *code = method->is_words ? thunk_find(method->slot, method->n_params) : NULL;
    return code ? code : make_closure(slot);
}

static const void *make_entry(const struct marshal_interface *itf, struct plan_vtable *vtable,
                              unsigned i)
{
    const struct marshal_method *method = marshal_interface_method(itf, i);
    if (i < 3)
        return vtable->kind->unknown[i];
    if (!method)
        return (vtable->kind->dispatch ? vtable->kind->dispatch : plan_dispatch_slots)[i - 3];
    vtable->slots[i] = (struct plan_slot){method, vtable->kind->call, NULL};
    return make_function(&vtable->slots[i]);
}

static void free_vtable(struct plan_vtable *vtable, unsigned n)
{
    for (unsigned i = 0; vtable->slots && i < n; i++)
        if (vtable->slots[i].closure)
            ffi_closure_free(vtable->slots[i].closure);
    free(vtable->slots);
    free(vtable);
}

static struct plan_vtable *make_vtable(const struct marshal_interface *itf,
                                       const struct marshal_vtable_kind *kind)
{
    struct plan_vtable *vtable = calloc(1, sizeof(*vtable) + itf->n_slots * sizeof(void *));
    if (!vtable)
        return NULL;
    vtable->kind = kind;
    vtable->slots = calloc(itf->n_slots, sizeof(*vtable->slots));
    bool is_whole = vtable->slots != NULL;
    for (unsigned i = 0; is_whole && i < itf->n_slots; i++) {
        vtable->entries[i] = make_entry(itf, vtable, i);
        is_whole = vtable->entries[i] != NULL;
    }
    if (is_whole)
        return vtable;
    free_vtable(vtable, itf->n_slots);
    return NULL;
}

static struct plan_vtable *find_vtable(const struct marshal_interface *itf,
                                       const struct marshal_vtable_kind *kind)
{
    struct plan_vtable *vtable = atomic_load_explicit(&itf->vtables, memory_order_acquire);
    while (vtable && vtable->kind != kind)
        vtable = vtable->next;
    return vtable;
}

const void *const *marshal_interface_vtable(const struct marshal_interface *itf,
                                            const struct marshal_vtable_kind *kind)
{
    static struct os_mutex lock = OS_MUTEX_INITIALIZER; /* who may add */
    struct marshal_interface *self = (struct marshal_interface *)itf;
    struct plan_vtable *vtable = find_vtable(itf, kind);
    if (vtable)
        return vtable->entries;
    os_mutex_lock(&lock);
    vtable = find_vtable(itf, kind);
    if (!vtable && (vtable = make_vtable(itf, kind))) {
        vtable->next = atomic_load_explicit(&self->vtables, memory_order_relaxed);
        atomic_store_explicit(&self->vtables, vtable, memory_order_release);
    }
    os_mutex_unlock(&lock);
    if (vtable)
        return vtable->entries;
    error_set(E_OUTOFMEMORY, "no memory for a vtable, or the system allows no closures");
    return NULL;
}
