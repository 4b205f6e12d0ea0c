#include "com/idl/attributes.h"
#include "com/abi/guid.h"
#include "com/idl/parser.h"
#include "com/typelib/kinds.h"

#include <stdlib.h>
#include <string.h>

/* The attributes of include/viaduct/viaduct.idl. */
struct own {
    const char *name;
    const char *guid;
    unsigned flag;
    unsigned place;
    const char *where;
};
static const struct own own_attributes[] = {
    {"VIADUCT_ONEWAY", "9e3d3e4a-1f0c-4f5c-8f6e-6a1b6f1d0001", ATTRIBUTE_ONEWAY, PLACE_METHOD,
     "method"},
    {"VIADUCT_IN_PLACE", "9e3d3e4a-1f0c-4f5c-8f6e-6a1b6f1d0002", ATTRIBUTE_IN_PLACE, PLACE_PARAM,
     "parameter"},
};

struct simple {
    const char *name;
    unsigned flag;
    unsigned places;
};

/* Attributes without arguments. Flag 0: known, and without a meaning here. */
static const struct simple simple_attributes[] = {
    {"in", ATTRIBUTE_IN, PLACE_PARAM},
    {"out", ATTRIBUTE_OUT, PLACE_PARAM},
    {"retval", ATTRIBUTE_RETVAL, PLACE_PARAM},
    {"string", ATTRIBUTE_STRING, PLACE_PARAM | PLACE_FIELD | PLACE_ARM},
    {"unique", ATTRIBUTE_UNIQUE, PLACE_PARAM | PLACE_FIELD | PLACE_ARM},
    {"ptr", ATTRIBUTE_UNIQUE, PLACE_PARAM | PLACE_FIELD | PLACE_ARM},
    {"ref", ATTRIBUTE_REF, PLACE_PARAM | PLACE_FIELD | PLACE_ARM},
    {"propget", ATTRIBUTE_PROPGET, PLACE_METHOD},
    {"propput", ATTRIBUTE_PROPPUT, PLACE_METHOD},
    {"propputref", ATTRIBUTE_PROPPUTREF, PLACE_METHOD},
    {"object", ATTRIBUTE_OBJECT, PLACE_INTERFACE},
    {"dual", ATTRIBUTE_DUAL, PLACE_INTERFACE},
    {"oleautomation", ATTRIBUTE_OLEAUTOMATION, PLACE_INTERFACE},
    {"nonextensible", ATTRIBUTE_NONEXTENSIBLE, PLACE_INTERFACE},
    {"optional", ATTRIBUTE_OPTIONAL, PLACE_PARAM},
    {"vararg", ATTRIBUTE_VARARG, PLACE_METHOD},
    {"restricted", ATTRIBUTE_RESTRICTED,
     PLACE_INTERFACE | PLACE_METHOD | PLACE_PROPERTY | PLACE_LIBRARY | PLACE_MEMBER},
    {"readonly", ATTRIBUTE_READONLY, PLACE_PROPERTY},
    {"noncreatable", ATTRIBUTE_NONCREATABLE, PLACE_COCLASS},
    {"default", ATTRIBUTE_DEFAULT, PLACE_MEMBER | PLACE_ARM},
    {"source", ATTRIBUTE_SOURCE, PLACE_MEMBER},
    {"v1_enum", 0, PLACE_TYPEDEF},
    {"public", ATTRIBUTE_PUBLIC, PLACE_TYPEDEF | PLACE_UNION},
    {"hidden", ATTRIBUTE_HIDDEN,
     PLACE_INTERFACE | PLACE_METHOD | PLACE_PROPERTY | PLACE_COCLASS | PLACE_LIBRARY},
};

static bool parse_uuid(struct parser *self, GUID *guid)
{
    struct position position;
    const char *text = lexer_uuid(&self->lexer, &position);
    if (!text || !guid_parse(text, guid))
        return parser_error(self, text ? position : self->token.position,
                            "a GUID xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx is expected here");
    parser_advance(self);
    return true;
}

