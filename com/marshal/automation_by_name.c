/*
 * VARIANTs and their relatives as values by name, in the form that docs/object-model.md describes:
 * what a plain value says without doubt is one, everything else says its type.
 */
#include "com/marshal/automation.h"
#include "com/marshal/by_name.h"
#include "com/marshal/records.h"
#include "com/abi/guid.h"
#include "core/util/cleanup.h"
#include "core/util/utf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/com.h>

#define VT_NAME_SIZE 24
/* Digits behind the point. */
#define CY_SCALE 4
/* Windows takes its user's settings otherwise. */
#define TEXT_LCID  0x0409u
#define TEXT_FLAGS LOCALE_NOUSEROVERRIDE

static const struct {
    const char *name;
    VARTYPE vt;
} names[] = {{"empty", VT_EMPTY},     {"null", VT_NULL},
             {"i1", VT_I1},           {"ui1", VT_UI1},
             {"i2", VT_I2},           {"ui2", VT_UI2},
             {"i4", VT_I4},           {"ui4", VT_UI4},
             {"i8", VT_I8},           {"ui8", VT_UI8},
             {"int", VT_INT},         {"uint", VT_UINT},
             {"r4", VT_R4},           {"r8", VT_R8},
             {"cy", VT_CY},           {"date", VT_DATE},
             {"decimal", VT_DECIMAL}, {"bool", VT_BOOL},
             {"error", VT_ERROR},     {"bstr", VT_BSTR},
             {"unknown", VT_UNKNOWN}, {"dispatch", VT_DISPATCH},
             {"variant", VT_VARIANT}, {"record", VT_RECORD}};

/* "i4", "i4[]" for an array, and either with "&" behind it for what refers to one. False: no name.
 */
static bool parse_vt(const char *text, VARTYPE *vt)
{
    size_t n = strlen(text);
    bool is_reference = n > 1 && text[n - 1] == '&';
    n -= is_reference;
    bool is_array = n > 2 && !strncmp(text + n - 2, "[]", 2);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t length = strlen(names[i].name);
        if (length != n - (is_array ? 2 : 0) || strncmp(names[i].name, text, length))
            continue;
        *vt = names[i].vt | (is_array ? VT_ARRAY : 0) | (is_reference ? VT_BYREF : 0);
        return is_array || is_reference ? names[i].vt > VT_NULL : names[i].vt != VT_VARIANT;
    }
    return false;
}

static void print_vt(VARTYPE vt, char text[VT_NAME_SIZE])
{
    const char *name = "?";
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (names[i].vt == (vt & VT_TYPEMASK))
            name = names[i].name;
    snprintf(text, VT_NAME_SIZE, "%s%s", name, vt & VT_ARRAY ? "[]" : "");
}

/* --- to native --- */

/* The text of a value that a function of Automation reads; NULL, after an error or for free(). */
static WCHAR *text_of(struct by_name *self, const struct via_value *value)
{
    char number[40];
    const char *text = number;
    if (value->kind == VIA_VALUE_STRING)
        text = value->as.string;
    else if (value->kind == VIA_VALUE_I64)
        snprintf(number, sizeof(number), "%lld", (long long)value->as.i64);
    else if (value->kind == VIA_VALUE_U64)
        snprintf(number, sizeof(number), "%llu", (unsigned long long)value->as.u64);
    else if (value->kind == VIA_VALUE_F64)
        snprintf(number, sizeof(number), "%.15g", value->as.f64);
    else {
        by_name_fail(self, DISP_E_TYPEMISMATCH, "a number, or a text with one, is expected");
        return NULL;
    }
    WCHAR *wide = utf_to_wide(text);
    if (!wide)
        by_name_fail(self, E_OUTOFMEMORY, "no memory");
    return wide;
}

/* By way of a DECIMAL, which has all digits: Wine's VarCyFromStr() goes through a double. Halves
 * become even. */
static HRESULT cy_from_text(WCHAR *text, CY *cy)
{
    DECIMAL decimal = {0};
    HRESULT hr = VarDecFromStr(text, TEXT_LCID, TEXT_FLAGS, &decimal);
    unsigned __int128 amount = (unsigned __int128)decimal.Hi32 << 64 | decimal.Lo64, divisor = 1;
    bool is_negative = decimal.sign & DECIMAL_NEG;
    if (FAILED(hr))
        return hr;
    for (unsigned scale = decimal.scale; scale < CY_SCALE; scale++)
        amount *= 10;
    for (unsigned scale = decimal.scale; scale > CY_SCALE; scale--)
        divisor *= 10;
    unsigned __int128 twice = amount % divisor * 2;
    amount /= divisor;
    amount += twice > divisor || (twice == divisor && amount % 2);
    if (amount > (unsigned __int128)INT64_MAX + is_negative)
        return DISP_E_OVERFLOW;
    cy->int64 = (int64_t)(is_negative ? 0 - (uint64_t)amount : (uint64_t)amount);
    return S_OK;
}

