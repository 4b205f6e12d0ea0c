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
                      (attributes & ATTRIBUTE_PROPPUTREF ? VIA_METHOD_PROPPUTREF : 0) |
                      (attributes & ATTRIBUTE_VARARG ? VIA_METHOD_VARARG : 0) |
                      (attributes & ATTRIBUTE_RESTRICTED ? VIA_METHOD_RESTRICTED : 0) |
                      (attributes & ATTRIBUTE_HIDDEN ? VIA_METHOD_HIDDEN : 0));
}

bool interface_parse_params(struct parser *parser, struct member **members, size_t *n)
{
    struct parser *self = parser;
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

/* Callers leave arguments out at the end: one that has to be there stands in front of those that
 * need not. The new value of a property is always there. */
static bool check_optional(struct parser *self, const struct attributes *attributes,
                           const struct member *members, size_t n)
{
    bool is_put = attributes->flags & (ATTRIBUTE_PROPPUT | ATTRIBUTE_PROPPUTREF);
    const struct member *open = NULL;
    for (size_t i = 0; i < n; i++) {
        bool is_last = members[i].flags & VIA_PARAM_RETVAL || (is_put && i + 1 == n);
        if (members[i].flags & VIA_PARAM_OPTIONAL)
            open = &members[i];
        else if (open && !is_last)
            return parser_error(self, members[i].position,
                                "%s has to be given, but stands behind %s, which is optional",
                                members[i].name, open->name);
    }
    return true;
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
    return check_optional(self, attributes, members, n);
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
        bool is_there = builtin_has_method(&owner->itf.iid, c_name);
        for (size_t i = 0; i < owner->n_methods && !is_there; i++)
            is_there = !strcasecmp(owner->methods[i].c_name, c_name);
        if (is_there && owner == iface)
            return parser_error(self, position,
                                "method %s is there twice; case makes no difference", c_name);
        if (is_there)
            return parser_error(self, position,
                                "method %s is there already, in the base interface %s; case makes "
                                "no difference",
                                c_name, owner->itf.name);
        if (owner->itf.base == VIA_NO_INDEX)
            return true;
        owner = &self->unit->interfaces[owner->itf.base];
    }
}

static bool is_property(unsigned flags)
{
    return flags & (VIA_METHOD_PROPGET | VIA_METHOD_PROPPUT | VIA_METHOD_PROPPUTREF);
}

/* Callers by name know a member by its id, which the forms of one property share. */
static bool check_new_id(struct parser *self, const struct unit_interface *iface,
                         const struct via_method *method, struct position position)
{
    for (size_t i = 0; i < iface->n_methods; i++) {
        const struct via_method *other = &iface->methods[i].method;
        bool is_same = is_property(method->flags) && is_property(other->flags) &&
                       !strcasecmp(method->name, other->name);
        if (other->dispid == method->dispid && !is_same)
            return parser_error(self, position,
                                "%s has the id %d, which is that of %s; give one of them another, "
                                "by id(...)",
                                method->name, (int)method->dispid, other->name);
    }
    return true;
}

bool interface_add_method(struct parser *parser, struct unit_interface *iface,
                          const struct attributes *attributes, const struct new_method *made)
{
    struct arena *arena = &parser->unit->arena;
    uint16_t flags = method_flags(attributes->flags);
    size_t n = made->n_members;
    struct member *members = made->members;
    if (!declare_resolve(parser, members, n, OWNER_METHOD) ||
        !check_method(parser, attributes, made->position, members, n))
        return false;
    struct via_param *params = arena_allocate(arena, (n + 1) * sizeof(*params));
    struct unit_declaration *declarations = arena_allocate(arena, (n + 1) * sizeof(*declarations));
    for (size_t i = 0; i < n; i++) {
        params[i] = (struct via_param){members[i].name, members[i].type, members[i].flags,
                                       members[i].alias, members[i].attributes.default_value};
        declarations[i].text = members[i].declaration;
    }
    const char *c_name = method_c_name(parser, made->name, flags);
    if (!check_new_method(parser, iface, c_name, made->position))
        return false;
    if (iface->n_methods == TYPELIB_MAX_SLOTS)
        return parser_error(parser, made->position, "an interface has at most %d methods",
                            TYPELIB_MAX_SLOTS);
    bool has_id = attributes->flags & ATTRIBUTE_ID;
    struct via_method described = {
        made->name, has_id ? attributes->id : (int32_t)iface->n_methods + 1,
        flags,      (uint16_t)n,
        params,     attributes->help};
    if (!check_new_id(parser, iface, &described, made->position))
        return false;
    struct unit_method *method =
        arena_append(arena, (void **)&iface->methods, &iface->n_methods, sizeof(*method));
    method->method = described;
    method->c_name = c_name;
    method->declarations = declarations;
    return true;
}

