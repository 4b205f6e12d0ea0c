/* Values that hold no others, numbers, texts, objects, to native memory. */
#include "com/marshal/by_name.h"
#include "com/marshal/code_page.h"
#include "com/marshal/handle.h"
#include "com/abi/guid.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    int64_t least;
    uint64_t most;
} ranges[] = {[VIA_TYPE_I8] = {INT8_MIN, INT8_MAX},    [VIA_TYPE_U8] = {0, UINT8_MAX},
              [VIA_TYPE_I16] = {INT16_MIN, INT16_MAX}, [VIA_TYPE_U16] = {0, UINT16_MAX},
              [VIA_TYPE_I32] = {INT32_MIN, INT32_MAX}, [VIA_TYPE_U32] = {0, UINT32_MAX},
              [VIA_TYPE_I64] = {INT64_MIN, INT64_MAX}, [VIA_TYPE_U64] = {0, UINT64_MAX}};

bool by_name_set_integer(const struct plan_type *type, void *native, int64_t number)
{
    uint8_t kind = type->kind;
    if (number < ranges[kind].least || (number > 0 && (uint64_t)number > ranges[kind].most))
        return false;
    memcpy(native, &number, type->size); /* little-endian, as all of ours */
    return true;
}

/* Digits with or without a sign in front; hexadecimal ones behind "0x". */
static HRESULT read_digits(const char *text, uint32_t n, bool *is_negative, uint64_t *number)
{
    const char *digits = text + (text[0] == '-' || text[0] == '+');
    bool is_hexadecimal = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
    char *end;
    if (digits[0] < '0' || digits[0] > '9')
        return DISP_E_TYPEMISMATCH;
    errno = 0;
    uint64_t magnitude = strtoull(digits, &end, is_hexadecimal ? 16 : 10);
    if (end != text + n)
        return DISP_E_TYPEMISMATCH;
    *is_negative = text[0] == '-';
    *number = *is_negative ? 0 - magnitude : magnitude;
    return errno || (*is_negative && magnitude > (uint64_t)1 << 63) ? DISP_E_OVERFLOW : S_OK;
}

/* A whole number in a value: itself, or a text of digits, since JSON has no large unsigned ones. */
static HRESULT get_integer(const struct via_value *value, bool *is_negative, uint64_t *number)
{
    *is_negative = false;
    switch (value->kind) {
    case VIA_VALUE_I64:
        *is_negative = value->as.i64 < 0;
        *number = (uint64_t)value->as.i64;
        return S_OK;
    case VIA_VALUE_U64:
        *number = value->as.u64;
        return S_OK;
    case VIA_VALUE_F64:
        *is_negative = value->as.f64 < 0;
        if (value->as.f64 != floor(value->as.f64) || fabs(value->as.f64) > 9007199254740992.0)
            return DISP_E_TYPEMISMATCH;
        *number = (uint64_t)(int64_t)value->as.f64;
        return S_OK;
    case VIA_VALUE_STRING:
        return read_digits(value->as.string, value->n, is_negative, number);
    default:
        return DISP_E_TYPEMISMATCH;
    }
}

static void set_ranged(struct by_name *self, uint8_t as_kind, size_t size,
                       const struct via_value *value, void *native)
{
    bool is_negative;
    uint64_t number;
    HRESULT hr = get_integer(value, &is_negative, &number);
    if (hr == DISP_E_TYPEMISMATCH) {
        by_name_fail(self, hr, "a whole number is expected");
        return;
    }
    bool fits =
        is_negative ? (int64_t)number >= ranges[as_kind].least : number <= ranges[as_kind].most;
    if (FAILED(hr) || !fits)
        by_name_fail(self, DISP_E_OVERFLOW, "the number is out of range");
    else
        memcpy(native, &number, size);
}

static void set_real(struct by_name *self, bool is_float, const struct via_value *value,
                     void *native)
{
    double number;
    char *end = NULL;
    if (value->kind == VIA_VALUE_F64)
        number = value->as.f64;
    else if (value->kind == VIA_VALUE_I64)
        number = (double)value->as.i64;
    else if (value->kind == VIA_VALUE_U64)
        number = (double)value->as.u64;
    else if (value->kind == VIA_VALUE_STRING && value->n > 0 &&
             (number = strtod(value->as.string, &end), !*end))
        ; /* "NaN", "Infinity", which JSON has not */
    else {
        by_name_fail(self, DISP_E_TYPEMISMATCH, "a number is expected");
        return;
    }
    if (is_float && __builtin_isfinite(number) && fabs(number) > (double)FLT_MAX) {
        by_name_fail(self, DISP_E_OVERFLOW, "the number is out of range");
        return;
    }
    float single = (float)number;
    memcpy(native, is_float ? (const void *)&single : (const void *)&number,
           is_float ? sizeof(single) : sizeof(number));
}

