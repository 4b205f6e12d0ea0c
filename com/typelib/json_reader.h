/*
 * Reading the JSON form, in two parts: types (json_read_types.c) and all that has them
 * (json_read.c). After the first failure nothing more is read.
 */
#ifndef COM_TYPELIB_JSON_READER_H
#define COM_TYPELIB_JSON_READER_H

#include "com/typelib/typelib.h"

#include <jansson.h>

struct block;

/* `lib` comes first, so that typelib_free() finds the rest. */
struct parsed {
    struct via_typelib lib;
    struct block *blocks;
    struct via_type *types;
    size_t types_room;
    struct via_expression *expressions;
    size_t expressions_room;
};

struct reader {
    struct parsed *out;
    json_t *enums;
    json_t *structs;
    json_t *unions;  /* NULL: the form has none */
    json_t *aliases; /* NULL: the form has none */
    json_t *interfaces;
    HRESULT result; /* sticky */
};

/* Where size_is looks: the JSON list of the method's parameters or the struct's fields. */
struct members {
    json_t *list;
    uint8_t size_from;
};

void reader_fail(struct reader *reader, const char *what);
unsigned reader_flag(json_t *object, const char *key, unsigned flag);
/* The index of the entry with this name. */
uint16_t reader_find_name(struct reader *reader, json_t *list, json_t *name);
/* Its index; with those of what it is made of in front of it. */
uint16_t reader_type(struct reader *reader, json_t *json, const struct members *members);
/* The alias by which the object says that it is declared: 1 and its index; 0: it says none. */
uint16_t reader_alias(struct reader *reader, json_t *object);

#endif
