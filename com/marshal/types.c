#include "com/marshal/types.h"
#include "com/marshal/record_info.h"
#include "com/typelib/builtin.h"
#include "core/os/thread.h"
#include "core/util/map.h"

#include <stdlib.h>

struct library {
    const struct via_typelib *lib;
    struct plan_type *types;
    struct plan_struct *structs;
    struct plan_union *unions;
};

static struct os_mutex lock = OS_MUTEX_INITIALIZER;
static struct map libraries; /* address -> struct library; under lock */
static bool is_ready;        /* under lock */

static void resolve(struct library *self, uint16_t index);

static uint32_t round_up(uint32_t value, uint32_t alignment)
{
    return (value + alignment - 1) / alignment * alignment;
}

static bool is_plain(uint8_t kind)
{
    return kind <= VIA_TYPE_GUID || (kind >= VIA_TYPE_CY && kind <= VIA_TYPE_DECIMAL);
}

static void resolve_simple(struct library *self, uint16_t index)
{
    struct plan_type *type = &self->types[index];
    struct typelib_layout layout = typelib_layout(self->lib, index);
    type->is_plain = is_plain(type->kind);
    type->is_verbatim =
        type->is_plain && type->kind != VIA_TYPE_BOOL && type->kind != VIA_TYPE_DECIMAL;
    type->size = layout.size;
    type->alignment = (uint8_t)layout.alignment;
    /* A pointer is a count, an index or a mark there, a VARIANT begins with its type. */
    type->wire_minimum = type->is_plain ? layout.size : 4;
    type->wire_alignment = type->is_plain ? type->alignment : 4;
}

static void resolve_array(struct plan_type *type)
{
    const struct plan_type *element = type->element;
    bool is_counted = type->length_from != VIA_SIZE_NONE;
    type->is_plain = element->is_plain;
    type->is_verbatim = element->is_verbatim && !is_counted;
    type->size = type->count * element->size;
    type->alignment = element->alignment;
    type->wire_minimum = is_counted ? 4 : type->count * element->wire_minimum;
    type->wire_alignment = is_counted ? 4 : element->wire_alignment;
}

/* Its payload begins with the discriminant, of 32 bits. */
static void resolve_union(struct library *self, struct plan_type *type, uint16_t index)
{
    const struct via_union *source = &self->lib->unions[index];
    type->choice = &self->unions[index];
    type->is_plain = true;
    type->wire_minimum = 4;
    type->wire_alignment = 4;
    type->alignment = 1;
    for (uint16_t i = 0; i < source->n_arms; i++) {
        if (source->arms[i].type == VIA_NO_INDEX)
            continue;
        resolve(self, source->arms[i].type);
        const struct plan_type *arm = &self->types[source->arms[i].type];
        type->is_plain &= arm->is_plain;
        if (arm->size > type->size)
            type->size = arm->size;
        if (arm->alignment > type->alignment)
            type->alignment = arm->alignment;
    }
    type->size = round_up(type->size, type->alignment);
}

static void add_field(struct plan_type *all, struct plan_field *field)
{
    const struct plan_type *type = field->type;
    field->offset = round_up(all->size, type->alignment);
    /* A hole in the native struct is not on the wire as it is. */
    all->is_verbatim &= type->is_verbatim && field->offset == all->size;
    all->is_plain &= type->is_plain;
    all->size = field->offset + type->size;
    all->wire_minimum += type->wire_minimum;
    if (type->alignment > all->alignment)
        all->alignment = type->alignment;
    if (type->wire_alignment > all->wire_alignment)
        all->wire_alignment = type->wire_alignment;
}

static void mark_size(struct plan_struct *record, uint8_t from, uint16_t index)
{
    if (from != VIA_SIZE_FIELD)
        return;
    struct plan_field *size = &record->fields[index];
    size->is_needed = true;
    if (size->is_size)
        return;
    size->is_size = true;
    size->size_slot = record->n_sizes++;
}

