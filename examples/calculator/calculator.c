/*
 * The calculator: one class, one interface. The same source builds the module for both systems.
 *
 * An object is a struct whose first member is its interface: a pointer to the vtable. Whoever holds
 * the object calls through that pointer, in this process or, by way of a proxy, in another one.
 */
#include "calculator.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <viaduct/component.h>

struct calculator {
    ICalculator ICalculator_iface;
    atomic_uint references;
};

static struct calculator *calculator_from_ICalculator(ICalculator *iface)
{
    return (struct calculator *)((char *)iface - offsetof(struct calculator, ICalculator_iface));
}

static atomic_uint n_objects;

/* Gives a failure its text, which the caller gets with the code, wherever it is. */
static HRESULT fail(HRESULT code, const WCHAR *why)
{
    ICreateErrorInfo *writer;
    IErrorInfo *info;

    if (FAILED(CreateErrorInfo(&writer)))
        return code;
    ICreateErrorInfo_SetSource(writer, (LPOLESTR)VIA_STR("Viaduct.Calculator"));
    ICreateErrorInfo_SetDescription(writer, (LPOLESTR)why);
    if (SUCCEEDED(ICreateErrorInfo_QueryInterface(writer, &IID_IErrorInfo, (void **)&info))) {
        SetErrorInfo(0, info);
        IErrorInfo_Release(info);
    }
    ICreateErrorInfo_Release(writer);
    return code;
}

static HRESULT STDMETHODCALLTYPE Calculator_QueryInterface(ICalculator *iface, REFIID iid,
                                                           void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_ICalculator))
        return E_NOINTERFACE;
    ICalculator_AddRef(iface);
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Calculator_AddRef(ICalculator *iface)
{
    return atomic_fetch_add(&calculator_from_ICalculator(iface)->references, 1) + 1;
}

static ULONG STDMETHODCALLTYPE Calculator_Release(ICalculator *iface)
{
    struct calculator *calculator = calculator_from_ICalculator(iface);
    ULONG left = atomic_fetch_sub(&calculator->references, 1) - 1;

    if (left == 0) {
        free(calculator);
        n_objects--;
    }
    return left;
}

static HRESULT STDMETHODCALLTYPE Calculator_Add(ICalculator *iface, LONG a, LONG b, LONG *sum)
{
    (void)iface;
    if (__builtin_add_overflow(a, b, sum))
        return fail(DISP_E_OVERFLOW, VIA_STR("the sum does not fit in 32 bits"));
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Calculator_Divide(ICalculator *iface, double dividend,
                                                   double divisor, double *quotient)
{
    (void)iface;
    if (divisor == 0)
        return fail(E_INVALIDARG, VIA_STR("cannot divide by zero"));
    *quotient = dividend / divisor;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Calculator_Sum(ICalculator *iface, ULONG count,
                                                const double *values, double *total)
{
    double sum = 0;

    (void)iface;
    for (ULONG i = 0; i < count; i++)
        sum += values[i];
    *total = sum;
    return S_OK;
}

/* `progress` is an object of the caller: each Added() is a call back into the caller's process,
 * which runs on the very thread that waits there for this method. */
static HRESULT STDMETHODCALLTYPE Calculator_SumSlowly(ICalculator *iface, ULONG count,
                                                      const double *values,
                                                      ICalculatorProgress *progress, double *total)
{
    double sum = 0;

    (void)iface;
    if (!progress)
        return fail(E_POINTER, VIA_STR("SumSlowly needs somebody to tell its progress to"));
    for (ULONG i = 0; i < count; i++) {
        HRESULT hr;

        sum += values[i];
        hr = ICalculatorProgress_Added(progress, i, values[i], sum);
        if (FAILED(hr))
            return hr;
    }
    *total = sum;
    return S_OK;
}

static const ICalculatorVtbl calculator_vtable = {
    Calculator_QueryInterface, Calculator_AddRef, Calculator_Release,   Calculator_Add,
    Calculator_Divide,         Calculator_Sum,    Calculator_SumSlowly,
};

/* The class object: a factory, of which there is one for ever, so that it counts nothing. */

static HRESULT STDMETHODCALLTYPE Factory_QueryInterface(IClassFactory *iface, REFIID iid,
                                                        void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IClassFactory))
        return E_NOINTERFACE;
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Factory_AddRef(IClassFactory *iface)
{
    (void)iface;
    return 2;
}

static ULONG STDMETHODCALLTYPE Factory_Release(IClassFactory *iface)
{
    (void)iface;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Factory_CreateInstance(IClassFactory *iface, IUnknown *outer,
                                                        REFIID iid, void **object)
{
    struct calculator *calculator;
    HRESULT hr;

    (void)iface;
    *object = NULL;
    if (outer)
        return CLASS_E_NOAGGREGATION;
    calculator = calloc(1, sizeof(*calculator));
    if (!calculator)
        return E_OUTOFMEMORY;
    calculator->ICalculator_iface.lpVtbl = &calculator_vtable;
    calculator->references = 1;
    n_objects++;
    hr = Calculator_QueryInterface(&calculator->ICalculator_iface, iid, object);
    Calculator_Release(&calculator->ICalculator_iface);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Factory_LockServer(IClassFactory *iface, BOOL lock)
{
    (void)iface;
    n_objects += lock ? 1u : -1u;
    return S_OK;
}

static IClassFactoryVtbl factory_vtable = {
    Factory_QueryInterface, Factory_AddRef,     Factory_Release,
    Factory_CreateInstance, Factory_LockServer,
};
static IClassFactory factory = {&factory_vtable};

static HRESULT STDMETHODCALLTYPE get_class_object(REFCLSID clsid, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualCLSID(clsid, &CLSID_Calculator))
        return CLASS_E_CLASSNOTAVAILABLE;
    return IClassFactory_QueryInterface(&factory, iid, object);
}

static HRESULT STDMETHODCALLTYPE can_unload_now(void)
{
    return n_objects == 0 ? S_OK : S_FALSE;
}

/* What `viaduct register` reads, and what a host loads. */

static const struct via_component_class classes[] = {{
    .clsid = &CLSID_Calculator,
    .progid = "Viaduct.Calculator",
    .description = "Adds and divides numbers",
    .threading = VIA_THREADING_FREE,
    .coclass = "Calculator",
}};

static const struct via_typelib *const typelibs[] = {&calculator_typelib};

VIADUCT_COMPONENT_EXPORT const struct via_component viaduct_component = {
    .abi = VIA_COMPONENT_ABI,
    .size = sizeof(struct via_component),
    .name = "calculator",
    .version = "1.0.0",
    .typelibs = typelibs,
    .n_typelibs = 1,
    .n_classes = 1,
    .classes = classes,
    .get_class_object = get_class_object,
    .can_unload_now = can_unload_now,
};