/* One that is not ours is read and not kept. */
static bool take_custom(struct parser *self, struct position position, const GUID *guid,
                        bool is_set, unsigned place, struct attributes *out)
{
    for (size_t i = 0; i < sizeof(own_attributes) / sizeof(own_attributes[0]); i++) {
        const struct own *own = &own_attributes[i];
        GUID known;
        guid_parse(own->guid, &known);
        if (!IsEqualGUID(guid, &known))
            continue;
        if (place != own->place)
            return parser_error(self, position, "%s belongs to a %s", own->name, own->where);
        if (is_set)
            out->flags |= own->flag;
    }
    return true;
}

static bool parse_custom(struct parser *self, unsigned place, struct attributes *out)
{
    GUID guid;
    int64_t value = 0;
    struct position position = self->token.position;
    if (!parse_uuid(self, &guid) || !parser_require(self, ','))
        return false;
    bool is_number = self->token.kind == TOKEN_NUMBER;
    if (!is_number && self->token.kind != TOKEN_STRING)
        return parser_expected(self, "the attribute's value");
    if (is_number)
        value = self->token.number;
    parser_advance(self);
    return take_custom(self, position, &guid, value != 0, place, out);
}

/* The parts of size_is and its relatives. `more`: what max_is and last_is lack to be them. */
static bool parse_sizes(struct parser *self, int64_t more, const struct expression **list,
                        unsigned *n)
{
    do {
        struct position position = self->token.position;
        if (*n == MAX_SIZE_EXPRESSIONS)
            return parser_error(self, position, "more than %d levels of sizes",
                                MAX_SIZE_EXPRESSIONS);
        const struct expression **part = &list[(*n)++];
        if (parser_is(self, ',') || parser_is(self, ')'))
            continue;
        if (!expression_parse(self, part))
            return false;
        if (more)
            *part = expression_combine(self, VIA_OPERATOR_ADD, *part,
                                       expression_number(self, more, position));
        if (!*part)
            return false;
    } while (parser_accept(self, ','));
    return true;
}

/* A name, which may be written "*name" and "&name". */
static bool parse_reference(struct parser *self, const char *attribute,
                            const struct expression **out)
{
    parser_accept(self, '&');
    if (!expression_parse(self, out))
        return false;
    return (*out)->op == 0 || parser_error(self, (*out)->position,
                                           "%s takes the name of a parameter or field", attribute);
}

bool attributes_switch_kind(struct parser *parser, uint8_t *kind)
{
    struct base_type base;
    if (!declare_base(parser, &base))
        return false;
    bool is_right = (base.kind >= VIA_TYPE_I8 && base.kind <= VIA_TYPE_U32) ||
                    base.kind == VIA_TYPE_WCHAR || base.kind == VIA_TYPE_ENUM;
    *kind = base.kind;
    return (is_right && base.n_levels == 0) ||
           parser_error(parser, base.position,
                        "a discriminant is an integer of at most 32 bits or an enum");
}

static bool parse_cases(struct parser *self, struct attributes *out)
{
    do {
        struct position position = self->token.position;
        int64_t value;
        if (!expression_constant(self, &value))
            return false;
        struct case_label *label =
            arena_append(&self->unit->arena, (void **)&out->cases, &out->n_cases, sizeof(*label));
        *label = (struct case_label){value, position};
    } while (parser_accept(self, ','));
    return true;
}

/* "1.0" has been read as a number and "." and a number would be refused by the lexer: versions are
 * words. */
static bool parse_version(struct parser *self, struct attributes *out)
{
    struct position position = self->token.position; /* of the end of the file, where it is there */
    const char *word = lexer_uuid(&self->lexer, &position);
    char *end = NULL;
    unsigned long major = word ? strtoul(word, &end, 10) : 0;
    int64_t minor = 0;
    parser_advance(self);
    bool is_good = end && end != word && !*end && major <= UINT16_MAX;
    if (is_good && parser_accept(self, '.') && !parser_integer(self, &minor))
        return false;
    if (!is_good || minor < 0 || minor > UINT16_MAX)
        return parser_error(self, position, "a version MAJOR.MINOR is expected, each up to 65535");
    out->version_major = (uint16_t)major;
    out->version_minor = (uint16_t)minor;
    return true;
}