static bool is_number(const char *text)
{
    return text[0] == '-' || text[0] == '+' || (text[0] >= '0' && text[0] <= '9');
}

/* Says which names there are, as many as fit. */
static void fail_enum(struct by_name *self, const struct via_enum *list)
{
    char text[256];
    size_t used =
        (size_t)snprintf(text, sizeof(text), "%.64s has no such name; it has: ", list->name);
    for (uint16_t i = 0; i < list->n_values && used < sizeof(text); i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "",
                                 list->values[i].name);
    by_name_fail(self, DISP_E_TYPEMISMATCH, text);
}

static void set_enum(struct by_name *self, const struct plan_type *type,
                     const struct via_value *value, void *native)
{
    const struct via_enum *list = type->enumeration;
    for (uint16_t i = 0; value->kind == VIA_VALUE_STRING && i < list->n_values; i++) {
        if (strcmp(list->values[i].name, value->as.string))
            continue;
        memcpy(native, &list->values[i].value, sizeof(int32_t));
        return;
    }
    if (value->kind == VIA_VALUE_STRING && !is_number(value->as.string)) {
        fail_enum(self, list);
        return;
    }
    set_ranged(self, VIA_TYPE_I32, sizeof(int32_t), value, native);
}

static void set_hresult(struct by_name *self, const struct via_value *value, void *native)
{
    bool is_negative;
    uint64_t number;
    /* 0x80004005 is as good as -2147467259. */
    HRESULT hr = get_integer(value, &is_negative, &number);
    if (SUCCEEDED(hr) && !is_negative && number <= UINT32_MAX)
        memcpy(native, &number, sizeof(uint32_t));
    else
        set_ranged(self, VIA_TYPE_I32, sizeof(int32_t), value, native);
}

static void set_bool(struct by_name *self, const struct via_value *value, void *native)
{
    VARIANT_BOOL boolean;
    if (value->kind == VIA_VALUE_BOOL)
        boolean = value->as.boolean ? VARIANT_TRUE : VARIANT_FALSE;
    else if (value->kind == VIA_VALUE_STRING && !strcmp(value->as.string, "true"))
        boolean = VARIANT_TRUE;
    else if (value->kind == VIA_VALUE_STRING && !strcmp(value->as.string, "false"))
        boolean = VARIANT_FALSE;
    else {
        by_name_fail(self, DISP_E_TYPEMISMATCH, "true or false is expected");
        return;
    }
    memcpy(native, &boolean, sizeof(boolean));
}

static void set_guid(struct by_name *self, const struct via_value *value, void *native)
{
    GUID guid;
    if (value->kind == VIA_VALUE_GUID)
        guid = value->as.guid;
    else if (value->kind != VIA_VALUE_STRING || !guid_parse(value->as.string, &guid)) {
        by_name_fail(self, DISP_E_TYPEMISMATCH, "a GUID is expected");
        return;
    }
    memcpy(native, &guid, sizeof(guid));
}

static void set_string8(struct by_name *self, const struct via_value *value, char **native)
{
    if (code_page_is_used()) {
        HRESULT hr = code_page_from_utf8(value->as.string, value->n, native);
        if (FAILED(hr))
            by_name_fail(self, hr, hr == E_OUTOFMEMORY ? "no memory" : CODE_PAGE_LACKS);
        return;
    }
    *native = CoTaskMemAlloc((size_t)value->n + 1);
    if (!*native)
        by_name_fail(self, E_OUTOFMEMORY, "no memory");
    else
        memcpy(*native, value->as.string, (size_t)value->n + 1);
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;
    return found ? (int)(found - digits) : -1;
}

/* {"bytes": "616263"}: a BSTR that is no text. */
static void set_bytes(struct by_name *self, const struct via_value *value, BSTR *native)
{
    const struct via_value *hex = via_value_field(value, "bytes");
    uint32_t n = hex && hex->kind == VIA_VALUE_STRING ? hex->n : 1;
    BSTR bytes = n % 2 ? NULL : SysAllocStringByteLen(NULL, n / 2);
    *native = bytes;
    if (n % 2) {
        by_name_fail(self, DISP_E_TYPEMISMATCH,
                     "a string, or an object with \"bytes\" in hexadecimal digits, is expected");
        return;
    }
    if (!bytes)
        by_name_fail(self, E_OUTOFMEMORY, "no memory");
    for (uint32_t i = 0; bytes && i < n; i += 2) {
        int high = hex_digit(hex->as.string[i]), low = hex_digit(hex->as.string[i + 1]);
        if (high < 0 || low < 0)
            by_name_fail(self, DISP_E_TYPEMISMATCH, "its bytes are not hexadecimal digits");
        ((uint8_t *)bytes)[i / 2] = (uint8_t)(high * 16 + low);
    }
}

