/* The laboratory's object: its vtable interfaces, and what all of its interfaces share. */
#include "lab_object.h"

#include <stdlib.h>
#include <string.h>

/* --- identity --- */

HRESULT lab_query(struct lab *self, REFIID iid, void **object)
{
    BOOL is_local = IsEqualCLSID(self->clsid, &CLSID_LabLocal);
    *object = NULL;
    if (IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_IDispatch))
        *object = self->is_disp ? (void *)&self->DLab_iface : (void *)&self->ILab_iface;
    else if (IsEqualIID(iid, &IID_ILab))
        *object = &self->ILab_iface;
    else if (IsEqualIID(iid, &DIID_DLab) && self->is_disp)
        *object = &self->DLab_iface;
    else if (IsEqualIID(iid, &IID_ILabSized))
        *object = &self->ILabSized_iface;
    else if (IsEqualIID(iid, &IID_ILabText) && !is_local)
        *object = &self->ILabText_iface;
    else if (IsEqualIID(iid, &IID_IConnectionPointContainer))
        *object = &self->IConnectionPointContainer_iface;
    else if (IsEqualIID(iid, &IID_IProvideClassInfo))
        *object = &self->IProvideClassInfo_iface;
    else if (IsEqualIID(iid, &IID_ISupportErrorInfo))
        *object = &self->ISupportErrorInfo_iface;
    else
        return E_NOINTERFACE;
    lab_add_ref(self);
    return S_OK;
}

ULONG lab_add_ref(struct lab *self)
{
    return (ULONG)InterlockedIncrement(&self->refs);
}

ULONG lab_release(struct lab *self)
{
    LONG left = InterlockedDecrement(&self->refs);
    if (left > 0)
        return (ULONG)left;
    lab_events_clear(self);
    SysFreeString(self->cell);
    VariantClear(&self->mixed);
    free(self);
    InterlockedDecrement(&lab_n_alive);
    return 0;
}

#define IDENTITY(name, member, type)                                               \
    static HRESULT WINAPI name##_QueryInterface(type *iface, REFIID iid, void **o) \
    {                                                                              \
        return lab_query(LAB_FROM(member, iface), iid, o);                         \
    }                                                                              \
    static ULONG WINAPI name##_AddRef(type *iface)                                 \
    {                                                                              \
        return lab_add_ref(LAB_FROM(member, iface));                               \
    }                                                                              \
    static ULONG WINAPI name##_Release(type *iface)                                \
    {                                                                              \
        return lab_release(LAB_FROM(member, iface));                               \
    }

IDENTITY(Lab, ILab_iface, ILab)
IDENTITY(Sized, ILabSized_iface, ILabSized)
IDENTITY(Text, ILabText_iface, ILabText)
IDENTITY(Info, IProvideClassInfo_iface, IProvideClassInfo)
IDENTITY(Support, ISupportErrorInfo_iface, ISupportErrorInfo)

/* --- ILab: IDispatch --- */

static HRESULT WINAPI Lab_GetTypeInfoCount(ILab *iface, UINT *count)
{
    (void)iface;
    *count = 1;
    return S_OK;
}

static HRESULT WINAPI Lab_GetTypeInfo(ILab *iface, UINT index, LCID lcid, ITypeInfo **info)
{
    (void)iface, (void)lcid;
    *info = NULL;
    return index == 0 ? lab_type_info(&IID_ILab, info) : DISP_E_BADINDEX;
}

static HRESULT WINAPI Lab_GetIDsOfNames(ILab *iface, REFIID iid, LPOLESTR *names, UINT n, LCID lcid,
                                        DISPID *ids)
{
    ITypeInfo *info;
    (void)iface, (void)iid;
    if (n == 1 && PRIMARYLANGID(LANGIDFROMLCID(lcid)) == LANG_GERMAN &&
        _wcsicmp(names[0], L"Gebietsschema") == 0) {
        ids[0] = 16;
        return S_OK;
    }
    HRESULT hr = lab_type_info(&IID_ILab, &info);
    if (FAILED(hr))
        return hr;
    hr = ITypeInfo_GetIDsOfNames(info, names, n, ids);
    ITypeInfo_Release(info);
    return hr;
}

