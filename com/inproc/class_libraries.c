#include "com/inproc/class_libraries.h"

#include <string.h>
#include <viaduct/runtime.h>

#include "com/typelib/builtin.h"
#include "com/typelib/typelib.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

/* Libraries lead to libraries. */
#define MAX_DEPTH 8u

struct asking {
    IViaductHost *host;
    BSTR name;
    IUnknown *factory; /* of the class' process, once it was needed; a reference */
    struct class_libraries *found;
};

/* What a failed call into the runtime has said, as this module's error. */
static HRESULT take_error(HRESULT hr)
{
    char text[ERROR_TEXT_SIZE];
    return error_set(hr, "%s", via_error_message(hr, text, sizeof text));
}

/* Takes `json`. */
static HRESULT read_json(BSTR json, struct via_typelib **lib)
{
    CLEANUP(cleanup_free) char *text = utf_from_wide(json, SysStringLen(json));
    SysFreeString(json);
    return text != NULL ? typelib_from_json(text, strlen(text), lib)
                        : error_set(E_OUTOFMEMORY, "no memory for a description");
}

static bool is_found(const struct asking *self, const GUID *iid)
{
    if (builtin_slots(iid) != 0)
        return true;
    for (unsigned i = 0; i < self->found->n; i++) {
        const struct via_typelib *lib = self->found->list[i];
        uint16_t index = typelib_find_interface(lib, iid);
        if (index != VIA_NO_INDEX && !(lib->interfaces[index].flags & VIA_INTERFACE_EXTERNAL))
            return true;
    }
    return false;
}

static HRESULT ask_for_interface(struct asking *self, const GUID *iid, struct via_typelib **lib)
{
    BSTR json = NULL;
    HRESULT hr = S_OK;
    if (self->factory == NULL)
        hr = IViaductHost_GetClassObject(self->host, self->name, &self->factory);
    if (SUCCEEDED(hr))
        hr = via_describe(self->factory, iid, &json);
    return FAILED(hr) ? take_error(hr) : read_json(json, lib);
}

static HRESULT add(struct asking *self, struct via_typelib *lib, unsigned depth);

/* What is not described, or too much, is left out, and then the interface that refers to it. */
static HRESULT add_others(struct asking *self, const struct via_typelib *lib, unsigned depth)
{
    HRESULT hr = S_OK;
    for (uint16_t i = 0; i < lib->n_interfaces && SUCCEEDED(hr) && depth < MAX_DEPTH; i++) {
        const struct via_interface *itf = &lib->interfaces[i];
        struct via_typelib *other;
        if (!(itf->flags & VIA_INTERFACE_EXTERNAL) || is_found(self, &itf->iid) ||
            self->found->n >= CLASS_MAX_LIBRARIES - 1)
            continue;
        if (SUCCEEDED(ask_for_interface(self, &itf->iid, &other)))
            hr = add(self, other, depth + 1);
        else
            error_clear();
    }
    return hr;
}

/* Takes `lib`. What it is built on has to be known first. */
static HRESULT add(struct asking *self, struct via_typelib *lib, unsigned depth)
{
    HRESULT hr = add_others(self, lib, depth);
    if (SUCCEEDED(hr) && self->found->n == CLASS_MAX_LIBRARIES)
        hr = error_set(VIA_E_LIMIT, "a class has more than %u type libraries", CLASS_MAX_LIBRARIES);
    if (SUCCEEDED(hr)) {
        hr = via_register_typelib(lib);
        if (FAILED(hr))
            take_error(hr);
    }
    if (FAILED(hr)) {
        typelib_free(lib);
        return hr;
    }
    self->found->list[self->found->n++] = lib;
    return S_OK;
}

HRESULT class_libraries_ask(IViaductHost *host, const char *name, struct class_libraries *libraries)
{
    CLEANUP(cleanup_free) WCHAR *wide = utf_to_wide(name);
    struct asking asking = {.host = host, .found = libraries};
    struct via_typelib *lib;
    BSTR json = NULL;
    memset(libraries, 0, sizeof *libraries);
    asking.name = wide != NULL ? SysAllocString(wide) : NULL;
    if (asking.name == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a name");
    HRESULT hr = IViaductHost_DescribeClass(host, asking.name, &json);
    hr = FAILED(hr) ? take_error(hr) : read_json(json, &lib);
    if (SUCCEEDED(hr))
        hr = add(&asking, lib, 0);
    if (asking.factory != NULL)
        IUnknown_Release(asking.factory);
    SysFreeString(asking.name);
    return hr;
}
