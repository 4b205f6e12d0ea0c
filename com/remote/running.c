/* Objects that run under a name: the host keeps the names, these functions ask it. */
#include <viaduct/runtime.h>

#include <viaduct/host.h>

#include "com/remote/runtime.h"
#include "com/remote/text.h"
#include "core/util/error.h"

/* What the host is asked; `found` receives what it has looked up. */
enum question { PUBLISH, LOOKUP, WITHDRAW };

static HRESULT ask(enum question question, const char *name, IUnknown *object, IUnknown **found)
{
    if (runtime_node() == NULL)
        return runtime_publish(error_get()->code);
    BSTR text = text_to_bstr(name);
    if (text == NULL)
        return runtime_publish(error_set(E_OUTOFMEMORY, "no memory for the name of an object"));
    IViaductHost *host = NULL;
    HRESULT hr = via_host(&IID_IViaductHost, (void **)&host);
    if (SUCCEEDED(hr)) {
        hr = question == PUBLISH  ? IViaductHost_Publish(host, text, object)
             : question == LOOKUP ? IViaductHost_Lookup(host, text, found)
                                  : IViaductHost_Withdraw(host, text);
        IViaductHost_Release(host);
    }
    SysFreeString(text);
    return hr;
}

HRESULT via_publish(const char *name, IUnknown *object)
{
    return ask(PUBLISH, name, object, NULL);
}

HRESULT via_withdraw(const char *name)
{
    return ask(WITHDRAW, name, NULL, NULL);
}

HRESULT via_lookup(const char *name, REFIID iid, void **object)
{
    IUnknown *found = NULL;
    *object = NULL;
    HRESULT hr = ask(LOOKUP, name, NULL, &found);
    if (FAILED(hr))
        return hr;
    if (found == NULL)
        return runtime_publish(error_set(E_UNEXPECTED, "the host has found nothing for %s", name));
    hr = IUnknown_QueryInterface(found, iid, object);
    IUnknown_Release(found);
    return hr;
}