static bool parse_method(struct parser *self, struct unit_interface *iface)
{
    struct attributes attributes;
    struct base_type result;
    struct new_method made = {0};
    if (!attributes_parse(self, PLACE_METHOD, &attributes) || !declare_base(self, &result))
        return false;
    if (result.kind != VIA_TYPE_HRESULT || parser_is(self, '*'))
        return parser_error(self, result.position, "a method returns HRESULT");
    made.position = self->token.position;
    /* "_NewEnum" is get__NewEnum in the header. */
    return parser_name(self, &made.name) && check_plain(self, made.name, made.position) &&
           declare_check_name(self, method_c_name(self, made.name, method_flags(attributes.flags)),
                              made.position) &&
           parser_require(self, '(') &&
           interface_parse_params(self, &made.members, &made.n_members) &&
           parser_require(self, ';') && interface_add_method(self, iface, &attributes, &made);
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
    const struct via_interface *known = &self->unit->interfaces[base_index].itf;
    if (known->flags & VIA_INTERFACE_DISPINTERFACE)
        return parser_error(self, position, "%s is a dispinterface: nothing can derive from it",
                            base);
    if ((known->flags & VIA_INTERFACE_EXTERNAL) && !builtin_slots(&known->iid))
        return parser_error(self, position, "%s is built in: nothing can derive from it", base);
    self->unit->interfaces[index].itf.base = (uint16_t)base_index;
    return true;
}

uint16_t interface_flags(unsigned attributes)
{
    return (uint16_t)((attributes & ATTRIBUTE_DUAL ? VIA_INTERFACE_DUAL : 0) |
                      (attributes & ATTRIBUTE_OLEAUTOMATION ? VIA_INTERFACE_OLEAUTOMATION : 0) |
                      (attributes & ATTRIBUTE_RESTRICTED ? VIA_INTERFACE_RESTRICTED : 0) |
                      (attributes & ATTRIBUTE_HIDDEN ? VIA_INTERFACE_HIDDEN : 0) |
                      (attributes & ATTRIBUTE_NONEXTENSIBLE ? VIA_INTERFACE_NONEXTENSIBLE : 0));
}

bool interface_check_new(struct parser *parser, size_t index, const struct attributes *attributes,
                         struct position position)
{
    const struct unit *unit = parser->unit;
    const char *name = unit->interfaces[index].itf.name;
    if (unit->interfaces[index].is_defined)
        return parser_error(parser, position, "interface %s is defined twice, or built in", name);
    if (!(attributes->flags & ATTRIBUTE_UUID))
        return parser_error(parser, position, "interface %s has no uuid()", name);
    for (size_t i = 0; i < unit->n_interfaces; i++)
        if (unit->interfaces[i].is_defined &&
            IsEqualGUID(&unit->interfaces[i].itf.iid, &attributes->uuid))
            return parser_error(parser, position, "interfaces %s and %s have the same uuid()",
                                unit->interfaces[i].itf.name, name);
    return true;
}

void interface_define(struct parser *parser, size_t index, const struct unit_interface *made)
{
    struct unit *unit = parser->unit;
    unit->interfaces[index] = *made;
    unit->interfaces[index].is_defined = true;
    unit->interfaces[index].is_imported = parser->import_depth > 0;
    if (parser->import_depth == 0)
        unit_add_item(unit, UNIT_INTERFACE, index, NULL);
}

static bool define_interface(struct parser *self, size_t index, const struct attributes *attributes,
                             struct position position)
{
    struct unit *unit = self->unit;
    if (!interface_check_new(self, index, attributes, position))
        return false;
    if (!(attributes->flags & (ATTRIBUTE_OBJECT | ATTRIBUTE_DUAL)))
        return parser_error(self, position, "interface %s needs the attribute object",
                            unit->interfaces[index].itf.name);
    if (!set_base(self, index) || !parser_require(self, '{'))
        return false;
    /* Methods may name interfaces that are new: the entry is worked on as a copy. */
    struct unit_interface copy = unit->interfaces[index];
    copy.position = position;
    copy.itf.iid = attributes->uuid;
    copy.itf.flags = interface_flags(attributes->flags);
    copy.itf.help = attributes->help;
    while (!parser_is(self, '}')) {
        size_t start = self->n_tokens;
        if (self->token.kind == TOKEN_END)
            return parser_expected(self, "'}'");
        if (!parse_method(self, &copy) && !parser_recover(self, start, false))
            return false;
    }
    parser_advance(self);
    interface_define(self, index, &copy);
    return true;
}

bool interface_begin(struct parser *parser, size_t *index, bool *is_declaration)
{
    const char *name;
    struct position position = parser->token.position;
    if (!parser_new_name(parser, &name))
        return false;
    *index = unit_interface(parser->unit, name);
    if (*index >= TYPELIB_MAX_ENTRIES)
        return parser_error(parser, position, "more than %u interfaces", TYPELIB_MAX_ENTRIES);
    struct unit_interface *self = &parser->unit->interfaces[*index];
    if (!self->position.file)
        self->position = position;
    *is_declaration = parser_accept(parser, ';');
    if (*is_declaration && parser->import_depth == 0 && !self->is_defined)
        unit_add_item(parser->unit, UNIT_FORWARD, *index, NULL);
    return true;
}

bool interface_parse(struct parser *parser, const struct attributes *attributes)
{
    struct position position = parser->token.position;
    bool is_declaration;
    size_t index;
    return interface_begin(parser, &index, &is_declaration) &&
           (is_declaration || define_interface(parser, index, attributes, position));
}
