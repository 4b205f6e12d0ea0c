/*
 * IDispatch in vtables of closures whose kind has no slots of its own for it: the answers of an
 * object without type information.
 */
#include "com/abi/error_border.h"
#include "com/marshal/plan.h"
#include "core/util/error.h"

#include <viaduct/dispatch.h>

static HRESULT not_late_bound(const char *method)
{
    HRESULT hr = error_set(E_NOTIMPL,
                           "IDispatch.%s: this object has no late-bound calls: call it through the "
                           "vtable of its interface",
                           method);
    error_border_publish(hr);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Dispatch_GetTypeInfoCount(void *self, UINT *count)
{
    (void)self;
    if (!count)
        return E_POINTER;
    *count = 0;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Dispatch_GetTypeInfo(void *self, UINT index, LCID lcid,
                                                      ITypeInfo **info)
{
    (void)self, (void)index, (void)lcid;
    if (!info)
        return E_POINTER;
    *info = NULL;
    return not_late_bound("GetTypeInfo");
}

static HRESULT STDMETHODCALLTYPE Dispatch_GetIDsOfNames(void *self, REFIID iid, LPOLESTR *names,
                                                        UINT n_names, LCID lcid, DISPID *ids)
{
    (void)self, (void)iid, (void)names, (void)lcid;
    if (!ids)
        return E_POINTER;
    for (UINT i = 0; i < n_names; i++)
        ids[i] = DISPID_UNKNOWN;
    return not_late_bound("GetIDsOfNames");
}

static HRESULT STDMETHODCALLTYPE Dispatch_Invoke(void *self, DISPID id, REFIID iid, LCID lcid,
                                                 WORD flags, DISPPARAMS *params, VARIANT *result,
                                                 EXCEPINFO *exception, UINT *wrong_argument)
{
    (void)self, (void)id, (void)iid, (void)lcid, (void)flags;
    (void)params, (void)result, (void)exception, (void)wrong_argument;
    return not_late_bound("Invoke");
}

const void *const plan_dispatch_slots[4] = {
    (const void *)(uintptr_t)Dispatch_GetTypeInfoCount,
    (const void *)(uintptr_t)Dispatch_GetTypeInfo,
    (const void *)(uintptr_t)Dispatch_GetIDsOfNames,
    (const void *)(uintptr_t)Dispatch_Invoke,
};
