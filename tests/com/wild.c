/*
 * COM classes that misbehave, with an IDispatch and no type information: an apartment-threaded and
 * a free-threaded one in a DLL, and another apartment-threaded one whose objects COM cannot pass to
 * other apartments.
 *
 *     Hang, Crash, Exit    what they say
 *     Thread               the thread that the call comes on
 *     Stay MS              takes so long; the most calls of it, on any object, that ran at once
 *     Elsewhere            calls, creations and ends on another thread than the first one
 *     Alive                objects that there are
 *     Handles PROCESS      handles that the process has open
 *     Doom                 the object's last Release hangs
 *
 * QueryInterface for IID_WildHang hangs.
 */
#define COBJMACROS
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#include <initguid.h>
#include <oleauto.h>
#include <winternl.h>

DEFINE_GUID(CLSID_WildApartment, 0x5a0c77f1, 0x6a9b, 0x4a35, 0x9d, 0x0e, 0x1f, 0x6c, 0x35, 0x8b,
            0x1e, 0x01);
DEFINE_GUID(CLSID_WildFree, 0x5a0c77f1, 0x6a9b, 0x4a35, 0x9d, 0x0e, 0x1f, 0x6c, 0x35, 0x8b, 0x1e,
            0x02);

DEFINE_GUID(CLSID_WildPrivate, 0x5a0c77f1, 0x6a9b, 0x4a35, 0x9d, 0x0e, 0x1f, 0x6c, 0x35, 0x8b, 0x1e,
            0x03);
DEFINE_GUID(IID_WildHang, 0x5a0c77f1, 0x6a9b, 0x4a35, 0x9d, 0x0e, 0x1f, 0x6c, 0x35, 0x8b, 0x1e,
            0x0f);

enum { HANG = 1, CRASH, EXIT, THREAD, STAY, ELSEWHERE, ALIVE, HANDLES, DOOM, N_MEMBERS };

static const WCHAR *const names[N_MEMBERS] = {L"",        L"Hang", L"Crash",     L"Exit",
                                              L"Thread",  L"Stay", L"Elsewhere", L"Alive",
                                              L"Handles", L"Doom"};

struct wild {
    IDispatch IDispatch_iface;
    LONG refs;
    BOOL is_private, is_doomed;
};

static HINSTANCE the_module;
static LONG first_thread, n_elsewhere, n_alive, n_inside, n_most_inside;

static void look_where(void)
{
    LONG here = (LONG)GetCurrentThreadId();
    LONG first = InterlockedCompareExchange(&first_thread, here, 0);
    if (first != 0 && first != here)
        InterlockedIncrement(&n_elsewhere);
}

/* --- methods --- */

static LONG stay(DWORD ms)
{
    LONG inside = InterlockedIncrement(&n_inside);
    LONG most = n_most_inside;
    while (inside > most)
        most = InterlockedCompareExchange(&n_most_inside, inside, most);
    if (ms > 0)
        Sleep(ms);
    InterlockedDecrement(&n_inside);
    return n_most_inside;
}

/* GetProcessHandleCount() gives 0 under Wine. */
static LONG count_handles(ULONG_PTR process)
{
    struct entry {
        void *object;
        ULONG_PTR process, value;
        ULONG access;
        USHORT trace, type;
        ULONG attributes, reserved;
    };
    struct table {
        ULONG_PTR n, reserved;
        struct entry entries[];
    } *table = NULL;
    ULONG size = 1u << 20;
    ULONG needed = 0;
    NTSTATUS status;
    LONG n = 0;
    do {
        size *= 2;
        free(table);
        table = malloc(size);
        status = NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)64, table, size, &needed);
    } while (status != 0 && size < (64u << 20));
    for (ULONG_PTR i = 0; status == 0 && i < table->n; i++)
        n += table->entries[i].process == process;
    free(table);
    return status == 0 ? n : -1;
}

static void hang(void)
{
    for (;;)
        Sleep(1000);
}

static LONG call(struct wild *self, DISPID id, LONG argument)
{
    switch (id) {
    case HANG:
        hang();
        return 0;
    case DOOM:
        self->is_doomed = TRUE;
        return 0;
    case CRASH:
        *(volatile int *)0 = 1;
        return 0;
    case EXIT:
        TerminateProcess(GetCurrentProcess(), (UINT)argument);
        return 0;
    case THREAD:
        return (LONG)GetCurrentThreadId();
    case STAY:
        return stay((DWORD)argument);
    case ELSEWHERE:
        return n_elsewhere;
    case ALIVE:
        return n_alive;
    default:
        return count_handles((ULONG_PTR)argument);
    }
}

/* --- what refuses to be marshalled --- */

