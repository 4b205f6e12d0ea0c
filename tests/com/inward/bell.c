/* Two versions of a bell, by two libraries: the second one is louder. */
#include "bell.h"

#include <string.h>
#include <viaduct/component.h>
#include <viaduct/object.h>

#define MAX_RINGS 10

struct bell {
    struct via_object object;
    IHandBell IHandBell_iface;
    const WCHAR *name;
    const WCHAR *sound;
};

static struct bell *bell_from_IHandBell(IHandBell *iface)
{
    return VIA_OBJECT_OF(iface, struct bell, IHandBell);
}

VIA_OBJECT_METHODS(HandBell, struct bell, IHandBell)

static HRESULT make_bell(const WCHAR *name, const WCHAR *sound, REFIID iid, void **object);

static HRESULT STDMETHODCALLTYPE HandBell_get_Name(IHandBell *iface, BSTR *name)
{
    *name = SysAllocString(bell_from_IHandBell(iface)->name);
    return *name ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE HandBell_Ring(IHandBell *iface, LONG times, BSTR *sound)
{
    const WCHAR *one = bell_from_IHandBell(iface)->sound;
    WCHAR all[5 * MAX_RINGS + 1] = {0};
    UINT n = 0;

    *sound = NULL;
    if (times < 0 || times > MAX_RINGS)
        return E_INVALIDARG;
    for (LONG i = 0; i < times; i++)
        for (UINT k = 0; one[k]; k++)
            all[n++] = one[k];
    *sound = SysAllocString(all);
    return *sound ? S_OK : E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE HandBell_Twin(IHandBell *iface, IBell **twin)
{
    const struct bell *bell = bell_from_IHandBell(iface);

    return make_bell(VIA_STR("twin"), bell->sound, &IID_IBell, (void **)twin);
}

static HRESULT STDMETHODCALLTYPE HandBell_Ask(IHandBell *iface, IBell *bell, BSTR *answer)
{
    BSTR sound = NULL, name = NULL;
    HRESULT hr = bell ? IBell_Ring(bell, 1, &sound) : E_POINTER;

    (void)iface;
    *answer = NULL;
    if (SUCCEEDED(hr))
        hr = IBell_get_Name(bell, &name);
    if (SUCCEEDED(hr)) {
        UINT n = SysStringLen(sound), n_name = SysStringLen(name);

        *answer = SysAllocStringLen(NULL, n + 1 + n_name);
        if (!*answer)
            hr = E_OUTOFMEMORY;
        else
            memcpy(*answer, sound, n * sizeof(WCHAR));
        if (*answer) {
            (*answer)[n] = ' ';
            memcpy(*answer + n + 1, name, n_name * sizeof(WCHAR));
        }
    }
    SysFreeString(sound);
    SysFreeString(name);
    return hr;
}

static const IHandBellVtbl bell_vtable = {
    HandBell_QueryInterface, HandBell_AddRef, HandBell_Release, HandBell_get_Name,
    HandBell_Ring,           HandBell_Twin,   HandBell_Ask,
};
static const struct via_object_interface bell_interfaces[] = {
    VIA_OBJECT_INTERFACE(struct bell, IHandBell, bell_vtable),
    {.iid = &IID_IBell, .offset = offsetof(struct bell, IHandBell_iface)},
    {.iid = NULL},
};
static struct via_module module;
static const struct via_object_kind bell_kind = {
    .size = sizeof(struct bell), .interfaces = bell_interfaces, .module = &module};

static HRESULT make_bell(const WCHAR *name, const WCHAR *sound, REFIID iid, void **object)
{
    struct bell *bell = via_object_new(&bell_kind);
    HRESULT hr;

    *object = NULL;
    if (!bell)
        return E_OUTOFMEMORY;
    bell->name = name;
    bell->sound = sound;
    hr = via_object_query(&bell->object, iid, object);
    via_object_release(&bell->object);
    return hr;
}

static HRESULT make_first(REFIID iid, void **object)
{
    return make_bell(VIA_STR("first"), VIA_STR("ding"), iid, object);
}

static HRESULT make_second(REFIID iid, void **object)
{
    return make_bell(VIA_STR("second"), VIA_STR("DONG"), iid, object);
}

static struct via_factory first = VIA_FACTORY(&bell_kind, make_first);
static struct via_factory second = VIA_FACTORY(&bell_kind, make_second);

static HRESULT STDMETHODCALLTYPE get_class_object(REFCLSID clsid, REFIID iid, void **object)
{
    *object = NULL;
    if (IsEqualCLSID(clsid, &CLSID_Bell))
        return via_factory_get(&first, iid, object);
    return IsEqualCLSID(clsid, &CLSID_Bell2) ? via_factory_get(&second, iid, object)
                                             : CLASS_E_CLASSNOTAVAILABLE;
}

static HRESULT STDMETHODCALLTYPE can_unload_now(void)
{
    return via_module_is_idle(&module) ? S_OK : S_FALSE;
}

static const struct via_component_class classes[] = {
    {&CLSID_Bell, "Test.Bell.1", "for tests", VIA_THREADING_FREE, "Bell"},
    {&CLSID_Bell2, "Test.Bell.2", "for tests", VIA_THREADING_FREE, "Bell2"},
};
static const struct via_typelib *const typelibs[] = {&bell_typelib, &bell_base_typelib};

VIADUCT_COMPONENT_EXPORT const struct via_component viaduct_component = {
    .abi = VIA_COMPONENT_ABI,
    .size = sizeof(struct via_component),
    .name = "bell",
    .version = "1",
    .typelibs = typelibs,
    .n_typelibs = 2,
    .n_classes = 2,
    .classes = classes,
    .get_class_object = get_class_object,
    .can_unload_now = can_unload_now,
};
