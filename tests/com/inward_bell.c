/*
 * A class whose interface is built on one of another library: through its slots, as the type
 * library of Windows says it, and by Windows' marshaler, which goes by that.
 */
#define COBJMACROS
#include "inward_bell.h"

#include <windows.h>

#include <oleauto.h>

#include "bell.h"

#define WAIT_MS 10000

static bool is_text(BSTR text, const WCHAR *expected)
{
    bool is = text && !wcscmp(text, expected);

    SysFreeString(text);
    return is;
}

static void use_slots(IHandBell *bell, const WCHAR *name, const WCHAR *sound)
{
    IBell *base = NULL, *twin = NULL;
    BSTR text = NULL;

    check(SUCCEEDED(IHandBell_get_Name(bell, &text)) && is_text(text, name), "Name");
    check(SUCCEEDED(IHandBell_QueryInterface(bell, &IID_IBell, (void **)&base)) &&
              SUCCEEDED(IBell_Ring(base, 2, &text)) && is_text(text, sound),
          "Ring, of the base");
    check(SUCCEEDED(IHandBell_Twin(bell, &twin)) && SUCCEEDED(IBell_get_Name(twin, &text)) &&
              is_text(text, L"twin"),
          "Twin");
    check(SUCCEEDED(IHandBell_Ask(bell, base, &text)) && text, "Ask");
    SysFreeString(text);
    if (base)
        IBell_Release(base);
    if (twin)
        IBell_Release(twin);
}

/* That the library refers to the other one, which Windows finds. */
static void look_into_library(void)
{
    static const GUID library = {
        0xc2f0a7d1, 0x3f5e, 0x4f0b, {0x9a, 0x64, 0x51, 0xd7, 0xe8, 0xb3, 0xa3, 0x04}};
    ITypeLib *lib = NULL, *other = NULL;
    ITypeInfo *info = NULL, *base = NULL;
    HREFTYPE reference;
    TYPEATTR *attributes = NULL;
    BSTR name = NULL;
    UINT index;
    bool good = SUCCEEDED(LoadRegTypeLib(&library, 2, 1, 0, &lib)) &&
                SUCCEEDED(ITypeLib_GetTypeInfoOfGuid(lib, &IID_IHandBell, &info)) &&
                SUCCEEDED(ITypeInfo_GetRefTypeOfImplType(info, 0, &reference)) &&
                SUCCEEDED(ITypeInfo_GetRefTypeInfo(info, reference, &base)) &&
                SUCCEEDED(ITypeInfo_GetTypeAttr(base, &attributes));

    check(good && IsEqualGUID(&attributes->guid, &IID_IBell), "the base in the type library");
    check(good && SUCCEEDED(ITypeInfo_GetContainingTypeLib(base, &other, &index)) &&
              SUCCEEDED(ITypeLib_GetDocumentation(other, -1, &name, NULL, NULL, NULL)) &&
              is_text(name, L"BellBase"),
          "the base's own library");
    if (attributes)
        ITypeInfo_ReleaseTypeAttr(base, attributes);
    if (base)
        ITypeInfo_Release(base);
    if (info)
        ITypeInfo_Release(info);
    if (other)
        ITypeLib_Release(other);
    if (lib)
        ITypeLib_Release(lib);
}

/* --- an object of the client's own --- */

static HRESULT STDMETHODCALLTYPE Own_QueryInterface(IHandBell *iface, REFIID iid, void **object)
{
    bool has = IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_IBell) ||
               IsEqualIID(iid, &IID_IHandBell);

    *object = has ? iface : NULL;
    return has ? S_OK : E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE Own_AddRef(IHandBell *iface)
{
    (void)iface;
    return 2;
}

static ULONG STDMETHODCALLTYPE Own_Release(IHandBell *iface)
{
    (void)iface;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Own_get_Name(IHandBell *iface, BSTR *name)
{
    (void)iface;
    *name = SysAllocString(L"own");
    return *name ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE Own_Ring(IHandBell *iface, LONG times, BSTR *sound)
{
    (void)iface;
    *sound = SysAllocString(times == 3 ? L"bim bim bim" : L"bim");
    return *sound ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE Own_Twin(IHandBell *iface, IBell **twin)
{
    return IHandBell_QueryInterface(iface, &IID_IBell, (void **)twin);
}

static HRESULT STDMETHODCALLTYPE Own_Ask(IHandBell *iface, IBell *bell, BSTR *answer)
{
    (void)iface;
    return IBell_Ring(bell, 3, answer);
}

static const IHandBellVtbl own_vtable = {Own_QueryInterface, Own_AddRef, Own_Release, Own_get_Name,
                                         Own_Ring,           Own_Twin,   Own_Ask};

/* Another apartment's, which has the object by Windows' marshaler. */
static DWORD WINAPI use_from_elsewhere(void *stream)
{
    IHandBell *bell = NULL;
    IBell *twin = NULL;
    BSTR text = NULL;

    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    check(SUCCEEDED(CoGetInterfaceAndReleaseStream(stream, &IID_IHandBell, (void **)&bell)),
          "a proxy of Windows'");
    if (bell) {
        check(SUCCEEDED(IHandBell_Ring(bell, 3, &text)) && is_text(text, L"bim bim bim"),
              "Ring, by Windows' marshaler");
        check(SUCCEEDED(IHandBell_Twin(bell, &twin)) &&
                  SUCCEEDED(IHandBell_Ask(bell, twin, &text)) && is_text(text, L"bim bim bim"),
              "interfaces of the other library, by Windows' marshaler");
        if (twin)
            IBell_Release(twin);
        IHandBell_Release(bell);
    }
    CoUninitialize();
    return 0;
}

static void marshal_own(void)
{
    static IHandBell own = {(IHandBellVtbl *)&own_vtable};
    IStream *stream = NULL;
    HANDLE thread = NULL;
    DWORD index = 0;

    check(
        SUCCEEDED(CoMarshalInterThreadInterfaceInStream(&IID_IHandBell, (IUnknown *)&own, &stream)),
        "an object of one's own marshalled by the type library");
    if (stream)
        thread = CreateThread(NULL, 0, use_from_elsewhere, stream, 0, NULL);
    if (thread)
        check(SUCCEEDED(CoWaitForMultipleHandles(0, WAIT_MS, 1, &thread, &index)), "its calls");
    CloseHandle(thread);
}

void use_bells(void)
{
    IHandBell *bells[2] = {NULL};

    CoInitializeEx(NULL, COINIT_APARTMENTTHREADED);
    check(SUCCEEDED(CoCreateInstance(&CLSID_Bell, NULL, CLSCTX_INPROC_SERVER, &IID_IHandBell,
                                     (void **)&bells[0])) &&
              SUCCEEDED(CoCreateInstance(&CLSID_Bell2, NULL, CLSCTX_INPROC_SERVER, &IID_IHandBell,
                                         (void **)&bells[1])),
          "bells");
    if (bells[0] && bells[1]) {
        use_slots(bells[0], L"first", L"dingding");
        use_slots(bells[1], L"second", L"DONGDONG");
    }
    for (int i = 0; i < 2; i++)
        if (bells[i])
            IHandBell_Release(bells[i]);
    look_into_library();
    marshal_own();
    CoUninitialize();
}
