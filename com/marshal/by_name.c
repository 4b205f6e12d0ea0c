#include "com/marshal/by_name.h"
#include "com/marshal/code_page.h"
#include "com/marshal/automation.h"
#include "com/marshal/handle.h"
#include "com/abi/guid.h"
#include "core/util/buffer.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void by_name_init(struct by_name *self, const struct marshal_method *method)
{
    memset(self, 0, sizeof(*self));
    self->method = method;
    self->scope.method = method;
    self->slack = NATIVE_MAX_SLACK;
    for (uint16_t i = 0; i < method->n_params; i++)
        self->seen[i] = -1;
}

void by_name_enter_param(struct by_name *self, uint16_t i)
{
    snprintf(self->path, sizeof(self->path), "%s", self->method->params[i].param->name);
}

void by_name_set_sizes(const struct by_name *self, struct marshal_invocation *invocation)
{
    const struct marshal_method *method = self->method;
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_type *type = method->params[i].type;
        void *value = invocation_value(invocation, i);
        if (self->seen[i] < 0)
            continue;
        memset(value, 0, type->size);
        by_name_set_integer(type, value, self->seen[i]); /* it fits: note_count() saw to that */
    }
    invocation_note_sizes(invocation);
    invocation->is_decoded = true;
}

HRESULT by_name_wrong_count(const struct marshal_method *method, uint32_t n, const char *what)
{
    struct buffer text;
    buffer_init(&text, ERROR_TEXT_SIZE);
    typelib_print_method(method->lib, method->method, &text);
    char *signature = buffer_take_text(&text);
    HRESULT hr = error_set(DISP_E_BADPARAMCOUNT, "%s.%s: %u %s do not fit %s", method->owner->name,
                           method->method->name, n, what, signature ? signature : "the method");
    free(signature);
    buffer_deinit(&text);
    return hr;
}

void by_name_fail(struct by_name *self, HRESULT code, const char *what)
{
    if (FAILED(self->result))
        return;
    self->result = error_set(code, "%s.%s: argument %s: %s", self->method->owner->name,
                             self->method->method->name, self->path, what);
}

/* Extends the path for a message; the old length, to cut it back to. */
static size_t enter_index(struct by_name *self, uint64_t index)
{
    size_t n = strlen(self->path);
    snprintf(self->path + n, sizeof(self->path) - n, "[%llu]", (unsigned long long)index);
    return n;
}

static size_t enter_field(struct by_name *self, const char *name)
{
    size_t n = strlen(self->path);
    snprintf(self->path + n, sizeof(self->path) - n, ".%s", name);
    return n;
}

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

/* A whole number in a value: itself, or a text of digits, since JSON has no large unsigned ones. */
static bool get_integer(const struct via_value *value, bool *is_negative, uint64_t *number)
{
    char *end;
    *is_negative = false;
    switch (value->kind) {
    case VIA_VALUE_I64:
        *is_negative = value->as.i64 < 0;
        *number = (uint64_t)value->as.i64;
        return true;
    case VIA_VALUE_U64:
        *number = value->as.u64;
        return true;
    case VIA_VALUE_F64:
        *is_negative = value->as.f64 < 0;
        if (value->as.f64 != floor(value->as.f64) || fabs(value->as.f64) > 9007199254740992.0)
            return false;
        *number = (uint64_t)(int64_t)value->as.f64;
        return true;
    case VIA_VALUE_STRING:
        *is_negative = value->as.string[0] == '-';
        *number = *is_negative ? (uint64_t)strtoll(value->as.string, &end, 0)
                               : strtoull(value->as.string, &end, 0);
        return value->n > 0 && !*end;
    default:
        return false;
    }
}

static void set_ranged(struct by_name *self, uint8_t as_kind, size_t size,
                       const struct via_value *value, void *native)
{
    bool is_negative;
    uint64_t number;
    if (!get_integer(value, &is_negative, &number)) {
        by_name_fail(self, DISP_E_TYPEMISMATCH, "a whole number is expected");
        return;
    }
    bool fits =
        is_negative ? (int64_t)number >= ranges[as_kind].least : number <= ranges[as_kind].most;
    if (!fits)
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
    set_ranged(self, VIA_TYPE_I32, sizeof(int32_t), value, native);
}

