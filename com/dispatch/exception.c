#include "com/dispatch/exception.h"

#include <string.h>

#include "com/abi/standard_proxy.h"

#define FACILITY_OF(code) (((unsigned)(code) >> 16) & 0x1FFF)
#define FACILITY_CALLS    1 /* RPC_E_...: the call failed, not the method */

HRESULT exception_fill(HRESULT code, EXCEPINFO *exception)
{
    IErrorInfo *info = NULL;
    HRESULT result =
        FACILITY_OF(code) == FACILITY_CALLS || code == VIA_E_UNREACHABLE ? code : DISP_E_EXCEPTION;
    if (exception == NULL)
        return result;
    memset(exception, 0, sizeof *exception);
    exception->scode = code;
    if (GetErrorInfo(0, &info) != S_OK)
        return result;
    IErrorInfo_GetSource(info, &exception->bstrSource);
    IErrorInfo_GetDescription(info, &exception->bstrDescription);
    IErrorInfo_GetHelpFile(info, &exception->bstrHelpFile);
    IErrorInfo_GetHelpContext(info, &exception->dwHelpContext);
    IErrorInfo_Release(info);
    return result;
}

void exception_clear(EXCEPINFO *exception)
{
    SysFreeString(exception->bstrSource);
    SysFreeString(exception->bstrDescription);
    SysFreeString(exception->bstrHelpFile);
    memset(exception, 0, sizeof *exception);
}

static void set_info(const EXCEPINFO *exception)
{
    ICreateErrorInfo *create = NULL;
    IErrorInfo *info = NULL;
    if (FAILED(CreateErrorInfo(&create)))
        return;
    ICreateErrorInfo_SetSource(create, exception->bstrSource);
    ICreateErrorInfo_SetDescription(create, exception->bstrDescription);
    ICreateErrorInfo_SetHelpFile(create, exception->bstrHelpFile);
    ICreateErrorInfo_SetHelpContext(create, exception->dwHelpContext);
    if (SUCCEEDED(ICreateErrorInfo_QueryInterface(create, &IID_IErrorInfo, (void **)&info))) {
        SetErrorInfo(0, info);
        IErrorInfo_Release(info);
    }
    ICreateErrorInfo_Release(create);
}

void exception_complete(IDispatch *object, EXCEPINFO *exception)
{
    if (exception->pfnDeferredFillIn != NULL && !standard_proxy_is((IUnknown *)object))
        exception->pfnDeferredFillIn(exception);
    exception->pfnDeferredFillIn = NULL;
}

HRESULT exception_raise(HRESULT code, EXCEPINFO *exception)
{
    if (code == DISP_E_EXCEPTION && FAILED(exception->scode))
        code = exception->scode;
    else if (code == DISP_E_EXCEPTION && exception->wCode != 0)
        code = (HRESULT)(0x800A0000u | exception->wCode); /* what scripts call error N */
    if (exception->bstrDescription != NULL || exception->bstrSource != NULL ||
        exception->bstrHelpFile != NULL || exception->dwHelpContext != 0)
        set_info(exception);
    exception_clear(exception);
    return code;
}