static void set_cy(struct by_name *self, const struct via_value *value, void *native)
{
    CLEANUP(cleanup_free) WCHAR *text = text_of(self, value);
    CY cy;
    HRESULT hr = text ? cy_from_text(text, &cy) : S_FALSE;
    if (hr == S_OK)
        memcpy(native, &cy, sizeof(cy));
    else if (FAILED(hr))
        by_name_fail(self, hr, "it is no amount of money");
}

static void set_decimal(struct by_name *self, const struct via_value *value, void *native)
{
    CLEANUP(cleanup_free) WCHAR *text = text_of(self, value);
    DECIMAL decimal = {0};
    HRESULT hr = text ? VarDecFromStr(text, TEXT_LCID, TEXT_FLAGS, &decimal) : S_FALSE;
    decimal.wReserved = 0;
    if (hr == S_OK)
        memcpy(native, &decimal, sizeof(decimal));
    else if (FAILED(hr))
        by_name_fail(self, hr, "it is no decimal number");
}

/* A number of days, or a date as text. */
static void set_date(struct by_name *self, const struct via_value *value, void *native)
{
    DATE date = 0;
    HRESULT hr = S_OK;
    if (value->kind == VIA_VALUE_F64) {
        date = value->as.f64;
    } else if (value->kind == VIA_VALUE_I64) {
        date = (double)value->as.i64;
    } else if (value->kind == VIA_VALUE_STRING) {
        CLEANUP(cleanup_free) WCHAR *text = text_of(self, value);
        hr = text ? VarDateFromStr(text, TEXT_LCID, TEXT_FLAGS, &date) : E_OUTOFMEMORY;
    } else {
        hr = DISP_E_TYPEMISMATCH;
    }
    if (FAILED(hr))
        by_name_fail(self, hr, "a number of days, or a date as text, is expected");
    else
        memcpy(native, &date, sizeof(date));
}

/* [lower, count] */
static bool read_bound(const struct via_value *value, SAFEARRAYBOUND *bound)
{
    if (value->kind != VIA_VALUE_LIST || value->n != 2)
        return false;
    const struct via_value *lower = &value->as.items[0], *count = &value->as.items[1];
    bool fits = lower->kind == VIA_VALUE_I64 && count->kind == VIA_VALUE_I64 &&
                lower->as.i64 >= INT32_MIN && lower->as.i64 <= INT32_MAX && count->as.i64 >= 0 &&
                count->as.i64 <= INT32_MAX && lower->as.i64 + count->as.i64 <= (int64_t)1 << 31;
    *bound = (SAFEARRAYBOUND){(ULONG)count->as.i64, (LONG)lower->as.i64};
    return fits;
}

/* The items and the form of an array: a list alone has one dimension, from 0. NULL after an error.
 */
static const struct via_value *read_form(struct by_name *self, const struct via_value *value,
                                         SAFEARRAYBOUND *bounds, UINT *n_dims)
{
    const struct via_value *items = via_value_field(value, "items");
    const struct via_value *list = via_value_field(value, "bounds");
    uint64_t n = 1;
    *n_dims = 1;
    if (value->kind == VIA_VALUE_LIST) {
        bounds[0] = (SAFEARRAYBOUND){value->n, 0};
        return value;
    }
    bool is_form = items && items->kind == VIA_VALUE_LIST && list && list->kind == VIA_VALUE_LIST &&
                   list->n > 0 && list->n <= AUTOMATION_MAX_DIMS;
    for (uint32_t i = 0; is_form && i < list->n; i++) {
        is_form = read_bound(&list->as.items[i], &bounds[i]);
        n *= bounds[i].cElements;
        is_form &= n <= UINT32_MAX;
    }
    if (!is_form || n != items->n) {
        by_name_fail(self, DISP_E_TYPEMISMATCH,
                     "a list, or an object with \"bounds\" and \"items\" that fit, is expected");
        return NULL;
    }
    *n_dims = list->n;
    return items;
}

static void set_array(struct by_name *self, const struct plan_type *element,
                      const struct via_value *value, SAFEARRAY **array)
{
    SAFEARRAYBOUND bounds[AUTOMATION_MAX_DIMS];
    UINT n_dims;
    if (value->kind == VIA_VALUE_NULL)
        return;
    const struct via_value *items = read_form(self, value, bounds, &n_dims);
    if (!items)
        return;
    *array = automation_make_array(element, n_dims, bounds, element->iid);
    if (*array)
        by_name_set_elements(self, element, items, (*array)->pvData);
    else
        by_name_fail(self, E_OUTOFMEMORY, "no memory");
}

