/* Interfaces and their methods. */
#include "com/idl/parser.h"
#include "com/typelib/builtin.h"
#include "com/typelib/typelib.h"

#include <strings.h>

static const char *method_c_name(struct parser *self, const char *name, unsigned flags)
{
    const char *prefix = flags & VIA_METHOD_PROPGET      ? "get_"
                         : flags & VIA_METHOD_PROPPUT    ? "put_"
                         : flags & VIA_METHOD_PROPPUTREF ? "putref_"
                                                         : "";
    return arena_print(&self->unit->arena, "%s%s", prefix, name);
}

static uint16_t method_flags(unsigned attributes)
{
    return (uint16_t)((attributes & ATTRIBUTE_ONEWAY ? VIA_METHOD_ONEWAY : 0) |
                      (attributes & ATTRIBUTE_PROPGET ? VIA_METHOD_PROPGET : 0) |
                      (attributes & ATTRIBUTE_PROPPUT ? VIA_METHOD_PROPPUT : 0) |
                      (attributes & ATTRIBUTE_PROPPUTREF ? VIA_METHOD_PROPPUTREF : 0));
}

static bool parse_params(struct parser *self, struct member **members, size_t *n)
{
    if (parser_accept(self, ')'))
        return true;
    /* "(void)" */
    do {
        struct member member;
        if (parser_is_word(self, "void") && *n == 0) {
            parser_advance(self);
            if (parser_accept(self, ')'))
                return true;
            return parser_error(self, self->token.position, "void * is not supported");
        }
        if (parser_is(self, '.'))
            return parser_error(self, self->token.position, "variable arguments are not supported");
        if (*n == TYPELIB_MAX_PARAMS)
            return parser_error(self, self->token.position, "a method has at most %d parameters",
                                TYPELIB_MAX_PARAMS);
        if (!declare_member(self, true, &member))
            return false;
        *(struct member *)arena_append(&self->unit->arena, (void **)members, n, sizeof(member)) =
            member;
    } while (parser_accept(self, ','));
    return parser_require(self, ')');
}

/* Rules that concern the whole method; the library's validation has the rest. */
static bool check_method(struct parser *self, const struct attributes *attributes,
                         struct position position, const struct member *members, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool is_out = members[i].flags & VIA_PARAM_OUT;
        if (is_out && (attributes->flags & ATTRIBUTE_ONEWAY))
            return parser_error(self, members[i].position,
                                "a one-way method has no [out] parameters");
        bool is_in = members[i].flags & VIA_PARAM_IN;
        if ((members[i].flags & VIA_PARAM_RETVAL) && (!is_out || is_in || i + 1 != n))
            return parser_error(self, members[i].position,
                                "[retval] is for the last parameter, with [out]");
    }
    if ((attributes->flags & ATTRIBUTE_PROPGET) &&
        (n == 0 || !(members[n - 1].flags & VIA_PARAM_OUT)))
        return parser_error(self, position,
                            "a propget method ends with an [out, retval] parameter");
    return true;
}

/* "HRESULT __stdcall Name(": the convention is COM's anyway. */
static bool check_plain(struct parser *self, const char *name, struct position position)
{
    return self->token.kind != TOKEN_NAME ||
           parser_error(self, position, "%s: calling conventions are not supported", name);
}

/* Whoever looks a method up ignores case, and the header has one member of each name: so the name
 * is new among the interface's own methods and those of all its bases. */
static bool check_new_method(struct parser *self, const struct unit_interface *iface,
                             const char *c_name, struct position position)
{
    const struct unit_interface *owner = iface;
    for (;;) {
        bool is_there = builtin_has_method(&owner->interface.iid, c_name);
        for (size_t i = 0; i < owner->n_methods && !is_there; i++)
            is_there = !strcasecmp(owner->methods[i].c_name, c_name);
        if (is_there && owner == iface)
            return parser_error(self, position,
                                "method %s is there twice; case makes no difference", c_name);
        if (is_there)
            return parser_error(self, position,
                                "method %s is there already, in the base interface %s; case makes "
                                "no difference",
                                c_name, owner->interface.name);
        if (owner->interface.base == VIA_NO_INDEX)
            return true;
        owner = &self->unit->interfaces[owner->interface.base];
    }
}

