#include "tests/remote/late_object.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static atomic_uint n_objects;

unsigned late_objects(void)
{
    return atomic_load(&n_objects);
}

/* --- ILate and ILateOther --- */

#define N_CELLS 4

struct late {
    ILate ILate_iface;
    ILateOther ILateOther_iface;
    atomic_uint refs;
    BSTR title; /* one thread at a time: the tests' clients have one */
    double cells[N_CELLS][N_CELLS];
    ILate *friend_;
};

static struct late *late_from_ILate(ILate *iface)
{
    return (struct late *)(void *)iface;
}

static struct late *late_from_ILateOther(ILateOther *iface)
{
    return (struct late *)(void *)((char *)iface - offsetof(struct late, ILateOther_iface));
}

static HRESULT STDMETHODCALLTYPE Late_QueryInterface(ILate *iface, REFIID iid, void **object)
{
    struct late *self = late_from_ILate(iface);
    *object = NULL;
    if (IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_ILate) ||
        IsEqualIID(iid, &IID_ILateBase))
        *object = &self->ILate_iface;
    else if (IsEqualIID(iid, &IID_ILateOther))
        *object = &self->ILateOther_iface;
    else
        return E_NOINTERFACE;
    atomic_fetch_add(&self->refs, 1);
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Late_AddRef(ILate *iface)
{
    return atomic_fetch_add(&late_from_ILate(iface)->refs, 1) + 1;
}

static ULONG STDMETHODCALLTYPE Late_Release(ILate *iface)
{
    struct late *self = late_from_ILate(iface);
    ULONG left = atomic_fetch_sub(&self->refs, 1) - 1;
    if (left > 0)
        return left;
    if (self->friend_ != NULL)
        ILate_Release(self->friend_);
    SysFreeString(self->title);
    free(self);
    atomic_fetch_sub(&n_objects, 1);
    return 0;
}

