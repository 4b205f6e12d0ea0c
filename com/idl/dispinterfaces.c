/*
 * Dispinterfaces: lists of members that are called by IDispatch::Invoke alone.
 *
 * A member becomes a method as those of interfaces are: what it returns is a last parameter [out,
 * retval], and a property the methods that get and set it. So everything that reads descriptions
 * knows one form.
 */
#include "com/idl/parser.h"
#include "com/typelib/builtin.h"
#include "com/typelib/typelib.h"

#include <string.h>
#include <strings.h>

/* What a member returns, and a property holds. */
static const char result_name[] = "result";
static const char value_name[] = "value";

/* The type in front of a member's name, and its stars. */
struct result {
    struct base_type base;
    unsigned n_stars;
};

static bool parse_result(struct parser *self, struct result *result)
{
    memset(result, 0, sizeof(*result));
    if (!declare_base(self, &result->base))
        return false;
    while (parser_accept(self, '*'))
        result->n_stars++;
    if (result->n_stars + result->base.n_levels >= MAX_LEVELS)
        return parser_error(self, result->base.position, "more than %d levels of pointers",
                            MAX_LEVELS);
    return true;
}

static bool is_nothing(const struct result *result)
{
    const struct base_type *base = &result->base;
    return result->n_stars + base->n_levels == 0 &&
           (base->is_void || base->kind == VIA_TYPE_HRESULT);
}

/* One more parameter, of the type of the result. */
static void append_result(struct parser *self, const struct result *result, const char *name,
                          unsigned flags, struct new_method *method)
{
    struct member *member = arena_append(&self->unit->arena, (void **)&method->members,
                                         &method->n_members, sizeof(*member));
    *member = (struct member){.name = name,
                              .declaration = name, /* the header has no member of it */
                              .position = method->position,
                              .base = result->base};
    member->attributes.flags = flags;
    bool is_out = flags & ATTRIBUTE_OUT;
    member->n_levels = result->n_stars + is_out;
    for (unsigned i = 0; i < member->n_levels; i++)
        member->levels[i].kind = LEVEL_POINTER;
    for (unsigned i = 0; i < result->base.n_levels; i++)
        member->levels[member->n_levels++] = result->base.levels[i];
}

static bool parse_method(struct parser *self, struct unit_interface *iface)
{
    struct attributes attributes;
    struct result result;
    struct new_method made = {0};
    if (!attributes_parse(self, PLACE_METHOD, &attributes) || !parse_result(self, &result))
        return false;
    made.position = self->token.position;
    if (!parser_name(self, &made.name) || !parser_require(self, '(') ||
        !interface_parse_params(self, &made.members, &made.n_members) || !parser_require(self, ';'))
        return false;
    if (made.n_members == TYPELIB_MAX_PARAMS && !is_nothing(&result))
        return parser_error(self, made.position, "a method has at most %d parameters",
                            TYPELIB_MAX_PARAMS);
    if (!is_nothing(&result))
        append_result(self, &result, result_name, ATTRIBUTE_OUT | ATTRIBUTE_RETVAL, &made);
    return interface_add_method(self, iface, &attributes, &made);
}

static bool parse_property(struct parser *self, struct unit_interface *iface)
{
    struct attributes attributes;
    struct result result;
    struct new_method get = {0};
    if (!attributes_parse(self, PLACE_PROPERTY, &attributes) || !parse_result(self, &result))
        return false;
    get.position = self->token.position;
    if (!parser_name(self, &get.name) || !parser_require(self, ';'))
        return false;
    if (result.base.is_void)
        return parser_error(self, result.base.position, "property %s has no type", get.name);
    struct new_method put = get;
    /* Both have the id that the getter would have. */
    attributes.id = attributes.flags & ATTRIBUTE_ID ? attributes.id : (int32_t)iface->n_methods + 1;
    attributes.flags |= ATTRIBUTE_ID;
    unsigned flags = attributes.flags & ~(unsigned)ATTRIBUTE_READONLY;
    append_result(self, &result, result_name, ATTRIBUTE_OUT | ATTRIBUTE_RETVAL, &get);
    append_result(self, &result, value_name, ATTRIBUTE_IN, &put);
    bool is_readonly = attributes.flags & ATTRIBUTE_READONLY;
    attributes.flags = flags | ATTRIBUTE_PROPGET;
    if (!interface_add_method(self, iface, &attributes, &get))
        return false;
    attributes.flags = flags | ATTRIBUTE_PROPPUT;
    return is_readonly || interface_add_method(self, iface, &attributes, &put);
}

