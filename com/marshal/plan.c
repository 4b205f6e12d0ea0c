/*
 * Preparing interfaces. A prepared interface lives as long as the process, like the catalogue's
 * libraries; the table of them is behind one lock, which no call takes.
 */
#include "com/marshal/plan.h"
#include "com/abi/guid.h"
#include "com/marshal/fixed.h"
#include "com/marshal/invocation.h"
#include "core/os/thread.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "core/util/map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_LIST_TEXT 700

static struct os_mutex lock = OS_MUTEX_INITIALIZER;
static struct map interfaces; /* IID -> struct marshal_interface; under lock */
static bool is_ready;         /* under lock */
/* Not found any more, but used by calls and proxies; under lock. */
static struct marshal_interface *outdated;

/* As the ABIs want arguments: Win64 has structs of more than a word at multiples of 16. */
static uint32_t place(const struct plan_type *type, uint32_t at)
{
    uint32_t alignment = type->size > 8 ? 16 : 8;
    return (at + alignment - 1) & ~(alignment - 1);
}

static enum plan_word word_of(const struct plan_param *plan)
{
    if (plan->is_by_ref)
        return PLAN_WORD_WHOLE;
    switch (plan->type->kind) {
    case VIA_TYPE_I8:
        return PLAN_WORD_I8;
    case VIA_TYPE_U8:
        return PLAN_WORD_U8;
    case VIA_TYPE_I16:
    case VIA_TYPE_BOOL:
        return PLAN_WORD_I16;
    case VIA_TYPE_U16:
    case VIA_TYPE_WCHAR:
        return PLAN_WORD_U16;
    case VIA_TYPE_I32:
    case VIA_TYPE_ENUM:
    case VIA_TYPE_HRESULT:
        return PLAN_WORD_I32;
    case VIA_TYPE_U32:
        return PLAN_WORD_U32;
    case VIA_TYPE_F32:
    case VIA_TYPE_F64:
    case VIA_TYPE_GUID:
    case VIA_TYPE_STRUCT:
    case VIA_TYPE_UNION:
    case VIA_TYPE_DATE:
    case VIA_TYPE_DECIMAL:
    case VIA_TYPE_VARIANT:
        return PLAN_WORD_NONE;
    case VIA_TYPE_HANDLE:
        return plan->type->size == sizeof(int32_t) ? PLAN_WORD_I32 : PLAN_WORD_WHOLE;
    default: /* 64-bit integers, and what is a pointer */
        return plan->type->size == sizeof(uintptr_t) ? PLAN_WORD_WHOLE : PLAN_WORD_NONE;
    }
}

static void mark_operands(struct marshal_method *self, const struct via_expression *all,
                          uint16_t index)
{
    if (all[index].op == VIA_OPERATOR_PARAM) {
        self->params[all[index].left].is_needed = true;
    } else if (all[index].op >= VIA_OPERATOR_ADD) {
        mark_operands(self, all, all[index].left);
        mark_operands(self, all, all[index].right);
    }
}

static void mark_one(struct marshal_method *self, const struct plan_type *type, uint8_t from,
                     uint16_t index)
{
    if (from == VIA_SIZE_PARAM)
        self->params[index].is_needed = true;
    else if (from == VIA_SIZE_EXPRESSION)
        mark_operands(self, type->expressions, index);
}

/* The parameters by which this one is made and read. Those that count an array alone can be filled
 * in by name. */
static void mark_needed(struct marshal_method *self, const struct plan_param *plan)
{
    const struct plan_type *type = plan->type;
    for (const struct plan_type *part = type; part; part = part->element) {
        if (part->kind == VIA_TYPE_SAFEARRAY)
            break;
        mark_one(self, part, part->size_from, part->size_index);
        mark_one(self, part, part->length_from, part->length_index);
    }
    if (type->kind == VIA_TYPE_SIZED && type->size_from == VIA_SIZE_PARAM) {
        self->params[type->size_index].is_size_of_in |= plan->is_in;
        self->params[type->size_index].is_size_of_out |= plan->is_out;
    }
    if (type->length_from == VIA_SIZE_PARAM) {
        self->params[type->length_index].is_size_of_in |= plan->is_in;
        self->params[type->length_index].is_size_of_out |= plan->is_out;
    }
}

