/*
 * Types of parameters, fields and arms, once all names are known: from C's declarators and MIDL's
 * attributes to the type library's types.
 */
#include "com/idl/parser.h"
#include "com/typelib/typelib.h"

#include <string.h>

struct resolver {
    struct parser *parser;
    struct member *members;
    size_t n_members;
    enum member_owner owner;
};

/* --- what is said with the names of others --- */

enum need { NEED_SIZE, NEED_LENGTH, NEED_SWITCH, NEED_IID };
static const char *const need_names[] = {"size_is", "length_is", "switch_is", "iid_is"};

struct reference {
    enum need need;
    bool is_early; /* whoever is referred to has to be known before the call */
    const struct member *member;
};

static bool is_by_reference(const struct member *member)
{
    return member->n_levels > 0 && !member->attributes.n_sizes;
}

static bool is_value(const struct member *member)
{
    return member->n_levels <= 1 && !member->base.is_string && !member->base.is_void &&
           !(member->attributes.flags & ATTRIBUTE_STRING) &&
           (member->n_levels == 0 || member->levels[0].kind == LEVEL_POINTER);
}

static bool is_integer(const struct member *member)
{
    return member->base.kind >= VIA_TYPE_I8 && member->base.kind <= VIA_TYPE_U64 &&
           is_value(member);
}

static bool is_in(const struct member *member)
{
    return (member->attributes.flags & ATTRIBUTE_IN) || !(member->attributes.flags & ATTRIBUTE_OUT);
}

static bool check_discriminant(struct resolver *self, const struct reference *reference,
                               const struct expression *at, const struct member *other)
{
    uint8_t kind = other->base.kind;
    const struct member *member = reference->member;
    bool is_union = member->base.kind == VIA_TYPE_UNION;
    uint8_t wanted = is_union ? self->parser->unit->unions[member->base.index].switch_kind : 0;
    bool is_right = (kind >= VIA_TYPE_I8 && kind <= VIA_TYPE_U32) || kind == VIA_TYPE_WCHAR ||
                    kind == VIA_TYPE_ENUM;
    if (!is_value(other) || !is_right)
        return parser_error(self->parser, at->position,
                            "switch_is: %s is no integer of at most 32 bits, and no enum",
                            other->name);
    return !wanted || wanted == kind ||
           parser_error(self->parser, at->position,
                        "switch_is: %s is of another type than the switch_type of union %s",
                        other->name, self->parser->unit->unions[member->base.index].tag);
}

static bool check_type(struct resolver *self, const struct reference *reference,
                       const struct expression *at, const struct member *other)
{
    const char *need = need_names[reference->need];
    if (reference->need == NEED_SWITCH && !check_discriminant(self, reference, at, other))
        return false;
    if (reference->need == NEED_IID)
        return (other->base.kind == VIA_TYPE_GUID && is_value(other)) ||
               parser_error(self->parser, at->position, "%s: %s is no IID", need, other->name);
    if (at->dereference != is_by_reference(other))
        return parser_error(self->parser, at->position, "%s: write %s%s", need,
                            at->dereference ? "" : "*", at->name);
    if (reference->need != NEED_SWITCH && !is_integer(other))
        return parser_error(self->parser, at->position, "%s: %s is no integer", need, at->name);
    return true;
}

/* The member that a name in an expression is of. */
static bool find_member(struct resolver *self, const struct reference *reference,
                        const struct expression *at, uint16_t *index)
{
    const char *need = need_names[reference->need];
    bool is_method = self->owner == OWNER_METHOD;
    if (self->owner == OWNER_UNION)
        return parser_error(self->parser, at->position,
                            "%s in an arm of a union is a number: put what needs a name into a "
                            "struct",
                            need);
    for (size_t i = 0; i < self->n_members; i++) {
        const struct member *other = &self->members[i];
        if (strcmp(other->name, at->name))
            continue;
        if (!check_type(self, reference, at, other))
            return false;
        if (is_method && reference->is_early && !is_in(other))
            return parser_error(self->parser, at->position, "%s: %s has to be an [in] parameter",
                                need, at->name);
        if (other->attributes.flags & ATTRIBUTE_UNIQUE)
            return parser_error(self->parser, at->position, "%s: %s may be NULL", need, at->name);
        *index = (uint16_t)i;
        return true;
    }
    return parser_error(self->parser, at->position, "%s: %s names %s, which is not there",
                        reference->member->name, need, at->name);
}

