/* The smallest component there can be, with a property that all its objects share. */
#include "adder.h"

#include <viaduct/component.h>
#include <viaduct/object.h>

struct adder {
    struct via_object object;
    IAdder IAdder_iface;
};

VIA_OBJECT_METHODS(Adder, struct adder, IAdder)

static HRESULT STDMETHODCALLTYPE Adder_Add(IAdder *iface, LONG a, LONG b, LONG *sum)
{
    (void)iface;
    *sum = a + b;
    return S_OK;
}

static LONG the_offset; /* the object is serial, or the tests call it from one thread */

static HRESULT STDMETHODCALLTYPE Adder_get_Offset(IAdder *iface, LONG *offset)
{
    (void)iface;
    *offset = the_offset;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Adder_put_Offset(IAdder *iface, LONG offset)
{
    (void)iface;
    the_offset = offset;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Adder_Scale(IAdder *iface, LONG value, LONG by, LONG *scaled)
{
    (void)iface;
    *scaled = value * by;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Adder_Total(IAdder *iface, SAFEARRAY *numbers, LONG *total)
{
    (void)iface;
    *total = 0;
    for (ULONG i = 0; numbers != NULL && i < numbers->rgsabound[0].cElements; i++) {
        const VARIANT *number = &((VARIANT *)numbers->pvData)[i];
        if (V_VT(number) != VT_I4)
            return DISP_E_TYPEMISMATCH;
        *total += V_I4(number);
    }
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Adder_Secret(IAdder *iface, LONG *secret)
{
    (void)iface;
    *secret = 4711;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Adder_Next(IAdder *iface, VARIANT *value)
{
    (void)iface;
    while (V_VT(value) == (VT_BYREF | VT_VARIANT))
        value = V_VARIANTREF(value);
    if (V_VT(value) == (VT_BYREF | VT_I4)) {
        ++*V_I4REF(value);
    } else if (V_VT(value) == (VT_BYREF | VT_BSTR) && SysStringLen(*V_BSTRREF(value)) > 0) {
        BSTR text = *V_BSTRREF(value);
        *V_BSTRREF(value) = SysAllocStringLen(text, SysStringLen(text) - 1);
        SysFreeString(text);
    } else if (V_VT(value) == VT_I4) {
        V_I4(value) += 100; /* not by reference */
    } else {
        return DISP_E_BADVARTYPE;
    }
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Adder_Order(IAdder *iface, CY price, DATE day, DECIMAL amount,
                                             double factor, enum Size size, CY *same_price,
                                             DATE *same_day, DECIMAL *same_amount,
                                             double *same_factor, enum Size *same_size)
{
    (void)iface;
    *same_price = price;
    *same_day = day;
    *same_amount = amount;
    *same_factor = factor;
    *same_size = size;
    return S_OK;
}

static const IAdderVtbl adder_vtable = {
    Adder_QueryInterface, Adder_AddRef,     Adder_Release, Adder_Add,
    Adder_get_Offset,     Adder_put_Offset, Adder_Scale,   Adder_Total,
    Adder_Secret,         Adder_Next,       Adder_Order};

static const struct via_object_interface adder_interfaces[] = {
    VIA_OBJECT_INTERFACE(struct adder, IAdder, adder_vtable),
    {.iid = NULL},
};
static const struct via_object_kind adder_kind = {.size = sizeof(struct adder),
                                                  .interfaces = adder_interfaces};
static struct via_factory factory = VIA_FACTORY(&adder_kind, NULL);

static HRESULT STDMETHODCALLTYPE get_class_object(REFCLSID clsid, REFIID iid, void **object)
{
    *object = NULL;
    return IsEqualCLSID(clsid, &CLSID_Adder) ? via_factory_get(&factory, iid, object)
                                             : CLASS_E_CLASSNOTAVAILABLE;
}

static const struct via_component_class classes[] = {
    {&CLSID_Adder, "Test.Adder", "for tests", VIA_THREADING_SERIAL, "Adder"},
};
static const struct via_typelib *const typelibs[] = {&adder_typelib};

VIADUCT_COMPONENT_EXPORT const struct via_component viaduct_component = {
    .abi = VIA_COMPONENT_ABI,
    .size = sizeof(struct via_component),
    .name = "adder",
    .version = "1",
    .typelibs = typelibs,
    .n_typelibs = 1,
    .n_classes = 1,
    .classes = classes,
    .get_class_object = get_class_object,
};