static void prepare_param(struct marshal_method *self, const struct plan_type *types,
                          uint16_t index)
{
    struct plan_param *plan = &self->params[index];
    const struct via_param *param = &self->method->params[index];
    plan->param = param;
    plan->type = &types[param->type];
    plan->is_in = param->flags & VIA_PARAM_IN;
    plan->is_out = param->flags & VIA_PARAM_OUT;
    plan->is_by_ref = param->flags & VIA_PARAM_BY_REF;
    plan->is_nullable = param->flags & VIA_PARAM_NULLABLE;
    plan->is_buffer = plan->is_out && !plan->is_by_ref;
    plan->is_lendable = plan->type->kind == VIA_TYPE_SIZED &&
                        plan->type->length_from == VIA_SIZE_NONE && !plan->is_by_ref &&
                        !plan->is_out && plan->type->element->is_verbatim;
    plan->is_in_place = param->flags & VIA_PARAM_IN_PLACE;
    plan->storage = place(plan->type, self->storage_size);
    self->storage_size = plan->storage + plan->type->size;
    self->is_plain &= plan->type->is_plain;
    plan->word = word_of(plan);
    self->is_words &= plan->word != PLAN_WORD_NONE;
    mark_needed(self, plan);
}

static const char *property_prefix(const struct via_method *method)
{
    if (method->flags & VIA_METHOD_PROPGET)
        return "get_";
    if (method->flags & VIA_METHOD_PROPPUT)
        return "put_";
    return method->flags & VIA_METHOD_PROPPUTREF ? "putref_" : "";
}

/* NULL without memory. */
static const char *make_full_name(const struct via_method *method)
{
    const char *prefix = property_prefix(method);
    size_t size = strlen(prefix) + strlen(method->name) + 1;
    char *name = *prefix ? malloc(size) : NULL;
    if (name)
        snprintf(name, size, "%s%s", prefix, method->name);
    return *prefix ? name : method->name;
}

static HRESULT prepare_method(struct marshal_method *self, const struct typelib_method *source)
{
    self->lib = source->lib;
    self->owner = source->owner;
    self->method = source->method;
    self->slot = source->slot;
    self->n_params = source->method->n_params;
    self->is_plain = true;
    self->is_words = self->n_params <= PLAN_MAX_WORDS;
    self->params = calloc((size_t)self->n_params + 1, sizeof(*self->params));
    self->ffi_types = calloc((size_t)self->n_params + 1, sizeof(ffi_type *));
    const struct plan_type *types = plan_types(self->lib);
    self->full_name = make_full_name(self->method);
    if (!self->params || !self->ffi_types || !types || !self->full_name)
        return E_OUTOFMEMORY;
    self->ffi_types[0] = &ffi_type_pointer;
    for (uint16_t i = 0; i < self->n_params; i++) {
        prepare_param(self, types, i);
        self->ffi_types[i + 1] =
            self->params[i].is_by_ref ? &ffi_type_pointer : plan_ffi_type(self->params[i].type);
        if (!self->ffi_types[i + 1])
            return E_OUTOFMEMORY;
    }
    self->storage_at = invocation_storage_at(self->n_params);
    HRESULT hr = fixed_prepare(&self->in, self, false);
    if (SUCCEEDED(hr))
        hr = fixed_prepare(&self->out, self, true);
    if (FAILED(hr))
        return hr;
    ffi_status status = ffi_prep_cif(&self->cif, FFI_DEFAULT_ABI, self->n_params + 1u,
                                     &ffi_type_sint32, self->ffi_types);
    return status == FFI_OK ? S_OK : E_UNEXPECTED;
}

