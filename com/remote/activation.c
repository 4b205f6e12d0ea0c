/*
 * Getting objects through the host. The host activates and hands on; the calls on the object go to
 * its owner directly.
 */
#include <viaduct/runtime.h>

#include <stdlib.h>
#include <string.h>
#include <viaduct/host.h>

#include "com/remote/factory.h"
#include "com/remote/node.h"
#include "com/remote/runtime.h"
#include "com/remote/text.h"
#include "core/os/clock.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"

/* A question about the dead must not keep its asker long: a caller is told within a second. */
#define ASK_EXIT_MS 700u

static HRESULT get_object(const char *name, REFIID iid, bool is_class, void **object)
{
    *object = NULL;
    struct node *node = runtime_node();
    if (node == NULL)
        return runtime_publish(error_get()->code);
    BSTR text = text_to_bstr(name);
    if (text == NULL)
        return runtime_publish(error_set(E_OUTOFMEMORY, "no memory for the name of a class"));
    IViaductHost *host = NULL;
    IUnknown *found = NULL;
    HRESULT hr = via_host(&IID_IViaductHost, (void **)&host);
    if (SUCCEEDED(hr)) {
        uint32_t usual = runtime_set_patience(node->settings.activation_timeout_ms);
        hr = is_class ? IViaductHost_GetClassObject(host, text, &found)
                      : IViaductHost_CreateInstance(host, text, iid, &found);
        runtime_set_patience(usual);
        IViaductHost_Release(host);
    }
    SysFreeString(text);
    if (FAILED(hr))
        return hr;
    if (found == NULL)
        return runtime_publish(
            error_set(E_UNEXPECTED, "the host has created nothing for %s", name));
    if (!is_class) /* the host has made sure that the object has the interface */
        return runtime_publish(factory_take(found, iid, object));
    hr = found->lpVtbl->QueryInterface(found, iid, object);
    found->lpVtbl->Release(found);
    return runtime_publish(hr);
}

HRESULT via_create_instance(const char *name, REFIID iid, void **object)
{
    return get_object(name, iid, false, object);
}

HRESULT via_get_class_object(const char *name, REFIID iid, void **object)
{
    return get_object(name, iid, true, object);
}

HRESULT runtime_ask_exit(struct node *node, const struct link_id *dead, char **text)
{
    GUID id;
    memcpy(&id, dead, sizeof id);
    uint32_t limit = via_thread_set_deadline(ASK_EXIT_MS);
    IViaductHost *host = NULL;
    struct ProcessExit end = {0};
    HRESULT hr = runtime_node() != node ? S_FALSE : via_host(&IID_IViaductHost, (void **)&host);
    if (hr == S_OK)
        hr = IViaductHost_GetProcessExit(host, &id, VARIANT_TRUE, &end);
    bool known = hr == S_OK && (end.how == PROCESS_EXITED || end.how == PROCESS_KILLED);
    if (known)
        *text = text_from_bstr(end.description);
    SysFreeString(end.description);
    if (host != NULL)
        IViaductHost_Release(host);
    via_thread_set_deadline(limit);
    error_clear();
    return known && *text != NULL ? S_OK : S_FALSE;
}