static bool add_expression(struct resolver *self, const struct reference *reference,
                           const struct expression *at, unsigned *n_parts, uint16_t *index)
{
    bool is_method = self->owner == OWNER_METHOD;
    struct via_expression made = {.op = at->op, .value = at->value};
    if (++*n_parts > TYPELIB_MAX_EXPRESSION)
        return parser_error(self->parser, at->position, "%s: more than %d numbers and operators",
                            need_names[reference->need], TYPELIB_MAX_EXPRESSION);
    if (at->op == 0) {
        made.op = is_method ? VIA_OPERATOR_PARAM : VIA_OPERATOR_FIELD;
        if (!find_member(self, reference, at, &made.left))
            return false;
    } else if (at->op != VIA_OPERATOR_CONST &&
               (!add_expression(self, reference, at->left, n_parts, &made.left) ||
                !add_expression(self, reference, at->right, n_parts, &made.right))) {
        return false;
    }
    *index = unit_add_expression(self->parser->unit, &made);
    return true;
}

/* A name, or what is computed of names. */
static bool resolve_from(struct resolver *self, const struct reference *reference,
                         const struct expression *at, uint8_t *from, uint16_t *index)
{
    unsigned n_parts = 0;
    *from = VIA_SIZE_EXPRESSION;
    if (at->op)
        return add_expression(self, reference, at, &n_parts, index);
    *from = self->owner == OWNER_METHOD ? VIA_SIZE_PARAM : VIA_SIZE_FIELD;
    return find_member(self, reference, at, index);
}

static bool resolve_size(struct resolver *self, const struct member *member,
                         const struct expression *size, struct via_type *type)
{
    /* The caller has to know the size: of what goes in, and of what is its own buffer. */
    struct reference reference = {NEED_SIZE, is_in(member) || member->attributes.sizes[0], member};
    if (size->op != VIA_OPERATOR_CONST)
        return resolve_from(self, &reference, size, &type->size_from, &type->size_index);
    if (size->value <= 0 || size->value > 1 << 20)
        return parser_error(self->parser, size->position, "size_is of %lld elements",
                            (long long)size->value);
    type->size_from = VIA_SIZE_CONST;
    type->count = (uint32_t)size->value;
    return true;
}

static const char not_varying[] = "%s: length_is is for arrays: say how large it is, by size_is";

/* Those of its elements that count, at one level. */
static bool resolve_length(struct resolver *self, const struct member *member, unsigned level,
                           struct via_type *type)
{
    struct reference reference = {NEED_LENGTH, is_in(member), member};
    const struct expression *length =
        level < member->attributes.n_lengths ? member->attributes.lengths[level] : NULL;
    if (!length)
        return true;
    if (type->kind != VIA_TYPE_SIZED && type->kind != VIA_TYPE_ARRAY)
        return parser_error(self->parser, length->position, not_varying, member->name);
    return resolve_from(self, &reference, length, &type->length_from, &type->length_index);
}

static bool resolve_union(struct resolver *self, const struct member *member, struct via_type *type)
{
    struct reference reference = {NEED_SWITCH, is_in(member), member};
    const struct expression *at = member->attributes.switch_is;
    if (!at)
        return parser_error(self->parser, member->position,
                            "%s: switch_is is missing: it names what says which arm of union %s "
                            "is there",
                            member->name, self->parser->unit->unions[member->base.index].tag);
    return resolve_from(self, &reference, at, &type->size_from, &type->size_index);
}

static bool resolve_iid(struct resolver *self, const struct member *member, struct via_type *type)
{
    struct reference reference = {NEED_IID, is_in(member), member};
    const struct expression *at = member->attributes.iid_is;
    if (!member->base.is_void && member->base.kind != VIA_TYPE_INTERFACE)
        return parser_error(self->parser, at->position,
                            "%s: iid_is is for interface pointers and void *", member->name);
    if (member->base.is_void)
        type->index = (uint16_t)unit_interface(self->parser->unit, "IUnknown");
    type->kind = VIA_TYPE_INTERFACE;
    return resolve_from(self, &reference, at, &type->size_from, &type->size_index);
}

/* --- types --- */

/* NULL is allowed where nothing says otherwise: MIDL's default for embedded pointers. */
static uint8_t nullable(const struct resolver *self, const struct member *member, bool is_top)
{
    bool may_be_null =
        !is_top || (self->owner == OWNER_METHOD ? (member->attributes.flags & ATTRIBUTE_UNIQUE) != 0
                                                : !(member->attributes.flags & ATTRIBUTE_REF));
    return may_be_null ? VIA_TYPE_NULLABLE : 0;
}

