/* The arithmetic of expressions: in 64 bits, and what has no value there is known to have none. */
#include "com/typelib/typelib.h"

static bool divide(uint16_t op, int64_t left, int64_t right, int64_t *value)
{
    if (right == 0 || (left == INT64_MIN && right == -1))
        return false;
    *value = op == VIA_OPERATOR_DIVIDE ? left / right : left % right;
    return true;
}

/* Shifts are of what is not negative, and lose no bits. */
static bool shift(uint16_t op, int64_t left, int64_t right, int64_t *value)
{
    if (left < 0 || right < 0 || right > 62 ||
        (op == VIA_OPERATOR_SHIFT_LEFT && left > INT64_MAX >> right))
        return false;
    *value = op == VIA_OPERATOR_SHIFT_LEFT ? left << right : left >> right;
    return true;
}

bool typelib_compute(uint16_t op, int64_t left, int64_t right, int64_t *value)
{
    switch (op) {
    case VIA_OPERATOR_ADD:
        return !__builtin_add_overflow(left, right, value);
    case VIA_OPERATOR_SUBTRACT:
        return !__builtin_sub_overflow(left, right, value);
    case VIA_OPERATOR_MULTIPLY:
        return !__builtin_mul_overflow(left, right, value);
    case VIA_OPERATOR_DIVIDE:
    case VIA_OPERATOR_REMAINDER:
        return divide(op, left, right, value);
    default:
        return shift(op, left, right, value);
    }
}
