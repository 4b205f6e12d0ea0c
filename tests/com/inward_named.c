#define COBJMACROS
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <windows.h>

#include <oleauto.h>

#include "inward_bell.h"
#include "inward_named.h"

#define E_LATE    ((HRESULT)0x80041235)
#define MAX_NAMES 4

static const GUID none;

/* --- names and languages --- */

/* The first name is the member's; the arguments, which are all named by the others, stand in their
 * order. */
static HRESULT call(IDispatch *object, LCID lcid, const WCHAR *const *names, UINT n,
                    VARIANT *arguments, VARIANT *result)
{
    DISPID ids[MAX_NAMES];
    DISPPARAMS params = {arguments, ids + 1, n - 1, n - 1};
    HRESULT hr = IDispatch_GetIDsOfNames(object, &none, (LPOLESTR *)names, n, lcid, ids);

    VariantInit(result);
    return FAILED(hr) ? hr
                      : IDispatch_Invoke(object, ids[0], &none, lcid,
                                         DISPATCH_METHOD | DISPATCH_PROPERTYGET, &params, result,
                                         NULL, NULL);
}

static bool is_text(HRESULT hr, VARIANT *result, const WCHAR *text)
{
    bool is = SUCCEEDED(hr) && V_VT(result) == VT_BSTR && !wcscmp(V_BSTR(result), text);

    VariantClear(result);
    return is;
}

static VARIANT number(LONG value)
{
    return (VARIANT){.vt = VT_I4, .lVal = value};
}

/* An object whose members the client's process finds by their description. */
static void name_arguments(IDispatch *shelf)
{
    static const WCHAR *const all[] = {L"Label", L"times", L"end", L"text"};
    static const WCHAR *const one[] = {L"Label", L"text"};
    static const WCHAR *const none_such[] = {L"Label", L"text", L"colour"};
    VARIANT arguments[3] = {number(3)}, result;

    V_VT(&arguments[1]) = V_VT(&arguments[2]) = VT_BSTR;
    V_BSTR(&arguments[1]) = SysAllocString(L"!");
    V_BSTR(&arguments[2]) = SysAllocString(L"ab");
    check(is_text(call(shelf, 0x0409, all, 4, arguments, &result), &result, L"ababab!"),
          "named arguments, in another order");
    check(is_text(call(shelf, 0x0409, one, 2, arguments + 2, &result), &result, L"abab"),
          "a named argument, and defaults");
    check(call(shelf, 0x0409, none_such, 3, arguments, &result) == DISP_E_UNKNOWNNAME,
          "a name that no parameter has");
    VariantClear(&arguments[1]);
    VariantClear(&arguments[2]);
}

/* One that answers itself, on Linux. */
static void ask_own(IDispatch *own)
{
    static const WCHAR *const names[] = {L"Told", L"c", L"a"};
    static const WCHAR *const german[] = {L"Gesagt"};
    VARIANT arguments[2] = {number(3), number(1)}, result;

    check(is_text(call(own, 0x0409, names, 3, arguments, &result), &result, L"409: c=3 a=1"),
          "what the object is told");
    check(is_text(call(own, 0x0407, german, 1, NULL, &result), &result, L"407:"),
          "a name in another language");
    check(call(own, 0x0409, german, 1, NULL, &result) == DISP_E_UNKNOWNNAME,
          "a name in the wrong language");
}

void use_names(IShelf *shelf)
{
    IDispatch *dispatch = NULL, *own = NULL;

    check(SUCCEEDED(IShelf_QueryInterface(shelf, &IID_IDispatch, (void **)&dispatch)) &&
              SUCCEEDED(IShelf_get_Own(shelf, &own)) && own,
          "objects to be called by name");
    if (dispatch) {
        name_arguments(dispatch);
        IDispatch_Release(dispatch);
    }
    if (own) {
        ask_own(own);
        IDispatch_Release(own);
    }
}

/* --- a callback that says later why it has failed --- */

