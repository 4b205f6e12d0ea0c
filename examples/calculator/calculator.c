/*
 * The calculator: one class, one interface. The same source builds the module for both systems.
 *
 * An object is a struct that holds its interface, a pointer to the vtable. Whoever holds the object
 * calls through that pointer, in this process or, by way of a proxy, in another one. What all
 * objects do in the same way (QueryInterface, AddRef, Release, the class factory) comes from
 * <viaduct/object.h>.
 */
#include "calculator.h"

#include <viaduct/component.h>
#include <viaduct/object.h>

struct calculator {
    struct via_object object;
    ICalculator ICalculator_iface;
};

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

VIA_OBJECT_METHODS(Calculator, struct calculator, ICalculator)

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

static const struct via_object_interface calculator_interfaces[] = {
    VIA_OBJECT_INTERFACE(struct calculator, ICalculator, calculator_vtable),
    {.iid = NULL},
};

static struct via_module module;

static const struct via_object_kind calculator_kind = {
    .size = sizeof(struct calculator),
    .interfaces = calculator_interfaces,
    .module = &module,
};

/* The class object. */
static struct via_factory factory = VIA_FACTORY(&calculator_kind, NULL);

static HRESULT STDMETHODCALLTYPE get_class_object(REFCLSID clsid, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualCLSID(clsid, &CLSID_Calculator))
        return CLASS_E_CLASSNOTAVAILABLE;
    return via_factory_get(&factory, iid, object);
}

static HRESULT STDMETHODCALLTYPE can_unload_now(void)
{
    return via_module_is_idle(&module) ? S_OK : S_FALSE;
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
