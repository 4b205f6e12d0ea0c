/*
 * Constants: numbers, truths and texts with a name, which are macros of the header. A type library
 * has their values where an attribute names them.
 */
#include "com/idl/parser.h"
#include "com/typelib/typelib.h"
#include "core/util/buffer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_CONSTANT_TEXT (4 * TYPELIB_MAX_TEXT)

enum form { FORM_INTEGER, FORM_REAL, FORM_TEXT8, FORM_TEXT16, FORM_NONE };

/* Steps over the pointer of a text. */
static enum form form_of(struct parser *self, const struct base_type *type)
{
    bool is_text = type->is_string || (type->n_levels == 0 && parser_accept(self, '*'));
    if (parser_is(self, '*') || type->n_levels > (type->is_string ? 1u : 0u))
        return FORM_NONE;
    if (is_text)
        return type->kind == VIA_TYPE_I8      ? FORM_TEXT8
               : type->kind == VIA_TYPE_WCHAR ? FORM_TEXT16
                                              : FORM_NONE;
    if (type->kind == VIA_TYPE_F32 || type->kind == VIA_TYPE_F64)
        return FORM_REAL;
    bool is_integer = (type->kind >= VIA_TYPE_I8 && type->kind <= VIA_TYPE_U64) ||
                      type->kind == VIA_TYPE_WCHAR || type->kind == VIA_TYPE_BOOL;
    return is_integer ? FORM_INTEGER : FORM_NONE;
}

/* A real with its sign, or what an integer is computed of. */
static bool parse_real(struct parser *self, struct via_constant *value)
{
    bool is_negative = false;
    if (self->token.kind != TOKEN_REAL && parser_accept(self, '-'))
        is_negative = true;
    value->kind = VIA_CONSTANT_REAL;
    if (self->token.kind == TOKEN_REAL) {
        value->real = self->token.real;
        parser_advance(self);
    } else {
        int64_t number;
        if (!expression_constant(self, &number))
            return false;
        value->real = (double)number;
    }
    value->real = is_negative ? -value->real : value->real;
    return true;
}

static bool parse_text(struct parser *self, enum form form, struct via_constant *value)
{
    if (form == FORM_TEXT16)
        parser_accept_word(self, "L");
    if (self->token.kind != TOKEN_STRING)
        return parser_expected(self, "a string");
    *value = (struct via_constant){.kind = VIA_CONSTANT_TEXT, .text = self->token.text};
    parser_advance(self);
    return true;
}

static bool parse_value(struct parser *self, enum form form, struct via_constant *value)
{
    if (form == FORM_REAL)
        return parse_real(self, value);
    if (form != FORM_INTEGER)
        return parse_text(self, form, value);
    value->kind = VIA_CONSTANT_INTEGER;
    return expression_constant(self, &value->integer);
}

static void add_macro(struct unit *unit, const struct unit_constant *self, enum form form,
                      const char *c_name)
{
    struct buffer text;
    buffer_init(&text, MAX_CONSTANT_TEXT);
    if (form == FORM_INTEGER || form == FORM_REAL)
        buffer_print(&text, "((%s)", c_name);
    else if (form == FORM_TEXT16)
        buffer_print(&text, "VIA_STR(");
    if (form == FORM_INTEGER)
        buffer_print(&text, "%" PRId64, self->value.integer);
    else
        typelib_print_constant(&self->value, &text);
    buffer_print(&text, form == FORM_TEXT8 ? "" : ")");
    char *value = buffer_take_text(&text);
    buffer_deinit(&text);
    unit_add_item(unit, UNIT_TEXT, 0,
                  arena_print(&unit->arena, "#define %s %s", self->name, value ? value : "0"));
    free(value);
}

bool constant_parse(struct parser *parser)
{
    struct base_type type;
    struct unit *unit = parser->unit;
    struct unit_constant made = {0};
    if (!declare_base(parser, &type))
        return false;
    enum form form = form_of(parser, &type);
    if (form == FORM_NONE)
        return parser_error(parser, type.position, "a constant is a number or a text");
    struct position position = parser->token.position;
    if (!parser_new_name(parser, &made.name) || !parser_require(parser, '='))
        return false;
    if (unit_find_constant(unit, made.name))
        return parser_error(parser, position, "constant %s is defined twice", made.name);
    if (unit->n_constants == TYPELIB_MAX_TYPES)
        return parser_error(parser, position, "more than %u constants", TYPELIB_MAX_TYPES);
    if (!parse_value(parser, form, &made.value))
        return false;
    if (type.kind == VIA_TYPE_BOOL && made.value.integer != 0)
        made.value.integer = -1; /* the one that is true */
    if (form != FORM_INTEGER && form != FORM_REAL && strlen(made.value.text) > TYPELIB_MAX_TEXT)
        return parser_error(parser, position, "%s is longer than %u bytes", made.name,
                            TYPELIB_MAX_TEXT);
    *(struct unit_constant *)arena_append(&unit->arena, (void **)&unit->constants,
                                          &unit->n_constants, sizeof(made)) = made;
    if (!parser_require(parser, ';'))
        return false;
    if (parser->import_depth == 0)
        add_macro(unit, &made, form, type.c_name);
    return true;
}