static HRESULT WINAPI Lab_Invoke(ILab *iface, DISPID id, REFIID iid, LCID lcid, WORD flags,
                                 DISPPARAMS *params, VARIANT *result, EXCEPINFO *exception,
                                 UINT *wrong)
{
    ITypeInfo *info;
    VARIANT how;
    (void)iid;
    VariantInit(&how);
    if (id == 3 && params->cArgs == 1 &&
        SUCCEEDED(VariantChangeType(&how, &params->rgvarg[0], 0, VT_I4)) &&
        V_I4(&how) >= LabScriptNumber)
        return lab_fail_late((LabFailure)V_I4(&how), exception);
    if (id == 15) /* which Wine's Invoke refuses */
        return lab_join_arguments(params, result);
    if (id == 16)
        return lab_give_number((LONG)lcid, result);
    HRESULT hr = lab_type_info(&IID_ILab, &info);
    if (FAILED(hr))
        return hr;
    hr = ITypeInfo_Invoke(info, iface, id, flags, params, result, exception, wrong);
    ITypeInfo_Release(info);
    return hr;
}

/* --- ILab: events and callbacks --- */

struct saying {
    struct lab *lab;
    BSTR text;
    LONG number;
};

static HRESULT say(void *context)
{
    struct saying *saying = context;
    return lab_say(saying->lab, saying->text, saying->number);
}

static HRESULT WINAPI Lab_Say(ILab *iface, BSTR text, LONG number)
{
    return lab_say(LAB_FROM(ILab_iface, iface), text, number);
}

static HRESULT WINAPI Lab_SayElsewhere(ILab *iface, BSTR text, LONG number)
{
    struct saying saying = {LAB_FROM(ILab_iface, iface), text, number};
    return lab_elsewhere(say, &saying);
}

static HRESULT WINAPI Lab_Keep(ILab *iface, IDispatch *callback)
{
    struct lab *self = LAB_FROM(ILab_iface, iface);
    DWORD kept = lab_keep((IUnknown *)callback, &IID_IDispatch);
    AcquireSRWLockExclusive(&self->lock);
    DWORD old = self->kept;
    self->kept = kept;
    ReleaseSRWLockExclusive(&self->lock);
    lab_forget(old);
    return callback == NULL || kept != 0 ? S_OK : E_FAIL;
}

struct calling {
    struct lab *lab;
    BSTR member;
    VARIANT *argument;
    VARIANT *result;
};

static HRESULT call_kept(void *context)
{
    struct calling *calling = context;
    IDispatch *callback;
    DISPID id;
    DISPPARAMS params = {calling->argument, NULL, 1, 0};
    HRESULT hr = lab_get_kept(calling->lab->kept, &IID_IDispatch, (void **)&callback);
    if (FAILED(hr))
        return hr;
    hr =
        IDispatch_GetIDsOfNames(callback, &IID_NULL, &calling->member, 1, LOCALE_USER_DEFAULT, &id);
    if (SUCCEEDED(hr))
        hr = IDispatch_Invoke(callback, id, &IID_NULL, LOCALE_USER_DEFAULT, DISPATCH_METHOD,
                              &params, calling->result, NULL, NULL);
    IDispatch_Release(callback);
    return hr;
}

static HRESULT WINAPI Lab_CallKept(ILab *iface, BSTR member, VARIANT argument, VARIANT *result)
{
    struct calling calling = {LAB_FROM(ILab_iface, iface), member, &argument, result};
    VariantInit(result);
    return call_kept(&calling);
}

static HRESULT WINAPI Lab_CallKeptElsewhere(ILab *iface, BSTR member, VARIANT argument,
                                            VARIANT *result)
{
    struct calling calling = {LAB_FROM(ILab_iface, iface), member, &argument, result};
    VariantInit(result);
    return lab_elsewhere(call_kept, &calling);
}

/* --- ILab: the rest --- */

static HRESULT WINAPI Lab_Fail(ILab *iface, LabFailure how)
{
    (void)iface;
    return lab_fail(how);
}

static HRESULT WINAPI Lab_Split(ILab *iface, BSTR text, BSTR *head, BSTR *tail)
{
    (void)iface;
    return lab_split(text, head, tail);
}

