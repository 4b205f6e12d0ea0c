#include "com/gateway/component.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>
#include <viaduct/server.h>

#include <ocidl.h>

#include "com/abi/guid.h"
#include "com/gateway/library.h"
#include "com/gateway/registry.h"
#include "com/typelib/typelib.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "core/util/log.h"

/* Libraries that are known already, by what Windows calls them. */
#define MAX_LIBRARIES 64

static struct os_mutex lock = OS_MUTEX_INITIALIZER;
static struct {
    unsigned n; /* lock */
    struct {
        GUID libid;
        WORD major, minor;
    } list[MAX_LIBRARIES]; /* lock */
} the_known;

static struct {
    struct com_class class;
    struct via_component_class entry;
    struct via_component component;
    const struct via_typelib *libraries[1];
} the_component;

/* --- type libraries --- */

/* True once for each library. */
static bool is_new(ITypeLib *library)
{
    TLIBATTR *attributes;
    bool is = true;
    if (FAILED(ITypeLib_GetLibAttr(library, &attributes)))
        return false;
    os_mutex_lock(&lock);
    for (unsigned i = 0; i < the_known.n; i++)
        is = is && !(IsEqualGUID(&the_known.list[i].libid, &attributes->guid) &&
                     the_known.list[i].major == attributes->wMajorVerNum &&
                     the_known.list[i].minor == attributes->wMinorVerNum);
    is = is && the_known.n < MAX_LIBRARIES;
    if (is) {
        the_known.list[the_known.n].libid = attributes->guid;
        the_known.list[the_known.n].major = attributes->wMajorVerNum;
        the_known.list[the_known.n].minor = attributes->wMinorVerNum;
        the_known.n++;
    }
    os_mutex_unlock(&lock);
    ITypeLib_ReleaseTLibAttr(library, attributes);
    return is;
}

static void warn(const char *what, HRESULT hr)
{
    char text[ERROR_TEXT_SIZE];
    log_warning("com", "%s: %s", what, error_format(error_get(), hr, text, sizeof text));
    error_clear();
}

/* A library that cannot be described leaves its objects to late binding. NULL: it is known, or is
 * not described. */
static const struct via_typelib *learn(ITypeLib *library)
{
    struct via_typelib *converted = NULL;
    if (!is_new(library))
        return NULL;
    HRESULT hr = library_convert(library, &converted);
    if (FAILED(hr)) {
        warn("a type library cannot be used", hr);
        return NULL;
    }
    hr = via_register_typelib(converted);
    if (SUCCEEDED(hr))
        return converted;
    char text[ERROR_TEXT_SIZE];
    log_warning("com", "type library %s cannot be used: %s", converted->name,
                via_error_message(hr, text, sizeof text));
    typelib_free(converted);
    return NULL;
}

static const struct via_typelib *learn_from(ITypeInfo *info)
{
    ITypeLib *library = NULL;
    UINT index;
    if (FAILED(ITypeInfo_GetContainingTypeLib(info, &library, &index)))
        return NULL;
    const struct via_typelib *learnt = learn(library);
    ITypeLib_Release(library);
    return learnt;
}

/* What the object says of its type, with a reference. */
static ITypeInfo *type_of(IUnknown *object)
{
    void *pointer = NULL;
    ITypeInfo *info = NULL;
    if (SUCCEEDED(IUnknown_QueryInterface(object, &IID_IDispatch, &pointer))) {
        IDispatch *dispatch = pointer;
        if (FAILED(IDispatch_GetTypeInfo(dispatch, 0, LOCALE_SYSTEM_DEFAULT, &info)))
            info = NULL;
        IDispatch_Release(dispatch);
    }
    if (info == NULL &&
        SUCCEEDED(IUnknown_QueryInterface(object, &IID_IProvideClassInfo, &pointer))) {
        IProvideClassInfo *provider = pointer;
        if (FAILED(IProvideClassInfo_GetClassInfo(provider, &info)))
            info = NULL;
        IProvideClassInfo_Release(provider);
    }
    return info;
}

static const struct via_typelib *learn_from_object(IUnknown *object)
{
    ITypeInfo *info = type_of(object);
    const struct via_typelib *learnt = info != NULL ? learn_from(info) : NULL;
    if (info != NULL)
        ITypeInfo_Release(info);
    return learnt;
}

void component_describe(IUnknown *object)
{
    learn_from_object(object);
}

/* --- the class --- */

static HRESULT STDMETHODCALLTYPE get_class_object(REFCLSID clsid, REFIID iid, void **object)
{
    HRESULT hr =
        CoGetClassObject(clsid, CLSCTX_INPROC_SERVER | CLSCTX_LOCAL_SERVER, NULL, iid, object);
    char guid[GUID_TEXT_SIZE];
    if (FAILED(hr))
        log_warning("com", "the class object of COM class %s cannot be had: 0x%08x",
                    guid_format(clsid, guid), (unsigned)hr);
    return hr;
}

static const struct via_typelib *learn_registered(const struct com_class *class)
{
    ITypeLib *library = NULL;
    if (!class->has_library || FAILED(LoadRegTypeLib(&class->libid, class->major, class->minor,
                                                     LOCALE_SYSTEM_DEFAULT, &library)))
        return NULL;
    const struct via_typelib *learnt = learn(library);
    ITypeLib_Release(library);
    return learnt;
}

/* Of a class that is registered without one: an object knows. */
static const struct via_typelib *learn_from_instance(const struct com_class *class)
{
    void *object = NULL;
    if (FAILED(CoCreateInstance(&class->clsid, NULL, CLSCTX_INPROC_SERVER | CLSCTX_LOCAL_SERVER,
                                &IID_IUnknown, &object)))
        return NULL;
    const struct via_typelib *learnt = learn_from_object(object);
    IUnknown_Release((IUnknown *)object);
    return learnt;
}

/* What the class is, for who asks before having an object. */
static void learn_class_library(const struct com_class *class)
{
    const struct via_typelib *learnt = learn_registered(class);
    if (learnt == NULL)
        learnt = learn_from_instance(class);
    if (learnt == NULL || typelib_find_coclass(learnt, &class->clsid) == VIA_NO_INDEX)
        return;
    the_component.libraries[0] = learnt;
    the_component.component.n_typelibs = 1;
}

HRESULT component_of_class(const char *text, const struct via_component **component)
{
    CLSID clsid;
    struct com_class *class = &the_component.class;
    if (!guid_parse(text, &clsid))
        return error_set(CO_E_CLASSSTRING, "%.100s is no CLSID", text);
    HRESULT hr = com_class_read(&clsid, class);
    if (FAILED(hr))
        return hr;
    learn_class_library(class);
    the_component.entry = (struct via_component_class){
        .clsid = &class->clsid,
        .progid = class->progid,
        .description = class->description,
        .threading = class->is_apartment ? VIA_THREADING_APARTMENT : VIA_THREADING_FREE,
    };
    the_component.component.abi = VIA_COMPONENT_ABI;
    the_component.component.size = sizeof(struct via_component);
    the_component.component.name = class->progid[0] != 0 ? class->progid : text;
    the_component.component.version = "";
    the_component.component.typelibs = the_component.libraries;
    the_component.component.classes = &the_component.entry;
    the_component.component.n_classes = 1;
    the_component.component.get_class_object = get_class_object;
    *component = &the_component.component;
    return S_OK;
}
