/*
 * A process for the tests of objects by name: its root object, ISinkCaller, calls the sinks that it
 * is given, through their vtables.
 */
#include <stdbool.h>

#include "core/os/thread.h"
#include "sink.h"
#include "tests/remote/serve.h"

static struct os_mutex lock = OS_MUTEX_INITIALIZER;
static ISink *kept; /* lock */

static HRESULT STDMETHODCALLTYPE Caller_QueryInterface(ISinkCaller *self, REFIID iid, void **object)
{
    bool is_known = IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_ISinkCaller);
    *object = is_known ? self : NULL;
    return is_known ? S_OK : E_NOINTERFACE;
}

/* The one object lives as long as the process. */
static ULONG STDMETHODCALLTYPE Caller_Count(ISinkCaller *self)
{
    (void)self;
    return 2;
}

static HRESULT STDMETHODCALLTYPE Caller_CallTwice(ISinkCaller *self, ISinkBase *sink, LONG value,
                                                  LONG times, LONG *result)
{
    HRESULT hr = S_OK;
    (void)self;
    *result = value;
    for (LONG i = 0; i < times && SUCCEEDED(hr); i++)
        hr = ISinkBase_Twice(sink, *result, result);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Caller_CallSay(ISinkCaller *self, ISink *sink, BSTR text,
                                                LONG count, LONG *count_out, BSTR *answer,
                                                ISink **same)
{
    IUnknown *unknown = NULL;
    (void)self;
    *count_out = count;
    *answer = NULL;
    *same = NULL;
    HRESULT hr = ISink_Say(sink, text, count_out, answer);
    if (SUCCEEDED(hr))
        hr = ISink_Pass(sink, (IUnknown *)sink, &unknown);
    if (unknown != NULL) {
        hr = IUnknown_QueryInterface(unknown, &IID_ISink, (void **)same);
        IUnknown_Release(unknown);
    }
    return hr;
}

static HRESULT STDMETHODCALLTYPE Caller_CallRows(ISinkCaller *self, ISink *sink, ULONG *n,
                                                 struct SinkRow **rows, ULONG *n_names,
                                                 BSTR **names)
{
    (void)self;
    *names = NULL;
    *n_names = 0;
    HRESULT hr = ISink_Rows(sink, n, rows);
    if (FAILED(hr))
        return hr;
    *names = CoTaskMemAlloc(2 * sizeof **names);
    if (*names == NULL)
        return E_OUTOFMEMORY;
    (*names)[0] = (*names)[1] = NULL;
    *n_names = 2;
    return ISink_Fill(sink, 2, *names);
}

static HRESULT STDMETHODCALLTYPE Caller_CallSmall(ISinkCaller *self, ISink *sink, BYTE *value)
{
    (void)self;
    return ISink_Small(sink, value);
}

static HRESULT STDMETHODCALLTYPE Caller_CallScale(ISinkCaller *self, ISink *sink, double factor,
                                                  LONG value, double *result)
{
    (void)self;
    return ISink_Scale(sink, factor, value, result);
}

static HRESULT STDMETHODCALLTYPE Caller_Keep(ISinkCaller *self, ISink *sink)
{
    (void)self;
    if (sink != NULL)
        ISink_AddRef(sink);
    os_mutex_lock(&lock);
    ISink *previous = kept;
    kept = sink;
    os_mutex_unlock(&lock);
    if (previous != NULL)
        ISink_Release(previous);
    return S_OK;
}

static const ISinkCallerVtbl vtable = {
    Caller_QueryInterface, Caller_Count,     Caller_Count,     Caller_CallTwice, Caller_CallSay,
    Caller_CallRows,       Caller_CallSmall, Caller_CallScale, Caller_Keep,
};

static HRESULT make_root(const char *name, IUnknown **object)
{
    static ISinkCaller root = {&vtable};
    (void)name;
    *object = (IUnknown *)&root;
    return S_OK;
}

int main(int argc, char **argv)
{
    static const struct via_typelib *const typelibs[] = {&sink_base_typelib, &sink_typelib, NULL};
    static const struct served served = {typelibs, make_root, SERVE_USUAL_MS};
    return serve(&served, NULL, argc, argv);
}
