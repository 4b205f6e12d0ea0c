/*
 * Loading component modules. A module is code that the user has chosen to run, so that its tables
 * are checked against mistakes, not against malice.
 */
#include <viaduct/server.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "com/remote/runtime.h"
#include "com/std/class_object.h"
#include "com/typelib/typelib.h"
#include "core/os/file.h"
#include "core/os/module.h"
#include "core/os/path.h"
#include "core/util/error.h"

static bool class_is_described(const struct via_component *component,
                               const struct via_component_class *class)
{
    for (uint32_t i = 0; i < component->n_typelibs; i++) {
        const struct via_typelib *lib = component->typelibs[i];
        uint16_t index = typelib_find_coclass(lib, class->clsid);

        if (index != VIA_NO_INDEX &&
            typelib_default_interface(lib, &lib->coclasses[index]) != VIA_NO_INDEX)
            return true;
    }
    return false;
}

static HRESULT check_classes(const struct via_component *component, const char *path)
{
    if (component->n_classes == 0 || !component->classes || !component->get_class_object)
        return error_set(VIA_E_TYPE, "%s: the component has no classes", path);
    for (uint32_t i = 0; i < component->n_typelibs; i++) {
        HRESULT hr = typelib_check(component->typelibs[i]);

        if (FAILED(hr))
            return error_wrap(hr, "%s: type library %u is not valid", path, i);
    }
    for (uint32_t i = 0; i < component->n_classes; i++) {
        const struct via_component_class *class = &component->classes[i];

        if (!class->clsid || !class->progid)
            return error_set(VIA_E_TYPE, "%s: class %u has no CLSID or no ProgID", path, i);
        if (FAILED(class_object_check_threading(class, path)))
            return VIA_E_TYPE;
        if (!class_is_described(component, class))
            return error_set(
                VIA_E_TYPE,
                "%s: no type library of the component has a coclass with the CLSID of %s", path,
                class->progid);
    }
    return S_OK;
}

static HRESULT check_component(const struct via_component *component, const char *path)
{
    if (!component)
        return error_set(VIA_E_TYPE, "%s is no component: it does not export %s", path,
                         VIADUCT_COMPONENT_SYMBOL);
    if (component->abi != VIA_COMPONENT_ABI)
        return error_set(VIA_E_TYPE, "%s was built for component ABI %u; this is version %u", path,
                         component->abi, VIA_COMPONENT_ABI);
    if (component->size < sizeof(*component))
        return error_set(VIA_E_TYPE, "%s: the component's table has %u bytes, %u are needed", path,
                         component->size, (unsigned)sizeof(*component));
    return check_classes(component, path);
}

/* Modules stay loaded until the process ends: objects and tables of theirs may be anywhere. */
struct kept_module {
    struct kept_module *next;
    struct os_module *module;
};
static _Atomic(struct kept_module *) the_modules;

static HRESULT keep(struct os_module *module)
{
    struct kept_module *kept = malloc(sizeof(*kept));

    if (!kept)
        return error_set(E_OUTOFMEMORY, "no memory for a component");
    kept->module = module;
    kept->next = atomic_load(&the_modules);
    while (!atomic_compare_exchange_weak(&the_modules, &kept->next, kept))
        continue;
    return S_OK;
}

static HRESULT load(const char *path, const struct via_component **component)
{
    struct os_module *module;
    const struct via_component *found;
    HRESULT hr;

    if (!os_path_is_absolute(path))
        return error_set(E_INVALIDARG, "the path of a component is absolute, not %s", path);
    if (!os_file_exists(path))
        return error_set(CO_E_DLLNOTFOUND, "there is no file %s", path);
    hr = os_module_open(path, &module);
    if (FAILED(hr))
        return hr;
    found = os_module_symbol(module, VIADUCT_COMPONENT_SYMBOL);
    hr = check_component(found, path);
    if (SUCCEEDED(hr))
        hr = keep(module);
    if (FAILED(hr)) {
        os_module_close(module);
        return hr;
    }
    *component = found;
    return S_OK;
}

HRESULT via_component_load(const char *path, const struct via_component **component)
{
    *component = NULL;
    return runtime_publish(load(path, component));
}
