/*
 * Expressions: sizes, lengths, labels, constants. The operators are C's + - * / % << >>, with
 * parentheses; what has no names in it is a number.
 */
#ifndef COM_IDL_EXPRESSION_H
#define COM_IDL_EXPRESSION_H

#include "com/idl/source.h"

#include <stdint.h>

struct parser;
struct unit;

struct expression {
    uint16_t op; /* enum via_operator; 0: `name`, of a parameter or field */
    int64_t value;
    const char *name;
    bool dereference; /* "*name" */
    const struct expression *left;
    const struct expression *right;
    struct position position;
};

/* One that may have names of parameters or fields in it. */
bool expression_parse(struct parser *parser, const struct expression **out);
/* Two of them with an operator in between; NULL after an error. */
const struct expression *expression_combine(struct parser *parser, uint16_t op,
                                            const struct expression *left,
                                            const struct expression *right);
const struct expression *expression_number(struct parser *parser, int64_t value,
                                           struct position position);
/* A number by now: constants and enumerators may be in it. */
bool expression_constant(struct parser *parser, int64_t *value);

#endif
