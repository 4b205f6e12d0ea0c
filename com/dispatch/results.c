/* The results of via_invoke(): values as what the caller's pointers point to. */
#include <stdlib.h>
#include <string.h>

#include "com/dispatch/arguments.h"
#include "com/marshal/plan.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

/* A result in a form that can be given away without failing. */
struct made {
    union {
        int64_t i64;
        uint64_t u64;
        double f64;
        GUID guid;
        void *pointer;
        VARIANT variant;
    } as;
};

static const struct {
    int64_t least;
    uint64_t most;
} ranges[] = {
    [VIA_RESULT_I8] = {INT8_MIN, INT8_MAX},    [VIA_RESULT_U8] = {0, UINT8_MAX},
    [VIA_RESULT_I16] = {INT16_MIN, INT16_MAX}, [VIA_RESULT_I32] = {INT32_MIN, INT32_MAX},
    [VIA_RESULT_U32] = {0, UINT32_MAX},        [VIA_RESULT_I64] = {INT64_MIN, INT64_MAX},
    [VIA_RESULT_U64] = {0, UINT64_MAX},
};

static HRESULT make_integer(uint32_t kind, const struct via_value *value, struct made *made)
{
    made->as.i64 = value->as.i64;
    if (value->kind == VIA_VALUE_BOOL) /* a short is a VARIANT_BOOL */
        made->as.i64 = value->as.boolean ? (kind == VIA_RESULT_I16 ? VARIANT_TRUE : 1) : 0;
    else if (value->kind != VIA_VALUE_I64 && value->kind != VIA_VALUE_U64)
        return DISP_E_TYPEMISMATCH;
    bool is_negative = value->kind != VIA_VALUE_U64 && made->as.i64 < 0;
    bool fits =
        is_negative ? made->as.i64 >= ranges[kind].least : made->as.u64 <= ranges[kind].most;
    return fits ? S_OK : DISP_E_OVERFLOW;
}

static HRESULT make_real(const struct via_value *value, struct made *made)
{
    if (value->kind == VIA_VALUE_F64)
        made->as.f64 = value->as.f64;
    else if (value->kind == VIA_VALUE_I64)
        made->as.f64 = (double)value->as.i64;
    else if (value->kind == VIA_VALUE_U64)
        made->as.f64 = (double)value->as.u64;
    else
        return DISP_E_TYPEMISMATCH;
    return S_OK;
}

static HRESULT make_text(const struct via_value *value, struct made *made)
{
    made->as.pointer = NULL;
    if (value->kind == VIA_VALUE_NULL)
        return S_OK;
    if (value->kind != VIA_VALUE_STRING)
        return via_value_to_json(value, 0, (char **)&made->as.pointer);
    if (strlen(value->as.string) != value->n)
        return DISP_E_TYPEMISMATCH; /* a zero in it: a BSTR or a value can take that */
    made->as.pointer = strdup(value->as.string);
    return made->as.pointer != NULL ? S_OK : E_OUTOFMEMORY;
}

static HRESULT make_wide(const struct via_value *value, struct made *made)
{
    size_t n = 0;
    made->as.pointer = NULL;
    if (value->kind == VIA_VALUE_NULL)
        return S_OK;
    if (value->kind != VIA_VALUE_STRING)
        return DISP_E_TYPEMISMATCH;
    CLEANUP(cleanup_free) WCHAR *wide = utf_to_wide_counted(value->as.string, value->n, &n);
    made->as.pointer = wide != NULL ? SysAllocStringLen(wide, (UINT)n) : NULL;
    return made->as.pointer != NULL ? S_OK : E_OUTOFMEMORY;
}

static HRESULT make_object(uint32_t kind, const struct via_value *value, struct made *made)
{
    made->as.pointer = NULL;
    if (value->kind == VIA_VALUE_NULL)
        return S_OK;
    if (value->kind != VIA_VALUE_OBJECT)
        return DISP_E_TYPEMISMATCH;
    made->as.pointer = value->as.object;
    if (kind == VIA_RESULT_DISPATCH)
        return IUnknown_QueryInterface(value->as.object, &IID_IDispatch, &made->as.pointer);
    IUnknown_AddRef(value->as.object);
    return S_OK;
}

static HRESULT make_guid(const struct via_value *value, struct made *made)
{
    if (value->kind != VIA_VALUE_GUID)
        return DISP_E_TYPEMISMATCH;
    made->as.guid = value->as.guid;
    return S_OK;
}

static HRESULT make(const struct arguments *self, uint16_t i, const struct via_value *value,
                    struct made *made)
{
    uint32_t kind = self->given[i]->kind;
    switch (kind) {
    case VIA_RESULT_F32:
    case VIA_RESULT_F64:
        return make_real(value, made);
    case VIA_RESULT_BOOL:
        made->as.i64 = value->as.boolean;
        return value->kind == VIA_VALUE_BOOL ? S_OK : DISP_E_TYPEMISMATCH;
    case VIA_RESULT_TEXT:
        return make_text(value, made);
    case VIA_RESULT_WIDE:
        return make_wide(value, made);
    case VIA_RESULT_GUID:
        return make_guid(value, made);
    case VIA_RESULT_OBJECT:
    case VIA_RESULT_DISPATCH:
        return make_object(kind, value, made);
    case VIA_RESULT_VARIANT:
        return marshal_value_to_variant(self->method, i, value, &made->as.variant);
    case VIA_RESULT_JSON:
        return via_value_to_json(value, 0, (char **)&made->as.pointer);
    case VIA_RESULT_VALUE:
    case VIA_RESULT_IGNORED:
        return S_OK;
    default:
        return make_integer(kind, value, made);
    }
}

