/* What the laboratory answers to callers by name: a dispinterface by hand, and failures with all
 * that a failure can carry. */
#include "lab_object.h"

#include <stdio.h>

#define MAX_PARTS  8
#define MAX_JOINED 128

/* --- failures --- */

#define LAB_E_FIRE ((HRESULT)0x80041234)

static void fill_exception(EXCEPINFO *exception, const WCHAR *description)
{
    exception->scode = LAB_E_FIRE;
    exception->bstrSource = SysAllocString(L"ViaductLab.Bench");
    exception->bstrDescription = SysAllocString(description);
    exception->bstrHelpFile = SysAllocString(L"C:\\lab\\lab.hlp");
    exception->dwHelpContext = 77;
}

static HRESULT WINAPI fill_later(EXCEPINFO *exception)
{
    fill_exception(exception, L"the bench was looked at late");
    return S_OK;
}

HRESULT lab_fail_late(LabFailure how, EXCEPINFO *exception)
{
    if (how == LabPlain || exception == NULL)
        return E_ACCESSDENIED;
    memset(exception, 0, sizeof *exception);
    if (how == LabDeferred)
        exception->pfnDeferredFillIn = fill_later;
    else
        fill_exception(exception, L"the bench is on fire");
    if (how == LabScriptNumber) {
        exception->scode = 0;
        exception->wCode = 1001;
    }
    return DISP_E_EXCEPTION;
}

HRESULT lab_fail(LabFailure how)
{
    ICreateErrorInfo *create;
    IErrorInfo *info;
    if (how == LabPlain || FAILED(CreateErrorInfo(&create)))
        return E_ACCESSDENIED;
    ICreateErrorInfo_SetGUID(create, &IID_ILab);
    ICreateErrorInfo_SetSource(create, (WCHAR *)L"ViaductLab.Bench");
    ICreateErrorInfo_SetDescription(create, (WCHAR *)L"the bench is on fire");
    ICreateErrorInfo_SetHelpFile(create, (WCHAR *)L"C:\\lab\\lab.hlp");
    ICreateErrorInfo_SetHelpContext(create, 77);
    if (SUCCEEDED(ICreateErrorInfo_QueryInterface(create, &IID_IErrorInfo, (void **)&info))) {
        SetErrorInfo(0, info);
        IErrorInfo_Release(info);
    }
    ICreateErrorInfo_Release(create);
    return LAB_E_FIRE;
}

/* --- what both interfaces have --- */

BSTR lab_cell_text(struct lab *self, LONG row, LONG column)
{
    WCHAR text[128];
    AcquireSRWLockExclusive(&self->lock);
    _snwprintf(text, 127, L"%ld/%ld=%ls", row, column, self->cell != NULL ? self->cell : L"");
    ReleaseSRWLockExclusive(&self->lock);
    text[127] = 0;
    return SysAllocString(text);
}

void lab_set_cell(struct lab *self, BSTR text)
{
    AcquireSRWLockExclusive(&self->lock);
    SysFreeString(self->cell);
    self->cell = SysAllocString(text);
    ReleaseSRWLockExclusive(&self->lock);
}

HRESULT lab_item(VARIANT key, VARIANT *value)
{
    VARIANT text;
    WCHAR all[128];
    VariantInit(&text);
    VariantInit(value);
    HRESULT hr = VariantChangeType(&text, &key, 0, VT_BSTR);
    if (FAILED(hr))
        return hr;
    _snwprintf(all, 127, L"item %ls", V_BSTR(&text));
    all[127] = 0;
    VariantClear(&text);
    V_VT(value) = VT_BSTR;
    V_BSTR(value) = SysAllocString(all);
    return S_OK;
}

HRESULT lab_split(BSTR text, BSTR *head, BSTR *tail)
{
    UINT n = SysStringLen(text) / 2;
    *head = SysAllocStringLen(text, n);
    *tail = SysAllocString(text != NULL ? text + n : L"");
    return S_OK;
}

HRESULT lab_give_number(LONG number, VARIANT *result)
{
    if (result != NULL) {
        V_VT(result) = VT_I4;
        V_I4(result) = number;
    }
    return S_OK;
}

