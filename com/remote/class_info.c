#include "com/remote/class_info.h"

#include <stdlib.h>
#include <viaduct/class_info.h>

#include "com/marshal/marshal.h"
#include "com/remote/import.h"
#include "com/remote/late.h"
#include "com/remote/proxy.h"
#include "com/remote/runtime.h"
#include "com/typeinfo/objects.h"
#include "com/typelib/typelib.h"
#include "core/util/error.h"

bool class_info_is(const GUID *iid)
{
    return IsEqualGUID(iid, &IID_IProvideClassInfo) || IsEqualGUID(iid, &IID_IProvideClassInfo2);
}

/* --- which class --- */

static bool has(const struct dispatch_set *set, const GUID *iid)
{
    for (unsigned i = 0; i < set->n; i++)
        if (marshal_interface_has_base(set->interfaces[i], iid))
            return true;
    return false;
}

static bool has_all(const struct dispatch_set *set, const struct via_typelib *lib,
                    const struct via_coclass *coclass)
{
    for (uint16_t i = 0; i < coclass->n_interfaces; i++) {
        const struct via_coclass_interface *entry = &coclass->interfaces[i];
        if ((entry->flags & VIA_COCLASS_SOURCE) == 0 &&
            !has(set, &lib->interfaces[entry->interface_index].iid))
            return false;
    }
    return true;
}

/* Of the default interface, and has all of the class's. */
static HRESULT find_class(struct import *import, struct type_subject *subject)
{
    const struct dispatch_set *set;
    bool has_dispatch;
    HRESULT hr = late_resolve(import, &set, &has_dispatch);
    if (FAILED(hr))
        return hr;
    if (set->n > 0)
        type_subject_of_interface(set->interfaces[0], false, subject);
    for (uint16_t i = 0; set->n > 0 && i < subject->lib->n_coclasses; i++) {
        const struct via_coclass *coclass = &subject->lib->coclasses[i];
        if (typelib_default_interface(subject->lib, coclass) != subject->index ||
            !has_all(set, subject->lib, coclass))
            continue;
        *subject =
            (struct type_subject){.view = TYPE_VIEW_COCLASS, .lib = subject->lib, .index = i};
        return S_OK;
    }
    return error_set(E_NOINTERFACE, "no class is described that has the object's interfaces");
}

/* --- the interfaces --- */

static HRESULT STDMETHODCALLTYPE ClassInfo_GetClassInfo(void *pointer, ITypeInfo **info)
{
    struct type_subject subject;
    if (info == NULL)
        return E_POINTER;
    *info = NULL;
    HRESULT hr = find_class(((struct face *)pointer)->import, &subject);
    if (SUCCEEDED(hr))
        hr = type_info_new(&subject, info);
    return runtime_publish(hr);
}

/* The default source interface; else the first. VIA_NO_INDEX: the class has no events. */
static uint16_t find_source(const struct via_coclass *coclass)
{
    uint16_t first = VIA_NO_INDEX;
    for (uint16_t i = 0; i < coclass->n_interfaces; i++) {
        const struct via_coclass_interface *entry = &coclass->interfaces[i];
        if ((entry->flags & VIA_COCLASS_SOURCE) == 0)
            continue;
        if (entry->flags & VIA_COCLASS_DEFAULT)
            return entry->interface_index;
        if (first == VIA_NO_INDEX)
            first = entry->interface_index;
    }
    return first;
}

static HRESULT STDMETHODCALLTYPE ClassInfo_GetGUID(void *pointer, DWORD kind, GUID *guid)
{
    static const GUID none;
    struct type_subject subject;
    if (guid == NULL)
        return E_POINTER;
    *guid = none;
    if (kind != GUIDKIND_DEFAULT_SOURCE_DISP_IID)
        return runtime_publish(
            error_set(E_INVALIDARG, "a class has no GUID of kind %u", (unsigned)kind));
    HRESULT hr = find_class(((struct face *)pointer)->import, &subject);
    if (FAILED(hr))
        return runtime_publish(hr);
    uint16_t source = find_source(&subject.lib->coclasses[subject.index]);
    if (source == VIA_NO_INDEX)
        return runtime_publish(error_set(E_UNEXPECTED, "class %s has no events",
                                         subject.lib->coclasses[subject.index].name));
    *guid = subject.lib->interfaces[source].iid;
    return S_OK;
}

/* Those of IProvideClassInfo come first. */
static const void *const class_info_vtable[] = {
    (const void *)(uintptr_t)proxy_QueryInterface, (const void *)(uintptr_t)proxy_AddRef,
    (const void *)(uintptr_t)proxy_Release,        (const void *)(uintptr_t)ClassInfo_GetClassInfo,
    (const void *)(uintptr_t)ClassInfo_GetGUID,
};

struct face *class_info_face_new(struct import *import, const GUID *iid)
{
    struct face *face = calloc(1, sizeof *face);
    if (face == NULL)
        return NULL;
    face->vtable = class_info_vtable;
    face->import = import;
    face->iid = *iid;
    return face;
}

HRESULT class_info_query(struct import *import, const GUID *iid, struct face **face)
{
    struct type_subject subject;
    HRESULT hr = find_class(import, &subject);
    return SUCCEEDED(hr) ? import_face(import, iid, face) : hr;
}
