/*
 * The laboratory as a server: a DLL with a class for any thread, one for an apartment, and one
 * without IDispatch; or with LAB_LOCAL a program with another one.
 *
 *     regsvr32 /s lab.dll            lab_server.exe /register
 *
 * Both have the type library in them, and register it with the machine. A program that is started
 * with {CLSID} in front of what COM says serves that class instead: one that a test has registered,
 * and whose process it kills.
 */
#include "lab_object.h"

#include <initguid.h>
#include <stdio.h>
#include <string.h>

#include "lab_i.c"

LONG lab_n_alive;
static HINSTANCE the_module;

/* --- the type library --- */

static HRESULT load_library(REGKIND kind, ITypeLib **library)
{
    WCHAR path[MAX_PATH];
    GetModuleFileNameW(the_module, path, MAX_PATH);
    return LoadTypeLibEx(path, kind, library);
}

HRESULT lab_type_info(REFGUID guid, ITypeInfo **info)
{
    ITypeLib *library;
    *info = NULL;
    HRESULT hr = load_library(REGKIND_NONE, &library);
    if (FAILED(hr))
        return hr;
    hr = ITypeLib_GetTypeInfoOfGuid(library, guid, info);
    ITypeLib_Release(library);
    return hr;
}

/* --- class objects --- */

struct factory {
    IClassFactory IClassFactory_iface;
    const CLSID *clsid;
};

static HRESULT WINAPI Factory_QueryInterface(IClassFactory *iface, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IClassFactory))
        return E_NOINTERFACE;
    *object = iface;
    return S_OK;
}

static ULONG WINAPI Factory_AddRef(IClassFactory *iface)
{
    (void)iface;
    return 2;
}

static ULONG WINAPI Factory_Release(IClassFactory *iface)
{
    (void)iface;
    return 1;
}

static HRESULT WINAPI Factory_CreateInstance(IClassFactory *iface, IUnknown *outer, REFIID iid,
                                             void **object)
{
    const CLSID *clsid = ((struct factory *)iface)->clsid;
    *object = NULL;
    if (outer != NULL)
        return CLASS_E_NOAGGREGATION;
    return IsEqualCLSID(clsid, &CLSID_LabRow) ? lab_row_new(iid, object)
                                              : lab_new(clsid, iid, object);
}

static HRESULT WINAPI Factory_LockServer(IClassFactory *iface, BOOL lock)
{
    (void)iface;
    if (lock)
        InterlockedIncrement(&lab_n_alive);
    else
        InterlockedDecrement(&lab_n_alive);
    return S_OK;
}

static const IClassFactoryVtbl factory_vtable = {
    Factory_QueryInterface, Factory_AddRef,     Factory_Release,
    Factory_CreateInstance, Factory_LockServer,
};

static struct factory the_factories[] = {
    {{(IClassFactoryVtbl *)&factory_vtable}, &CLSID_LabFree},
    {{(IClassFactoryVtbl *)&factory_vtable}, &CLSID_LabApartment},
    {{(IClassFactoryVtbl *)&factory_vtable}, &CLSID_LabRow},
    {{(IClassFactoryVtbl *)&factory_vtable}, &CLSID_LabLocal},
};
#define N_FACTORIES (sizeof the_factories / sizeof the_factories[0])

/* --- the registry --- */

static void set(const WCHAR *key, const WCHAR *name, const WCHAR *value)
{
    RegSetKeyValueW(HKEY_LOCAL_MACHINE, key, name, REG_SZ, value,
                    (DWORD)((wcslen(value) + 1) * sizeof *value));
}

