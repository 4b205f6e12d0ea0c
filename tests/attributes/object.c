/*
 * An object with one vtable, for IAttributes; its events are those of via_events. The object of the
 * dispinterface is made by name.
 */
#include "tests/attributes/object.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/enumerators.h>
#include <viaduct/events.h>
#include <viaduct/implement.h>
#include <viaduct/late.h>

#include "core/os/clock.h"
#include "core/os/thread.h"

static atomic_long n_objects;

long attributes_object_count(void)
{
    return atomic_load(&n_objects);
}

/* --- the sink --- */

struct late_sink {
    IDispatch IDispatch_iface;
    atomic_uint refs;
    unsigned block_ms;
    atomic_long n;
    atomic_long levels;
};

static struct late_sink *sink_from_IDispatch(IDispatch *iface)
{
    return (struct late_sink *)(void *)iface;
}

static HRESULT STDMETHODCALLTYPE Sink_QueryInterface(IDispatch *iface, REFIID iid, void **object)
{
    bool is_known = IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_IDispatch);
    *object = is_known ? iface : NULL;
    if (is_known)
        atomic_fetch_add(&sink_from_IDispatch(iface)->refs, 1);
    return is_known ? S_OK : E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE Sink_AddRef(IDispatch *iface)
{
    return atomic_fetch_add(&sink_from_IDispatch(iface)->refs, 1) + 1;
}

static ULONG STDMETHODCALLTYPE Sink_Release(IDispatch *iface)
{
    struct late_sink *self = sink_from_IDispatch(iface);
    ULONG left = atomic_fetch_sub(&self->refs, 1) - 1;
    if (left == 0) {
        free(self);
        atomic_fetch_sub(&n_objects, 1);
    }
    return left;
}

static HRESULT STDMETHODCALLTYPE Sink_GetTypeInfoCount(IDispatch *iface, UINT *count)
{
    (void)iface;
    *count = 0;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Sink_GetTypeInfo(IDispatch *iface, UINT index, LCID lcid,
                                                  ITypeInfo **info)
{
    (void)iface, (void)index, (void)lcid;
    *info = NULL;
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE Sink_GetIDsOfNames(IDispatch *iface, REFIID iid, LPOLESTR *names,
                                                    UINT n, LCID lcid, DISPID *ids)
{
    (void)iface, (void)iid, (void)names, (void)n, (void)lcid, (void)ids;
    return DISP_E_UNKNOWNNAME;
}

/* The last argument comes first: Changed(level, name), Moved(level, by). */
static HRESULT STDMETHODCALLTYPE Sink_Invoke(IDispatch *iface, DISPID id, REFIID iid, LCID lcid,
                                             WORD flags, DISPPARAMS *params, VARIANT *result,
                                             EXCEPINFO *exception, UINT *wrong)
{
    struct late_sink *self = sink_from_IDispatch(iface);
    bool is_changed = id == 10 && params->cArgs == 2 && V_VT(&params->rgvarg[0]) == VT_BSTR;
    bool is_moved = id == 21 && params->cArgs == 2 && V_VT(&params->rgvarg[0]) == VT_R8;
    (void)iid, (void)lcid, (void)result, (void)exception, (void)wrong;
    if ((!is_changed && !is_moved) || V_VT(&params->rgvarg[1]) != VT_I4 || flags != DISPATCH_METHOD)
        return DISP_E_MEMBERNOTFOUND;
    if (self->block_ms > 0)
        os_sleep_ms(self->block_ms);
    atomic_fetch_add(&self->levels, V_I4(&params->rgvarg[1]));
    atomic_fetch_add(&self->n, 1);
    return S_OK;
}

static const IDispatchVtbl sink_vtable = {
    Sink_QueryInterface, Sink_AddRef,        Sink_Release, Sink_GetTypeInfoCount,
    Sink_GetTypeInfo,    Sink_GetIDsOfNames, Sink_Invoke,
};

struct late_sink *late_sink_new(unsigned block_ms)
{
    struct late_sink *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->IDispatch_iface.lpVtbl = (void *)&sink_vtable;
    self->block_ms = block_ms;
    atomic_init(&self->refs, 1);
    atomic_fetch_add(&n_objects, 1);
    return self;
}

IUnknown *late_sink_unknown(struct late_sink *self)
{
    return (IUnknown *)(void *)&self->IDispatch_iface;
}

void late_sink_heard(struct late_sink *self, LONG *n, LONG *levels)
{
    *n = (LONG)atomic_load(&self->n);
    *levels = (LONG)atomic_load(&self->levels);
}

/* --- the dispinterface --- */

struct members {
    struct os_mutex lock;
    int64_t level; /* lock */
};

static HRESULT set_i64(struct via_value *value, int64_t number)
{
    value->kind = VIA_VALUE_I64;
    value->as.i64 = number;
    return S_OK;
}

static HRESULT swap(const struct via_value *in, struct via_value *out)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)in->as.items[0].as.i64);
    set_i64(&out->as.items[0], atoll(in->as.items[1].as.string));
    return via_value_set_string(&out->as.items[1], text, strlen(text));
}