static HRESULT WINAPI Marshal_QueryInterface(IMarshal *iface, REFIID iid, void **object)
{
    (void)iid;
    *object = iface;
    return S_OK;
}

static ULONG WINAPI Marshal_AddRef(IMarshal *iface)
{
    (void)iface;
    return 2;
}

static ULONG WINAPI Marshal_Release(IMarshal *iface)
{
    (void)iface;
    return 1;
}

static HRESULT WINAPI Marshal_GetUnmarshalClass(IMarshal *iface, REFIID iid, void *object,
                                                DWORD context, void *reserved, DWORD flags,
                                                CLSID *clsid)
{
    (void)iface, (void)iid, (void)object, (void)context, (void)reserved, (void)flags, (void)clsid;
    return E_ACCESSDENIED;
}

/* Who is not told the class asks for nothing else. */
static IMarshalVtbl marshal_vtable = {
    .QueryInterface = Marshal_QueryInterface,
    .AddRef = Marshal_AddRef,
    .Release = Marshal_Release,
    .GetUnmarshalClass = Marshal_GetUnmarshalClass,
};

static HRESULT private_marshal(void **object)
{
    static IMarshal marshal = {&marshal_vtable};
    *object = &marshal;
    return S_OK;
}

/* --- objects --- */

static HRESULT WINAPI Wild_QueryInterface(IDispatch *iface, REFIID iid, void **object)
{
    *object = NULL;
    if (IsEqualIID(iid, &IID_WildHang))
        hang();
    if (IsEqualIID(iid, &IID_IMarshal) && ((struct wild *)iface)->is_private)
        return private_marshal(object);
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IDispatch))
        return E_NOINTERFACE;
    *object = iface;
    IDispatch_AddRef(iface);
    return S_OK;
}

static ULONG WINAPI Wild_AddRef(IDispatch *iface)
{
    return (ULONG)InterlockedIncrement(&((struct wild *)iface)->refs);
}

static ULONG WINAPI Wild_Release(IDispatch *iface)
{
    LONG left = InterlockedDecrement(&((struct wild *)iface)->refs);
    if (left > 0)
        return (ULONG)left;
    look_where();
    if (((struct wild *)iface)->is_doomed)
        hang();
    InterlockedDecrement(&n_alive);
    free(iface);
    return 0;
}

static HRESULT WINAPI Wild_GetTypeInfoCount(IDispatch *iface, UINT *n)
{
    (void)iface;
    *n = 0;
    return S_OK;
}

static HRESULT WINAPI Wild_GetTypeInfo(IDispatch *iface, UINT index, LCID lcid, ITypeInfo **info)
{
    (void)iface, (void)index, (void)lcid;
    *info = NULL;
    return E_NOTIMPL;
}

static HRESULT WINAPI Wild_GetIDsOfNames(IDispatch *iface, REFIID iid, LPOLESTR *asked, UINT n,
                                         LCID lcid, DISPID *ids)
{
    (void)iface, (void)iid, (void)lcid;
    if (n != 1)
        return DISP_E_UNKNOWNNAME;
    for (DISPID id = 1; id < N_MEMBERS; id++) {
        ids[0] = id;
        if (_wcsicmp(asked[0], names[id]) == 0)
            return S_OK;
    }
    ids[0] = DISPID_UNKNOWN;
    return DISP_E_UNKNOWNNAME;
}

static HRESULT WINAPI Wild_Invoke(IDispatch *iface, DISPID id, REFIID iid, LCID lcid, WORD flags,
                                  DISPPARAMS *params, VARIANT *result, EXCEPINFO *exception,
                                  UINT *wrong)
{
    VARIANT argument;
    (void)iid, (void)lcid, (void)flags, (void)exception, (void)wrong;
    if (id < 1 || id >= N_MEMBERS)
        return DISP_E_MEMBERNOTFOUND;
    look_where();
    VariantInit(&argument);
    V_VT(&argument) = VT_I4;
    V_I4(&argument) = 0;
    if (params->cArgs > 0 && FAILED(VariantChangeType(&argument, &params->rgvarg[0], 0, VT_I4)))
        return DISP_E_TYPEMISMATCH;
    LONG number = call((struct wild *)iface, id, V_I4(&argument));
    if (result != NULL) {
        V_VT(result) = VT_I4;
        V_I4(result) = number;
    }
    return S_OK;
}

static IDispatchVtbl wild_vtable = {
    Wild_QueryInterface, Wild_AddRef,        Wild_Release, Wild_GetTypeInfoCount,
    Wild_GetTypeInfo,    Wild_GetIDsOfNames, Wild_Invoke};

/* --- class objects: there is one, and one for private objects --- */

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

static IClassFactory factory, private_factory;

