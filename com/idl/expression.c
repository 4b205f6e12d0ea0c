#include "com/idl/expression.h"
#include "com/idl/parser.h"
#include "com/typelib/typelib.h"

#include <string.h>

/* From the weakest to the strongest. */
static const struct {
    const char *text;
    uint16_t op;
    unsigned strength;
} operators[] = {{"<<", VIA_OPERATOR_SHIFT_LEFT, 1}, {">>", VIA_OPERATOR_SHIFT_RIGHT, 1},
                 {"+", VIA_OPERATOR_ADD, 2},         {"-", VIA_OPERATOR_SUBTRACT, 2},
                 {"*", VIA_OPERATOR_MULTIPLY, 3},    {"/", VIA_OPERATOR_DIVIDE, 3},
                 {"%", VIA_OPERATOR_REMAINDER, 3}};
#define WEAKEST   1
#define STRONGEST 3

static struct expression *make(struct parser *self, struct expression value)
{
    struct expression *made = arena_allocate(&self->unit->arena, sizeof(*made));
    *made = value;
    return made;
}

const struct expression *expression_number(struct parser *parser, int64_t value,
                                           struct position position)
{
    return make(parser, (struct expression){
                            .op = VIA_OPERATOR_CONST, .value = value, .position = position});
}

/* What has been named a constant before. */
static bool find_constant(const struct unit *unit, const char *name, int64_t *value)
{
    if (!strcmp(name, "TRUE") || !strcmp(name, "FALSE")) {
        *value = name[0] == 'T';
        return true;
    }
    const struct unit_constant *constant = unit_find_constant(unit, name);
    if (constant && constant->value.kind == VIA_CONSTANT_INTEGER) {
        *value = constant->value.integer;
        return true;
    }
    for (size_t i = 0; i < unit->n_enums; i++)
        for (uint16_t j = 0; j < unit->enums[i].list.n_values; j++) {
            if (strcmp(unit->enums[i].list.values[j].name, name))
                continue;
            *value = unit->enums[i].list.values[j].value;
            return true;
        }
    return false;
}

const struct expression *expression_combine(struct parser *parser, uint16_t op,
                                            const struct expression *left,
                                            const struct expression *right)
{
    struct expression both = {.op = op, .left = left, .right = right, .position = left->position};
    bool divides = op == VIA_OPERATOR_DIVIDE || op == VIA_OPERATOR_REMAINDER;
    bool is_by_zero = divides && right->op == VIA_OPERATOR_CONST && right->value == 0;
    if ((left->op != VIA_OPERATOR_CONST || right->op != VIA_OPERATOR_CONST) && !is_by_zero)
        return make(parser, both);
    if (is_by_zero || !typelib_compute(op, left->value, right->value, &both.value)) {
        parser_error(parser, right->position,
                     "this expression has no value: it overflows 64 bits, or divides by 0");
        return NULL;
    }
    return expression_number(parser, both.value, left->position);
}

static const struct expression *parse_binary(struct parser *self, unsigned strength);

static const struct expression *parse_name(struct parser *self, struct position position,
                                           bool dereference)
{
    struct expression leaf = {.dereference = dereference, .position = position};
    int64_t value;
    if (!parser_name(self, &leaf.name))
        return NULL;
    if (!dereference && find_constant(self->unit, leaf.name, &value))
        return expression_number(self, value, leaf.position);
    return make(self, leaf);
}

static const struct expression *parse_operand(struct parser *self)
{
    struct position position = self->token.position;
    int64_t value;
    if (parser_accept(self, '(')) {
        if (!parser_enter(self))
            return NULL;
        const struct expression *inner = parse_binary(self, WEAKEST);
        parser_leave(self);
        return inner && parser_require(self, ')') ? inner : NULL;
    }
    if (parser_accept(self, '*'))
        return parse_name(self, position, true);
    if (self->token.kind == TOKEN_NAME)
        return parse_name(self, position, false);
    return parser_integer(self, &value) ? expression_number(self, value, position) : NULL;
}

/* Signs cost no stack, however many there are. */
static const struct expression *parse_primary(struct parser *self)
{
    struct position position = self->token.position;
    bool is_negative = false;
    while (parser_accept(self, '-'))
        is_negative = !is_negative;
    const struct expression *operand = parse_operand(self);
    if (!operand || !is_negative)
        return operand;
    return expression_combine(self, VIA_OPERATOR_SUBTRACT, expression_number(self, 0, position),
                              operand);
}

/* Steps over an operator of that strength; 0: there is none. */
static uint16_t accept_operator(struct parser *self, unsigned strength)
{
    for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
        if (operators[i].strength != strength || !parser_accept(self, operators[i].text[0]))
            continue;
        if (operators[i].text[1] && !parser_require(self, operators[i].text[1]))
            return 0;
        return operators[i].op;
    }
    return 0;
}

/* A chain is as long as the file makes it: it costs a step each, and no stack. */
static const struct expression *parse_binary(struct parser *self, unsigned strength)
{
    if (strength > STRONGEST)
        return parse_primary(self);
    const struct expression *left = parse_binary(self, strength + 1);
    uint16_t op;
    while (left && (op = accept_operator(self, strength))) {
        const struct expression *right = parse_binary(self, strength + 1);
        left = right ? expression_combine(self, op, left, right) : NULL;
    }
    return left;
}

bool expression_parse(struct parser *parser, const struct expression **out)
{
    *out = parse_binary(parser, WEAKEST);
    return *out != NULL;
}

bool expression_constant(struct parser *parser, int64_t *value)
{
    const struct expression *whole;
    if (!expression_parse(parser, &whole))
        return false;
    const struct expression *name = whole;
    while (name->op != VIA_OPERATOR_CONST && name->op)
        name = name->left->op == VIA_OPERATOR_CONST ? name->right : name->left;
    if (name->op != VIA_OPERATOR_CONST)
        return parser_error(parser, name->position,
                            "%s is no constant that is known here: write a number, or define it "
                            "before",
                            name->name);
    *value = whole->value;
    return true;
}