static void drop(uint32_t kind, struct made *made)
{
    if (kind == VIA_RESULT_TEXT || kind == VIA_RESULT_JSON)
        free(made->as.pointer);
    else if (kind == VIA_RESULT_WIDE)
        SysFreeString(made->as.pointer);
    else if (kind == VIA_RESULT_VARIANT)
        VariantClear(&made->as.variant);
    else if ((kind == VIA_RESULT_OBJECT || kind == VIA_RESULT_DISPATCH) && made->as.pointer)
        IUnknown_Release((IUnknown *)made->as.pointer);
}

/* What an [in, out] pointer had is the caller's no more. */
static void free_old(const struct via_argument *argument)
{
    struct made old = {0};
    switch (argument->kind) {
    case VIA_RESULT_VALUE:
        via_value_clear(argument->as.result);
        break;
    case VIA_RESULT_VARIANT:
        VariantClear(argument->as.result);
        break;
    case VIA_RESULT_TEXT:
    case VIA_RESULT_WIDE:
    case VIA_RESULT_OBJECT:
    case VIA_RESULT_DISPATCH:
    case VIA_RESULT_JSON:
        memcpy(&old.as.pointer, argument->as.result, sizeof old.as.pointer);
        drop(argument->kind, &old);
        break;
    default: /* numbers, which may be smaller than a pointer */
        break;
    }
}

static void give(const struct via_argument *argument, struct via_value *value,
                 const struct made *made)
{
    void *to = argument->as.result;
    switch (argument->kind) {
    case VIA_RESULT_I8:
    case VIA_RESULT_U8:
        memcpy(to, &made->as.i64, 1); /* little-endian, as all of ours */
        break;
    case VIA_RESULT_I16:
        memcpy(to, &made->as.i64, 2);
        break;
    case VIA_RESULT_I32:
    case VIA_RESULT_U32:
        memcpy(to, &made->as.i64, 4);
        break;
    case VIA_RESULT_F32:
        *(float *)to = (float)made->as.f64;
        break;
    case VIA_RESULT_BOOL:
        *(_Bool *)to = made->as.i64 != 0;
        break;
    case VIA_RESULT_GUID:
        memcpy(to, &made->as.guid, sizeof(GUID));
        break;
    case VIA_RESULT_VARIANT:
        memcpy(to, &made->as.variant, sizeof(VARIANT));
        break;
    case VIA_RESULT_VALUE:
        memcpy(to, value, sizeof(*value));
        memset(value, 0, sizeof(*value));
        break;
    case VIA_RESULT_IGNORED:
        break;
    default: /* 64-bit numbers and pointers */
        memcpy(to, &made->as.i64, 8);
    }
}

static HRESULT does_not_fit(const struct arguments *self, uint16_t i, HRESULT hr)
{
    const char *what = hr == E_OUTOFMEMORY     ? "no memory"
                       : hr == DISP_E_OVERFLOW ? "it does not fit into what it was to go to"
                                               : "it is of another type than what it was to go to";
    return error_set(hr, "%s.%s: result %s: %s", self->method->owner->name,
                     self->method->method->name, self->method->params[i].param->name, what);
}

HRESULT arguments_from_values(const struct arguments *self, struct via_value *out)
{
    struct made made[TYPELIB_MAX_PARAMS];
    uint16_t params[TYPELIB_MAX_PARAMS];
    uint32_t n = 0;
    HRESULT hr = S_OK;
    for (uint16_t i = 0; i < self->method->n_params && n < out->n; i++)
        if (self->method->params[i].is_out)
            params[n++] = i;
    uint32_t n_made = 0;
    for (; n_made < n && SUCCEEDED(hr); n_made++)
        if (self->given[params[n_made]] != NULL)
            hr = make(self, params[n_made], &out->as.items[n_made], &made[n_made]);
    if (FAILED(hr))
        does_not_fit(self, params[n_made - 1], hr);
    for (uint32_t k = 0; k < n_made; k++) {
        const struct via_argument *argument = self->given[params[k]];
        if (argument == NULL)
            continue;
        if (FAILED(hr) && k < n_made - 1)
            drop(argument->kind, &made[k]);
        if (FAILED(hr))
            continue;
        if (self->method->params[params[k]].is_in)
            free_old(argument);
        give(argument, &out->as.items[k], &made[k]);
    }
    return hr;
}

static void clear_result(const struct via_argument *argument)
{
    void *to = argument->as.result;
    switch (argument->kind) {
    case VIA_RESULT_TEXT:
    case VIA_RESULT_WIDE:
    case VIA_RESULT_OBJECT:
    case VIA_RESULT_DISPATCH:
    case VIA_RESULT_JSON:
        memset(to, 0, sizeof(void *));
        break;
    case VIA_RESULT_VALUE:
        memset(to, 0, sizeof(struct via_value));
        break;
    case VIA_RESULT_VARIANT:
        memset(to, 0, sizeof(VARIANT));
        break;
    default:
        break;
    }
}

void arguments_clear_results(const struct arguments *self, const struct via_argument *list,
                             size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool is_kept = false;
        for (uint16_t k = 0; self != NULL && k < self->method->n_params; k++)
            is_kept |= self->given[k] == &list[i] && self->method->params[k].is_in;
        if (!is_kept)
            clear_result(&list[i]);
    }
}
