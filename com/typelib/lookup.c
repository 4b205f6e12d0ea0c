#include "com/typelib/builtin.h"
#include "com/typelib/typelib.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

uint16_t typelib_find_interface(const struct via_typelib *lib, const GUID *iid)
{
    for (uint16_t i = 0; i < lib->n_interfaces; i++)
        if (IsEqualGUID(&lib->interfaces[i].iid, iid))
            return i;
    return VIA_NO_INDEX;
}

uint16_t typelib_find_interface_name(const struct via_typelib *lib, const char *name)
{
    for (uint16_t i = 0; i < lib->n_interfaces; i++)
        if (!strcasecmp(lib->interfaces[i].name, name))
            return i;
    return VIA_NO_INDEX;
}

uint16_t typelib_find_coclass(const struct via_typelib *lib, const GUID *clsid)
{
    for (uint16_t i = 0; i < lib->n_coclasses; i++)
        if (IsEqualGUID(&lib->coclasses[i].clsid, clsid))
            return i;
    return VIA_NO_INDEX;
}

uint16_t typelib_find_coclass_name(const struct via_typelib *lib, const char *name)
{
    for (uint16_t i = 0; i < lib->n_coclasses; i++)
        if (!strcasecmp(lib->coclasses[i].name, name))
            return i;
    return VIA_NO_INDEX;
}

uint16_t typelib_default_interface(const struct via_typelib *lib, const struct via_coclass *coclass)
{
    (void)lib;
    uint16_t first = VIA_NO_INDEX;
    for (uint16_t i = 0; i < coclass->n_interfaces; i++) {
        const struct via_coclass_interface *self = &coclass->interfaces[i];
        if (self->flags & VIA_COCLASS_SOURCE)
            continue;
        if (self->flags & VIA_COCLASS_DEFAULT)
            return self->interface_index;
        if (first == VIA_NO_INDEX)
            first = self->interface_index;
    }
    return first;
}

/* Replaces an interface that is only named by its description. */
static HRESULT resolve(const struct via_typelib **lib, uint16_t *index)
{
    const struct via_interface *iface = &(*lib)->interfaces[*index];
    if (!(iface->flags & VIA_INTERFACE_EXTERNAL) || builtin_slots(&iface->iid))
        return S_OK;
    HRESULT hr = typelib_catalog_find(&iface->iid, lib, index);
    return FAILED(hr) ? error_wrap(VIA_E_TYPE, "interface %s is not described", iface->name) : S_OK;
}

/* Steps from an interface to its base. S_FALSE at a built-in one. */
static HRESULT step_down(const struct via_typelib **lib, uint16_t *index)
{
    HRESULT hr = resolve(lib, index);
    if (FAILED(hr))
        return hr;
    const struct via_interface *iface = &(*lib)->interfaces[*index];
    if (builtin_slots(&iface->iid))
        return S_FALSE;
    *index = iface->base;
    return S_OK;
}

HRESULT typelib_first_slot(const struct via_typelib *lib, uint16_t interface_index, uint16_t *slot)
{
    size_t n = 0;
    bool is_own = true;
    for (unsigned n_steps = 0; n_steps <= TYPELIB_MAX_SLOTS && n <= TYPELIB_MAX_SLOTS; n_steps++) {
        HRESULT hr = resolve(&lib, &interface_index);
        if (FAILED(hr))
            return hr;
        const struct via_interface *iface = &lib->interfaces[interface_index];
        uint16_t n_builtin = builtin_slots(&iface->iid);
        if (n_builtin) {
            *slot = (uint16_t)(n + n_builtin);
            return S_OK;
        }
        if (!is_own && (iface->flags & VIA_INTERFACE_DISPINTERFACE))
            return error_set(VIA_E_TYPE, "an interface is built on the dispinterface %s",
                             iface->name);
        if (!is_own)
            n += iface->n_methods;
        is_own = false;
        interface_index = iface->base;
    }
    return error_set(VIA_E_TYPE, "an interface has too many bases");
}

bool typelib_has_base(const struct via_typelib *lib, uint16_t interface_index, const GUID *iid)
{
    HRESULT hr = S_OK;
    for (unsigned n_steps = 0; n_steps <= TYPELIB_MAX_SLOTS && hr == S_OK; n_steps++) {
        if (IsEqualGUID(&lib->interfaces[interface_index].iid, iid))
            return true;
        hr = step_down(&lib, &interface_index);
    }
    return IsEqualGUID(iid, &builtin_iid_unknown);
}

HRESULT typelib_methods(const struct via_typelib *lib, uint16_t interface_index,
                        struct typelib_method **methods, size_t *n_methods)
{
    uint16_t first;
    HRESULT hr = resolve(&lib, &interface_index);
    if (SUCCEEDED(hr))
        hr = typelib_first_slot(lib, interface_index, &first);
    if (FAILED(hr))
        return hr;
    size_t end = (size_t)first + lib->interfaces[interface_index].n_methods;
    struct typelib_method *all = calloc(end ? end : 1, sizeof(*all));
    if (!all)
        return error_set(E_OUTOFMEMORY, "no memory for %zu methods", end);
    size_t lowest = end;
    do {
        const struct via_interface *iface = &lib->interfaces[interface_index];
        lowest -= iface->n_methods;
        for (uint16_t i = 0; i < iface->n_methods; i++)
            all[lowest + i] =
                (struct typelib_method){lib, iface, &iface->methods[i], (uint16_t)(lowest + i)};
        hr = step_down(&lib, &interface_index);
        if (hr == S_OK)
            hr = resolve(&lib, &interface_index);
    } while (hr == S_OK && !builtin_slots(&lib->interfaces[interface_index].iid));
    if (FAILED(hr)) {
        free(all);
        return hr;
    }
    *n_methods = end - lowest;
    memmove(all, all + lowest, *n_methods * sizeof(*all));
    *methods = all;
    return S_OK;
}