static HRESULT STDMETHODCALLTYPE Late_Twice(ILate *iface, LONG value, LONG *result)
{
    (void)iface;
    *result = value * 2;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Late_Add(ILate *iface, LONG a, LONG b, LONG *sum)
{
    (void)iface;
    *sum = a + b;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Late_Split(ILate *iface, double value, LONG *whole, double *rest,
                                            LONG *count)
{
    (void)iface;
    *whole = (LONG)value;
    *rest = value - *whole;
    (*count)++;
    return S_FALSE;
}

static HRESULT STDMETHODCALLTYPE Late_get_Title(ILate *iface, BSTR *title)
{
    BSTR own = late_from_ILate(iface)->title;
    *title = own != NULL ? SysAllocStringLen(own, SysStringLen(own)) : NULL;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Late_put_Title(ILate *iface, BSTR title)
{
    struct late *self = late_from_ILate(iface);
    SysFreeString(self->title);
    self->title = title != NULL ? SysAllocStringLen(title, SysStringLen(title)) : NULL;
    return S_OK;
}

static double *cell_at(ILate *iface, LONG row, LONG column)
{
    bool is_there = row >= 0 && row < N_CELLS && column >= 0 && column < N_CELLS;
    return is_there ? &late_from_ILate(iface)->cells[row][column] : NULL;
}

static HRESULT STDMETHODCALLTYPE Late_get_Cell(ILate *iface, LONG row, LONG column, double *value)
{
    const double *cell = cell_at(iface, row, column);
    *value = cell != NULL ? *cell : 0;
    return cell != NULL ? S_OK : DISP_E_BADINDEX;
}

static HRESULT STDMETHODCALLTYPE Late_put_Cell(ILate *iface, LONG row, LONG column, double value)
{
    double *cell = cell_at(iface, row, column);
    if (cell == NULL)
        return DISP_E_BADINDEX;
    *cell = value;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Late_get_Friend(ILate *iface, ILate **other)
{
    *other = late_from_ILate(iface)->friend_;
    if (*other != NULL)
        ILate_AddRef(*other);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Late_putref_Friend(ILate *iface, ILate *other)
{
    struct late *self = late_from_ILate(iface);
    if (other != NULL)
        ILate_AddRef(other);
    if (self->friend_ != NULL)
        ILate_Release(self->friend_);
    self->friend_ = other;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Late_get_Item(ILate *iface, LONG index, BSTR *item)
{
    WCHAR text[] = VIA_STR("item 0");
    (void)iface;
    text[5] = (WCHAR)('0' + index % 10);
    *item = SysAllocString(text);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Late_Sum(ILate *iface, ULONG count, const LONG *values, LONG *sum)
{
    (void)iface;
    *sum = 0;
    for (ULONG i = 0; i < count; i++)
        *sum += values[i];
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Late_Draw(ILate *iface, const struct LateShape *shape,
                                           struct LateShape *drawn)
{
    (void)iface;
    *drawn = *shape;
    drawn->name = shape->name != NULL ? SysAllocString(shape->name) : NULL;
    drawn->points = CoTaskMemAlloc((shape->count + 1) * sizeof(struct LatePoint));
    if (drawn->points == NULL)
        return E_OUTOFMEMORY;
    for (ULONG i = 0; i < shape->count; i++)
        drawn->points[i] = (struct LatePoint){shape->points[i].y, shape->points[i].x};
    drawn->colour = (shape->colour + 1) % 3;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Late_Paint(ILate *iface, enum LateColour colour,
                                            enum LateColour *next)
{
    (void)iface;
    *next = (colour + 1) % 3;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Late_Not(ILate *iface, VARIANT_BOOL value, VARIANT_BOOL *result)
{
    (void)iface;
    *result = value ? VARIANT_FALSE : VARIANT_TRUE;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Late_Any(ILate *iface, VARIANT value, VARIANT *same)
{
    (void)iface;
    VariantInit(same);
    return VariantCopyInd(same, &value);
}

static HRESULT STDMETHODCALLTYPE Late_List(ILate *iface, LONG n, SAFEARRAY **values)
{
    (void)iface;
    *values = SafeArrayCreateVector(VT_I4, 0, (ULONG)n);
    for (LONG i = 0; *values != NULL && i < n; i++)
        ((LONG *)(*values)->pvData)[i] = i * i;
    return *values != NULL ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE Late_Fail(ILate *iface, LONG code, BSTR text)
{
    ICreateErrorInfo *create = NULL;
    IErrorInfo *info = NULL;
    (void)iface;
    if (FAILED(CreateErrorInfo(&create)))
        return E_OUTOFMEMORY;
    ICreateErrorInfo_SetDescription(create, text);
    ICreateErrorInfo_SetSource(create, (LPOLESTR)VIA_STR("Late"));
    if (SUCCEEDED(ICreateErrorInfo_QueryInterface(create, &IID_IErrorInfo, (void **)&info))) {
        SetErrorInfo(0, info);
        IErrorInfo_Release(info);
    }
    ICreateErrorInfo_Release(create);
    return (HRESULT)code;
}

static HRESULT STDMETHODCALLTYPE Late_Money(ILate *iface, CURRENCY amount, DATE date, DATE *later,
                                            CURRENCY *twice)
{
    (void)iface;
    *later = date + 1;
    twice->int64 = amount.int64 * 2;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Late_Small(ILate *iface, BYTE value, BYTE *same)
{
    (void)iface;
    *same = value;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Late_Rows(ILate *iface, LONG n, ULONG *count,
                                           struct LatePoint **rows)
{
    (void)iface;
    *count = (ULONG)n;
    *rows = CoTaskMemAlloc(((size_t)n + 1) * sizeof(struct LatePoint));
    for (LONG i = 0; *rows != NULL && i < n; i++)
        (*rows)[i] = (struct LatePoint){i, -i};
    return *rows != NULL ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE Late_Wide(ILate *iface, const WCHAR *text, const GUID *guid,
                                           GUID *same)
{
    (void)iface;
    *same = *guid;
    return text != NULL ? S_OK : S_FALSE;
}

static HRESULT STDMETHODCALLTYPE Late_Quit(ILate *iface)
{
    (void)iface;
    return S_OK;
}

/* Nobody comes here from another process. */
static HRESULT STDMETHODCALLTYPE Late_Blind(ILate *iface, LONG count, VIA_OPAQUE items)
{
    (void)iface;
    return count == 1 && items != NULL ? S_OK : E_FAIL;
}

static const ILateVtbl late_vtable = {
    Late_QueryInterface, Late_AddRef,        Late_Release,   Late_Twice,    Late_Add,
    Late_Split,          Late_get_Title,     Late_put_Title, Late_get_Cell, Late_put_Cell,
    Late_get_Friend,     Late_putref_Friend, Late_get_Item,  Late_Sum,      Late_Draw,
    Late_Paint,          Late_Not,           Late_Any,       Late_List,     Late_Fail,
    Late_Money,          Late_Small,         Late_Rows,      Late_Wide,     Late_Quit,
    Late_Blind,
};

static HRESULT STDMETHODCALLTYPE Other_QueryInterface(ILateOther *iface, REFIID iid, void **object)
{
    return Late_QueryInterface(&late_from_ILateOther(iface)->ILate_iface, iid, object);
}

static ULONG STDMETHODCALLTYPE Other_AddRef(ILateOther *iface)
{
    return Late_AddRef(&late_from_ILateOther(iface)->ILate_iface);
}

static ULONG STDMETHODCALLTYPE Other_Release(ILateOther *iface)
{
    return Late_Release(&late_from_ILateOther(iface)->ILate_iface);
}

static HRESULT STDMETHODCALLTYPE Other_Name(ILateOther *iface, BSTR *name)
{
    (void)iface;
    *name = SysAllocString(VIA_STR("other"));
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Other_Add(ILateOther *iface, LONG a, LONG b, LONG *difference)
{
    (void)iface;
    *difference = a - b;
    return S_OK;
}

static const ILateOtherVtbl other_vtable = {
    Other_QueryInterface, Other_AddRef, Other_Release, Other_Name, Other_Add,
};

ILate *late_object_new(void)
{
    struct late *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->ILate_iface.lpVtbl = (void *)&late_vtable;
    self->ILateOther_iface.lpVtbl = (void *)&other_vtable;
    atomic_init(&self->refs, 1);
    atomic_fetch_add(&n_objects, 1);
    return &self->ILate_iface;
}

/* --- an object with an IDispatch of its own --- */

#define ID_HALF   1
#define ID_HIDDEN 77 /* in no description */
#define ID_TAG    79 /* nor this */

struct dual {
    ILateDual ILateDual_iface;
    atomic_uint refs;
    LONG tag;
};

static struct dual *dual_from_ILateDual(ILateDual *iface)
{
    return (struct dual *)(void *)iface;
}

static HRESULT STDMETHODCALLTYPE Dual_QueryInterface(ILateDual *iface, REFIID iid, void **object)
{
    bool is_known = IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_IDispatch) ||
                    IsEqualIID(iid, &IID_ILateDual);
    *object = is_known ? iface : NULL;
    if (is_known)
        atomic_fetch_add(&dual_from_ILateDual(iface)->refs, 1);
    return is_known ? S_OK : E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE Dual_AddRef(ILateDual *iface)
{
    return atomic_fetch_add(&dual_from_ILateDual(iface)->refs, 1) + 1;
}

static ULONG STDMETHODCALLTYPE Dual_Release(ILateDual *iface)
{
    struct dual *self = dual_from_ILateDual(iface);
    ULONG left = atomic_fetch_sub(&self->refs, 1) - 1;
    if (left == 0) {
        free(self);
        atomic_fetch_sub(&n_objects, 1);
    }
    return left;
}

static HRESULT STDMETHODCALLTYPE Dual_GetTypeInfoCount(ILateDual *iface, UINT *count)
{
    (void)iface;
    *count = 0;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Dual_GetTypeInfo(ILateDual *iface, UINT index, LCID lcid,
                                                  ITypeInfo **info)
{
    (void)iface, (void)index, (void)lcid;
    *info = NULL;
    return E_NOTIMPL;
}

static bool is_name(const WCHAR *wide, const char *name)
{
    while (*name && *wide == (WCHAR)*name)
        wide++, name++;
    return !*name && !*wide;
}

static HRESULT STDMETHODCALLTYPE Dual_GetIDsOfNames(ILateDual *iface, REFIID iid, LPOLESTR *names,
                                                    UINT n, LCID lcid, DISPID *ids)
{
    (void)iface, (void)iid, (void)lcid;
    for (UINT i = 0; i < n; i++)
        ids[i] = DISPID_UNKNOWN;
    if (is_name(names[0], "Half"))
        ids[0] = ID_HALF;
    else if (is_name(names[0], "Hidden"))
        ids[0] = ID_HIDDEN;
    else if (is_name(names[0], "Tag"))
        ids[0] = ID_TAG;
    return n == 1 && ids[0] != DISPID_UNKNOWN ? S_OK : DISP_E_UNKNOWNNAME;
}

/* Hidden(text, byref number): fails with the text when there is one, else adds one to the number
 * and returns itself. */
static HRESULT hidden(ILateDual *iface, DISPPARAMS *params, VARIANT *result, EXCEPINFO *exception,
                      UINT *wrong)
{
    if (params->cArgs != 2)
        return DISP_E_BADPARAMCOUNT;
    if (V_VT(&params->rgvarg[0]) != (VT_BYREF | VT_I4) || V_VT(&params->rgvarg[1]) != VT_BSTR) {
        *wrong = 1;
        return DISP_E_TYPEMISMATCH;
    }
    if (SysStringLen(V_BSTR(&params->rgvarg[1])) > 0) {
        exception->wCode = 1234;
        exception->bstrDescription = SysAllocString(V_BSTR(&params->rgvarg[1]));
        exception->bstrHelpFile = SysAllocString(VIA_STR("help.txt"));
        exception->dwHelpContext = 5;
        return DISP_E_EXCEPTION;
    }
    ++*V_I4REF(&params->rgvarg[0]);
    V_VT(result) = VT_DISPATCH;
    V_DISPATCH(result) = (IDispatch *)(void *)iface;
    Dual_AddRef(iface);
    return S_OK;
}

/* A property, whose getter adds to it what it is given. */
static HRESULT tag(struct dual *self, WORD flags, DISPPARAMS *params, VARIANT *result)
{
    VARIANT number;
    VariantInit(&number);
    if (params->cArgs > 1 ||
        (params->cArgs == 1 && FAILED(VariantChangeType(&number, &params->rgvarg[0], 0, VT_I4))))
        return DISP_E_BADPARAMCOUNT;
    LONG given = params->cArgs == 1 ? V_I4(&number) : 0;
    if (flags & DISPATCH_PROPERTYPUT) {
        self->tag = given;
        return S_OK;
    }
    V_VT(result) = VT_I4;
    V_I4(result) = self->tag + given;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Dual_Invoke(ILateDual *iface, DISPID id, REFIID iid, LCID lcid,
                                             WORD flags, DISPPARAMS *params, VARIANT *result,
                                             EXCEPINFO *exception, UINT *wrong)
{
    (void)iid, (void)lcid;
    if (id == ID_HIDDEN)
        return hidden(iface, params, result, exception, wrong);
    if (id == ID_TAG)
        return tag(dual_from_ILateDual(iface), flags, params, result);
    if (id != ID_HALF)
        return DISP_E_MEMBERNOTFOUND;
    V_VT(result) = VT_BSTR; /* not what the description says: it is the object's own */
    V_BSTR(result) = SysAllocString(VIA_STR("half"));
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Dual_Half(ILateDual *iface, LONG value, LONG *result)
{
    (void)iface;
    *result = value / 2;
    return S_OK;
}

static const ILateDualVtbl dual_vtable = {
    Dual_QueryInterface, Dual_AddRef,        Dual_Release, Dual_GetTypeInfoCount,
    Dual_GetTypeInfo,    Dual_GetIDsOfNames, Dual_Invoke,  Dual_Half,
};

ILateDual *late_dual_new(void)
{
    struct dual *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->ILateDual_iface.lpVtbl = (void *)&dual_vtable;
    atomic_init(&self->refs, 1);
    atomic_fetch_add(&n_objects, 1);
    return &self->ILateDual_iface;
}

/* --- an object that nobody describes --- */

static HRESULT STDMETHODCALLTYPE Nothing_QueryInterface(IUnknown *iface, REFIID iid, void **object)
{
    *object = IsEqualIID(iid, &IID_IUnknown) ? iface : NULL;
    return *object != NULL ? S_OK : E_NOINTERFACE;
}

/* It lives as long as the process. */
static ULONG STDMETHODCALLTYPE Nothing_Count(IUnknown *iface)
{
    (void)iface;
    return 2;
}

IUnknown *late_nothing_new(void)
{
    static const IUnknownVtbl vtable = {Nothing_QueryInterface, Nothing_Count, Nothing_Count};
    static IUnknown nothing = {.lpVtbl = (void *)&vtable};
    return &nothing;
}