static HRESULT WINAPI Lab_Swap(ILab *iface, VARIANT *left, VARIANT *right)
{
    VARIANT kept = *left;
    (void)iface;
    *left = *right;
    *right = kept;
    return S_OK;
}

static HRESULT WINAPI Lab_get_Disp(ILab *iface, IDispatch **disp)
{
    struct lab *self = LAB_FROM(ILab_iface, iface);
    /* An object of its own, as is usual: an object has one IDispatch. */
    struct lab *other;
    HRESULT hr = lab_new(self->clsid, &IID_ILab, (void **)&other);
    *disp = NULL;
    if (FAILED(hr))
        return hr;
    other = LAB_FROM(ILab_iface, other);
    other->is_disp = TRUE;
    *disp = &other->DLab_iface;
    return S_OK;
}

static HRESULT WINAPI Lab_get_Cell(ILab *iface, LONG row, LONG column, BSTR *text)
{
    *text = lab_cell_text(LAB_FROM(ILab_iface, iface), row, column);
    return S_OK;
}

static HRESULT WINAPI Lab_put_Cell(ILab *iface, LONG row, LONG column, BSTR text)
{
    (void)row, (void)column;
    lab_set_cell(LAB_FROM(ILab_iface, iface), text);
    return S_OK;
}

static HRESULT WINAPI Lab_get_Item(ILab *iface, VARIANT key, VARIANT *value)
{
    (void)iface;
    return lab_item(key, value);
}

static HRESULT WINAPI Lab_get__NewEnum(ILab *iface, IUnknown **items)
{
    (void)iface;
    return lab_new_items(items);
}

static HRESULT WINAPI Lab_get_Thread(ILab *iface, LONG *id)
{
    (void)iface;
    *id = (LONG)GetCurrentThreadId();
    return S_OK;
}

static HRESULT WINAPI Lab_Where(ILab *iface, VARIANT ignored, LONG *id)
{
    (void)ignored;
    return Lab_get_Thread(iface, id);
}

static HRESULT WINAPI Lab_Meet(ILab *iface, LONG *id)
{
    return lab_meet(LAB_FROM(ILab_iface, iface), id);
}

static HRESULT WINAPI Lab_MeetFree(ILab *iface)
{
    return lab_meet_free(LAB_FROM(ILab_iface, iface));
}

static HRESULT WINAPI Lab_Join(ILab *iface, BSTR separator, SAFEARRAY *parts, BSTR *text)
{
    (void)iface;
    return lab_join(separator, parts, text);
}

static HRESULT WINAPI Lab_get_Locale(ILab *iface, LONG *lcid)
{
    (void)iface;
    *lcid = 0;
    return S_OK;
}

static const ILabVtbl lab_vtable = {
    Lab_QueryInterface,
    Lab_AddRef,
    Lab_Release,
    Lab_GetTypeInfoCount,
    Lab_GetTypeInfo,
    Lab_GetIDsOfNames,
    Lab_Invoke,
    Lab_Say,
    Lab_SayElsewhere,
    Lab_Fail,
    Lab_Keep,
    Lab_CallKept,
    Lab_CallKeptElsewhere,
    Lab_Split,
    Lab_Swap,
    Lab_get_Disp,
    Lab_get_Cell,
    Lab_put_Cell,
    Lab_get_Item,
    Lab_get__NewEnum,
    Lab_get_Thread,
    Lab_Where,
    Lab_Meet,
    Lab_MeetFree,
    Lab_Join,
    Lab_get_Locale,
};

/* --- ILabSized --- */

static HRESULT WINAPI Sized_Sum(ILabSized *iface, LONG n, LONG *values, LONG *sum)
{
    (void)iface;
    *sum = 0;
    for (LONG i = 0; i < n; i++)
        *sum += values[i];
    return S_OK;
}

static HRESULT WINAPI Sized_Fill(ILabSized *iface, LONG room, LONG *values, LONG *n)
{
    (void)iface;
    *n = room / 2;
    for (LONG i = 0; i < *n; i++)
        values[i] = i * i;
    return S_OK;
}

