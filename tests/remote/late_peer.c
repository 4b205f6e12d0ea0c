/* A process for the tests of late binding: its root object makes the objects of late.idl. */
#include <stdbool.h>

#include "tests/remote/late_object.h"
#include "tests/remote/serve.h"

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

static HRESULT make_root(const char *name, IUnknown **object)
{
    static ILateRoot root = {.lpVtbl = (void *)&root_vtable};
    (void)name;
    *object = (IUnknown *)&root;
    return S_OK;
}

int main(int argc, char **argv)
{
    static const struct via_typelib *const typelibs[] = {&late_typelib, NULL};
    static const struct served served = {typelibs, make_root, SERVE_USUAL_MS};
    return serve(&served, NULL, argc, argv);
}