/* An OS handle is a parameter of its own, or what one is set to. */
static bool check_handle(struct resolver *self, const struct member *member)
{
    uint32_t kind = member->attributes.handle_kind;
    bool is_out = member->attributes.flags & ATTRIBUTE_OUT;
    if (member->base.kind != VIA_TYPE_HANDLE)
        return !kind || parser_error(self->parser, member->position,
                                     "%s: VIA_SYSTEM_HANDLE is for VIA_HANDLE", member->name);
    if (self->owner != OWNER_METHOD)
        return parser_error(self->parser, member->position,
                            "%s: handles are parameters; they cannot be in a %s", member->name,
                            self->owner == OWNER_STRUCT ? "struct" : "union");
    if (!kind)
        return parser_error(self->parser, member->position,
                            "%s: a handle of what? write [VIA_SYSTEM_HANDLE(sh_file)]",
                            member->name);
    if (member->n_levels != (is_out ? 1u : 0u) || member->attributes.n_sizes > 0 ||
        (is_out && member->levels[0].kind != LEVEL_POINTER))
        return parser_error(self->parser, member->position,
                            "%s: a handle is passed by value, [out] ones by one pointer; there "
                            "are no arrays of them",
                            member->name);
    return true;
}

/* The innermost type: strings and interface pointers take the innermost pointer. */
static bool resolve_base(struct resolver *self, const struct member *member, unsigned *n_levels,
                         struct via_type *type)
{
    const struct base_type *base = &member->base;
    *type = (struct via_type){
        .kind = base->kind, .index = base->index, .element = base->element, .alias = base->alias};
    if (member->attributes.switch_is && base->kind != VIA_TYPE_UNION)
        return parser_error(self->parser, member->attributes.switch_is->position,
                            "%s: switch_is is for unions without a discriminant of their own",
                            member->name);
    if (member->attributes.iid_is) {
        if (!resolve_iid(self, member, type))
            return false;
    } else if (base->is_void) {
        return parser_error(
            self->parser, base->position,
            "void is no type of a parameter or field; pointers need to know what they point to");
    }
    if (base->kind == VIA_TYPE_UNION)
        return resolve_union(self, member, type);
    if (!check_handle(self, member))
        return false;
    if (base->kind == VIA_TYPE_HANDLE)
        type->count = member->attributes.handle_kind;
    bool is_string = base->is_string || (member->attributes.flags & ATTRIBUTE_STRING);
    if (!is_string && type->kind != VIA_TYPE_INTERFACE)
        return true;
    if (*n_levels == 0 || member->levels[*n_levels - 1].kind == LEVEL_ARRAY)
        return parser_error(self->parser, member->position, "%s: %s", member->name,
                            is_string ? "[string] needs a pointer to characters"
                                      : "an interface is passed by pointer");
    (*n_levels)--;
    type->alias = member->levels[*n_levels].alias;
    if (!is_string)
        return true;
    if (base->kind != VIA_TYPE_WCHAR && base->kind != VIA_TYPE_I8 && base->kind != VIA_TYPE_U8)
        return parser_error(self->parser, member->position, "%s: [string] is for char and wchar_t",
                            member->name);
    type->kind = base->kind == VIA_TYPE_WCHAR ? VIA_TYPE_STRING16 : VIA_TYPE_STRING8;
    type->flags = nullable(self, member, *n_levels == 0);
    return true;
}

static bool resolve_level(struct resolver *self, const struct member *member, unsigned level,
                          struct via_type *type)
{
    const struct expression *size =
        level < member->attributes.n_sizes ? member->attributes.sizes[level] : NULL;
    enum level_kind kind = member->levels[level].kind;
    struct via_type outer = {.index = VIA_NO_INDEX, .alias = member->levels[level].alias};
    outer.element = unit_add_type(self->parser->unit, type);
    if (size) {
        if (kind == LEVEL_ARRAY)
            return parser_error(self->parser, member->position,
                                "%s: size_is of an array whose size is fixed", member->name);
        outer.kind = VIA_TYPE_SIZED;
        outer.flags = nullable(self, member, level == 0);
        if (!resolve_size(self, member, size, &outer))
            return false;
    } else if (kind == LEVEL_ARRAY) {
        outer.kind = VIA_TYPE_ARRAY;
        outer.count = member->levels[level].count;
    } else if (kind == LEVEL_OPEN_ARRAY) {
        return parser_error(self->parser, member->position, "%s[]: size_is is missing",
                            member->name);
    } else {
        outer.kind = VIA_TYPE_POINTER;
        outer.flags = nullable(self, member, level == 0);
    }
    *type = outer;
    return resolve_length(self, member, level, type);
}