static void set_hresult(struct by_name *self, const struct via_value *value, void *native)
{
    bool is_negative;
    uint64_t number;
    /* 0x80004005 is as good as -2147467259. */
    if (get_integer(value, &is_negative, &number) && !is_negative && number <= UINT32_MAX)
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

void by_name_set_elements(struct by_name *self, const struct plan_type *element,
                          const struct via_value *list, char *native)
{
    uint32_t size = element->size;
    for (uint32_t i = 0; i < list->n && SUCCEEDED(self->result); i++) {
        size_t n = enter_index(self, i);
        by_name_to_native(self, element, &list->as.items[i], native + (size_t)i * size);
        self->path[n] = 0;
    }
}

/* Lists that one parameter counts have the same number of items, and it can hold that: otherwise
 * what is made of them could not be walked, nor freed. */
static bool note_count(struct by_name *self, uint16_t size_index, uint32_t n)
{
    uint64_t room;
    int64_t *seen = &self->seen[size_index];
    if (*seen >= 0 && *seen != n)
        by_name_fail(self, DISP_E_TYPEMISMATCH,
                     "lists of one size have different numbers of items");
    else if (!by_name_set_integer(self->method->params[size_index].type, &room, n))
        by_name_fail(self, DISP_E_OVERFLOW, "the list is longer than its size can say");
    else
        *seen = n;
    return SUCCEEDED(self->result);
}

/* The items of a list are as many as those that count. */
static bool check_length(struct by_name *self, const struct plan_type *type, uint32_t n)
{
    if (type->length_from == VIA_SIZE_PARAM)
        return note_count(self, type->length_index, n);
    if (native_length(&self->scope, type) == (int64_t)n)
        return true;
    by_name_fail(self, DISP_E_TYPEMISMATCH, "the list has another number of items than is said");
    return false;
}

/* Room for more items than there are. */
static bool take_slack(struct by_name *self, const struct plan_type *type, uint64_t n)
{
    if (n * type->element->size > self->slack) {
        by_name_fail(self, VIA_E_LIMIT, "it has more room than a call can make");
        return false;
    }
    self->slack -= (size_t)(n * type->element->size);
    return true;
}

/* How many elements a list gets: its own number, or, where only the first count, what is said. */
static bool take_room(struct by_name *self, const struct plan_type *type, uint32_t n,
                      uint32_t *room)
{
    int64_t count = native_count(&self->scope, type);
    bool is_varying = type->length_from != VIA_SIZE_NONE;
    bool is_open = type->size_from == VIA_SIZE_PARAM;
    *room = n;
    if (is_varying && count > (int64_t)n && count <= (int64_t)UINT32_MAX) {
        *room = (uint32_t)count;
        return take_slack(self, type, (uint64_t)count - n) && check_length(self, type, n);
    }
    if (is_open ? !note_count(self, type->size_index, n) : count != (int64_t)n) {
        by_name_fail(self, DISP_E_TYPEMISMATCH, "the list has another number of items");
        return false;
    }
    return !is_varying || check_length(self, type, n);
}

static void set_sized(struct by_name *self, const struct plan_type *type,
                      const struct via_value *value, void **native)
{
    const struct plan_type *element = type->element;
    if (value->kind == VIA_VALUE_NULL && type->is_nullable)
        return;
    if (value->kind != VIA_VALUE_LIST) {
        by_name_fail(self, DISP_E_TYPEMISMATCH, "a list is expected");
        return;
    }
    uint32_t room;
    if (!take_room(self, type, value->n, &room))
        return;
    size_t size = (size_t)room * element->size;
    *native = CoTaskMemAlloc(size);
    if (!*native) {
        by_name_fail(self, E_OUTOFMEMORY, "no memory");
        return;
    }
    memset(*native, 0, size);
    by_name_set_elements(self, element, value, *native);
}

static void put_count(struct by_name *self, const struct plan_struct *record, uint16_t index,
                      uint32_t n, char *native)
{
    const struct plan_field *size = &record->fields[index];
    if (!by_name_set_integer(size->type, native + size->offset, n))
        by_name_fail(self, DISP_E_OVERFLOW, "the list is longer than its size field can say");
}

/* The field that an array of the struct is counted by takes the list's length, whatever the value
 * says. Before the array is made: one that cannot be counted could not be freed. */
static void set_field_size(struct by_name *self, const struct plan_struct *record,
                           const struct plan_type *type, const struct via_value *list, char *native)
{
    bool is_varying = type->length_from != VIA_SIZE_NONE;
    if (list->kind != VIA_VALUE_LIST)
        return;
    if (type->length_from == VIA_SIZE_FIELD)
        put_count(self, record, type->length_index, list->n, native);
    if (type->kind != VIA_TYPE_SIZED || type->size_from != VIA_SIZE_FIELD)
        return;
    /* There may be more room than the list needs. */
    if (is_varying && native_count(&self->scope, type) >= (int64_t)list->n)
        return;
    put_count(self, record, type->size_index, list->n, native);
}

static void set_field(struct by_name *self, const struct plan_struct *record,
                      const struct plan_field *field, const struct via_value *value, char *native)
{
    const struct via_value *given = via_value_field(value, field->name);
    size_t n = enter_field(self, field->name);
    if (given) {
        set_field_size(self, record, field->type, given, native);
        by_name_to_native(self, field->type, given, native + field->offset);
    } else if (!field->is_size) {
        by_name_fail(self, DISP_E_PARAMNOTFOUND, "the field is missing");
    }
    if (SUCCEEDED(self->result))
        self->path[n] = 0;
}

static void set_struct(struct by_name *self, const struct plan_type *type,
                       const struct via_value *value, char *native)
{
    const struct plan_struct *record = type->record;
    if (value->kind != VIA_VALUE_STRUCT) {
        by_name_fail(self, DISP_E_TYPEMISMATCH, "a struct is expected");
        return;
    }
    for (uint32_t i = 0; i < value->n; i++) {
        bool is_known = false;
        for (uint16_t j = 0; j < record->n_fields; j++)
            is_known |= !strcmp(record->fields[j].name, value->as.fields[i].name);
        if (!is_known) {
            enter_field(self, value->as.fields[i].name);
            by_name_fail(self, DISP_E_UNKNOWNNAME, "the struct has no such field");
            return;
        }
    }
    struct native_scope outer = self->scope;
    self->scope.record = record;
    self->scope.base = native;
    /* Sizes and discriminants come first: an array then sets its size to what it really has,
     * whatever the value said. */
    for (int pass = 0; pass < 2; pass++)
        for (uint16_t i = 0; i < record->n_fields && SUCCEEDED(self->result); i++)
            if (record->fields[i].is_needed == (pass == 0))
                set_field(self, record, &record->fields[i], value, native);
    self->scope = outer;
}

/* An object with the one field that is the arm's name; null where the arm is empty. */
static void set_union(struct by_name *self, const struct plan_type *type,
                      const struct via_value *value, void *native)
{
    int64_t which;
    const struct plan_arm *arm =
        native_choice(&self->scope, type, &which) ? plan_arm(type->choice, which) : NULL;
    if (!arm) {
        by_name_fail(self, E_INVALIDARG, "the union has no arm for its discriminant");
        return;
    }
    bool is_empty = value->kind == VIA_VALUE_NULL || (value->kind == VIA_VALUE_STRUCT && !value->n);
    if (!arm->type && is_empty)
        return;
    bool is_arm = arm->type && value->kind == VIA_VALUE_STRUCT && value->n == 1 &&
                  !strcmp(value->as.fields[0].name, arm->name);
    if (!is_arm) {
        by_name_fail(self, DISP_E_TYPEMISMATCH,
                     arm->type ? "an object with the one field that the discriminant selects is "
                                 "expected"
                               : "null is expected: the discriminant selects nothing");
        return;
    }
    size_t n = enter_field(self, arm->name);
    by_name_to_native(self, arm->type, &value->as.fields[0].value, native);
    if (SUCCEEDED(self->result))
        self->path[n] = 0;
}

static void set_pointer(struct by_name *self, const struct plan_type *type,
                        const struct via_value *value, void **native)
{
    const struct plan_type *element = type->element;
    if (value->kind == VIA_VALUE_NULL && type->is_nullable)
        return;
    size_t size = element->size;
    *native = CoTaskMemAlloc(size);
    if (!*native) {
        by_name_fail(self, E_OUTOFMEMORY, "no memory");
        return;
    }
    memset(*native, 0, size);
    by_name_to_native(self, element, value, *native);
}

static void set_array(struct by_name *self, const struct plan_type *type,
                      const struct via_value *value, void *native)
{
    bool is_varying = type->length_from != VIA_SIZE_NONE;
    bool is_list = value->kind == VIA_VALUE_LIST;
    if (is_varying && is_list && value->n <= type->count) {
        if (check_length(self, type, value->n))
            by_name_set_elements(self, type->element, value, native);
    } else if (!is_list || value->n != type->count)
        by_name_fail(self, DISP_E_TYPEMISMATCH,
                     "a list with as many items as the array has is expected");
    else
        by_name_set_elements(self, type->element, value, native);
}

/* A handle means something in the process that has it only. */
static void set_no_handle(struct by_name *self, const struct via_value *value, void *native)
{
    handle_set_none(native);
    if (value->kind != VIA_VALUE_NULL)
        by_name_fail(self, DISP_E_TYPEMISMATCH, BY_NAME_NO_HANDLES);
}

void by_name_to_native(struct by_name *self, const struct plan_type *type,
                       const struct via_value *value, void *native)
{
    if (FAILED(self->result))
        return;
    if (++self->depth > TYPELIB_MAX_NESTING) {
        by_name_fail(self, VIA_E_LIMIT, "it is nested too deeply");
        return;
    }
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
    else if (type->kind == VIA_TYPE_STRUCT)
        set_struct(self, type, value, native);
    else if (type->kind == VIA_TYPE_UNION)
        set_union(self, type, value, native);
    else if (type->kind == VIA_TYPE_ARRAY)
        set_array(self, type, value, native);
    else if (type->kind == VIA_TYPE_SIZED)
        set_sized(self, type, value, native);
    else if (type->kind == VIA_TYPE_POINTER)
        set_pointer(self, type, value, native);
    else if (type->kind == VIA_TYPE_INTERFACE)
        set_object(self, type, value, native);
    else if (type->kind == VIA_TYPE_HANDLE)
        set_no_handle(self, value, native);
    else if (type->kind == VIA_TYPE_OPAQUE)
        by_name_fail(self, VIA_E_TYPE, NATIVE_OPAQUE);
    else
        automation_to_native(self, type, value, native);
    self->depth--;
}