static void free_interface(struct marshal_interface *self, size_t n_methods)
{
    for (size_t i = 0; self->methods && i < n_methods; i++) {
        struct marshal_method *method = &self->methods[i];
        if (method->method && method->full_name != method->method->name)
            free((char *)method->full_name);
        free(method->params);
        free(method->ffi_types);
        free(method->in.steps);
        free(method->out.steps);
    }
    free(self->methods);
    free(self);
}

static HRESULT prepare(const GUID *iid, struct marshal_interface **out)
{
    const struct via_typelib *lib;
    struct typelib_method *methods = NULL;
    size_t n_methods = 0;
    uint16_t index;
    uint16_t first_slot;
    HRESULT hr = typelib_catalog_find(iid, &lib, &index);
    if (SUCCEEDED(hr))
        hr = typelib_first_slot(lib, index, &first_slot);
    if (SUCCEEDED(hr))
        hr = typelib_methods(lib, index, &methods, &n_methods);
    if (FAILED(hr))
        return hr;
    struct marshal_interface *self = calloc(1, sizeof(*self));
    if (self)
        self->methods = calloc(n_methods + 1, sizeof(*self->methods));
    hr = self && self->methods ? typelib_hash(lib, index, self->hash) : E_OUTOFMEMORY;
    for (size_t i = 0; i < n_methods && SUCCEEDED(hr); i++) {
        self->methods[i].of = self;
        hr = prepare_method(&self->methods[i], &methods[i]);
    }
    if (SUCCEEDED(hr)) {
        self->iid = *iid;
        self->lib = lib;
        self->first_slot = n_methods ? methods[0].slot : first_slot;
        self->n_methods = (uint16_t)n_methods;
        self->is_dispinterface = lib->interfaces[index].flags & VIA_INTERFACE_DISPINTERFACE;
        self->n_slots =
            (uint16_t)(self->first_slot + (self->is_dispinterface ? 0 : self->n_methods));
        *out = self;
    } else {
        error_set(hr, "interface %s cannot be prepared for calls", lib->interfaces[index].name);
        if (self)
            free_interface(self, n_methods);
    }
    free(methods);
    return hr;
}

void marshal_interfaces_renew(const struct via_typelib *lib)
{
    os_mutex_lock(&lock);
    for (uint16_t i = 0; is_ready && i < lib->n_interfaces; i++) {
        const struct map_key key = map_key_bytes(&lib->interfaces[i].iid);
        struct marshal_interface *old = map_get(&interfaces, key);
        const struct via_typelib *current;
        uint16_t index;
        if (!old || FAILED(typelib_catalog_find(&old->iid, &current, &index)) ||
            current == old->lib)
            continue;
        map_remove(&interfaces, key);
        atomic_store_explicit(&old->is_outdated, true, memory_order_release);
        old->next_outdated = outdated;
        outdated = old;
    }
    os_mutex_unlock(&lock);
}

bool marshal_interface_is_outdated(const struct marshal_interface *itf)
{
    return atomic_load_explicit(&((struct marshal_interface *)itf)->is_outdated,
                                memory_order_relaxed);
}

const struct marshal_interface *marshal_interface_find(const GUID *iid)
{
    os_mutex_lock(&lock);
    if (!is_ready) {
        map_init(&interfaces);
        is_ready = true;
    }
    struct marshal_interface *found = map_get(&interfaces, map_key_bytes(iid));
    if (!found && SUCCEEDED(prepare(iid, &found)) &&
        FAILED(map_set(&interfaces, map_key_bytes(iid), found))) {
        free_interface(found, found->n_methods);
        found = NULL;
    }
    os_mutex_unlock(&lock);
    return found;
}

const GUID *marshal_interface_iid(const struct marshal_interface *itf)
{
    return &itf->iid;
}

const uint8_t *marshal_interface_hash(const struct marshal_interface *itf)
{
    return itf->hash;
}

const struct marshal_method *marshal_interface_method(const struct marshal_interface *itf,
                                                      unsigned slot)
{
    if (slot < itf->first_slot || slot >= itf->n_slots)
        return NULL;
    return &itf->methods[slot - itf->first_slot];
}