static HRESULT WINAPI Sized_Make(ILabSized *iface, LONG *n, LONG **values)
{
    (void)iface;
    *n = 3;
    *values = CoTaskMemAlloc(3 * sizeof **values);
    for (LONG i = 0; *values != NULL && i < 3; i++)
        (*values)[i] = 10 + i;
    return *values != NULL ? S_OK : E_OUTOFMEMORY;
}

static HRESULT WINAPI Sized_Find(ILabSized *iface, GUID *iid, IUnknown **object)
{
    return lab_query(LAB_FROM(ILabSized_iface, iface), iid, (void **)object);
}

static HRESULT WINAPI Sized_Twice(ILabSized *iface, LONG value, LONG *result)
{
    (void)iface;
    *result = 2 * value;
    return S_OK;
}

static HRESULT WINAPI Sized_Length(ILabSized *iface, char *text, LONG *n)
{
    (void)iface;
    *n = (LONG)strlen(text);
    return S_OK;
}

static const ILabSizedVtbl sized_vtable = {
    Sized_QueryInterface, Sized_AddRef, Sized_Release, Sized_Sum,    Sized_Fill,
    Sized_Make,           Sized_Find,   Sized_Twice,   Sized_Length,
};

/* --- ILabText: texts in the process' code page --- */

static HRESULT WINAPI Text_Upper(ILabText *iface, char *text, BSTR *result)
{
    WCHAR wide[256] = L"";
    (void)iface;
    MultiByteToWideChar(CP_ACP, 0, text, -1, wide, 256);
    CharUpperW(wide);
    *result = SysAllocString(wide);
    return S_OK;
}

static HRESULT WINAPI Text_Bytes(ILabText *iface, LPSTR text, LONG *n, LONG *first)
{
    (void)iface;
    *n = (LONG)strlen(text);
    *first = (unsigned char)text[0];
    return S_OK;
}

static HRESULT WINAPI Text_Name(ILabText *iface, char **name)
{
    static const char text[] = "caf\xe9"; /* as code page 1252 has it */
    (void)iface;
    *name = CoTaskMemAlloc(sizeof text);
    if (*name == NULL)
        return E_OUTOFMEMORY;
    memcpy(*name, text, sizeof text);
    return S_OK;
}

static const ILabTextVtbl text_vtable = {
    Text_QueryInterface, Text_AddRef, Text_Release, Text_Upper, Text_Bytes, Text_Name,
};

/* --- what it says of itself --- */

static HRESULT WINAPI Info_GetClassInfo(IProvideClassInfo *iface, ITypeInfo **info)
{
    *info = NULL;
    return lab_type_info(LAB_FROM(IProvideClassInfo_iface, iface)->clsid, info);
}

static const IProvideClassInfoVtbl info_vtable = {
    Info_QueryInterface,
    Info_AddRef,
    Info_Release,
    Info_GetClassInfo,
};

static HRESULT WINAPI Support_InterfaceSupportsErrorInfo(ISupportErrorInfo *iface, REFIID iid)
{
    (void)iface;
    return IsEqualIID(iid, &IID_ILab) ? S_OK : S_FALSE;
}

static const ISupportErrorInfoVtbl support_vtable = {
    Support_QueryInterface,
    Support_AddRef,
    Support_Release,
    Support_InterfaceSupportsErrorInfo,
};

HRESULT lab_new(const CLSID *clsid, REFIID iid, void **object)
{
    struct lab *self = calloc(1, sizeof *self);
    *object = NULL;
    if (self == NULL)
        return E_OUTOFMEMORY;
    InterlockedIncrement(&lab_n_alive);
    self->ILab_iface.lpVtbl = (ILabVtbl *)&lab_vtable;
    self->ILabSized_iface.lpVtbl = (ILabSizedVtbl *)&sized_vtable;
    self->ILabText_iface.lpVtbl = (ILabTextVtbl *)&text_vtable;
    self->IProvideClassInfo_iface.lpVtbl = (IProvideClassInfoVtbl *)&info_vtable;
    self->ISupportErrorInfo_iface.lpVtbl = (ISupportErrorInfoVtbl *)&support_vtable;
    self->refs = 1;
    self->clsid = clsid;
    InitializeSRWLock(&self->lock);
    lab_dispatch_init(self);
    lab_events_init(self);
    HRESULT hr = lab_query(self, iid, object);
    lab_release(self);
    return hr;
}