static bool check_direction(struct resolver *self, struct member *member, unsigned n_levels)
{
    unsigned flags = member->attributes.flags;
    if (flags & ATTRIBUTE_OUT)
        member->flags |= VIA_PARAM_OUT;
    if ((flags & ATTRIBUTE_IN) || !(flags & ATTRIBUTE_OUT))
        member->flags |= VIA_PARAM_IN;
    if (flags & ATTRIBUTE_RETVAL)
        member->flags |= VIA_PARAM_RETVAL;
    /* As MIDL has it: what has a default value need not be given. */
    if (flags & ATTRIBUTE_OPTIONAL || member->attributes.default_value)
        member->flags |= VIA_PARAM_OPTIONAL;
    if (member->flags & VIA_PARAM_OPTIONAL && member->flags & VIA_PARAM_RETVAL)
        return parser_error(self->parser, member->position,
                            "%s: a [retval] is not an argument that could be left out",
                            member->name);
    if ((flags & ATTRIBUTE_OUT) && n_levels == 0)
        return parser_error(self->parser, member->position,
                            "%s: an [out] parameter is a pointer to what is set", member->name);
    return true;
}

static bool set_in_place(struct resolver *self, struct member *member, const struct via_type *type)
{
    if (type->kind != VIA_TYPE_SIZED || type->length_from != VIA_SIZE_NONE ||
        (member->flags & (VIA_PARAM_OUT | VIA_PARAM_BY_REF)) ||
        self->parser->unit->types[type->element].kind > VIA_TYPE_F64)
        return parser_error(self->parser, member->position,
                            "%s: VIADUCT_IN_PLACE is for [in, size_is] arrays of numbers",
                            member->name);
    member->flags |= VIA_PARAM_IN_PLACE;
    return true;
}

static bool resolve_member(struct resolver *self, struct member *member)
{
    struct via_type type;
    unsigned n_levels = member->n_levels;
    if (!resolve_base(self, member, &n_levels, &type))
        return false;
    if (member->attributes.n_sizes > n_levels || member->attributes.n_lengths > n_levels)
        return parser_error(self->parser, member->position, "%s: %s has more levels than pointers",
                            member->name,
                            member->attributes.n_sizes > n_levels ? "size_is" : "length_is");
    bool is_param = self->owner == OWNER_METHOD;
    if (is_param && !check_direction(self, member, n_levels))
        return false;
    bool top_is_sized = member->attributes.sizes[0] != NULL;
    bool by_ref = is_param && n_levels > 0 && !top_is_sized;
    bool keeps_top = !by_ref || member->levels[0].kind == LEVEL_ARRAY;
    for (unsigned level = n_levels; level > (keeps_top ? 0u : 1u); level--)
        if (!resolve_level(self, member, level - 1, &type))
            return false;
    if (!keeps_top && member->attributes.lengths[0])
        return parser_error(self->parser, member->attributes.lengths[0]->position, not_varying,
                            member->name);
    if (by_ref) {
        if (member->levels[0].kind == LEVEL_OPEN_ARRAY)
            return parser_error(self->parser, member->position, "%s[]: size_is is missing",
                                member->name);
        member->flags |= VIA_PARAM_BY_REF;
        member->alias = keeps_top ? 0 : member->levels[0].alias;
        bool is_unique = member->attributes.flags & ATTRIBUTE_UNIQUE;
        if (is_unique && !(member->flags & VIA_PARAM_OUT))
            member->flags |= VIA_PARAM_NULLABLE;
    }
    if ((member->attributes.flags & ATTRIBUTE_IN_PLACE) && !set_in_place(self, member, &type))
        return false;
    member->type = unit_add_type(self->parser->unit, &type);
    return true;
}

bool declare_resolve(struct parser *parser, struct member *members, size_t n_members,
                     enum member_owner owner)
{
    struct resolver resolver = {parser, members, n_members, owner};
    for (size_t i = 0; i < n_members; i++) {
        for (size_t j = 0; j < i; j++)
            if (!strcmp(members[i].name, members[j].name))
                return parser_error(parser, members[i].position, "%s is there twice",
                                    members[i].name);
        if (!resolve_member(&resolver, &members[i]))
            return false;
    }
    return true;
}
