/*
 * viaduct-inproc.dll: Viaduct's classes as COM classes of this system. Whoever creates one, a
 * script, an office program or a C++ client, gets a proxy of an object that runs anywhere.
 */
#include <windows.h>

#include <objbase.h>

#include "com/inproc/factory.h"
#include "com/inproc/module.h"
#include "com/inproc/unmarshal.h"

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved);

/* Nothing: the runtime starts with the first object, and has ended when the DLL goes. */
BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved)
{
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH)
        DisableThreadLibraryCalls(module);
    return TRUE;
}

__declspec(dllexport) HRESULT WINAPI DllGetClassObject(REFCLSID clsid, REFIID iid, void **object)
{
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    return IsEqualGUID(clsid, &unmarshal_clsid) ? unmarshal_get(iid, object)
                                                : factory_get(clsid, iid, object);
}

__declspec(dllexport) HRESULT WINAPI DllCanUnloadNow(void)
{
    return module_is_unused() ? S_OK : S_FALSE;
}
