/* It is one object, and for ever: what it says is only what it was told in the call. */
#include "shelf_own.h"

#include <stdbool.h>
#include <stdio.h>
#include <viaduct/automation.h>
#include <viaduct/taskmem.h>

#define MAX_TEXT     128
#define GERMAN       0x0407
#define N_PARAMETERS 3
#define ID_TOLD      1

static HRESULT STDMETHODCALLTYPE Own_QueryInterface(IDispatch *iface, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IDispatch))
        return E_NOINTERFACE;
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Own_AddRef(IDispatch *iface)
{
    (void)iface;
    return 2;
}

static ULONG STDMETHODCALLTYPE Own_Release(IDispatch *iface)
{
    (void)iface;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Own_GetTypeInfoCount(IDispatch *iface, UINT *n)
{
    (void)iface;
    *n = 0;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Own_GetTypeInfo(IDispatch *iface, UINT index, LCID lcid,
                                                 ITypeInfo **info)
{
    (void)iface, (void)index, (void)lcid;
    *info = NULL;
    return E_NOTIMPL;
}

static bool is_name(const WCHAR *name, const char *text)
{
    size_t i = 0;

    while (text[i] && name[i] == (unsigned char)text[i])
        i++;
    return !text[i] && !name[i];
}

static HRESULT STDMETHODCALLTYPE Own_GetIDsOfNames(IDispatch *iface, REFIID iid, LPOLESTR *names,
                                                   UINT n, LCID lcid, DISPID *ids)
{
    HRESULT hr = S_OK;

    (void)iface, (void)iid;
    for (UINT i = 0; i < n; i++) {
        bool is_parameter = names[i][0] >= 'a' && names[i][0] < 'a' + N_PARAMETERS && !names[i][1];

        ids[i] = DISPID_UNKNOWN;
        if (i == 0 && is_name(names[0], lcid == GERMAN ? "Gesagt" : "Told"))
            ids[i] = ID_TOLD;
        else if (i > 0 && is_parameter)
            ids[i] = names[i][0] - 'a';
        else
            hr = DISP_E_UNKNOWNNAME;
    }
    return hr;
}

static HRESULT STDMETHODCALLTYPE Own_Invoke(IDispatch *iface, DISPID id, REFIID iid, LCID lcid,
                                            WORD flags, DISPPARAMS *params, VARIANT *result,
                                            EXCEPINFO *exception, UINT *wrong)
{
    char text[MAX_TEXT];
    WCHAR wide[MAX_TEXT];
    int n;

    (void)iface, (void)iid, (void)flags, (void)exception, (void)wrong;
    if (id != ID_TOLD || params->cArgs > N_PARAMETERS)
        return DISP_E_MEMBERNOTFOUND;
    n = snprintf(text, sizeof(text), "%x:", (unsigned)lcid);
    for (UINT i = 0; i < params->cArgs; i++) {
        if (V_VT(&params->rgvarg[i]) != VT_I4)
            return DISP_E_TYPEMISMATCH;
        n += snprintf(text + n, sizeof(text) - (size_t)n, " %c=%d",
                      i < params->cNamedArgs ? 'a' + (int)params->rgdispidNamedArgs[i] : '?',
                      (int)V_I4(&params->rgvarg[i]));
    }
    for (int i = 0; i <= n; i++)
        wide[i] = (unsigned char)text[i];
    if (result) {
        V_VT(result) = VT_BSTR;
        V_BSTR(result) = SysAllocString(wide);
    }
    return S_OK;
}

static const IDispatchVtbl own_vtable = {
    Own_QueryInterface, Own_AddRef,        Own_Release, Own_GetTypeInfoCount,
    Own_GetTypeInfo,    Own_GetIDsOfNames, Own_Invoke,
};

HRESULT shelf_own(IDispatch **object)
{
    static IDispatch own = {&own_vtable};

    *object = &own;
    return S_OK;
}