static HRESULT WINAPI Late_QueryInterface(IDispatch *iface, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IDispatch))
        return E_NOINTERFACE;
    *object = iface;
    return S_OK;
}

static ULONG WINAPI Late_AddRef(IDispatch *iface)
{
    (void)iface;
    return 2;
}

static ULONG WINAPI Late_Release(IDispatch *iface)
{
    (void)iface;
    return 1;
}

static HRESULT WINAPI Late_GetTypeInfoCount(IDispatch *iface, UINT *n)
{
    (void)iface;
    *n = 0;
    return S_OK;
}

static HRESULT WINAPI Late_GetTypeInfo(IDispatch *iface, UINT index, LCID lcid, ITypeInfo **info)
{
    (void)iface, (void)index, (void)lcid;
    *info = NULL;
    return E_NOTIMPL;
}

static HRESULT WINAPI Late_GetIDsOfNames(IDispatch *iface, REFIID iid, LPOLESTR *names, UINT n,
                                         LCID lcid, DISPID *ids)
{
    (void)iface, (void)iid, (void)lcid;
    ids[0] = n == 1 && !wcscmp(names[0], L"Heard") ? 1 : DISPID_UNKNOWN;
    return ids[0] == 1 ? S_OK : DISP_E_UNKNOWNNAME;
}

static HRESULT WINAPI fill_in(EXCEPINFO *exception)
{
    exception->scode = E_LATE;
    exception->bstrDescription = SysAllocString(L"said when it was asked");
    return S_OK;
}

static HRESULT WINAPI Late_Invoke(IDispatch *iface, DISPID id, REFIID iid, LCID lcid, WORD flags,
                                  DISPPARAMS *params, VARIANT *result, EXCEPINFO *exception,
                                  UINT *wrong)
{
    (void)iface, (void)id, (void)iid, (void)lcid, (void)flags, (void)params, (void)result;
    (void)wrong;
    if (exception) {
        memset(exception, 0, sizeof(*exception));
        exception->pfnDeferredFillIn = fill_in;
    }
    return DISP_E_EXCEPTION;
}

static IDispatchVtbl late_vtable = {
    Late_QueryInterface, Late_AddRef,        Late_Release, Late_GetTypeInfoCount,
    Late_GetTypeInfo,    Late_GetIDsOfNames, Late_Invoke,
};

/* The client is told what its own callback has said: called by the object as an IDispatch, and for
 * an interface that the object wants. */
void fail_late(IShelf *shelf)
{
    static IDispatch late = {&late_vtable};
    static const WCHAR *const members[] = {L"Each", L"Tell"};
    IDispatch *dispatch = NULL;

    check(SUCCEEDED(IShelf_QueryInterface(shelf, &IID_IDispatch, (void **)&dispatch)),
          "an IDispatch");
    for (UINT i = 0; i < 2 && dispatch; i++) {
        DISPID id;
        VARIANT arguments[2] = {number(1), {.vt = VT_DISPATCH}};
        DISPPARAMS params = {i == 0 ? arguments + 1 : arguments, NULL, i + 1, 0};
        EXCEPINFO exception = {0};
        LPOLESTR name = (LPOLESTR)members[i];
        HRESULT hr = IDispatch_GetIDsOfNames(dispatch, &none, &name, 1, 0, &id);

        V_DISPATCH(&arguments[1]) = &late;
        if (SUCCEEDED(hr))
            hr = IDispatch_Invoke(dispatch, id, &none, 0, DISPATCH_METHOD, &params, NULL,
                                  &exception, NULL);
        check(hr == DISP_E_EXCEPTION && exception.scode == E_LATE && exception.bstrDescription &&
                  !wcscmp(exception.bstrDescription, L"said when it was asked"),
              i == 0 ? "a callback's late failure" : "that of a stand-in");
        SysFreeString(exception.bstrSource);
        SysFreeString(exception.bstrDescription);
        SysFreeString(exception.bstrHelpFile);
    }
    if (dispatch)
        IDispatch_Release(dispatch);
}
