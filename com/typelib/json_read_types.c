/* Types in the JSON form, and the expressions that they name. */
#include "com/typelib/json_reader.h"
#include "com/typelib/kinds.h"
#include "core/util/error.h"

#include <stdlib.h>

static uint16_t add_type(struct reader *self, const struct via_type *type)
{
    struct parsed *out = self->out;
    if (FAILED(self->result))
        return 0;
    if (out->lib.n_types >= TYPELIB_MAX_TYPES) {
        reader_fail(self, "too many types");
        return 0;
    }
    if (out->lib.n_types == out->types_room) {
        size_t room = out->types_room ? out->types_room * 2 : 64;
        struct via_type *larger = realloc(out->types, room * sizeof(*larger));
        if (!larger) {
            self->result = error_set(E_OUTOFMEMORY, "no memory for a type library");
            return 0;
        }
        out->types = larger;
        out->types_room = room;
    }
    out->types[out->lib.n_types] = *type;
    return out->lib.n_types++;
}

static uint16_t read_type(struct reader *self, json_t *json, const struct members *members,
                          unsigned depth);

static uint16_t add_expression(struct reader *self, struct via_expression expression)
{
    struct parsed *out = self->out;
    if (FAILED(self->result))
        return 0;
    if (out->lib.n_expressions >= TYPELIB_MAX_TYPES) {
        reader_fail(self, "too many expressions");
        return 0;
    }
    if (out->lib.n_expressions == out->expressions_room) {
        size_t room = out->expressions_room ? out->expressions_room * 2 : 16;
        struct via_expression *larger = realloc(out->expressions, room * sizeof(*larger));
        if (!larger) {
            self->result = error_set(E_OUTOFMEMORY, "no memory for a type library");
            return 0;
        }
        out->expressions = larger;
        out->expressions_room = room;
    }
    out->expressions[out->lib.n_expressions] = expression;
    return out->lib.n_expressions++;
}

static uint16_t read_expression(struct reader *self, json_t *json, const struct members *members,
                                unsigned depth)
{
    struct via_expression expression = {.op = VIA_OPERATOR_CONST};
    if (depth > TYPELIB_MAX_EXPRESSION) {
        reader_fail(self, "an expression is nested too deeply");
    } else if (json_is_integer(json)) {
        expression.value = json_integer_value(json);
    } else if (json_is_string(json)) {
        bool is_param = members->size_from == VIA_SIZE_PARAM;
        expression.op = is_param ? VIA_OPERATOR_PARAM : VIA_OPERATOR_FIELD;
        expression.left = reader_find_name(self, members->list, json);
    } else {
        const char *name = json_string_value(json_array_get(json, 1));
        expression.op = name ? kinds_parse_operator(name) : 0;
        if (!expression.op || json_array_size(json) != 3)
            reader_fail(self,
                        "an expression is neither a name nor a number nor [LEFT, OPERATOR, RIGHT]");
        if (SUCCEEDED(self->result))
            expression.left = read_expression(self, json_array_get(json, 0), members, depth + 1);
        if (SUCCEEDED(self->result))
            expression.right = read_expression(self, json_array_get(json, 2), members, depth + 1);
    }
    return add_expression(self, expression);
}

/* What the type needs to know of its neighbours. */
static void read_from(struct reader *self, json_t *json, const struct members *members,
                      uint8_t *from, uint16_t *index)
{
    bool is_name = json_is_string(json);
    *from = is_name ? members->size_from : VIA_SIZE_EXPRESSION;
    *index = is_name ? reader_find_name(self, members->list, json)
                     : read_expression(self, json, members, 0);
}

static void read_size(struct reader *self, json_t *size, const struct members *members,
                      struct via_type *type)
{
    if (!json_is_integer(size)) {
        read_from(self, size, members, &type->size_from, &type->size_index);
        return;
    }
    json_int_t count = json_integer_value(size);
    if (count <= 0 || count > TYPELIB_MAX_VALUE_SIZE)
        reader_fail(self, "a number of elements is out of range");
    type->size_from = VIA_SIZE_CONST;
    type->count = (uint32_t)count;
}

