#include "com/typelib/walk.h"

#include <stdlib.h>

bool type_walk_init(struct type_walk *walk, const struct via_typelib *lib,
                    void (*define)(void *context, uint8_t kind, uint16_t index), void *context)
{
    size_t n = (size_t)lib->n_structs + lib->n_unions + lib->n_enums + lib->n_aliases;
    *walk = (struct type_walk){lib, define, context, calloc(n + 1, sizeof(bool)), NULL};
    return walk->done != NULL;
}

void type_walk_deinit(struct type_walk *walk)
{
    free(walk->done);
    walk->done = NULL;
}

static bool *is_done(struct type_walk *self, uint8_t kind, uint16_t index)
{
    const struct via_typelib *lib = self->lib;
    if (kind == VIA_TYPE_STRUCT)
        return &self->done[index];
    if (kind == VIA_TYPE_UNION)
        return &self->done[lib->n_structs + index];
    return &self->done[lib->n_structs + lib->n_unions + index];
}

void type_walk_to_record(struct type_walk *walk, uint8_t kind, uint16_t index)
{
    bool *done = is_done(walk, kind, index);
    if (*done)
        return;
    *done = true;
    if (kind == VIA_TYPE_STRUCT) {
        const struct via_struct *record = &walk->lib->structs[index];
        for (uint16_t i = 0; i < record->n_fields; i++)
            type_walk_to(walk, record->fields[i].type);
    } else if (kind == VIA_TYPE_UNION) {
        const struct via_union *choice = &walk->lib->unions[index];
        for (uint16_t i = 0; i < choice->n_arms; i++)
            if (choice->arms[i].type != VIA_NO_INDEX)
                type_walk_to(walk, choice->arms[i].type);
    }
    walk->define(walk->context, kind, index);
}

void type_walk_to_alias(struct type_walk *walk, uint16_t index)
{
    const struct via_typelib *lib = walk->lib;
    bool *done = &walk->done[lib->n_structs + lib->n_unions + lib->n_enums + index];
    if (*done)
        return;
    *done = true;
    type_walk_to(walk, lib->aliases[index].type);
    walk->define_alias(walk->context, index);
}

static void step_to_alias(struct type_walk *self, const struct via_type *type)
{
    if (type->alias && self->define_alias)
        type_walk_to_alias(self, (uint16_t)(type->alias - 1));
}

void type_walk_to(struct type_walk *walk, uint16_t type)
{
    const struct via_type *self = &walk->lib->types[type];
    step_to_alias(walk, self);
    while (self->kind == VIA_TYPE_ARRAY || self->kind == VIA_TYPE_SIZED ||
           self->kind == VIA_TYPE_POINTER || self->kind == VIA_TYPE_SAFEARRAY) {
        self = &walk->lib->types[self->element];
        step_to_alias(walk, self);
    }
    if (self->kind == VIA_TYPE_INTERFACE)
        walk->define(walk->context, self->kind, self->index);
    else if (self->kind == VIA_TYPE_STRUCT || self->kind == VIA_TYPE_UNION ||
             self->kind == VIA_TYPE_ENUM)
        type_walk_to_record(walk, self->kind, self->index);
}
