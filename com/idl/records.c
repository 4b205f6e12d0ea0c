/* struct and enum definitions. */
#include "com/idl/parser.h"
#include "com/typelib/typelib.h"

#include <string.h>

size_t record_find_struct(struct unit *unit, const char *tag, struct position position)
{
    for (size_t i = 0; i < unit->n_structs; i++)
        if (!strcmp(unit->structs[i].tag, tag))
            return i;
    struct unit_struct *self =
        arena_append(&unit->arena, (void **)&unit->structs, &unit->n_structs, sizeof(*self));
    self->tag = tag;
    self->record.name = tag;
    self->position = position;
    return unit->n_structs - 1;
}

static bool add_field(struct parser *self, struct member **members, size_t *n)
{
    struct member first;
    if (!declare_member(self, false, &first))
        return false;
    *(struct member *)arena_append(&self->unit->arena, (void **)members, n, sizeof(first)) = first;
    if (parser_is(self, ':'))
        return parser_error(self, self->token.position, "bit fields are not supported");
    if (parser_is(self, ','))
        return parser_error(self, self->token.position, "declare each field on its own");
    return parser_require(self, ';');
}

void record_check_complete(struct parser *parser, const struct member *members, size_t n)
{
    const struct unit *unit = parser->unit;
    for (size_t i = 0; i < n; i++) {
        const struct member *member = &members[i];
        uint16_t index = member->base.index;
        bool is_struct = member->base.kind == VIA_TYPE_STRUCT;
        bool in_place = is_struct || member->base.kind == VIA_TYPE_UNION;
        for (unsigned level = 0; level < member->n_levels; level++)
            in_place &= member->levels[level].kind == LEVEL_ARRAY;
        if (!in_place ||
            (is_struct ? unit->structs[index].is_defined : unit->unions[index].is_defined))
            continue;
        parser_error(parser, member->base.position, "%s %s is not complete here",
                     is_struct ? "struct" : "union",
                     is_struct ? unit->structs[index].tag : unit->unions[index].tag);
    }
}

void record_set_struct(struct parser *parser, size_t index, const struct member *members, size_t n)
{
    struct unit *unit = parser->unit;
    struct via_field *fields = arena_allocate(&unit->arena, (n + 1) * sizeof(*fields));
    struct unit_declaration *declarations =
        arena_allocate(&unit->arena, (n + 1) * sizeof(*declarations));
    for (size_t i = 0; i < n; i++) {
        fields[i] = (struct via_field){members[i].name, members[i].type};
        declarations[i].text = members[i].declaration;
    }
    struct unit_struct *record = &unit->structs[index];
    record->record.fields = fields;
    record->record.n_fields = (uint16_t)n;
    record->declarations = declarations;
    record->is_defined = true;
    record->is_imported = parser->import_depth > 0;
    parser->n_definitions++;
    if (!record->is_imported)
        unit_add_item(unit, UNIT_STRUCT, index, NULL);
    /* A VARIANT may hold one that no method names. */
    struct via_type type = {
        .kind = VIA_TYPE_STRUCT, .index = (uint16_t)index, .element = VIA_NO_INDEX};
    unit_add_type(unit, &type);
}

static bool define_struct(struct parser *self, size_t index)
{
    struct unit *unit = self->unit;
    struct member *members = NULL;
    size_t n = 0;
    while (!parser_is(self, '}')) {
        size_t start = self->n_tokens;
        if (self->token.kind == TOKEN_END)
            return parser_expected(self, "'}'");
        if (n == VIA_NO_INDEX)
            return parser_error(self, self->token.position, "struct %s has too many fields",
                                unit->structs[index].tag);
        if (!add_field(self, &members, &n) && !parser_recover(self, start, false))
            return false;
    }
    struct position end = self->token.position;
    parser_advance(self);
    if (n == 0)
        parser_error(self, end, "struct %s has no fields", unit->structs[index].tag);
    /* After an error the struct counts as defined, so that its users are not reported too. */
    if (declare_resolve(self, members, n, OWNER_STRUCT))
        record_check_complete(self, members, n);
    record_set_struct(self, index, members, n);
    return true;
}