/* A record, or an array of them; `whole` has the name of the struct. */
static void set_records(struct by_name *self, VARTYPE vt, const struct via_value *whole,
                        const struct via_value *content, VARIANT *variant)
{
    bool is_null_array = vt & VT_ARRAY && content->kind == VIA_VALUE_NULL;
    const struct plan_struct *record = is_null_array ? NULL : records_from_value(self, whole);
    if (is_null_array) {
        V_VT(variant) = vt;
    } else if (record && vt & VT_ARRAY) {
        V_VT(variant) = vt;
        set_array(self, record->type, content, &V_ARRAY(variant));
    } else if (record) {
        records_set(self, record, content, variant);
    }
}

static void set_typed(struct by_name *self, VARTYPE vt, const struct via_value *value,
                      VARIANT *variant)
{
    const struct plan_type *type = automation_type(vt & VT_TYPEMASK);
    if (!type)
        return; /* VT_EMPTY, VT_NULL */
    V_VT(variant) = vt;
    if (vt & VT_ARRAY)
        set_array(self, type, value, &V_ARRAY(variant));
    else
        by_name_to_native(self, type, value, automation_place(variant));
    V_VT(variant) = vt; /* over which a DECIMAL lies */
}

/* What a plain value is without being told. */
static VARTYPE natural_vt(const struct via_value *value)
{
    switch (value->kind) {
    case VIA_VALUE_BOOL:
        return VT_BOOL;
    case VIA_VALUE_I64:
        return value->as.i64 >= INT32_MIN && value->as.i64 <= INT32_MAX ? VT_I4 : VT_I8;
    case VIA_VALUE_U64:
        return VT_UI8;
    case VIA_VALUE_F64:
        return VT_R8;
    case VIA_VALUE_STRING:
        return VT_BSTR;
    case VIA_VALUE_OBJECT:
        return VT_UNKNOWN;
    case VIA_VALUE_LIST:
        return VT_ARRAY | VT_VARIANT;
    default:
        return VT_EMPTY;
    }
}

/* `whole` is the object that says the type, if one does. */
static void set_content(struct by_name *self, VARTYPE vt, const struct via_value *whole,
                        const struct via_value *content, VARIANT *variant)
{
    if ((vt & VT_TYPEMASK) == VT_RECORD)
        set_records(self, vt, whole, content, variant);
    else
        set_typed(self, vt, content, variant);
    if (SUCCEEDED(self->result) && (vt == VT_EMPTY || vt == VT_NULL))
        V_VT(variant) = vt;
}

/* Room for what a VARIANT of the call refers to. NULL, after an error. */
static VARIANT *make_reference(struct by_name *self, VARTYPE vt)
{
    struct automation_reference *reference;
    if (!self->references) {
        by_name_fail(self, DISP_E_BADVARTYPE, "only an argument of a call can refer to something");
        return NULL;
    }
    reference = CoTaskMemAlloc(sizeof(*reference));
    if (!reference) {
        by_name_fail(self, E_OUTOFMEMORY, "no memory");
        return NULL;
    }
    memset(reference, 0, sizeof(*reference));
    reference->next = *self->references;
    reference->vt = vt;
    *self->references = reference;
    return &reference->value;
}

/* The VARIANT refers to memory that the call has until its end. What the method leaves there comes
 * back as a value. */
static void set_reference(struct by_name *self, VARTYPE vt, const struct via_value *whole,
                          const struct via_value *content, VARIANT *variant)
{
    VARIANT *to = make_reference(self, vt);
    VARIANT made = {0};
    if (!to)
        return;
    if (vt == VT_VARIANT) {
        by_name_to_native(self, automation_type(VT_VARIANT), content, to);
    } else if (vt == VT_RECORD) {
        set_records(self, vt, whole, content, to);
        V_RECORDINFO(variant) = V_RECORDINFO(to);
    } else {
        set_content(self, vt, whole, content, &made);
    }
    V_VT(variant) = vt | VT_BYREF;
    V_BYREF(variant) = vt == VT_RECORD ? V_RECORD(to) : to;
    if (vt != VT_VARIANT && vt != VT_RECORD)
        automation_replace(variant, &made);
}

