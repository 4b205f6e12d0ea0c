/* Types as libffi sees them, and vtables of closures. */
#include "com/marshal/plan.h"
#include "core/os/thread.h"
#include "core/util/error.h"

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
        return &ffi_type_sint64;
    case VIA_TYPE_U64:
        return &ffi_type_uint64;
    case VIA_TYPE_F32:
        return &ffi_type_float;
    case VIA_TYPE_F64:
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
    if (type->kind == VIA_TYPE_STRUCT)
        return struct_type(type->record);
    ffi_type *scalar = scalar_type(type->kind);
    return scalar ? scalar : &ffi_type_pointer;
}

/* --- closures
 * ------------------------------------------------------------------------------------- */

static void on_call(ffi_cif *cif, void *result, void **arguments, void *user)
{
    const struct plan_slot *slot = user;
    (void)cif;
    *(ffi_sarg *)result = slot->call(*(void **)arguments[0], slot->method, arguments + 1);
}

static HRESULT STDMETHODCALLTYPE not_dispatched(void *self)
{
    (void)self;
    return E_NOTIMPL;
}

static void *make_closure(struct plan_slot *slot, const struct marshal_method *method,
                          marshal_call call)
{
    void *code = NULL;
    *slot = (struct plan_slot){method, call, ffi_closure_alloc(sizeof(ffi_closure), &code)};
    if (!slot->closure)
        return NULL;
    ffi_status status =
        ffi_prep_closure_loc(slot->closure, (ffi_cif *)&method->cif, on_call, slot, code);
    return status == FFI_OK ? code : NULL;
}

static void free_slots(struct plan_slot *slots, unsigned n)
{
    for (unsigned i = 0; slots && i < n; i++)
        if (slots[i].closure)
            ffi_closure_free(slots[i].closure);
    free(slots);
}

static const void **make_vtable(struct marshal_interface *itf, const void *const unknown[3],
                                marshal_call call)
{
    const void **vtable = calloc(itf->n_slots, sizeof(void *));
    struct plan_slot *slots = calloc(itf->n_slots, sizeof(*slots));
    bool is_whole = vtable && slots;
    for (unsigned i = 0; is_whole && i < itf->n_slots; i++) {
        const struct marshal_method *method = marshal_interface_method(itf, i);
        if (i < 3)
            vtable[i] = unknown[i];
        else if (!method)
            vtable[i] = (const void *)(uintptr_t)not_dispatched;
        else
            vtable[i] = make_closure(&slots[i], method, call);
        is_whole = vtable[i] != NULL;
    }
    if (!is_whole) {
        free_slots(slots, itf->n_slots);
        free(vtable);
        return NULL;
    }
    itf->slots = slots;
    return vtable;
}

const void *const *marshal_interface_vtable(const struct marshal_interface *itf,
                                            const void *const unknown[3], marshal_call call)
{
    static struct os_mutex lock = OS_MUTEX_INITIALIZER;
    struct marshal_interface *self = (struct marshal_interface *)itf;
    const void *const *vtable = atomic_load_explicit(&self->vtable, memory_order_acquire);
    if (vtable)
        return vtable;
    os_mutex_lock(&lock);
    vtable = atomic_load_explicit(&self->vtable, memory_order_relaxed);
    if (!vtable) {
        vtable = make_vtable(self, unknown, call);
        atomic_store_explicit(&self->vtable, vtable, memory_order_release);
    }
    os_mutex_unlock(&lock);
    if (!vtable)
        error_set(E_OUTOFMEMORY,
                  "no memory for a proxy's vtable, or the system allows no closures");
    return vtable;
}