bool record_struct(struct parser *parser, uint16_t *index)
{
    struct unit *unit = parser->unit;
    parser_advance(parser);
    const char *tag = NULL;
    struct position position = parser->token.position;
    if (parser->token.kind == TOKEN_NAME && !parser_new_name(parser, &tag))
        return false;
    if (!tag)
        tag = arena_print(&unit->arena, "_struct_%zu", unit->n_structs);
    size_t found = record_find_struct(unit, tag, position);
    if (found >= TYPELIB_MAX_ENTRIES)
        return parser_error(parser, position, "more than %u structs", TYPELIB_MAX_ENTRIES);
    *index = (uint16_t)found;
    if (!parser_accept(parser, '{'))
        return true;
    if (unit->structs[found].is_defined)
        return parser_error(parser, position, "struct %s is defined twice", tag);
    if (!parser_enter(parser))
        return false;
    bool ok = define_struct(parser, found);
    parser_leave(parser);
    return ok;
}

static bool enumerator(struct parser *self, struct unit_enum *list, int64_t *next, size_t *n)
{
    const char *name;
    struct position position = self->token.position;
    if (!parser_new_name(self, &name))
        return false;
    if (parser_accept(self, '=')) {
        if (!expression_constant(self, next))
            return false;
    }
    if (*next < INT32_MIN || *next > UINT32_MAX)
        return parser_error(self, position, "%s does not fit into 32 bits", name);
    if (*n == UINT16_MAX)
        return parser_error(self, position, "an enum has at most %d values", UINT16_MAX);
    struct via_enumerator *values = (struct via_enumerator *)list->list.values;
    struct via_enumerator *value =
        arena_append(&self->unit->arena, (void **)&values, n, sizeof(*value));
    *value = (struct via_enumerator){name, (int32_t)(uint32_t)*next};
    (*next)++;
    list->list.values = values;
    return true;
}

static bool define_enum(struct parser *self, size_t index)
{
    struct unit *unit = self->unit;
    struct unit_enum list = unit->enums[index];
    size_t n = 0;
    int64_t next = 0;
    while (!parser_is(self, '}')) {
        if (!enumerator(self, &list, &next, &n))
            return false;
        list.list.n_values = (uint16_t)n;
        unit->enums[index] = list; /* the next may be computed of it */
        if (!parser_accept(self, ',') && !parser_is(self, '}'))
            return parser_expected(self, "',' or '}'");
    }
    parser_advance(self);
    list.is_imported = self->import_depth > 0;
    self->n_definitions++;
    unit->enums[index] = list;
    if (!list.is_imported)
        unit_add_item(unit, UNIT_ENUM, index, NULL);
    return true;
}

bool record_enum(struct parser *parser, uint16_t *index)
{
    struct unit *unit = parser->unit;
    parser_advance(parser);
    const char *tag = NULL;
    struct position position = parser->token.position;
    if (parser->token.kind == TOKEN_NAME && !parser_new_name(parser, &tag))
        return false;
    for (size_t i = 0; tag && i < unit->n_enums; i++) {
        if (strcmp(unit->enums[i].tag, tag))
            continue;
        *index = (uint16_t)i;
        return !parser_is(parser, '{') ||
               parser_error(parser, position, "enum %s is defined twice", tag);
    }
    if (!parser_accept(parser, '{'))
        return parser_error(parser, position, "enum %s is not defined", tag ? tag : "");
    if (unit->n_enums == TYPELIB_MAX_ENTRIES)
        return parser_error(parser, position, "more than %u enums", TYPELIB_MAX_ENTRIES);
    if (!tag)
        tag = arena_print(&unit->arena, "_enum_%zu", unit->n_enums);
    struct unit_enum *list =
        arena_append(&unit->arena, (void **)&unit->enums, &unit->n_enums, sizeof(*list));
    list->tag = tag;
    list->list.name = tag;
    *index = (uint16_t)(unit->n_enums - 1);
    return define_enum(parser, *index);
}

void record_rename(struct parser *parser, uint8_t kind, uint16_t index, const char *name,
                   const char *help)
{
    struct unit *unit = parser->unit;
    if (kind == VIA_TYPE_STRUCT) {
        unit->structs[index].record.name = name;
        unit->structs[index].record.help = help;
    } else if (kind == VIA_TYPE_UNION) {
        unit->unions[index].record.name = name;
        unit->unions[index].record.help = help;
    } else {
        unit->enums[index].list.name = name;
        unit->enums[index].list.help = help;
    }
}