static void mark_operands(const struct via_typelib *lib, struct plan_struct *record, uint16_t index)
{
    const struct via_expression *self = &lib->expressions[index];
    if (self->op == VIA_OPERATOR_FIELD) {
        record->fields[self->left].is_needed = true;
    } else if (self->op >= VIA_OPERATOR_ADD) {
        mark_operands(lib, record, self->left);
        mark_operands(lib, record, self->right);
    }
}

/* Marks the fields that count arrays, of which a field may be several within each other, and those
 * that say what others are. */
static void mark_needed(const struct via_typelib *lib, struct plan_struct *record,
                        const struct via_type *type)
{
    for (;; type = &lib->types[type->element]) {
        record->has_needs |= type->size_from != VIA_SIZE_NONE || type->length_from != VIA_SIZE_NONE;
        if (type->kind == VIA_TYPE_SIZED)
            mark_size(record, type->size_from, type->size_index);
        else if (type->size_from == VIA_SIZE_FIELD)
            record->fields[type->size_index].is_needed = true;
        mark_size(record, type->length_from, type->length_index);
        if (type->size_from == VIA_SIZE_EXPRESSION)
            mark_operands(lib, record, type->size_index);
        if (type->length_from == VIA_SIZE_EXPRESSION)
            mark_operands(lib, record, type->length_index);
        if (type->element == VIA_NO_INDEX)
            return;
    }
}

/* The fields are laid out for the first type that is the struct; others are copies of that. */
static void resolve_struct(struct library *self, struct plan_type *type, uint16_t index)
{
    const struct via_struct *source = &self->lib->structs[index];
    struct plan_struct *record = &self->structs[index];
    if (record->type) {
        *type = *record->type;
        return;
    }
    type->record = record;
    type->is_plain = true;
    type->is_verbatim = true;
    type->alignment = 1;
    type->wire_alignment = 1;
    for (uint16_t i = 0; i < source->n_fields; i++) {
        struct plan_field *field = &record->fields[i];
        resolve(self, source->fields[i].type);
        field->name = source->fields[i].name;
        field->type = &self->types[source->fields[i].type];
        add_field(type, field);
        mark_needed(self->lib, record, &self->lib->types[source->fields[i].type]);
    }
    uint32_t end = type->size;
    type->size = round_up(end, type->alignment);
    type->is_verbatim &= type->size == end;
    record->n_fields = source->n_fields;
    record->type = type;
}

/* Goes down only where layouts depend on each other: typelib_check() has seen that those end. */
static void resolve(struct library *self, uint16_t index)
{
    const struct via_type *source = &self->lib->types[index];
    struct plan_type *type = &self->types[index];
    if (type->kind)
        return;
    type->kind = source->kind;
    type->size_from = source->size_from;
    type->is_nullable = source->flags & VIA_TYPE_NULLABLE;
    type->length_from = source->length_from;
    type->size_index = source->size_index;
    type->length_index = source->length_index;
    type->expressions = self->lib->expressions;
    type->count = source->count;
    if (source->element != VIA_NO_INDEX)
        type->element = &self->types[source->element];
    if (source->kind == VIA_TYPE_ENUM)
        type->enumeration = &self->lib->enums[source->index];
    if (source->kind == VIA_TYPE_INTERFACE) {
        type->iid = &self->lib->interfaces[source->index].iid;
        type->is_any = builtin_slots(type->iid) > 0;
    }
    if (source->kind == VIA_TYPE_STRUCT) {
        resolve_struct(self, type, source->index);
    } else if (source->kind == VIA_TYPE_UNION) {
        resolve_union(self, type, source->index);
    } else if (source->kind == VIA_TYPE_ARRAY) {
        resolve(self, source->element);
        resolve_array(type);
    } else {
        resolve_simple(self, index);
    }
}

/* A struct that no type is: one of its own, behind those of the library. */
static void resolve_alone(struct library *self, uint16_t index)
{
    struct plan_type *type = &self->types[(size_t)self->lib->n_types + index];
    if (self->structs[index].type)
        return;
    type->kind = VIA_TYPE_STRUCT;
    type->expressions = self->lib->expressions;
    resolve_struct(self, type, index);
}

