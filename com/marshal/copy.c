#include "com/marshal/copy.h"
#include "com/marshal/records.h"
#include "core/util/utf.h"

#include <string.h>
#include <viaduct/com.h>

static HRESULT copy_block(const void *from, size_t size, void **to)
{
    *to = CoTaskMemAlloc(size);
    if (!*to)
        return E_OUTOFMEMORY;
    memcpy(*to, from, size);
    return S_OK;
}

static HRESULT copy_bstr(BSTR from, BSTR *to)
{
    *to = from ? SysAllocStringByteLen((const char *)from, SysStringByteLen(from)) : NULL;
    return from && !*to ? E_OUTOFMEMORY : S_OK;
}

static HRESULT copy_elements(const struct plan_type *element, const char *from, char *to,
                             uint64_t n, const struct native_scope *scope)
{
    HRESULT hr = S_OK;
    for (uint64_t i = 0; i < n && SUCCEEDED(hr); i++)
        hr = native_copy(element, from + i * element->size, to + i * element->size, scope);
    return hr;
}

/* The sizes come first: what is half made is walked by them. */
static HRESULT copy_struct(const struct plan_struct *record, const char *from, char *to,
                           const struct native_scope *outer)
{
    struct native_scope scope = *outer;
    HRESULT hr = S_OK;
    scope.record = record;
    scope.base = from;
    for (int pass = 0; pass < 2; pass++)
        for (uint16_t i = 0; i < record->n_fields && SUCCEEDED(hr); i++) {
            const struct plan_field *field = &record->fields[i];
            if (field->type->is_plain == (pass == 0))
                hr = native_copy(field->type, from + field->offset, to + field->offset, &scope);
        }
    return hr;
}

static HRESULT copy_pointer(const struct plan_type *type, const void *from, void **to,
                            const struct native_scope *scope)
{
    if (!from)
        return S_OK;
    int64_t room = type->kind == VIA_TYPE_POINTER ? 1 : native_count(scope, type);
    int64_t n = type->kind == VIA_TYPE_POINTER ? 1 : native_length(scope, type);
    size_t size = (size_t)(room < 0 ? 0 : room) * type->element->size;
    *to = CoTaskMemAlloc(size);
    if (!*to)
        return E_OUTOFMEMORY;
    memset(*to, 0, size);
    return copy_elements(type->element, from, *to, n < 0 ? 0 : (uint64_t)n, scope);
}

static HRESULT copy_array(const struct plan_type *type, const void *from, void *to,
                          const struct native_scope *scope)
{
    int64_t n = native_length(scope, type);
    return copy_elements(type->element, from, to, n < 0 ? 0 : (uint64_t)n, scope);
}

static HRESULT copy_union(const struct plan_type *type, const void *from, void *to,
                          const struct native_scope *scope)
{
    int64_t which;
    const struct plan_arm *arm =
        native_choice(scope, type, &which) ? plan_arm(type->choice, which) : NULL;
    if (!arm)
        return E_INVALIDARG;
    return arm->type ? native_copy(arm->type, from, to, scope) : S_OK;
}

HRESULT native_copy(const struct plan_type *type, const void *from, void *to,
                    const struct native_scope *scope)
{
    const void *pointer = NULL;
    if (type->is_plain) {
        memcpy(to, from, type->size);
        return S_OK;
    }
    if (type->size == sizeof(pointer))
        memcpy(&pointer, from, sizeof(pointer));
    switch (type->kind) {
    case VIA_TYPE_BSTR:
        return copy_bstr((BSTR)pointer, to);
    case VIA_TYPE_STRING8:
        return pointer ? copy_block(pointer, strlen(pointer) + 1, to) : S_OK;
    case VIA_TYPE_STRING16:
        return pointer ? copy_block(pointer, (utf16_length(pointer) + 1) * sizeof(WCHAR), to)
                       : S_OK;
    case VIA_TYPE_INTERFACE:
        memcpy(to, &pointer, sizeof(pointer));
        if (pointer)
            IUnknown_AddRef((IUnknown *)pointer);
        return S_OK;
    case VIA_TYPE_VARIANT:
        return V_VT((const VARIANT *)from) == VT_RECORD ? records_copy(from, to)
                                                        : VariantCopy(to, (VARIANT *)from);
    case VIA_TYPE_SAFEARRAY:
        return SafeArrayCopy((SAFEARRAY *)pointer, to);
    case VIA_TYPE_ARRAY:
        return copy_array(type, from, to, scope);
    case VIA_TYPE_UNION:
        return copy_union(type, from, to, scope);
    case VIA_TYPE_STRUCT:
        return copy_struct(type->record, from, to, scope);
    default:
        return copy_pointer(type, pointer, to, scope);
    }
}