static bool parse_pointer_default(struct parser *self)
{
    const char *word;
    if (!parser_name(self, &word))
        return false;
    if (strcmp(word, "unique") && strcmp(word, "ptr"))
        return parser_error(self, self->token.position,
                            "pointer_default(%s) is not supported: unique is", word);
    return true;
}

static bool skip_text(struct parser *self)
{
    if (self->token.kind != TOKEN_STRING && self->token.kind != TOKEN_NUMBER)
        return parser_expected(self, "a string or a number");
    parser_advance(self);
    return true;
}

static bool parse_help(struct parser *self, struct attributes *out)
{
    if (self->token.kind == TOKEN_STRING)
        out->help = self->token.text;
    return skip_text(self);
}

/* The constant that the token names, if that is no integer: nothing is computed of it. */
static const struct unit_constant *named_value(const struct parser *self)
{
    const struct unit_constant *named =
        self->token.kind == TOKEN_NAME ? unit_find_constant(self->unit, self->token.text) : NULL;
    return named && named->value.kind != VIA_CONSTANT_INTEGER ? named : NULL;
}

/* A text, a real, or what an integer is computed of. */
static bool parse_default(struct parser *self, struct attributes *out)
{
    struct via_constant *constant = arena_allocate(&self->unit->arena, sizeof(*constant));
    const struct unit_constant *named = named_value(self);
    out->default_value = constant;
    if (named) {
        *constant = named->value;
    } else if (self->token.kind == TOKEN_STRING) {
        *constant = (struct via_constant){.kind = VIA_CONSTANT_TEXT, .text = self->token.text};
    } else if (self->token.kind == TOKEN_REAL) {
        *constant = (struct via_constant){.kind = VIA_CONSTANT_REAL, .real = self->token.real};
    } else {
        constant->kind = VIA_CONSTANT_INTEGER;
        return expression_constant(self, &constant->integer);
    }
    parser_advance(self);
    return true;
}

static bool parse_id(struct parser *self, struct attributes *out)
{
    int64_t id;
    bool negative = parser_accept(self, '-');
    if (!parser_integer(self, &id))
        return false;
    if (id < 0 || id > (negative ? -(int64_t)INT32_MIN : UINT32_MAX))
        return parser_error(self, self->token.position, "an id is a number of 32 bits");
    out->id = (int32_t)(uint32_t)(negative ? -id : id);
    out->flags |= ATTRIBUTE_ID;
    return true;
}

/* MIDL's words for kinds are ours with "sh_" in front. */
static bool parse_handle_kind(struct parser *self, struct attributes *out)
{
    struct position position = self->token.position;
    const char *word;
    if (!parser_name(self, &word))
        return false;
    out->handle_kind = strncmp(word, "sh_", 3) ? 0 : kinds_handle_parse(word + 3);
    return out->handle_kind ||
           parser_error(self, position,
                        "%s is no kind of handle that can be passed: sh_file, sh_pipe, sh_socket, "
                        "sh_section and sh_event are",
                        word);
}

/* Typedefs may have ids; nobody asks for them. */
#define PLACE_WITH_ID (PLACE_INTERFACE | PLACE_LIBRARY | PLACE_COCLASS | PLACE_TYPEDEF)

/* What is said of a parameter or field with the names of others. */
static bool parse_of_member(struct parser *self, const char *name, struct attributes *out,
                            bool *is_known)
{
    if (!strcmp(name, "size_is"))
        return parse_sizes(self, 0, out->sizes, &out->n_sizes);
    if (!strcmp(name, "max_is"))
        return parse_sizes(self, 1, out->sizes, &out->n_sizes);
    if (!strcmp(name, "length_is"))
        return parse_sizes(self, 0, out->lengths, &out->n_lengths);
    if (!strcmp(name, "last_is"))
        return parse_sizes(self, 1, out->lengths, &out->n_lengths);
    if (!strcmp(name, "switch_is"))
        return parse_reference(self, name, &out->switch_is);
    if (!strcmp(name, "iid_is"))
        return parse_reference(self, name, &out->iid_is);
    if (!strcmp(name, "first_is") || !strcmp(name, "min_is"))
        return parser_error(self, self->token.position,
                            "%s is not supported: arrays begin at their first element; pass a "
                            "pointer to it, with length_is",
                            name);
    *is_known = false;
    return true;
}

