#include "com/remote/describe.h"

#include <viaduct/node.h>
#include <viaduct/runtime.h>

#include "com/abi/guid.h"
#include "com/remote/import.h"
#include "com/remote/peer.h"
#include "com/remote/proxy.h"
#include "com/remote/runtime.h"
#include "com/remote/text.h"
#include "com/typelib/typelib.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"

/* The JSON that the object's owner gives for an interface. */
static HRESULT ask_owner(struct import *import, const GUID *iid, BSTR *json)
{
    if (import->peer == NULL)
        return error_set(RPC_E_DISCONNECTED, "the object's owner was never reached");
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

HRESULT describe_fetch(struct import *import, const GUID *iid)
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
    struct via_typelib *lib;
    hr = typelib_from_json(text, strlen(text), &lib);
    if (FAILED(hr))
        return error_wrap(hr, "the object's owner describes interface %s wrongly",
                          guid_format(iid, name));
    if (typelib_find_interface(lib, iid) == VIA_NO_INDEX) {
        typelib_free(lib);
        return error_set(VIA_E_TYPE, "what the object's owner sent does not describe interface %s",
                         guid_format(iid, name));
    }
    return typelib_catalog_adopt(lib);
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
    return runtime_publish(typelib_catalog_add(typelib));
}