bool marshal_interface_is_dispinterface(const struct marshal_interface *itf)
{
    return itf->is_dispinterface;
}

bool marshal_interface_has_base(const struct marshal_interface *itf, const GUID *iid)
{
    uint16_t index = typelib_find_interface(itf->lib, &itf->iid);
    return typelib_has_base(itf->lib, index, iid);
}

/* "get_Value" for the getter of a property, and plain "Value" for it too. */
static bool has_name(const struct marshal_method *method, const char *name)
{
    bool is_getter = method->method->flags & VIA_METHOD_PROPGET;
    return !strcasecmp(name, method->full_name) ||
           (is_getter && !strcasecmp(name, method->method->name));
}

const struct marshal_method *marshal_interface_method_named(const struct marshal_interface *itf,
                                                            const char *name)
{
    size_t n = itf->n_methods;
    for (size_t i = 0; i < n; i++)
        if (has_name(&itf->methods[i], name))
            return &itf->methods[i];
    struct buffer list;
    buffer_init(&list, MAX_LIST_TEXT);
    for (size_t i = 0; i < n; i++) {
        const struct marshal_method *method = &itf->methods[i];
        bool is_getter = method->method->flags & VIA_METHOD_PROPGET;
        buffer_print(&list, "%s%s", i ? ", " : "",
                     is_getter ? method->method->name : method->full_name);
    }
    char *text = buffer_take_text(&list);
    uint16_t index = typelib_find_interface(itf->lib, &itf->iid);
    error_set(DISP_E_UNKNOWNNAME, "interface %s has no method %s; it has %s",
              itf->lib->interfaces[index].name, name, text ? text : "others");
    free(text);
    buffer_deinit(&list);
    return NULL;
}

const char *marshal_method_name(const struct marshal_method *method)
{
    return method->method->name;
}

const struct marshal_interface *marshal_method_interface(const struct marshal_method *method)
{
    return method->of;
}

uint16_t marshal_method_slot(const struct marshal_method *method)
{
    return method->slot;
}

const GUID *marshal_method_iid(const struct marshal_method *method)
{
    return &method->of->iid;
}

bool marshal_method_is_of(const struct marshal_method *method, const GUID *iid)
{
    return IsEqualGUID(&method->of->iid, iid) || marshal_interface_has_base(method->of, iid);
}

bool marshal_method_is_oneway(const struct marshal_method *method)
{
    return method->method->flags & VIA_METHOD_ONEWAY;
}

static bool is_count(const struct plan_param *param)
{
    return param->is_in && !param->is_out && !param->is_by_ref && param->type->kind == VIA_TYPE_U32;
}

static bool is_result(const struct plan_param *param, uint8_t kind)
{
    return param->is_out && !param->is_in && param->is_by_ref && param->type->kind == kind;
}

static bool is_next(const struct marshal_method *method)
{
    const struct plan_param *params = method->params;
    return method->n_params == 3 && is_count(&params[0]) && params[1].is_buffer &&
           !params[1].is_in && params[1].type->size_from == VIA_SIZE_PARAM &&
           params[1].type->size_index == 0 && is_result(&params[2], VIA_TYPE_U32);
}

bool marshal_interface_is_enumerator(const struct marshal_interface *itf)
{
    static const char *const names[] = {"Next", "Skip", "Reset", "Clone"};
    if (itf->first_slot != 3 || itf->n_slots != 7)
        return false;
    for (unsigned i = 0; i < 4; i++)
        if (strcmp(itf->methods[i].full_name, names[i]) != 0)
            return false;
    const struct marshal_method *m = itf->methods;
    return is_next(&m[0]) && m[1].n_params == 1 && is_count(&m[1].params[0]) &&
           m[2].n_params == 0 && m[3].n_params == 1 &&
           is_result(&m[3].params[0], VIA_TYPE_INTERFACE);
}

bool marshal_method_has_results(const struct marshal_method *method)
{
    for (uint16_t i = 0; i < method->n_params; i++)
        if (method->params[i].is_out)
            return true;
    return false;
}