static HRESULT append(WCHAR *text, const WCHAR *separator, VARIANT *part)
{
    VARIANT plain;
    VariantInit(&plain);
    HRESULT hr = VariantChangeType(&plain, part, 0, VT_BSTR);
    if (SUCCEEDED(hr)) {
        if (*text != 0)
            wcsncat(text, separator, MAX_JOINED - wcslen(text) - 1);
        wcsncat(text, V_BSTR(&plain), MAX_JOINED - wcslen(text) - 1);
    }
    VariantClear(&plain);
    return hr;
}

static HRESULT join(BSTR separator, VARIANT *parts, ULONG n, BSTR *text)
{
    WCHAR all[MAX_JOINED] = L"";
    HRESULT hr = S_OK;
    *text = NULL;
    for (ULONG i = 0; i < n && SUCCEEDED(hr); i++)
        hr = append(all, separator != NULL ? separator : L"", &parts[i]);
    if (SUCCEEDED(hr))
        *text = SysAllocString(all);
    return hr;
}

HRESULT lab_join(BSTR separator, SAFEARRAY *parts, BSTR *text)
{
    ULONG n = parts != NULL ? parts->rgsabound[0].cElements : 0;
    return join(separator, n > 0 ? parts->pvData : NULL, n, text);
}

HRESULT lab_join_arguments(const DISPPARAMS *params, VARIANT *result)
{
    VARIANT separator, parts[MAX_PARTS];
    BSTR text = NULL;
    UINT n = params->cArgs - 1;
    if (params->cArgs == 0 || n > MAX_PARTS)
        return DISP_E_BADPARAMCOUNT;
    VariantInit(&separator);
    HRESULT hr = VariantChangeType(&separator, &params->rgvarg[n], 0, VT_BSTR);
    for (UINT i = 0; i < n; i++)
        parts[i] = params->rgvarg[n - 1 - i];
    if (SUCCEEDED(hr))
        hr = join(V_BSTR(&separator), parts, n, &text);
    VariantClear(&separator);
    if (FAILED(hr) || result == NULL) {
        SysFreeString(text);
        return hr;
    }
    V_VT(result) = VT_BSTR;
    V_BSTR(result) = text;
    return S_OK;
}

/* --- IEnumVARIANT: 1, "two", 3.5 --- */

struct items {
    IEnumVARIANT IEnumVARIANT_iface;
    LONG refs;
    ULONG next;
};

static HRESULT WINAPI Items_QueryInterface(IEnumVARIANT *iface, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IEnumVARIANT))
        return E_NOINTERFACE;
    IEnumVARIANT_AddRef(iface);
    *object = iface;
    return S_OK;
}

static ULONG WINAPI Items_AddRef(IEnumVARIANT *iface)
{
    return (ULONG)InterlockedIncrement(&((struct items *)iface)->refs);
}

static ULONG WINAPI Items_Release(IEnumVARIANT *iface)
{
    LONG left = InterlockedDecrement(&((struct items *)iface)->refs);
    if (left == 0)
        free(iface);
    return (ULONG)left;
}

static void give_item(ULONG i, VARIANT *item)
{
    VariantInit(item);
    V_VT(item) = i == 0 ? VT_I4 : i == 1 ? VT_BSTR : VT_R8;
    if (i == 0)
        V_I4(item) = 1;
    else if (i == 1)
        V_BSTR(item) = SysAllocString(L"two");
    else
        V_R8(item) = 3.5;
}

static HRESULT WINAPI Items_Next(IEnumVARIANT *iface, ULONG n, VARIANT *list, ULONG *fetched)
{
    struct items *self = (struct items *)iface;
    ULONG given = 0;
    while (given < n && self->next < 3)
        give_item(self->next++, &list[given++]);
    if (fetched != NULL)
        *fetched = given;
    return given == n ? S_OK : S_FALSE;
}

static HRESULT WINAPI Items_Skip(IEnumVARIANT *iface, ULONG n)
{
    ((struct items *)iface)->next += n;
    return S_OK;
}

static HRESULT WINAPI Items_Reset(IEnumVARIANT *iface)
{
    ((struct items *)iface)->next = 0;
    return S_OK;
}

static HRESULT WINAPI Items_Clone(IEnumVARIANT *iface, IEnumVARIANT **copy)
{
    (void)iface;
    *copy = NULL;
    return E_NOTIMPL;
}

static const IEnumVARIANTVtbl items_vtable = {
    Items_QueryInterface, Items_AddRef, Items_Release, Items_Next,
    Items_Skip,           Items_Reset,  Items_Clone,
};

