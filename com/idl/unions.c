/*
 * Unions. One with a discriminant of its own (union switch) is a struct of the two, as in C; one
 * without stands beside it, and switch_is says where.
 */
#include "com/idl/parser.h"
#include "com/typelib/typelib.h"

#include <string.h>

/* The arms while they are read. */
struct arms {
    struct member *members; /* those that hold something, in order */
    size_t n_members;
    struct via_arm *arms; /* all; `type` is that of the next member, or VIA_NO_INDEX */
    size_t n_arms;
    struct via_case *cases;
    size_t n_cases;
    uint16_t default_arm;
    uint8_t switch_kind;
};

static bool fits(uint8_t kind, int64_t value)
{
    switch (kind) {
    case VIA_TYPE_I8:
        return value >= INT8_MIN && value <= INT8_MAX;
    case VIA_TYPE_U8:
        return value >= 0 && value <= UINT8_MAX;
    case VIA_TYPE_I16:
        return value >= INT16_MIN && value <= INT16_MAX;
    case VIA_TYPE_U16:
    case VIA_TYPE_WCHAR:
        return value >= 0 && value <= UINT16_MAX;
    case VIA_TYPE_I32:
    case VIA_TYPE_ENUM:
        return value >= INT32_MIN && value <= INT32_MAX;
    default: /* of 32 bits, and what is not said */
        return value >= (kind == VIA_TYPE_U32 ? 0 : (int64_t)INT32_MIN) && value <= UINT32_MAX;
    }
}

static bool add_label(struct parser *self, struct arms *arms, const struct case_label *label)
{
    if (!fits(arms->switch_kind, label->value))
        return parser_error(self, label->position, "the discriminant cannot be %lld",
                            (long long)label->value);
    if (arms->n_cases == TYPELIB_MAX_ENTRIES)
        return parser_error(self, label->position, "a union has at most %u cases",
                            TYPELIB_MAX_ENTRIES);
    int32_t value = (int32_t)(uint32_t)label->value;
    for (size_t i = 0; i < arms->n_cases; i++)
        if (arms->cases[i].value == value)
            return parser_error(self, label->position, "there are two arms for %lld",
                                (long long)label->value);
    struct via_case *entry =
        arena_append(&self->unit->arena, (void **)&arms->cases, &arms->n_cases, sizeof(*entry));
    *entry = (struct via_case){value, (uint16_t)arms->n_arms};
    return true;
}

static bool add_default(struct parser *self, struct arms *arms, struct position position)
{
    if (arms->default_arm != VIA_NO_INDEX)
        return parser_error(self, position, "there are two default arms");
    arms->default_arm = (uint16_t)arms->n_arms;
    return true;
}

/* Type and name of an arm, whose attributes are read, or nothing; and the semicolon. */
static bool add_arm(struct parser *self, struct arms *arms, struct member *member)
{
    struct via_arm arm = {"", VIA_NO_INDEX};
    if (arms->n_arms == TYPELIB_MAX_ENTRIES)
        return parser_error(self, self->token.position, "a union has at most %u arms",
                            TYPELIB_MAX_ENTRIES);
    if (!parser_is(self, ';')) {
        if (!declare_declarator(self, member))
            return false;
        arm = (struct via_arm){member->name, 0};
        *(struct member *)arena_append(&self->unit->arena, (void **)&arms->members,
                                       &arms->n_members, sizeof(*member)) = *member;
    }
    *(struct via_arm *)arena_append(&self->unit->arena, (void **)&arms->arms, &arms->n_arms,
                                    sizeof(arm)) = arm;
    return parser_require(self, ';');
}

/* "[case(1, 2)] LONG number;" */
static bool attributed_arm(struct parser *self, struct arms *arms)
{
    struct member member = {0};
    struct position position = self->token.position;
    if (!attributes_parse(self, PLACE_ARM, &member.attributes))
        return false;
    bool is_default = member.attributes.flags & ATTRIBUTE_DEFAULT;
    if (!is_default && member.attributes.n_cases == 0)
        return parser_error(self, position, "an arm of a union has case() or default");
    for (size_t i = 0; i < member.attributes.n_cases; i++)
        if (!add_label(self, arms, &member.attributes.cases[i]))
            return false;
    return (!is_default || add_default(self, arms, position)) && add_arm(self, arms, &member);
}

/* "case 1: case 2: LONG number;" */
static bool labelled_arm(struct parser *self, struct arms *arms)
{
    struct member member = {0};
    size_t n_labels = 0;
    struct case_label label;
    for (;; n_labels++) {
        label.position = self->token.position;
        if (parser_accept_word(self, "default")) {
            if (!add_default(self, arms, label.position))
                return false;
        } else if (parser_accept_word(self, "case")) {
            if (!expression_constant(self, &label.value) || !add_label(self, arms, &label))
                return false;
        } else {
            break;
        }
        if (!parser_require(self, ':'))
            return false;
    }
    if (n_labels == 0)
        return parser_expected(self, "case or default");
    return attributes_parse(self, PLACE_ARM, &member.attributes) && add_arm(self, arms, &member);
}

static struct unit_union *find_union(struct unit *unit, const char *tag, struct position position,
                                     uint16_t *index)
{
    for (size_t i = 0; i < unit->n_unions; i++) {
        *index = (uint16_t)i;
        if (!strcmp(unit->unions[i].tag, tag))
            return &unit->unions[i];
    }
    struct unit_union *self =
        arena_append(&unit->arena, (void **)&unit->unions, &unit->n_unions, sizeof(*self));
    *self = (struct unit_union){.record = {.name = tag}, .tag = tag, .position = position};
    *index = (uint16_t)(unit->n_unions - 1);
    return self;
}