static void register_class(const CLSID *clsid, const GUID *libid, const WCHAR *progid,
                           const WCHAR *server, const WCHAR *threading)
{
    WCHAR guid[40], library[40], key[128], below[160], path[MAX_PATH + 2], module[MAX_PATH];
    StringFromGUID2(clsid, guid, 40);
    StringFromGUID2(libid, library, 40);
    GetModuleFileNameW(the_module, module, MAX_PATH);
    _snwprintf(path, MAX_PATH + 2, threading != NULL ? L"%ls" : L"\"%ls\"", module);
    _snwprintf(key, 128, L"Software\\Classes\\%ls\\CLSID", progid);
    set(key, NULL, guid);
    _snwprintf(key, 128, L"Software\\Classes\\CLSID\\%ls", guid);
    set(key, NULL, L"A class of the laboratory");
    _snwprintf(below, 160, L"%ls\\%ls", key, server);
    set(below, NULL, path);
    if (threading != NULL)
        set(below, L"ThreadingModel", threading);
    _snwprintf(below, 160, L"%ls\\ProgID", key);
    set(below, NULL, progid);
    _snwprintf(below, 160, L"%ls\\TypeLib", key);
    set(below, NULL, library);
    _snwprintf(below, 160, L"%ls\\Version", key);
    set(below, NULL, L"1.0");
}

static HRESULT register_library(void)
{
    ITypeLib *library;
    HRESULT hr = load_library(REGKIND_REGISTER, &library);
    if (SUCCEEDED(hr))
        ITypeLib_Release(library);
    return hr;
}

#ifndef LAB_LOCAL

/* --- in process --- */

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved);

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved)
{
    (void)reserved;
    if (reason == DLL_PROCESS_ATTACH)
        the_module = module;
    return TRUE;
}

__declspec(dllexport) HRESULT WINAPI DllGetClassObject(REFCLSID clsid, REFIID iid, void **object)
{
    *object = NULL;
    for (size_t i = 0; i < N_FACTORIES - 1; i++)
        if (IsEqualCLSID(clsid, the_factories[i].clsid))
            return Factory_QueryInterface(&the_factories[i].IClassFactory_iface, iid, object);
    return CLASS_E_CLASSNOTAVAILABLE;
}

__declspec(dllexport) HRESULT WINAPI DllCanUnloadNow(void)
{
    return lab_n_alive == 0 ? S_OK : S_FALSE;
}

__declspec(dllexport) HRESULT WINAPI DllRegisterServer(void)
{
    WCHAR path[MAX_PATH];
    register_class(&CLSID_LabFree, &LIBID_ViaductLab, L"ViaductLab.Free", L"InprocServer32",
                   L"Both");
    register_class(&CLSID_LabApartment, &LIBID_ViaductLab, L"ViaductLab.Apartment",
                   L"InprocServer32", L"Apartment");
    register_class(&CLSID_LabRow, &lab_row_library, L"ViaductLab.Row", L"InprocServer32",
                   L"Apartment");
    GetModuleFileNameW(the_module, path, MAX_PATH - 8);
    wcscat(path, L".row.tlb");
    HRESULT hr = register_library();
    return SUCCEEDED(hr) ? lab_row_register(path) : hr;
}

#else

/* --- a program: ends when it has had no object for a while --- */

/* Longer than a test makes do without one: Wine takes who comes in the moment of the end to a
 * server that is not there any more. */
#define IDLE_TICKS 200
#define TICK_MS    100

static CLSID class_served(int argc, char **argv)
{
    WCHAR text[40];
    CLSID clsid;
    if (argc > 1 && MultiByteToWideChar(CP_ACP, 0, argv[1], -1, text, 40) > 0 &&
        SUCCEEDED(CLSIDFromString(text, &clsid)))
        return clsid;
    return CLSID_LabLocal;
}

int main(int argc, char **argv)
{
    DWORD cookie;
    CLSID clsid = class_served(argc, argv);
    the_module = GetModuleHandleW(NULL);
    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    if (argc > 1 && strcmp(argv[1], "/register") == 0) {
        register_class(&CLSID_LabLocal, &LIBID_ViaductLab, L"ViaductLab.Local", L"LocalServer32",
                       NULL);
        return FAILED(register_library());
    }
    if (FAILED(CoRegisterClassObject(
            &clsid, (IUnknown *)&the_factories[N_FACTORIES - 1].IClassFactory_iface,
            CLSCTX_LOCAL_SERVER, REGCLS_MULTIPLEUSE, &cookie)))
        return 1;
    for (int idle = 0; idle < IDLE_TICKS; idle++) {
        Sleep(TICK_MS);
        if (lab_n_alive > 0)
            idle = 0;
    }
    CoRevokeClassObject(cookie);
    CoUninitialize();
    return 0;
}

#endif