static void set_variant(struct by_name *self, const struct via_value *value, VARIANT *variant)
{
    static const struct via_value none = {0};
    VARTYPE vt = natural_vt(value);
    const struct via_value *content = value;
    char text[GUID_TEXT_SIZE];
    struct via_value guid = {
        .kind = VIA_VALUE_STRING, .n = GUID_TEXT_SIZE - 1, .as = {.string = text}};
    if (value->kind == VIA_VALUE_GUID) {
        guid_format(&value->as.guid, text);
        vt = VT_BSTR;
        content = &guid;
    } else if (value->kind == VIA_VALUE_STRUCT) {
        const struct via_value *name = via_value_field(value, "vt");
        content = via_value_field(value, "value");
        if (!name || name->kind != VIA_VALUE_STRING || !parse_vt(name->as.string, &vt)) {
            by_name_fail(self, DISP_E_BADVARTYPE,
                         "an object with a \"vt\" (\"i4\", \"bstr[]\", \"i4&\" ...) and a "
                         "\"value\" is expected");
            return;
        }
    }
    if (!content)
        content = &none;
    if (vt & VT_BYREF)
        set_reference(self, vt & (VARTYPE)~VT_BYREF, value, content, variant);
    else
        set_content(self, vt, value, content, variant);
}

void automation_to_native(struct by_name *by_name, const struct plan_type *type,
                          const struct via_value *value, void *native)
{
    switch (type->kind) {
    case VIA_TYPE_CY:
        set_cy(by_name, value, native);
        break;
    case VIA_TYPE_DATE:
        set_date(by_name, value, native);
        break;
    case VIA_TYPE_DECIMAL:
        set_decimal(by_name, value, native);
        break;
    case VIA_TYPE_VARIANT:
        set_variant(by_name, value, native);
        break;
    default:
        set_array(by_name, type->element, value, native);
    }
}

/* --- from native --- */

static void take_text(struct by_name *self, HRESULT hr, BSTR text, struct via_value *value)
{
    CLEANUP(cleanup_free) char *utf8 = text ? utf_from_wide(text, SysStringLen(text)) : NULL;
    SysFreeString(text);
    if (FAILED(hr))
        by_name_fail(self, hr, "it cannot be written as text");
    else
        by_name_check(self, utf8 ? via_value_set_string(value, utf8, strlen(utf8)) : E_OUTOFMEMORY);
}

static void get_cy(struct by_name *self, const void *native, struct via_value *value)
{
    CY cy;
    BSTR text = NULL;
    memcpy(&cy, native, sizeof(cy));
    HRESULT hr = VarBstrFromCy(cy, TEXT_LCID, TEXT_FLAGS, &text);
    take_text(self, hr, text, value);
}

static void get_decimal(struct by_name *self, const void *native, struct via_value *value)
{
    DECIMAL decimal;
    BSTR text = NULL;
    memcpy(&decimal, native, sizeof(decimal));
    HRESULT hr = automation_decimal_is_valid(&decimal)
                     ? VarBstrFromDec(&decimal, TEXT_LCID, TEXT_FLAGS, &text)
                     : E_INVALIDARG;
    take_text(self, hr, text, value);
}

static void get_bounds(struct by_name *self, const SAFEARRAY *array, struct via_value *value)
{
    struct via_value *bounds = NULL;
    by_name_check(self, via_value_add_field(value, "bounds", &bounds));
    if (bounds)
        by_name_check(self, via_value_set_list(bounds, array->cDims));
    for (USHORT i = 0; i < array->cDims && SUCCEEDED(self->result); i++) {
        const SAFEARRAYBOUND *bound = &array->rgsabound[array->cDims - 1 - i];
        struct via_value *pair = &bounds->as.items[i];
        by_name_check(self, via_value_set_list(pair, 2));
        if (FAILED(self->result))
            return;
        pair->as.items[0] =
            (struct via_value){.kind = VIA_VALUE_I64, .as = {.i64 = bound->lLbound}};
        pair->as.items[1] =
            (struct via_value){.kind = VIA_VALUE_I64, .as = {.i64 = bound->cElements}};
    }
}

static void get_array(struct by_name *self, const struct plan_type *element, SAFEARRAY *array,
                      struct via_value *value)
{
    struct native_scope scope = {0};
    if (!array)
        return;
    const char *wrong = automation_check_array(array, element);
    if (wrong) {
        by_name_fail(self, E_INVALIDARG, wrong);
        return;
    }
    bool is_list = array->cDims == 1 && array->rgsabound[0].lLbound == 0;
    struct via_value *items = value;
    if (!is_list) {
        get_bounds(self, array, value);
        items = NULL;
        if (SUCCEEDED(self->result))
            by_name_check(self, via_value_add_field(value, "items", &items));
    }
    if (items && SUCCEEDED(self->result))
        by_name_get_elements(self, element, array->pvData, automation_count(array), &scope, items);
}