static bool parse_method(struct parser *self, struct unit_interface *iface)
{
    struct attributes attributes;
    struct base_type result;
    struct member *members = NULL;
    size_t n = 0;
    const char *name;
    if (!attributes_parse(self, PLACE_METHOD, &attributes) || !declare_base(self, &result))
        return false;
    if (result.kind != VIA_TYPE_HRESULT || parser_is(self, '*'))
        return parser_error(self, result.position, "a method returns HRESULT");
    struct position position = self->token.position;
    if (!parser_name(self, &name) || !check_plain(self, name, position) ||
        !declare_check_name(self, name, position) || !parser_require(self, '(') ||
        !parse_params(self, &members, &n) || !parser_require(self, ';') ||
        !declare_resolve(self, members, n, OWNER_METHOD) ||
        !check_method(self, &attributes, position, members, n))
        return false;
    struct arena *arena = &self->unit->arena;
    struct via_param *params = arena_allocate(arena, (n + 1) * sizeof(*params));
    struct unit_declaration *declarations = arena_allocate(arena, (n + 1) * sizeof(*declarations));
    for (size_t i = 0; i < n; i++) {
        params[i] = (struct via_param){members[i].name, members[i].type, members[i].flags};
        declarations[i].text = members[i].declaration;
    }
    const char *c_name = method_c_name(self, name, method_flags(attributes.flags));
    if (!check_new_method(self, iface, c_name, position))
        return false;
    if (iface->n_methods == TYPELIB_MAX_SLOTS)
        return parser_error(self, position, "an interface has at most %d methods",
                            TYPELIB_MAX_SLOTS);
    struct unit_method *method =
        arena_append(arena, (void **)&iface->methods, &iface->n_methods, sizeof(*method));
    method->method = (struct via_method){
        name, attributes.flags & ATTRIBUTE_ID ? attributes.id : (int32_t)iface->n_methods,
        method_flags(attributes.flags), (uint16_t)n, params};
    method->c_name = c_name;
    method->declarations = declarations;
    return true;
}

/* --- interfaces --- */

static bool set_base(struct parser *self, size_t index)
{
    const char *base;
    struct position position = self->token.position;
    if (!parser_require(self, ':') || !parser_name(self, &base))
        return false;
    size_t base_index = unit_interface(self->unit, base);
    if (!self->unit->interfaces[base_index].is_defined || base_index == index)
        return parser_error(self, position, "base interface %s is not defined before this", base);
    const struct via_interface *known = &self->unit->interfaces[base_index].interface;
    if ((known->flags & VIA_INTERFACE_EXTERNAL) && !builtin_slots(&known->iid))
        return parser_error(self, position, "%s is built in: nothing can derive from it", base);
    self->unit->interfaces[index].interface.base = (uint16_t)base_index;
    return true;
}

static bool define_interface(struct parser *self, size_t index, const struct attributes *attributes,
                             struct position position)
{
    struct unit *unit = self->unit;
    const char *name = unit->interfaces[index].interface.name;
    if (unit->interfaces[index].is_defined)
        return parser_error(self, position, "interface %s is defined twice, or built in", name);
    if (!(attributes->flags & ATTRIBUTE_UUID))
        return parser_error(self, position, "interface %s has no uuid()", name);
    if (!(attributes->flags & (ATTRIBUTE_OBJECT | ATTRIBUTE_DUAL)))
        return parser_error(self, position, "interface %s needs the attribute object", name);
    for (size_t i = 0; i < unit->n_interfaces; i++)
        if (unit->interfaces[i].is_defined &&
            IsEqualGUID(&unit->interfaces[i].interface.iid, &attributes->uuid))
            return parser_error(self, position, "interfaces %s and %s have the same uuid()",
                                unit->interfaces[i].interface.name, name);
    if (!set_base(self, index) || !parser_require(self, '{'))
        return false;
    /* Methods may name interfaces that are new: the entry is worked on as a copy. */
    struct unit_interface copy = unit->interfaces[index];
    copy.position = position;
    copy.interface.iid = attributes->uuid;
    copy.interface.flags =
        (uint16_t)((attributes->flags & ATTRIBUTE_DUAL ? VIA_INTERFACE_DUAL : 0) |
                   (attributes->flags & ATTRIBUTE_OLEAUTOMATION ? VIA_INTERFACE_OLEAUTOMATION : 0));
    while (!parser_is(self, '}')) {
        size_t start = self->n_tokens;
        if (self->token.kind == TOKEN_END)
            return parser_expected(self, "'}'");
        if (!parse_method(self, &copy) && !parser_recover(self, start, false))
            return false;
    }
    parser_advance(self);
    copy.is_defined = true;
    copy.is_imported = self->import_depth > 0;
    unit->interfaces[index] = copy;
    if (!copy.is_imported)
        unit_add_item(unit, UNIT_INTERFACE, index, NULL);
    return true;
}

bool interface_parse(struct parser *parser, const struct attributes *attributes)
{
    struct parser *self = parser;
    const char *name;
    struct position position = self->token.position;
    if (!parser_new_name(self, &name))
        return false;
    size_t index = unit_interface(self->unit, name);
    if (index >= TYPELIB_MAX_ENTRIES)
        return parser_error(self, position, "more than %u interfaces", TYPELIB_MAX_ENTRIES);
    if (!self->unit->interfaces[index].position.file)
        self->unit->interfaces[index].position = position;
    if (parser_accept(self, ';')) {
        if (self->import_depth == 0 && !self->unit->interfaces[index].is_defined)
            unit_add_item(self->unit, UNIT_FORWARD, index, NULL);
        return true;
    }
    return define_interface(self, index, attributes, position);
}