static HRESULT fail(const char *text)
{
    ICreateErrorInfo *create = NULL;
    IErrorInfo *info = NULL;
    WCHAR wide[64] = {0};
    for (size_t i = 0; text[i] && i < 63; i++)
        wide[i] = (WCHAR)text[i];
    if (FAILED(CreateErrorInfo(&create)))
        return E_OUTOFMEMORY;
    ICreateErrorInfo_SetDescription(create, wide);
    if (SUCCEEDED(ICreateErrorInfo_QueryInterface(create, &IID_IErrorInfo, (void **)&info))) {
        SetErrorInfo(0, info);
        IErrorInfo_Release(info);
    }
    ICreateErrorInfo_Release(create);
    return E_ABORT;
}

static HRESULT add_up(const struct via_value *list, struct via_value *sum)
{
    int64_t total = 0;
    for (uint32_t i = 0; i < list->n; i++)
        total += list->as.items[i].as.i64;
    return set_i64(sum, total);
}

static HRESULT on_member(void *context, const char *method, const struct via_value *in,
                         struct via_value *out)
{
    struct members *self = context;
    HRESULT hr = S_OK;
    os_mutex_lock(&self->lock);
    if (!strcmp(method, "get_Level"))
        hr = set_i64(&out->as.items[0], self->level);
    else if (!strcmp(method, "put_Level"))
        self->level = in->as.items[0].as.i64;
    else if (!strcmp(method, "get_Name"))
        hr = via_value_set_string(&out->as.items[0], "members", 7);
    else if (!strcmp(method, "Twice"))
        hr = set_i64(&out->as.items[0], in->as.items[0].as.i64 * 2);
    else if (!strcmp(method, "Swap"))
        hr = swap(in, out);
    else if (!strcmp(method, "Fail"))
        hr = fail(in->as.items[0].as.string);
    else if (!strcmp(method, "Sum"))
        hr = add_up(&in->as.items[0], &out->as.items[0]);
    else if (!strcmp(method, "Later"))
        out->as.items[0] =
            (struct via_value){.kind = VIA_VALUE_F64,
                               .as.f64 = in->as.items[0].as.f64 + (double)in->as.items[1].as.i64};
    else
        hr = E_NOTIMPL;
    os_mutex_unlock(&self->lock);
    return hr;
}

static void free_members(void *context)
{
    struct members *self = context;
    os_mutex_deinit(&self->lock);
    free(self);
    atomic_fetch_sub(&n_objects, 1);
}

static HRESULT members_new(void **result)
{
    struct members *self = calloc(1, sizeof *self);
    if (self == NULL)
        return E_OUTOFMEMORY;
    os_mutex_init(&self->lock);
    atomic_fetch_add(&n_objects, 1);
    HRESULT hr = via_implement(&DIID_DAttributes, NULL, on_member, self, free_members, result);
    if (FAILED(hr))
        free_members(self);
    return hr;
}