static void free_library(struct library *self)
{
    for (uint16_t i = 0; self->structs && i < self->lib->n_structs; i++)
        free(self->structs[i].fields);
    for (uint16_t i = 0; self->unions && i < self->lib->n_unions; i++)
        free(self->unions[i].arms);
    free(self->unions);
    free(self->structs);
    free(self->types);
    free(self);
}

/* False without memory. */
static bool make_union(struct library *self, uint16_t index)
{
    const struct via_union *source = &self->lib->unions[index];
    struct plan_union *choice = &self->unions[index];
    *choice = (struct plan_union){.name = source->name,
                                  .n_arms = source->n_arms,
                                  .n_cases = source->n_cases,
                                  .cases = source->cases};
    choice->arms = calloc((size_t)source->n_arms + 1, sizeof(*choice->arms));
    if (!choice->arms)
        return false;
    for (uint16_t i = 0; i < source->n_arms; i++) {
        uint16_t type = source->arms[i].type;
        choice->arms[i].name = source->arms[i].name;
        choice->arms[i].type = type == VIA_NO_INDEX ? NULL : &self->types[type];
    }
    if (source->default_arm != VIA_NO_INDEX)
        choice->default_arm = &choice->arms[source->default_arm];
    return true;
}

const struct plan_arm *plan_arm(const struct plan_union *choice, int64_t which)
{
    for (uint16_t i = 0; i < choice->n_cases; i++)
        if (choice->cases[i].value == (int32_t)(uint32_t)which)
            return &choice->arms[choice->cases[i].arm];
    return choice->default_arm;
}

static struct library *make_library(const struct via_typelib *lib)
{
    struct library *self = calloc(1, sizeof(*self));
    if (!self)
        return NULL;
    self->lib = lib;
    self->types = calloc((size_t)lib->n_types + lib->n_structs + 1, sizeof(*self->types));
    self->structs = calloc((size_t)lib->n_structs + 1, sizeof(*self->structs));
    self->unions = calloc((size_t)lib->n_unions + 1, sizeof(*self->unions));
    bool is_whole = self->types && self->structs && self->unions;
    for (uint16_t i = 0; is_whole && i < lib->n_unions; i++)
        is_whole = make_union(self, i);
    for (uint16_t i = 0; is_whole && i < lib->n_structs; i++) {
        self->structs[i].IRecordInfo_iface.lpVtbl = (void *)&record_info_vtbl;
        self->structs[i].lib = lib;
        self->structs[i].index = i;
        self->structs[i].name = lib->structs[i].name;
        self->structs[i].fields =
            calloc((size_t)lib->structs[i].n_fields + 1, sizeof(struct plan_field));
        is_whole = self->structs[i].fields != NULL;
    }
    if (!is_whole) {
        free_library(self);
        return NULL;
    }
    for (uint16_t i = 0; i < lib->n_types; i++)
        resolve(self, i);
    for (uint16_t i = 0; i < lib->n_structs; i++)
        resolve_alone(self, i);
    return self;
}

static const struct library *find_library(const struct via_typelib *lib)
{
    struct map_key key = map_key_u64((uint64_t)(uintptr_t)lib);
    os_mutex_lock(&lock);
    if (!is_ready) {
        map_init(&libraries);
        is_ready = true;
    }
    struct library *found = map_get(&libraries, key);
    if (!found && (found = make_library(lib)) && FAILED(map_set(&libraries, key, found))) {
        free_library(found);
        found = NULL;
    }
    os_mutex_unlock(&lock);
    return found;
}

const struct plan_type *plan_types(const struct via_typelib *lib)
{
    const struct library *found = find_library(lib);
    return found ? found->types : NULL;
}

const struct plan_struct *plan_structs(const struct via_typelib *lib)
{
    const struct library *found = find_library(lib);
    return found ? found->structs : NULL;
}