HRESULT lab_new_items(IUnknown **items)
{
    struct items *self = calloc(1, sizeof *self);
    *items = NULL;
    if (self == NULL)
        return E_OUTOFMEMORY;
    self->IEnumVARIANT_iface.lpVtbl = (IEnumVARIANTVtbl *)&items_vtable;
    self->refs = 1;
    *items = (IUnknown *)&self->IEnumVARIANT_iface;
    return S_OK;
}

/* --- DLab --- */

static HRESULT WINAPI Disp_QueryInterface(IDispatch *iface, REFIID iid, void **object)
{
    return lab_query(LAB_FROM(DLab_iface, iface), iid, object);
}

static ULONG WINAPI Disp_AddRef(IDispatch *iface)
{
    return lab_add_ref(LAB_FROM(DLab_iface, iface));
}

static ULONG WINAPI Disp_Release(IDispatch *iface)
{
    return lab_release(LAB_FROM(DLab_iface, iface));
}

static HRESULT WINAPI Disp_GetTypeInfoCount(IDispatch *iface, UINT *count)
{
    (void)iface;
    *count = 1;
    return S_OK;
}

static HRESULT WINAPI Disp_GetTypeInfo(IDispatch *iface, UINT index, LCID lcid, ITypeInfo **info)
{
    (void)iface, (void)lcid;
    *info = NULL;
    return index == 0 ? lab_type_info(&DIID_DLab, info) : DISP_E_BADINDEX;
}

static HRESULT WINAPI Disp_GetIDsOfNames(IDispatch *iface, REFIID iid, LPOLESTR *names, UINT n,
                                         LCID lcid, DISPID *ids)
{
    ITypeInfo *info;
    (void)iface, (void)iid, (void)lcid;
    HRESULT hr = lab_type_info(&DIID_DLab, &info);
    if (FAILED(hr))
        return hr;
    hr = ITypeInfo_GetIDsOfNames(info, names, n, ids);
    ITypeInfo_Release(info);
    return hr;
}

/* The i-th argument, counted from the first, changed to the type. */
static HRESULT argument(const DISPPARAMS *params, UINT i, VARTYPE type, VARIANT *value)
{
    VariantInit(value);
    if (i >= params->cArgs)
        return DISP_E_BADPARAMCOUNT;
    return VariantChangeType(value, &params->rgvarg[params->cArgs - 1 - i], 0, type);
}

static HRESULT level(struct lab *self, WORD flags, const DISPPARAMS *params, VARIANT *result)
{
    VARIANT value;
    HRESULT hr = S_OK;
    if (flags & DISPATCH_PROPERTYPUT) {
        hr = argument(params, 0, VT_I4, &value);
        if (SUCCEEDED(hr))
            self->level = V_I4(&value);
    } else if (result != NULL) {
        V_VT(result) = VT_I4;
        V_I4(result) = self->level;
    }
    return hr;
}

static HRESULT mixed(struct lab *self, WORD flags, const DISPPARAMS *params, VARIANT *result)
{
    if (flags & DISPATCH_PROPERTYPUT)
        return params->cArgs == 1 ? VariantCopyInd(&self->mixed, &params->rgvarg[0])
                                  : DISP_E_BADPARAMCOUNT;
    return result != NULL ? VariantCopy(result, &self->mixed) : S_OK;
}

static HRESULT add(const DISPPARAMS *params, VARIANT *result)
{
    VARIANT a, b;
    HRESULT hr = argument(params, 0, VT_I4, &a);
    if (SUCCEEDED(hr))
        hr = argument(params, 1, VT_I4, &b);
    if (FAILED(hr) || result == NULL)
        return hr;
    V_VT(result) = VT_I4;
    V_I4(result) = V_I4(&a) + V_I4(&b);
    return S_OK;
}

static HRESULT cell(struct lab *self, WORD flags, const DISPPARAMS *params, VARIANT *result)
{
    VARIANT row, column, text;
    HRESULT hr = argument(params, 0, VT_I4, &row);
    V_I4(&column) = 7;
    if (SUCCEEDED(hr) && (params->cArgs > 1 || (flags & DISPATCH_PROPERTYPUT)))
        hr = argument(params, 1, VT_I4, &column);
    if (FAILED(hr))
        return hr;
    if (flags & DISPATCH_PROPERTYPUT) {
        hr = argument(params, 2, VT_BSTR, &text);
        if (SUCCEEDED(hr))
            lab_set_cell(self, V_BSTR(&text));
        VariantClear(&text);
        return hr;
    }
    if (result != NULL) {
        V_VT(result) = VT_BSTR;
        V_BSTR(result) = lab_cell_text(self, V_I4(&row), V_I4(&column));
    }
    return S_OK;
}