/* "{ interface IFoo; }": the members of an interface, its bases' first. */
static bool copy_interface(struct parser *self, struct unit_interface *iface)
{
    const struct unit *unit = self->unit;
    const char *name;
    struct position position = self->token.position;
    if (!parser_name(self, &name) || !parser_require(self, ';'))
        return false;
    size_t index = unit_interface(self->unit, name);
    const struct unit_interface *from = &unit->interfaces[index];
    if (!from->is_defined || from->itf.base == VIA_NO_INDEX ||
        from->itf.flags & (VIA_INTERFACE_EXTERNAL | VIA_INTERFACE_DISPINTERFACE))
        return parser_error(self, position, "%s is no interface that is defined before this", name);
    const struct unit_interface *chain[TYPELIB_MAX_NESTING];
    unsigned n = 0;
    for (; !builtin_slots(&from->itf.iid); from = &unit->interfaces[from->itf.base]) {
        if (n == TYPELIB_MAX_NESTING)
            return parser_error(self, position, "%s has too many bases", name);
        chain[n++] = from;
    }
    while (n-- > 0)
        for (size_t i = 0; i < chain[n]->n_methods; i++)
            *(struct unit_method *)arena_append(&self->unit->arena, (void **)&iface->methods,
                                                &iface->n_methods, sizeof(struct unit_method)) =
                chain[n]->methods[i];
    return true;
}

/* "properties:" and "methods:", of which either may be missing. */
static bool parse_members(struct parser *self, struct unit_interface *iface)
{
    bool in_methods = false, is_begun = false;
    while (!parser_is(self, '}')) {
        size_t start = self->n_tokens;
        if (self->token.kind == TOKEN_END)
            return parser_expected(self, "'}'");
        if (parser_is_word(self, "properties") || parser_is_word(self, "methods")) {
            in_methods = parser_is_word(self, "methods");
            is_begun = true;
            parser_advance(self);
            if (!parser_require(self, ':'))
                return false;
            continue;
        }
        if (!is_begun)
            return parser_expected(self, "properties:, methods: or interface");
        bool ok = in_methods ? parse_method(self, iface) : parse_property(self, iface);
        if (!ok && !parser_recover(self, start, false))
            return false;
    }
    return true;
}

static bool define(struct parser *self, size_t index, const struct attributes *attributes,
                   struct position position)
{
    struct unit *unit = self->unit;
    if (!interface_check_new(self, index, attributes, position) || !parser_require(self, '{'))
        return false;
    if (attributes->flags & (ATTRIBUTE_DUAL | ATTRIBUTE_OBJECT))
        return parser_error(self, position, "a dispinterface is neither object nor dual");
    uint16_t base = (uint16_t)unit_interface(unit, "IDispatch");
    struct unit_interface copy = unit->interfaces[index];
    copy.position = position;
    copy.itf.iid = attributes->uuid;
    copy.itf.base = base;
    copy.itf.flags = interface_flags(attributes->flags) | VIA_INTERFACE_DISPINTERFACE;
    copy.itf.help = attributes->help;
    bool ok = parser_accept_word(self, "interface") ? copy_interface(self, &copy)
                                                    : parse_members(self, &copy);
    if (!ok || !parser_require(self, '}'))
        return false;
    interface_define(self, index, &copy);
    return true;
}

bool dispinterface_parse(struct parser *parser, const struct attributes *attributes)
{
    struct position position = parser->token.position;
    bool is_declaration;
    size_t index;
    return interface_begin(parser, &index, &is_declaration) &&
           (is_declaration || define(parser, index, attributes, position));
}
