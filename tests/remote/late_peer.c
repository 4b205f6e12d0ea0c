/*
 * A process for the tests of late binding: its root object makes the objects of late.idl. Serves
 * until it is killed.
 *
 *   late_peer ADDRESS
 */
#include <stdbool.h>
#include <stdio.h>
#include <viaduct/late.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "tests/remote/late_object.h"

/* A test that was killed must not leave us behind. */
#define LIFETIME_MS 120000u

static HRESULT STDMETHODCALLTYPE Root_QueryInterface(ILateRoot *self, REFIID iid, void **object)
{
    bool is_known = IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_ILateRoot);
    *object = is_known ? self : NULL;
    return is_known ? S_OK : E_NOINTERFACE;
}

/* The one object lives as long as the process. */
static ULONG STDMETHODCALLTYPE Root_Count(ILateRoot *self)
{
    (void)self;
    return 2;
}

static HRESULT STDMETHODCALLTYPE Root_Make(ILateRoot *self, ILate **late)
{
    (void)self;
    *late = late_object_new();
    return *late != NULL ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE Root_MakeUnknown(ILateRoot *self, IUnknown **late)
{
    (void)self;
    *late = (IUnknown *)late_object_new();
    return *late != NULL ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE Root_MakeDual(ILateRoot *self, IUnknown **dual)
{
    (void)self;
    *dual = (IUnknown *)late_dual_new();
    return *dual != NULL ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE Root_MakeNothing(ILateRoot *self, IUnknown **object)
{
    (void)self;
    *object = late_nothing_new();
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Root_CallTwice(ILateRoot *self, IDispatch *object, LONG value,
                                                LONG *result)
{
    static const GUID none = {0};
    WCHAR name[] = VIA_STR("twice");
    LPOLESTR names[] = {name};
    DISPID id;
    VARIANT argument, answer;
    DISPPARAMS params = {.rgvarg = &argument, .cArgs = 1};
    (void)self;
    V_VT(&argument) = VT_I4;
    V_I4(&argument) = value;
    HRESULT hr = IDispatch_GetIDsOfNames(object, (REFIID)&none, names, 1, 0, &id);
    if (SUCCEEDED(hr))
        hr = IDispatch_Invoke(object, id, (REFIID)&none, 0, DISPATCH_METHOD, &params, &answer, NULL,
                              NULL);
    *result = SUCCEEDED(hr) && V_VT(&answer) == VT_I4 ? V_I4(&answer) : -1;
    return hr;
}

static const ILateRootVtbl root_vtable = {
    Root_QueryInterface, Root_Count,    Root_Count,       Root_Make,
    Root_MakeUnknown,    Root_MakeDual, Root_MakeNothing, Root_CallTwice,
};

int main(int argc, char **argv)
{
    ILateRoot root = {.lpVtbl = (void *)&root_vtable};
    char text[1024];
    HRESULT hr = argc > 1 ? via_initialize(NULL) : E_INVALIDARG;
    if (SUCCEEDED(hr))
        hr = via_register_typelib(&late_typelib);
    if (SUCCEEDED(hr))
        hr = via_set_root_object((IUnknown *)&root);
    if (SUCCEEDED(hr))
        hr = via_listen(argv[1]);
    if (FAILED(hr)) {
        fprintf(stderr, "late_peer: %s\n", via_error_message(hr, text, sizeof text));
        return 1;
    }
    os_sleep_ms(LIFETIME_MS);
    return 3;
}