/* --- IAttributes --- */

struct attributes {
    IAttributes IAttributes_iface;
    atomic_uint refs;
    struct via_events events;
    DAttributeEvents *changed;
    IAttributeEvents *moved;
    DAttributes *members; /* a reference */
    struct os_mutex lock;
    IUnknown *other;        /* lock */
    LONG how_put;           /* lock */
    struct late_sink *sink; /* lock */
    IUnknown *source;       /* lock */
    DWORD cookies[2];       /* lock */
};

static struct attributes *from_IAttributes(IAttributes *iface)
{
    return (struct attributes *)(void *)iface;
}

static HRESULT STDMETHODCALLTYPE Attributes_QueryInterface(IAttributes *iface, REFIID iid,
                                                           void **object)
{
    struct attributes *self = from_IAttributes(iface);
    *object = NULL;
    if (IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_IAttributes))
        *object = iface;
    else if (IsEqualIID(iid, &IID_IConnectionPointContainer))
        *object = via_events_container(&self->events);
    if (*object == NULL)
        return E_NOINTERFACE;
    atomic_fetch_add(&self->refs, 1);
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Attributes_AddRef(IAttributes *iface)
{
    return atomic_fetch_add(&from_IAttributes(iface)->refs, 1) + 1;
}

static HRESULT STDMETHODCALLTYPE Attributes_StopListening(IAttributes *iface)
{
    struct attributes *self = from_IAttributes(iface);
    os_mutex_lock(&self->lock);
    struct late_sink *sink = self->sink;
    IUnknown *source = self->source;
    DWORD cookies[2] = {self->cookies[0], self->cookies[1]};
    self->sink = NULL;
    self->source = NULL;
    os_mutex_unlock(&self->lock);
    if (source != NULL) {
        via_unadvise(source, &DIID_DAttributeEvents, cookies[0]);
        via_unadvise(source, &IID_IAttributeEvents, cookies[1]);
        IUnknown_Release(source);
    }
    if (sink != NULL)
        IUnknown_Release(late_sink_unknown(sink));
    return S_OK;
}

static void end_object(struct attributes *self)
{
    Attributes_StopListening(&self->IAttributes_iface);
    via_events_deinit(&self->events);
    if (self->members != NULL)
        DAttributes_Release(self->members);
    if (self->other != NULL)
        IUnknown_Release(self->other);
    os_mutex_deinit(&self->lock);
    free(self);
    atomic_fetch_sub(&n_objects, 1);
}

static ULONG STDMETHODCALLTYPE Attributes_Release(IAttributes *iface)
{
    struct attributes *self = from_IAttributes(iface);
    ULONG left = atomic_fetch_sub(&self->refs, 1) - 1;
    if (left == 0)
        end_object(self);
    return left;
}

