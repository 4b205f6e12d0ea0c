/*
 * A bell is a hidden window of the thread. It is rung by a message that is sent, not posted: that
 * one comes through while the thread waits in COM, too, which leaves the messages that were posted
 * to foreign windows lying. A spy of COM's tells when the apartment ends.
 */
#include "core/os/bell.h"

#include <stdlib.h>
#include <windows.h>

#include <objbase.h>
#include <objidl.h>

#include "core/os/thread.h"
#include "core/util/error.h"

#define BELL_RINGS (WM_USER + 1)

/* The thread's, but for `window`, which is read-only. */
struct os_bell {
    IInitializeSpy IInitializeSpy_iface;
    HWND window;
    ULARGE_INTEGER cookie; /* of the spy */
    void (*rung)(void *context);
    void (*closing)(void *context);
    void *context;
};

static struct os_bell *bell_from_IInitializeSpy(IInitializeSpy *iface)
{
    return (struct os_bell *)(void *)iface;
}

/* --- the spy, which lives as long as the bell --- */

static HRESULT STDMETHODCALLTYPE Spy_QueryInterface(IInitializeSpy *iface, REFIID iid,
                                                    void **object)
{
    *object = NULL;
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, &IID_IInitializeSpy))
        return E_NOINTERFACE;
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Spy_AddRef(IInitializeSpy *iface)
{
    (void)iface;
    return 2;
}

static ULONG STDMETHODCALLTYPE Spy_Release(IInitializeSpy *iface)
{
    (void)iface;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Spy_PreInitialize(IInitializeSpy *iface, DWORD flags, DWORD refs)
{
    (void)iface, (void)flags, (void)refs;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Spy_PostInitialize(IInitializeSpy *iface, HRESULT hr, DWORD flags,
                                                    DWORD refs)
{
    (void)iface, (void)flags, (void)refs;
    return hr;
}

static HRESULT STDMETHODCALLTYPE Spy_PreUninitialize(IInitializeSpy *iface, DWORD refs)
{
    struct os_bell *bell = bell_from_IInitializeSpy(iface);
    if (refs == 1)
        bell->closing(bell->context);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Spy_PostUninitialize(IInitializeSpy *iface, DWORD refs)
{
    (void)iface, (void)refs;
    return S_OK;
}

static IInitializeSpyVtbl spy_vtable = {
    Spy_QueryInterface, Spy_AddRef,          Spy_Release,          Spy_PreInitialize,
    Spy_PostInitialize, Spy_PreUninitialize, Spy_PostUninitialize,
};

/* --- the window --- */

static LRESULT CALLBACK window_procedure(HWND window, UINT message, WPARAM w, LPARAM l)
{
    if (message != BELL_RINGS)
        return DefWindowProcW(window, message, w, l);
    const struct os_bell *bell = (void *)GetWindowLongPtrW(window, GWLP_USERDATA);
    if (bell != NULL)
        bell->rung(bell->context);
    return 0;
}

/* Each bell has a class of its own, which goes with it: the module may be unloaded then. */
static void name_class(const struct os_bell *bell, WCHAR name[40])
{
    static const WCHAR prefix[] = L"viaduct-bell-";
    UINT_PTR number = (UINT_PTR)bell;
    int n = 0;
    for (; prefix[n] != 0; n++)
        name[n] = prefix[n];
    for (; number != 0; number >>= 4)
        name[n++] = L"0123456789abcdef"[number & 15];
    name[n] = 0;
}

static HWND make_window(struct os_bell *bell)
{
    WCHAR name[40];
    name_class(bell, name);
    WNDCLASSW class = {.lpfnWndProc = window_procedure,
                       .hInstance = GetModuleHandleW(NULL),
                       .lpszClassName = name};
    if (RegisterClassW(&class) == 0)
        return NULL;
    HWND window =
        CreateWindowExW(0, name, NULL, 0, 0, 0, 0, 0, HWND_MESSAGE, NULL, class.hInstance, NULL);
    if (window == NULL)
        UnregisterClassW(name, class.hInstance);
    else
        SetWindowLongPtrW(window, GWLP_USERDATA, (LONG_PTR)bell);
    return window;
}

HRESULT os_bell_new(void (*rung)(void *context), void (*closing)(void *context), void *context,
                    struct os_bell **result)
{
    if (!os_thread_is_apartment())
        return E_NOTIMPL;
    struct os_bell *bell = calloc(1, sizeof *bell);
    if (bell == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for an apartment");
    bell->IInitializeSpy_iface.lpVtbl = &spy_vtable;
    bell->rung = rung;
    bell->closing = closing;
    bell->context = context;
    bell->window = make_window(bell);
    HRESULT hr = bell->window != NULL
                     ? CoRegisterInitializeSpy(&bell->IInitializeSpy_iface, &bell->cookie)
                     : E_OUTOFMEMORY;
    if (SUCCEEDED(hr)) {
        *result = bell;
        return S_OK;
    }
    if (bell->window != NULL)
        DestroyWindow(bell->window);
    free(bell);
    return error_set(hr,
                     "a thread's apartment cannot be reached: it gets no window, or COM no spy");
}

void os_bell_free(struct os_bell *bell)
{
    WCHAR name[40];
    if (bell == NULL)
        return;
    CoRevokeInitializeSpy(bell->cookie);
    name_class(bell, name);
    DestroyWindow(bell->window);
    UnregisterClassW(name, GetModuleHandleW(NULL));
    free(bell);
}

bool os_bell_ring(struct os_bell *bell)
{
    return SendNotifyMessageW(bell->window, BELL_RINGS, 0, 0);
}
