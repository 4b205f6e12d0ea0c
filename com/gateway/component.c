#include "com/gateway/component.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>
#include <viaduct/server.h>

#include <ocidl.h>

#include "com/abi/guid.h"
#include "com/gateway/class_objects.h"
#include "com/gateway/library.h"
#include "com/gateway/registry.h"
#include "com/gateway/types.h"
#include "com/typelib/typelib.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "core/util/log.h"

/* A library that is known already, by what Windows calls it. */
struct known {
    GUID libid;
    WORD major, minor;
};

static struct os_mutex lock = OS_MUTEX_INITIALIZER;
static struct {
    size_t n;           /* lock */
    size_t room;        /* lock */
    struct known *list; /* lock; as long as the process */
} the_known;

static struct {
    struct com_class class;
    struct via_component_class entry;
    struct via_component component;
    const struct via_typelib *libraries[1];
} the_component;

/* --- type libraries --- */

/* Whether it was not there. Without memory a library is converted again, and found to be known. */
static bool add_known(const struct known *library)
{
    for (size_t i = 0; i < the_known.n; i++)
        if (memcmp(&the_known.list[i], library, sizeof *library) == 0)
            return false;
    if (the_known.n == the_known.room) {
        size_t room = the_known.room * 2 + 16;
        struct known *larger = realloc(the_known.list, room * sizeof *larger);
        if (larger == NULL)
            return true;
        the_known.list = larger;
        the_known.room = room;
    }
    the_known.list[the_known.n++] = *library;
    return true;
}

/* True once for each library. */
static bool is_new(ITypeLib *library)
{
    TLIBATTR *attributes;
    struct known known;
    if (FAILED(ITypeLib_GetLibAttr(library, &attributes)))
        return false;
    memset(&known, 0, sizeof known);
    known.libid = attributes->guid;
    known.major = attributes->wMajorVerNum;
    known.minor = attributes->wMinorVerNum;
    ITypeLib_ReleaseTLibAttr(library, attributes);
    os_mutex_lock(&lock);
    bool is = add_known(&known);
    os_mutex_unlock(&lock);
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
static const struct via_typelib *learn(ITypeLib *library, const struct library_class *class)
{
    struct via_typelib *converted = NULL;
    if (!is_new(library))
        return NULL;
    HRESULT hr = library_convert(library, class, &converted);
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

static const struct via_typelib *learn_from(ITypeInfo *info, const struct library_class *class)
{
    ITypeLib *library = NULL;
    UINT index;
    if (FAILED(ITypeInfo_GetContainingTypeLib(info, &library, &index)))
        return NULL;
    const struct via_typelib *learnt = learn(library, class);
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

void component_describe(IUnknown *object)
{
    ITypeInfo *info = type_of(object);
    if (info == NULL)
        return;
    learn_from(info, NULL);
    ITypeInfo_Release(info);
}

/* --- the class --- */

static HRESULT STDMETHODCALLTYPE get_class_object(REFCLSID clsid, REFIID iid, void **object)
{
    (void)clsid; /* there is one */
    return class_objects_get(iid, object);
}

/* NULL: it is registered without a library, or with one that does not know the class. */
static const struct via_typelib *learn_registered(const struct com_class *class)
{
    ITypeLib *library = NULL;
    ITypeInfo *info = NULL;
    const struct via_typelib *learnt = NULL;
    if (!class->has_library || FAILED(LoadRegTypeLib(&class->libid, class->major, class->minor,
                                                     LOCALE_SYSTEM_DEFAULT, &library)))
        return NULL;
    if (SUCCEEDED(ITypeLib_GetTypeInfoOfGuid(library, &class->clsid, &info))) {
        TYPEATTR attributes; /* an interface may have the same GUID */
        if (types_attributes(info, &attributes) && attributes.typekind == TKIND_COCLASS)
            learnt = learn(library, NULL);
        ITypeInfo_Release(info);
    }
    ITypeLib_Release(library);
    return learnt;
}

/* The library of that type; where it does not list the class, the type is what the class is. */
static const struct via_typelib *learn_class_of(const struct com_class *class, ITypeInfo *info)
{
    TYPEATTR attributes;
    if (!types_attributes(info, &attributes))
        return NULL;
    const struct library_class unlisted = {
        .name = class->progid[0] != 0 ? class->progid : "Class",
        .clsid = &class->clsid,
        .iid = &attributes.guid,
    };
    return learn_from(info, attributes.typekind == TKIND_COCLASS ? NULL : &unlisted);
}

/* Of a class that is registered without one: an object knows. */
static const struct via_typelib *ask_instance(const struct com_class *class)
{
    void *object = NULL;
    if (FAILED(CoCreateInstance(&class->clsid, NULL, CLSCTX_INPROC_SERVER | CLSCTX_LOCAL_SERVER,
                                &IID_IUnknown, &object)))
        return NULL;
    ITypeInfo *info = type_of(object);
    const struct via_typelib *learnt = info != NULL ? learn_class_of(class, info) : NULL;
    if (info != NULL)
        ITypeInfo_Release(info);
    IUnknown_Release((IUnknown *)object);
    return learnt;
}

struct question {
    const struct com_class *class;
    const struct via_typelib *learnt;
};

static void ask_in_apartment(void *argument)
{
    struct question *self = argument;
    if (FAILED(CoInitializeEx(NULL, COINIT_APARTMENTTHREADED)))
        return;
    self->learnt = ask_instance(self->class);
    CoUninitialize();
}

/* An object that is to be called on one thread says on that one what it is: type information does
 * not always pass between apartments. */
static const struct via_typelib *learn_from_instance(const struct com_class *class)
{
    struct question question = {.class = class};
    struct os_thread *thread;
    if (!class->is_apartment)
        return ask_instance(class);
    if (FAILED(os_thread_start(ask_in_apartment, &question, "com-class", &thread))) {
        error_clear();
        return NULL;
    }
    os_thread_join(thread);
    return question.learnt;
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
    class_objects_init(class);
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