static HRESULT STDMETHODCALLTYPE Attributes_Add(IAttributes *iface, AttributeNumber a,
                                                AttributeNumber b, double c, double *sum)
{
    (void)iface;
    *sum = a + b + c;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Attributes_Greet(IAttributes *iface, BSTR name, VARIANT_BOOL loud,
                                                  AttributeColour colour, BSTR *text)
{
    (void)iface;
    *text = SysAllocStringLen(NULL, SysStringLen(name) + 2);
    if (*text == NULL)
        return E_OUTOFMEMORY;
    memcpy(*text, name, SysStringLen(name) * sizeof(WCHAR));
    (*text)[SysStringLen(name)] = loud ? '!' : '.';
    (*text)[SysStringLen(name) + 1] = (WCHAR)('0' + colour);
    return S_OK;
}

static bool is_marker(const VARIANT *variant)
{
    return V_VT(variant) == VT_ERROR && V_ERROR(variant) == DISP_E_PARAMNOTFOUND;
}

static HRESULT STDMETHODCALLTYPE Attributes_Missing(IAttributes *iface, VARIANT first,
                                                    const VARIANT *second, VARIANT third,
                                                    BSTR fourth, AttributeObject fifth,
                                                    SAFEARRAY *sixth, LONG *also, LONG *bits)
{
    bool is_seven = V_VT(&third) == VT_I4 && V_I4(&third) == 7;
    (void)iface;
    *also = 5;
    *bits = is_marker(&first) | is_marker(second) << 1 | is_seven << 2 | (fourth == NULL) << 3 |
            (fifth == NULL) << 4 | (sixth == NULL) << 5;
    return S_OK;
}

/* "1-a-2": each part as a text. */
static HRESULT STDMETHODCALLTYPE Attributes_Join(IAttributes *iface, BSTR separator,
                                                 SAFEARRAY *parts, BSTR *text)
{
    BSTR all = SysAllocString(VIA_STR(""));
    (void)iface;
    *text = NULL;
    for (ULONG i = 0; parts != NULL && all != NULL && i < parts->rgsabound[0].cElements; i++) {
        VARIANT part;
        BSTR longer = NULL;
        VariantInit(&part);
        if (SUCCEEDED(VariantChangeType(&part, &((VARIANT *)parts->pvData)[i], 0, VT_BSTR))) {
            UINT n = SysStringLen(all), m = i > 0 ? SysStringLen(separator) : 0;
            UINT k = SysStringLen(V_BSTR(&part));
            longer = SysAllocStringLen(NULL, n + m + k);
            if (longer != NULL) {
                memcpy(longer, all, n * sizeof(WCHAR));
                memcpy(longer + n, separator, m * sizeof(WCHAR));
                memcpy(longer + n + m, V_BSTR(&part), k * sizeof(WCHAR));
            }
        }
        VariantClear(&part);
        SysFreeString(all);
        all = longer;
    }
    *text = all;
    return all != NULL ? S_OK : E_INVALIDARG;
}

static HRESULT STDMETHODCALLTYPE Attributes_Count(IAttributes *iface, SAFEARRAY **numbers)
{
    (void)iface;
    for (ULONG i = 0; *numbers != NULL && i < (*numbers)->rgsabound[0].cElements; i++) {
        VARIANT *number = &((VARIANT *)(*numbers)->pvData)[i];
        if (V_VT(number) != VT_I4)
            return DISP_E_TYPEMISMATCH;
        V_I4(number)++;
    }
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Attributes_Secret(IAttributes *iface, LONG *secret)
{
    (void)iface;
    *secret = 4711;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Attributes_get__NewEnum(IAttributes *iface, IUnknown **enumerator)
{
    VARIANT items[2];
    (void)iface;
    for (int i = 0; i < 2; i++) {
        V_VT(&items[i]) = VT_I4;
        V_I4(&items[i]) = i;
    }
    return via_enum_variants(items, 2, (IEnumVARIANT **)(void *)enumerator);
}

static HRESULT STDMETHODCALLTYPE Attributes_Quiet(IAttributes *iface, LONG *quiet)
{
    (void)iface;
    *quiet = 1;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Attributes_get_Friend(IAttributes *iface, AttributeObject *other)
{
    struct attributes *self = from_IAttributes(iface);
    os_mutex_lock(&self->lock);
    *other = self->other;
    if (*other != NULL)
        IUnknown_AddRef(*other);
    os_mutex_unlock(&self->lock);
    return S_OK;
}

static HRESULT set_friend(struct attributes *self, IUnknown *other, LONG how)
{
    if (other != NULL)
        IUnknown_AddRef(other);
    os_mutex_lock(&self->lock);
    IUnknown *previous = self->other;
    self->other = other;
    self->how_put = how;
    os_mutex_unlock(&self->lock);
    if (previous != NULL)
        IUnknown_Release(previous);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Attributes_put_Friend(IAttributes *iface, AttributeObject other)
{
    return set_friend(from_IAttributes(iface), other, 1);
}

static HRESULT STDMETHODCALLTYPE Attributes_putref_Friend(IAttributes *iface, AttributeObject other)
{
    return set_friend(from_IAttributes(iface), other, 2);
}

static HRESULT STDMETHODCALLTYPE Attributes_HowPut(IAttributes *iface, LONG *how)
{
    struct attributes *self = from_IAttributes(iface);
    os_mutex_lock(&self->lock);
    *how = self->how_put;
    os_mutex_unlock(&self->lock);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Attributes_Members(IAttributes *iface, DAttributes **members)
{
    *members = from_IAttributes(iface)->members;
    DAttributes_AddRef(*members);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Attributes_Fire(IAttributes *iface, LONG level, BSTR name)
{
    struct attributes *self = from_IAttributes(iface);
    HRESULT hr = via_invoke((IUnknown *)(void *)self->changed, "Changed", level, name);
    return SUCCEEDED(hr) ? IAttributeEvents_Moved(self->moved, level, 0.5) : hr;
}

static HRESULT STDMETHODCALLTYPE Attributes_Listen(IAttributes *iface, IUnknown *source)
{
    struct attributes *self = from_IAttributes(iface);
    struct late_sink *sink = late_sink_new(0);
    DWORD cookies[2] = {0, 0};
    if (sink == NULL)
        return E_OUTOFMEMORY;
    HRESULT hr = via_advise(source, &DIID_DAttributeEvents, late_sink_unknown(sink), &cookies[0]);
    if (SUCCEEDED(hr))
        hr = via_advise(source, &IID_IAttributeEvents, late_sink_unknown(sink), &cookies[1]);
    if (FAILED(hr)) {
        IUnknown_Release(late_sink_unknown(sink));
        return hr;
    }
    Attributes_StopListening(iface);
    IUnknown_AddRef(source);
    os_mutex_lock(&self->lock);
    self->sink = sink;
    self->source = source;
    self->cookies[0] = cookies[0];
    self->cookies[1] = cookies[1];
    os_mutex_unlock(&self->lock);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Attributes_Heard(IAttributes *iface, LONG *n, LONG *levels)
{
    struct attributes *self = from_IAttributes(iface);
    *n = *levels = 0;
    os_mutex_lock(&self->lock);
    if (self->sink != NULL)
        late_sink_heard(self->sink, n, levels);
    os_mutex_unlock(&self->lock);
    return S_OK;
}

static const IAttributesVtbl attributes_vtable = {
    Attributes_QueryInterface, Attributes_AddRef,
    Attributes_Release,        Attributes_Add,
    Attributes_Greet,          Attributes_Missing,
    Attributes_Join,           Attributes_Count,
    Attributes_Secret,         Attributes_get__NewEnum,
    Attributes_Quiet,          Attributes_get_Friend,
    Attributes_put_Friend,     Attributes_putref_Friend,
    Attributes_HowPut,         Attributes_Members,
    Attributes_Fire,           Attributes_Listen,
    Attributes_Heard,          Attributes_StopListening,
};

IUnknown *attributes_object_new(void)
{
    struct attributes *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    IUnknown *object = (IUnknown *)&self->IAttributes_iface;
    self->IAttributes_iface.lpVtbl = (void *)&attributes_vtable;
    atomic_init(&self->refs, 1);
    os_mutex_init(&self->lock);
    atomic_fetch_add(&n_objects, 1);
    HRESULT hr = via_events_init(&self->events, object);
    if (SUCCEEDED(hr))
        hr = via_events_add(&self->events, &DIID_DAttributeEvents, NULL, (void **)&self->changed);
    if (SUCCEEDED(hr))
        hr = via_events_add(&self->events, &IID_IAttributeEvents, NULL, (void **)&self->moved);
    if (SUCCEEDED(hr))
        hr = members_new((void **)&self->members);
    if (SUCCEEDED(hr))
        return object;
    IUnknown_Release(object);
    return NULL;
}