static HRESULT WINAPI Factory_CreateInstance(IClassFactory *iface, IUnknown *outer, REFIID iid,
                                             void **object)
{
    *object = NULL;
    if (outer != NULL)
        return CLASS_E_NOAGGREGATION;
    struct wild *self = calloc(1, sizeof *self);
    if (self == NULL)
        return E_OUTOFMEMORY;
    look_where();
    InterlockedIncrement(&n_alive);
    self->IDispatch_iface.lpVtbl = &wild_vtable;
    self->refs = 1;
    self->is_private = iface == &private_factory;
    HRESULT hr = Wild_QueryInterface(&self->IDispatch_iface, iid, object);
    Wild_Release(&self->IDispatch_iface);
    return hr;
}

static HRESULT WINAPI Factory_LockServer(IClassFactory *iface, BOOL lock)
{
    (void)iface, (void)lock;
    return S_OK;
}

static IClassFactoryVtbl factory_vtable = {Factory_QueryInterface, Factory_AddRef, Factory_Release,
                                           Factory_CreateInstance, Factory_LockServer};
static IClassFactory factory = {&factory_vtable}, private_factory = {&factory_vtable};

/* --- the DLL --- */

__declspec(dllexport) HRESULT WINAPI DllRegisterServer(void);
__declspec(dllexport) HRESULT WINAPI DllUnregisterServer(void);
BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved);

__declspec(dllexport) HRESULT WINAPI DllGetClassObject(REFCLSID clsid, REFIID iid, void **object)
{
    *object = NULL;
    if (IsEqualCLSID(clsid, &CLSID_WildPrivate))
        return Factory_QueryInterface(&private_factory, iid, object);
    if (!IsEqualCLSID(clsid, &CLSID_WildApartment) && !IsEqualCLSID(clsid, &CLSID_WildFree))
        return CLASS_E_CLASSNOTAVAILABLE;
    return Factory_QueryInterface(&factory, iid, object);
}

__declspec(dllexport) HRESULT WINAPI DllCanUnloadNow(void)
{
    return n_alive == 0 ? S_OK : S_FALSE;
}

static void set_value(const WCHAR *key, const WCHAR *name, const WCHAR *text)
{
    WCHAR path[400];
    _snwprintf(path, 400, L"Software\\Classes\\%ls", key);
    RegSetKeyValueW(HKEY_LOCAL_MACHINE, path, name, REG_SZ, text,
                    (DWORD)((wcslen(text) + 1) * sizeof *text));
}

static void register_class(const CLSID *clsid, const WCHAR *progid, const WCHAR *model)
{
    WCHAR guid[40], key[400], module[MAX_PATH];
    GetModuleFileNameW(the_module, module, MAX_PATH);
    StringFromGUID2(clsid, guid, 40);
    _snwprintf(key, 400, L"%ls\\CLSID", progid);
    set_value(key, NULL, guid);
    _snwprintf(key, 400, L"CLSID\\%ls", guid);
    set_value(key, NULL, L"A class that misbehaves");
    _snwprintf(key, 400, L"CLSID\\%ls\\ProgID", guid);
    set_value(key, NULL, progid);
    _snwprintf(key, 400, L"CLSID\\%ls\\InprocServer32", guid);
    set_value(key, NULL, module);
    set_value(key, L"ThreadingModel", model);
}

__declspec(dllexport) HRESULT WINAPI DllRegisterServer(void)
{
    register_class(&CLSID_WildApartment, L"ViaductWild.Apartment", L"Apartment");
    register_class(&CLSID_WildFree, L"ViaductWild.Free", L"Both");
    register_class(&CLSID_WildPrivate, L"ViaductWild.Private", L"Apartment");
    return S_OK;
}

static void unregister_class(const CLSID *clsid, const WCHAR *progid)
{
    WCHAR guid[40], key[400];
    StringFromGUID2(clsid, guid, 40);
    _snwprintf(key, 400, L"Software\\Classes\\CLSID\\%ls", guid);
    RegDeleteTreeW(HKEY_LOCAL_MACHINE, key);
    _snwprintf(key, 400, L"Software\\Classes\\%ls", progid);
    RegDeleteTreeW(HKEY_LOCAL_MACHINE, key);
}

__declspec(dllexport) HRESULT WINAPI DllUnregisterServer(void)
{
    unregister_class(&CLSID_WildApartment, L"ViaductWild.Apartment");
    unregister_class(&CLSID_WildFree, L"ViaductWild.Free");
    unregister_class(&CLSID_WildPrivate, L"ViaductWild.Private");
    return S_OK;
}

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved)
{
    (void)reason, (void)reserved;
    the_module = module;
    return TRUE;
}