static void read_length(struct reader *self, json_t *json, const struct members *members,
                        struct via_type *type)
{
    json_t *length = json_object_get(json, "length_is");
    if (length)
        read_from(self, length, members, &type->length_from, &type->length_index);
}

static void read_compound(struct reader *self, json_t *json, const struct members *members,
                          unsigned depth, struct via_type *type)
{
    json_t *part;
    if ((part = json_object_get(json, "array"))) {
        json_int_t count = json_integer_value(json_object_get(json, "count"));
        if (count <= 0 || count > TYPELIB_MAX_VALUE_SIZE)
            reader_fail(self, "an array's count is out of range");
        type->kind = VIA_TYPE_ARRAY;
        type->count = (uint32_t)count;
        read_length(self, json, members, type);
        type->element = read_type(self, part, members, depth);
    } else if ((part = json_object_get(json, "sized"))) {
        type->kind = VIA_TYPE_SIZED;
        read_size(self, json_object_get(json, "size_is"), members, type);
        read_length(self, json, members, type);
        type->element = read_type(self, part, members, depth);
    } else if ((part = json_object_get(json, "pointer"))) {
        type->kind = VIA_TYPE_POINTER;
        type->element = read_type(self, part, members, depth);
    } else if ((part = json_object_get(json, "safearray"))) {
        type->kind = VIA_TYPE_SAFEARRAY;
        type->element = read_type(self, part, members, depth);
    } else {
        reader_fail(self, "an unknown form of type");
    }
}

static uint16_t read_type(struct reader *self, json_t *json, const struct members *members,
                          unsigned depth)
{
    struct via_type type = {.index = VIA_NO_INDEX, .element = VIA_NO_INDEX};
    json_t *part = NULL;
    if (FAILED(self->result))
        return 0;
    if (depth > TYPELIB_MAX_NESTING) {
        reader_fail(self, "types are nested too deeply");
        return 0;
    }
    if (json_is_string(json) || (part = json_object_get(json, "type"))) {
        const char *kind = json_string_value(json_is_string(json) ? json : part);
        type.kind = kind ? kinds_parse(kind) : 0;
        if (!type.kind)
            reader_fail(self, "an unknown kind of type");
    } else if ((part = json_object_get(json, "enum"))) {
        type.kind = VIA_TYPE_ENUM;
        type.index = reader_find_name(self, self->enums, part);
    } else if ((part = json_object_get(json, "struct"))) {
        type.kind = VIA_TYPE_STRUCT;
        type.index = reader_find_name(self, self->structs, part);
    } else if ((part = json_object_get(json, "interface"))) {
        type.kind = VIA_TYPE_INTERFACE;
        type.index = reader_find_name(self, self->interfaces, part);
        if ((part = json_object_get(json, "iid_is")))
            read_from(self, part, members, &type.size_from, &type.size_index);
    } else if ((part = json_object_get(json, "union"))) {
        type.kind = VIA_TYPE_UNION;
        type.index = reader_find_name(self, self->unions, part);
        read_from(self, json_object_get(json, "switch_is"), members, &type.size_from,
                  &type.size_index);
    } else if ((part = json_object_get(json, "handle"))) {
        const char *kind = json_string_value(part);
        type.kind = VIA_TYPE_HANDLE;
        type.count = kind ? kinds_handle_parse(kind) : 0;
    } else {
        read_compound(self, json, members, depth + 1, &type);
    }
    type.flags = (uint8_t)reader_flag(json, "nullable", VIA_TYPE_NULLABLE);
    type.alias = reader_alias(self, json);
    return add_type(self, &type);
}

uint16_t reader_type(struct reader *reader, json_t *json, const struct members *members)
{
    return read_type(reader, json, members, 0);
}

uint16_t reader_alias(struct reader *reader, json_t *object)
{
    json_t *name = json_object_get(object, "alias");
    return name ? (uint16_t)(reader_find_name(reader, reader->aliases, name) + 1) : 0;
}
