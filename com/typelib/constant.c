/* Constants and texts of attributes, as C and IDL write them both. */
#include "com/typelib/typelib.h"
#include "core/util/buffer.h"

#include <stdio.h>
#include <string.h>

void typelib_print_text(const char *text, struct buffer *out)
{
    buffer_print(out, "\"");
    for (const char *c = text; *c; c++) {
        if (*c == '\n' || *c == '\t')
            buffer_print(out, *c == '\n' ? "\\n" : "\\t");
        else if (*c == '"' || *c == '\\' || *c == '?') /* "??/" is something else in C11 */
            buffer_print(out, "\\%c", *c);
        else
            buffer_append(out, c, 1);
    }
    buffer_print(out, "\"");
}

/* With all its bits, and so that nobody takes it for an integer. */
void typelib_print_real(double real, struct buffer *out)
{
    char text[40];
    snprintf(text, sizeof(text), "%.17g", real);
    buffer_print(out, "%s%s", text, strpbrk(text, ".e") ? "" : ".0");
}

void typelib_print_constant(const struct via_constant *constant, struct buffer *out)
{
    if (constant->kind == VIA_CONSTANT_TEXT)
        typelib_print_text(constant->text, out);
    else if (constant->kind == VIA_CONSTANT_REAL)
        typelib_print_real(constant->real, out);
    else if (constant->integer == INT64_MIN) /* which has no literal of its own */
        buffer_print(out, "-%lld - 1", (long long)INT64_MAX);
    else
        buffer_print(out, "%lld", (long long)constant->integer);
}

static bool is_within(int64_t number, uint8_t kind)
{
    static const struct {
        int64_t least;
        uint64_t most;
    } ranges[] = {
        [VIA_TYPE_I8] = {INT8_MIN, INT8_MAX},     [VIA_TYPE_U8] = {0, UINT8_MAX},
        [VIA_TYPE_I16] = {INT16_MIN, INT16_MAX},  [VIA_TYPE_U16] = {0, UINT16_MAX},
        [VIA_TYPE_I32] = {INT32_MIN, INT32_MAX},  [VIA_TYPE_U32] = {0, UINT32_MAX},
        [VIA_TYPE_I64] = {INT64_MIN, INT64_MAX},  [VIA_TYPE_U64] = {0, INT64_MAX},
        [VIA_TYPE_WCHAR] = {0, UINT16_MAX},       [VIA_TYPE_BOOL] = {INT16_MIN, INT16_MAX},
        [VIA_TYPE_ENUM] = {INT32_MIN, INT32_MAX}, [VIA_TYPE_HRESULT] = {INT32_MIN, UINT32_MAX},
    };
    return number >= ranges[kind].least && (number < 0 || (uint64_t)number <= ranges[kind].most);
}

/* NULL, written as 0. */
static bool is_null(const struct via_constant *constant)
{
    return constant->kind == VIA_CONSTANT_INTEGER && constant->integer == 0;
}

bool typelib_constant_fits(const struct via_type *type, const struct via_constant *constant)
{
    bool is_integer = constant->kind == VIA_CONSTANT_INTEGER;
    bool is_text = constant->kind == VIA_CONSTANT_TEXT;
    bool may_be_null = type->flags & VIA_TYPE_NULLABLE;
    switch (type->kind) {
    case VIA_TYPE_F32:
    case VIA_TYPE_F64:
    case VIA_TYPE_CY:
    case VIA_TYPE_DATE:
    case VIA_TYPE_DECIMAL:
        return !is_text;
    case VIA_TYPE_BSTR:
        return is_text || is_null(constant);
    case VIA_TYPE_STRING8:
    case VIA_TYPE_STRING16:
        return is_text || (may_be_null && is_null(constant));
    case VIA_TYPE_VARIANT:
        return true;
    case VIA_TYPE_INTERFACE:
    case VIA_TYPE_SAFEARRAY:
        return is_null(constant);
    case VIA_TYPE_POINTER:
    case VIA_TYPE_SIZED:
        return may_be_null && is_null(constant);
    case VIA_TYPE_GUID:
    case VIA_TYPE_STRUCT:
    case VIA_TYPE_ARRAY:
    case VIA_TYPE_HANDLE:
    case VIA_TYPE_OPAQUE:
    case VIA_TYPE_UNION:
        return false;
    default:
        return is_integer && is_within(constant->integer, type->kind);
    }
}
