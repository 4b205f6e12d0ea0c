/*
 * The structs, unions and enums that types are made of: each once, behind those that it needs. Of
 * two that need each other by pointers, the one that was met first comes last.
 */
#ifndef COM_TYPELIB_WALK_H
#define COM_TYPELIB_WALK_H

#include "com/typelib/typelib.h"

struct type_walk {
    const struct via_typelib *lib;
    /* `kind` is VIA_TYPE_STRUCT, UNION or ENUM; or INTERFACE, of which all mentions are told. */
    void (*define)(void *context, uint8_t kind, uint16_t index);
    void *context;
    bool *done; /* structs, then unions, enums and aliases */
    /* NULL: types are walked through as if they had no aliases. Each comes behind what it stands
     * for, and may come before the struct that it stands for a pointer to. */
    void (*define_alias)(void *context, uint16_t index);
};

/* `context` goes to `define`. False: there is no memory, and nothing to deinit. */
bool type_walk_init(struct type_walk *walk, const struct via_typelib *lib,
                    void (*define)(void *context, uint8_t kind, uint16_t index), void *context);
void type_walk_deinit(struct type_walk *walk);
void type_walk_to(struct type_walk *walk, uint16_t type);
/* To a struct, union or enum itself. */
void type_walk_to_record(struct type_walk *walk, uint8_t kind, uint16_t index);
/* To an alias itself; only with `define_alias`. */
void type_walk_to_alias(struct type_walk *walk, uint16_t index);

#endif