/* Those with arguments; the current token is behind the name. S: the place is checked by the
 * caller. */
static bool parse_with_arguments(struct parser *self, const char *name, unsigned place,
                                 struct attributes *out, bool *is_known)
{
    *is_known = true;
    if (!parser_is(self, '(')) {
        *is_known = false;
        return true;
    }
    /* GUIDs and versions are words of their own: the lexer must not have read ahead. */
    bool ok;
    if (!strcmp(name, "uuid") && (place & PLACE_WITH_ID)) {
        out->flags |= ATTRIBUTE_UUID;
        ok = parse_uuid(self, &out->uuid);
    } else if (!strcmp(name, "custom")) {
        ok = parse_custom(self, place, out);
    } else if (!strcmp(name, "version") && (place & PLACE_WITH_ID)) {
        ok = parse_version(self, out);
    } else {
        parser_advance(self);
        ok = true;
        *is_known = place & (PLACE_PARAM | PLACE_FIELD | PLACE_ARM);
        if (*is_known)
            ok = parse_of_member(self, name, out, is_known);
        if (*is_known)
            return ok && parser_require(self, ')');
        *is_known = true;
        if (!strcmp(name, "switch_type") &&
            (place & (PLACE_FIELD | PLACE_PARAM | PLACE_TYPEDEF | PLACE_UNION)))
            ok = attributes_switch_kind(self, &out->switch_kind);
        else if (!strcmp(name, "case") && (place & PLACE_ARM))
            ok = parse_cases(self, out);
        else if ((!strcmp(name, "system_handle") || !strcmp(name, "VIA_SYSTEM_HANDLE")) &&
                 place == PLACE_PARAM)
            ok = parse_handle_kind(self, out);
        else if (!strcmp(name, "pointer_default") && (place & PLACE_INTERFACE))
            ok = parse_pointer_default(self);
        else if (!strcmp(name, "helpstring"))
            ok = parse_help(self, out);
        else if (!strcmp(name, "helpcontext") || !strcmp(name, "lcid"))
            ok = skip_text(self);
        else if (!strcmp(name, "defaultvalue") && place == PLACE_PARAM)
            ok = parse_default(self, out);
        else if (!strcmp(name, "id") && (place & (PLACE_METHOD | PLACE_PROPERTY)))
            ok = parse_id(self, out);
        else {
            *is_known = false;
            return true;
        }
    }
    return ok && parser_require(self, ')');
}

static bool parse_attribute(struct parser *self, unsigned place, struct attributes *out)
{
    struct position position = self->token.position;
    const char *name;
    if (!parser_name(self, &name))
        return false;
    bool is_known;
    if (!parse_with_arguments(self, name, place, out, &is_known))
        return false;
    if (is_known)
        return true;
    for (size_t i = 0; i < sizeof(simple_attributes) / sizeof(simple_attributes[0]); i++) {
        const struct simple *simple = &simple_attributes[i];
        if (strcmp(simple->name, name))
            continue;
        if (!(simple->places & place))
            return parser_error(self, position, "attribute %s has no meaning here", name);
        out->flags |= simple->flag;
        return true;
    }
    return parser_error(self, position, "attribute %s is not supported%s", name,
                        parser_is(self, '(') ? " here" : "");
}

bool attributes_parse(struct parser *parser, unsigned place, struct attributes *attributes)
{
    memset(attributes, 0, sizeof(*attributes));
    attributes->position = parser->token.position;
    /* "[in] [out]" is legal too. */
    while (parser_accept(parser, '[')) {
        do {
            if (!parse_attribute(parser, place, attributes))
                return false;
        } while (parser_accept(parser, ','));
        if (!parser_require(parser, ']'))
            return false;
    }
    return true;
}
