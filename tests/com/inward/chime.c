/* A chime, built once for each version of its library: CHIME_HEADER, CHIME_LIBRARY and CHIME_CLASS
 * say which. */
#include CHIME_HEADER

#include <viaduct/component.h>
#include <viaduct/object.h>

#define WIDE(text) VIA_STR(text)

struct chime {
    struct via_object object;
    IChime IChime_iface;
};

VIA_OBJECT_METHODS(Chime, struct chime, IChime)

static HRESULT STDMETHODCALLTYPE Chime_Strike(IChime *iface, BSTR *sound)
{
    (void)iface;
    *sound = SysAllocString(WIDE(CHIME_CLASS));
    return *sound ? S_OK : E_OUTOFMEMORY;
}

static const IChimeVtbl chime_vtable = {
    Chime_QueryInterface,
    Chime_AddRef,
    Chime_Release,
    Chime_Strike,
};
static const struct via_object_interface chime_interfaces[] = {
    VIA_OBJECT_INTERFACE(struct chime, IChime, chime_vtable),
    {.iid = NULL},
};
static struct via_module module;
static const struct via_object_kind chime_kind = {
    .size = sizeof(struct chime), .interfaces = chime_interfaces, .module = &module};

static HRESULT make_chime(REFIID iid, void **object)
{
    struct chime *chime = via_object_new(&chime_kind);
    HRESULT hr;

    *object = NULL;
    if (!chime)
        return E_OUTOFMEMORY;
    hr = via_object_query(&chime->object, iid, object);
    via_object_release(&chime->object);
    return hr;
}

static struct via_factory factory = VIA_FACTORY(&chime_kind, make_chime);

static HRESULT STDMETHODCALLTYPE get_class_object(REFCLSID clsid, REFIID iid, void **object)
{
    *object = NULL;
    return IsEqualCLSID(clsid, &CLSID_Chime) ? via_factory_get(&factory, iid, object)
                                             : CLASS_E_CLASSNOTAVAILABLE;
}

static HRESULT STDMETHODCALLTYPE can_unload_now(void)
{
    return via_module_is_idle(&module) ? S_OK : S_FALSE;
}

static const struct via_component_class classes[] = {
    {&CLSID_Chime, CHIME_CLASS, "for tests", VIA_THREADING_FREE, "Chime"},
};
static const struct via_typelib *const typelibs[] = {&CHIME_LIBRARY};

VIADUCT_COMPONENT_EXPORT const struct via_component viaduct_component = {
    .abi = VIA_COMPONENT_ABI,
    .size = sizeof(struct via_component),
    .name = CHIME_CLASS,
    .version = "1",
    .typelibs = typelibs,
    .n_typelibs = 1,
    .n_classes = 1,
    .classes = classes,
    .get_class_object = get_class_object,
    .can_unload_now = can_unload_now,
};
