#include "com/remote/describe.h"

#include <viaduct/node.h>
#include <viaduct/runtime.h>

#include "com/abi/guid.h"
#include "com/marshal/marshal.h"
#include "com/remote/import.h"
#include "com/remote/peer.h"
#include "com/remote/proxy.h"
#include "com/remote/runtime.h"
#include "com/remote/text.h"
#include "com/typelib/builtin.h"
#include "com/typelib/typelib.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"

/* Type libraries that one look-up may fetch: a peer could go on naming others for ever. */
#define MAX_FETCHED 64

/* The JSON that the object's owner gives for an interface. */
static HRESULT ask_owner(struct import *import, const GUID *iid, BSTR *json)
{
    if (import->peer == NULL)
        return import_never_reached(import);
    struct import *root;
    HRESULT hr = import_received(import->peer, 0, &root);
    if (FAILED(hr))
        return hr;
    INode *node = NULL;
    struct face *face;
    hr = import_face(root, &IID_INode, &face); /* everybody's root has it */
    if (SUCCEEDED(hr)) {
        node = (INode *)face;
        hr = INode_GetInterfaceDescription(node, iid, json);
    }
    import_unref(root);
    return hr;
}

/* One description and what it is built on. */
struct fetch {
    struct import *import;
    unsigned n; /* descriptions so far */
};

static HRESULT fetch_one(struct fetch *fetch, const GUID *iid);

static bool is_known(const GUID *iid)
{
    const struct via_typelib *lib;
    uint16_t index;
    if (builtin_slots(iid) != 0 || SUCCEEDED(typelib_catalog_find(iid, &lib, &index)))
        return true;
    error_clear();
    return false;
}

static bool is_base(const struct via_typelib *lib, uint16_t index)
{
    for (uint16_t i = 0; i < lib->n_interfaces; i++)
        if (!(lib->interfaces[i].flags & VIA_INTERFACE_EXTERNAL) &&
            lib->interfaces[i].base == index)
            return true;
    return false;
}

/* Interfaces that the library names and leaves to other libraries to describe. Without its base an
 * interface has no slots. Of the others objects may come in a call, and then it is too late to ask;
 * but perhaps none ever comes. */
static HRESULT fetch_named(struct fetch *fetch, const struct via_typelib *lib)
{
    for (uint16_t i = 0; i < lib->n_interfaces; i++) {
        const struct via_interface *itf = &lib->interfaces[i];
        if (!(itf->flags & VIA_INTERFACE_EXTERNAL) || is_known(&itf->iid))
            continue;
        HRESULT hr = fetch_one(fetch, &itf->iid);
        if (hr == REGDB_E_IIDNOTREG && !is_base(lib, i))
            error_clear();
        else if (FAILED(hr))
            return hr;
    }
    return S_OK;
}

/* The library that describes the interface, checked, for typelib_free(). */
static HRESULT fetch_library(struct import *import, const GUID *iid, struct via_typelib **lib)
{
    char name[GUID_TEXT_SIZE];
    BSTR json = NULL;
    HRESULT hr = ask_owner(import, iid, &json);
    if (FAILED(hr))
        return error_wrap(hr, "interface %s is described neither here nor by the object's owner",
                          guid_format(iid, name));
    CLEANUP(cleanup_free) char *text = text_from_bstr(json);
    SysFreeString(json);
    if (text == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the description of an interface");
    hr = typelib_from_json(text, strlen(text), lib);
    if (FAILED(hr))
        return error_wrap(hr, "the object's owner describes interface %s wrongly",
                          guid_format(iid, name));
    uint16_t index = typelib_find_interface(*lib, iid);
    if (index != VIA_NO_INDEX && !((*lib)->interfaces[index].flags & VIA_INTERFACE_EXTERNAL))
        return S_OK;
    typelib_free(*lib);
    return error_set(VIA_E_TYPE, "what the object's owner sent does not describe interface %s",
                     guid_format(iid, name));
}

static HRESULT fetch_one(struct fetch *fetch, const GUID *iid)
{
    struct via_typelib *lib;
    if (fetch->n++ == MAX_FETCHED)
        return error_set(VIA_E_LIMIT,
                         "the object's owner describes an interface by more than %d type libraries",
                         MAX_FETCHED);
    HRESULT hr = fetch_library(fetch->import, iid, &lib);
    if (FAILED(hr))
        return hr;
    /* First what it is built on: another thread may use it as soon as it is known. */
    hr = fetch_named(fetch, lib);
    if (FAILED(hr)) {
        typelib_free(lib);
        return hr;
    }
    return typelib_catalog_adopt(lib);
}

HRESULT describe_interface(struct import *import, const GUID *iid,
                           const struct marshal_interface **itf)
{
    *itf = marshal_interface_find(iid);
    if (*itf != NULL)
        return S_OK;
    HRESULT hr = error_get() != NULL ? error_get()->code : REGDB_E_IIDNOTREG;
    if (hr != REGDB_E_IIDNOTREG || import == NULL)
        return hr;
    struct fetch fetch = {.import = import};
    hr = fetch_one(&fetch, iid);
    if (FAILED(hr))
        return hr;
    *itf = marshal_interface_find(iid);
    return *itf != NULL ? S_OK : error_get()->code;
}

HRESULT via_describe(IUnknown *object, REFIID iid, BSTR *json)
{
    *json = NULL;
    const struct via_typelib *lib;
    uint16_t index;
    CLEANUP(cleanup_free) char *text = NULL;
    struct import *import = import_of(object);
    HRESULT hr = typelib_catalog_find(iid, &lib, &index);
    if (hr == REGDB_E_IIDNOTREG && import != NULL) {
        error_clear();
        hr = ask_owner(import, iid, json);
        return runtime_publish(hr);
    }
    if (SUCCEEDED(hr))
        hr = typelib_to_json(lib, 0, &text);
    if (SUCCEEDED(hr) && (*json = text_to_bstr(text)) == NULL)
        hr = error_set(E_OUTOFMEMORY, "no memory for the description of an interface");
    return runtime_publish(hr);
}

HRESULT via_register_typelib(const struct via_typelib *typelib)
{
    HRESULT hr = typelib_catalog_add(typelib);
    if (SUCCEEDED(hr))
        marshal_interfaces_renew(typelib);
    return runtime_publish(hr);
}