/* The arms are all there: they get their types. */
static void finish(struct parser *self, uint16_t index, struct arms *arms)
{
    struct unit *unit = self->unit;
    size_t next = 0;
    if (declare_resolve(self, arms->members, arms->n_members, OWNER_UNION))
        record_check_complete(self, arms->members, arms->n_members);
    struct unit_declaration *declarations =
        arena_allocate(&unit->arena, (arms->n_arms + 1) * sizeof(*declarations));
    for (size_t i = 0; i < arms->n_arms; i++) {
        if (arms->arms[i].type == VIA_NO_INDEX)
            continue;
        arms->arms[i].type = arms->members[next].type;
        declarations[i].text = arms->members[next++].declaration;
    }
    struct unit_union *record = &unit->unions[index];
    record->record.arms = arms->arms;
    record->record.n_arms = (uint16_t)arms->n_arms;
    record->record.cases = arms->cases;
    record->record.n_cases = (uint16_t)arms->n_cases;
    record->record.default_arm = arms->default_arm;
    record->switch_kind = arms->switch_kind;
    record->declarations = declarations;
    record->is_defined = true;
    record->is_imported = self->import_depth > 0;
    self->n_definitions++;
    if (!record->is_imported)
        unit_add_item(unit, UNIT_UNION, index, NULL);
}

/* What stands in the braces; the current token is behind the first. */
static bool read_arms(struct parser *self, uint16_t index, uint8_t switch_kind,
                      bool (*read)(struct parser *, struct arms *))
{
    struct arms arms = {.default_arm = VIA_NO_INDEX, .switch_kind = switch_kind};
    if (!parser_enter(self))
        return false;
    while (!parser_is(self, '}')) {
        size_t start = self->n_tokens;
        if (self->token.kind == TOKEN_END)
            return parser_expected(self, "'}'");
        if (!read(self, &arms) && !parser_recover(self, start, false))
            return false;
    }
    parser_leave(self);
    if (arms.n_members == 0)
        parser_error(self, self->token.position, "union %s has no arm that holds something",
                     self->unit->unions[index].tag);
    parser_advance(self);
    finish(self, index, &arms);
    return true;
}

static bool check_room(struct parser *self, struct position position)
{
    const struct unit *unit = self->unit;
    return (unit->n_unions < TYPELIB_MAX_ENTRIES && unit->n_structs < TYPELIB_MAX_ENTRIES) ||
           parser_error(self, position, "more than %u unions or structs", TYPELIB_MAX_ENTRIES);
}

/* "switch (long kind) value {...}": a struct of both. */
static bool encapsulated(struct parser *self, const char *tag, struct position position,
                         uint16_t *index)
{
    struct unit *unit = self->unit;
    struct member members[2] = {0};
    uint16_t inner;
    if (!tag)
        tag = arena_print(&unit->arena, "_struct_%zu", unit->n_structs);
    size_t found = record_find_struct(unit, tag, position);
    if (unit->structs[found].is_defined)
        return parser_error(self, position, "struct %s is defined twice", tag);
    *index = (uint16_t)found;
    members[0].position = self->token.position;
    if (!parser_require(self, '(') || !declare_declarator(self, &members[0]) ||
        !parser_require(self, ')'))
        return false;
    members[1].name = "tagged_union";
    members[1].position = self->token.position;
    if (self->token.kind == TOKEN_NAME &&
        (!parser_name(self, &members[1].name) ||
         !declare_check_name(self, members[1].name, members[1].position)))
        return false;
    const char *inner_tag = arena_print(&unit->arena, "%s_%s", tag, members[1].name);
    if (!parser_require(self, '{'))
        return false;
    find_union(unit, inner_tag, position, &inner);
    if (unit->unions[inner].is_defined)
        return parser_error(self, position, "union %s is defined twice", inner_tag);
    if (!read_arms(self, inner, members[0].base.kind, labelled_arm))
        return false;
    const struct expression name = {.name = members[0].name, .position = members[0].position};
    members[1].attributes.switch_is = &name;
    members[1].base =
        (struct base_type){.kind = VIA_TYPE_UNION, .index = inner, .element = VIA_NO_INDEX};
    members[1].declaration = arena_print(&unit->arena, "union %s %s", inner_tag, members[1].name);
    declare_resolve(self, members, 2, OWNER_STRUCT);
    record_set_struct(self, found, members, 2);
    return true;
}

bool record_union(struct parser *parser, uint8_t *kind, uint16_t *index)
{
    struct unit *unit = parser->unit;
    uint8_t switch_kind = parser->switch_kind;
    const char *tag = NULL;
    parser->switch_kind = 0;
    parser_advance(parser);
    struct position position = parser->token.position;
    if (parser->token.kind == TOKEN_NAME && !parser_is_word(parser, "switch") &&
        !parser_new_name(parser, &tag))
        return false;
    if (!check_room(parser, position))
        return false;
    *kind = VIA_TYPE_STRUCT;
    if (parser_accept_word(parser, "switch"))
        return encapsulated(parser, tag, position, index);
    if (tag && !parser_is(parser, '{')) {
        /* "union Tag" also names one that has its discriminant. */
        for (size_t i = 0; i < unit->n_structs; i++)
            if (!strcmp(unit->structs[i].tag, tag)) {
                *index = (uint16_t)i;
                return true;
            }
    }
    *kind = VIA_TYPE_UNION;
    if (!tag)
        tag = arena_print(&unit->arena, "_union_%zu", unit->n_unions);
    find_union(unit, tag, position, index);
    if (!parser_accept(parser, '{'))
        return true;
    if (unit->unions[*index].is_defined)
        return parser_error(parser, position, "union %s is defined twice", tag);
    return read_arms(parser, *index, switch_kind, attributed_arm);
}