static void put_text(VARIANT *to, BSTR text)
{
    if (V_VT(to) == (VT_BYREF | VT_BSTR)) {
        SysFreeString(*V_BSTRREF(to));
        *V_BSTRREF(to) = text;
    } else if (V_VT(to) == (VT_BYREF | VT_VARIANT)) {
        VariantClear(V_VARIANTREF(to));
        V_VT(V_VARIANTREF(to)) = VT_BSTR;
        V_BSTR(V_VARIANTREF(to)) = text;
    } else {
        SysFreeString(text);
    }
}

static HRESULT split(const DISPPARAMS *params)
{
    VARIANT text;
    BSTR head, tail;
    HRESULT hr = params->cArgs == 3 ? argument(params, 0, VT_BSTR, &text) : DISP_E_BADPARAMCOUNT;
    if (FAILED(hr))
        return hr;
    lab_split(V_BSTR(&text), &head, &tail);
    VariantClear(&text);
    put_text(&params->rgvarg[1], head);
    put_text(&params->rgvarg[0], tail);
    return S_OK;
}

static HRESULT give_object(VARIANT *result, VARTYPE type, IUnknown *object)
{
    if (result == NULL) {
        IUnknown_Release(object);
        return S_OK;
    }
    V_VT(result) = type;
    V_UNKNOWN(result) = object;
    return S_OK;
}

static HRESULT invoke(struct lab *self, DISPID id, LCID lcid, WORD flags, const DISPPARAMS *params,
                      VARIANT *result, EXCEPINFO *exception)
{
    VARIANT value;
    IUnknown *object = NULL;
    HRESULT hr;
    switch (id) {
    case 0:
        hr = params->cArgs == 1 ? S_OK : DISP_E_BADPARAMCOUNT;
        return SUCCEEDED(hr) && result != NULL ? lab_item(params->rgvarg[0], result) : hr;
    case 1:
        return level(self, flags, params, result);
    case 2:
        if (flags & DISPATCH_PROPERTYPUT)
            return DISP_E_MEMBERNOTFOUND;
        if (result != NULL) {
            V_VT(result) = VT_BSTR;
            V_BSTR(result) = SysAllocString(L"laboratory");
        }
        return S_OK;
    case 3:
        return mixed(self, flags, params, result);
    case 10:
        return add(params, result);
    case 11:
        return cell(self, flags, params, result);
    case 12:
        return split(params);
    case 13:
        hr = argument(params, 0, VT_I4, &value);
        return SUCCEEDED(hr) ? lab_fail_late((LabFailure)V_I4(&value), exception) : hr;
    case 14:
        lab_query(self, &IID_ILab, (void **)&object);
        return give_object(result, VT_DISPATCH, object);
    case 15:
        return lab_join_arguments(params, result);
    case 16:
        return lab_give_number((LONG)lcid, result);
    case DISPID_NEWENUM:
        hr = lab_new_items(&object);
        return SUCCEEDED(hr) ? give_object(result, VT_UNKNOWN, object) : hr;
    default:
        return DISP_E_MEMBERNOTFOUND;
    }
}

static HRESULT WINAPI Disp_Invoke(IDispatch *iface, DISPID id, REFIID iid, LCID lcid, WORD flags,
                                  DISPPARAMS *params, VARIANT *result, EXCEPINFO *exception,
                                  UINT *wrong)
{
    (void)iid, (void)wrong;
    if (result != NULL)
        VariantInit(result);
    return invoke(LAB_FROM(DLab_iface, iface), id, lcid, flags, params, result, exception);
}

static const IDispatchVtbl dispatch_vtable = {
    Disp_QueryInterface, Disp_AddRef,        Disp_Release, Disp_GetTypeInfoCount,
    Disp_GetTypeInfo,    Disp_GetIDsOfNames, Disp_Invoke,
};

void lab_dispatch_init(struct lab *self)
{
    self->DLab_iface.lpVtbl = (IDispatchVtbl *)&dispatch_vtable;
    VariantInit(&self->mixed);
}