/* Whether the value alone says that it is of this type. */
static bool is_natural(VARTYPE vt, const struct via_value *value)
{
    if (vt == VT_EMPTY)
        return true;
    return value->kind != VIA_VALUE_NULL && value->kind != VIA_VALUE_STRUCT && vt != VT_UI8 &&
           natural_vt(value) == vt;
}

/* Puts the value of a VARIANT into an object that says its type; `record`: of which struct, or
 * NULL.
 */
static void wrap(struct by_name *self, VARTYPE vt, const struct plan_struct *record,
                 struct via_value *value)
{
    char name[VT_NAME_SIZE];
    struct via_value content = *value;
    struct via_value *field = NULL;
    memset(value, 0, sizeof(*value));
    print_vt(vt, name);
    by_name_check(self, via_value_add_field(value, "vt", &field));
    if (field)
        by_name_check(self, via_value_set_string(field, name, strlen(name)));
    if (record)
        records_to_value(self, record, value);
    field = NULL;
    if (content.kind != VIA_VALUE_NULL && SUCCEEDED(self->result))
        by_name_check(self, via_value_add_field(value, "value", &field));
    if (field)
        *field = content;
    else
        via_value_clear(&content);
}

static void get_records(struct by_name *self, const VARIANT *variant, VARTYPE vt, const void *place,
                        struct via_value *value)
{
    struct native_scope scope = {0};
    SAFEARRAY *array = vt & VT_ARRAY ? *(SAFEARRAY *const *)place : NULL;
    IRecordInfo *info = vt & VT_ARRAY ? NULL : V_RECORDINFO(variant);
    const struct plan_struct *record = NULL;
    if (array)
        record = records_of_array(array);
    else if (info)
        record = records_of_info(info);
    if (!record && (array || !(vt & VT_ARRAY))) {
        by_name_fail(self, DISP_E_BADVARTYPE,
                     "a VARIANT has a record of a struct that no type library describes here");
        return;
    }
    if (array)
        get_array(self, record->type, array, value);
    else if (record && V_RECORD(variant))
        by_name_from_native(self, record->type, V_RECORD(variant), &scope, value);
    else if (record)
        by_name_fail(self, E_POINTER, "a VARIANT refers to nothing");
    if (SUCCEEDED(self->result))
        wrap(self, vt, record, value);
}

static void get_variant(struct by_name *self, const VARIANT *variant, struct via_value *value)
{
    struct native_scope scope = {0};
    VARTYPE vt = V_VT(variant) & (VARTYPE)~VT_BYREF;
    const struct plan_type *type = automation_type(vt & VT_TYPEMASK);
    const void *place = V_ISBYREF(variant) ? V_BYREF(variant) : automation_place(variant);
    bool is_nothing = V_VT(variant) == VT_EMPTY || V_VT(variant) == VT_NULL;
    if ((vt & VT_TYPEMASK) == VT_RECORD && !(vt & (VT_VECTOR | VT_RESERVED)) && place) {
        get_records(self, variant, vt, place, value);
        return;
    }
    if (!place || (!type && !is_nothing) || vt & (VT_VECTOR | VT_RESERVED)) {
        by_name_fail(self, DISP_E_BADVARTYPE, "a VARIANT has a type that has no name");
        return;
    }
    if (vt & VT_ARRAY)
        get_array(self, type, *(SAFEARRAY *const *)place, value);
    else if (type)
        by_name_from_native(self, type, place, &scope, value);
    if (SUCCEEDED(self->result) && vt != VT_VARIANT && !is_natural(vt, value))
        wrap(self, vt, NULL, value);
}

void automation_from_native(struct by_name *by_name, const struct plan_type *type,
                            const void *native, struct via_value *value)
{
    switch (type->kind) {
    case VIA_TYPE_CY:
        get_cy(by_name, native, value);
        break;
    case VIA_TYPE_DATE:
        value->kind = VIA_VALUE_F64;
        memcpy(&value->as.f64, native, sizeof(double));
        break;
    case VIA_TYPE_DECIMAL:
        get_decimal(by_name, native, value);
        break;
    case VIA_TYPE_VARIANT:
        if (++by_name->depth > TYPELIB_MAX_NESTING)
            by_name_fail(by_name, VIA_E_LIMIT, "it is nested too deeply");
        else
            get_variant(by_name, native, value);
        by_name->depth--;
        break;
    default:
        get_array(by_name, type->element, *(SAFEARRAY *const *)native, value);
    }
}