static void set_wide(struct by_name *self, bool is_bstr, const struct via_value *value,
                     void **native)
{
    size_t n = 0;
    CLEANUP(cleanup_free) WCHAR *wide = utf_to_wide_counted(value->as.string, value->n, &n);
    void *copy = NULL;
    if (wide && is_bstr)
        copy = SysAllocStringLen(wide, (UINT)n);
    else if (wide && (copy = CoTaskMemAlloc((n + 1) * sizeof(WCHAR))))
        memcpy(copy, wide, (n + 1) * sizeof(WCHAR));
    *native = copy;
    if (!copy)
        by_name_fail(self, E_OUTOFMEMORY, "no memory");
}

static void set_string(struct by_name *self, const struct plan_type *type,
                       const struct via_value *value, void **native)
{
    bool may_be_null = type->kind == VIA_TYPE_BSTR || type->is_nullable;
    if (value->kind == VIA_VALUE_NULL && may_be_null)
        return;
    if (value->kind == VIA_VALUE_STRUCT && type->kind == VIA_TYPE_BSTR)
        set_bytes(self, value, (BSTR *)native);
    else if (value->kind != VIA_VALUE_STRING)
        by_name_fail(self, DISP_E_TYPEMISMATCH, "a string is expected");
    else if (type->kind != VIA_TYPE_BSTR && strlen(value->as.string) != value->n)
        by_name_fail(self, DISP_E_TYPEMISMATCH, "the string holds a zero");
    else if (type->kind == VIA_TYPE_STRING8)
        set_string8(self, value, (char **)native);
    else
        set_wide(self, type->kind == VIA_TYPE_BSTR, value, native);
}

static void set_object(struct by_name *self, const struct plan_type *type,
                       const struct via_value *value, void **native)
{
    if (value->kind == VIA_VALUE_NULL)
        return;
    if (value->kind != VIA_VALUE_OBJECT) {
        by_name_fail(self, DISP_E_TYPEMISMATCH, "an object is expected");
        return;
    }
    HRESULT hr = IUnknown_QueryInterface(value->as.object, type->iid, native);
    if (FAILED(hr))
        by_name_fail(self, hr, "the object does not have the interface");
}

/* A handle means something in the process that has it only. */
static void set_no_handle(struct by_name *self, const struct via_value *value, void *native)
{
    handle_set_none(native);
    if (value->kind != VIA_VALUE_NULL)
        by_name_fail(self, DISP_E_TYPEMISMATCH, BY_NAME_NO_HANDLES);
}

bool by_name_set_plain(struct by_name *self, const struct plan_type *type,
                       const struct via_value *value, void *native)
{
    if (type->kind <= VIA_TYPE_U64)
        set_ranged(self, type->kind, type->size, value, native);
    else if (type->kind == VIA_TYPE_F32 || type->kind == VIA_TYPE_F64)
        set_real(self, type->kind == VIA_TYPE_F32, value, native);
    else if (type->kind == VIA_TYPE_WCHAR)
        set_ranged(self, VIA_TYPE_U16, sizeof(WCHAR), value, native);
    else if (type->kind == VIA_TYPE_BOOL)
        set_bool(self, value, native);
    else if (type->kind == VIA_TYPE_ENUM)
        set_enum(self, type, value, native);
    else if (type->kind == VIA_TYPE_HRESULT)
        set_hresult(self, value, native);
    else if (type->kind == VIA_TYPE_GUID)
        set_guid(self, value, native);
    else if (type->kind <= VIA_TYPE_STRING16)
        set_string(self, type, value, native);
    else if (type->kind == VIA_TYPE_INTERFACE)
        set_object(self, type, value, native);
    else if (type->kind == VIA_TYPE_HANDLE)
        set_no_handle(self, value, native);
    else if (type->kind == VIA_TYPE_OPAQUE)
        by_name_fail(self, VIA_E_TYPE, NATIVE_OPAQUE);
    else
        return false;
    return true;
}
