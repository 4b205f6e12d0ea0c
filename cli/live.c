#include "cli/live.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "cli/class.h"
#include "cli/cli.h"
#include "com/typelib/builtin.h"
#include "core/util/error.h"

/* Descriptions that are built on others; a peer could go on naming more for ever. */
#define MAX_DEPTH 16

const char *live_name(const char *word)
{
    static const char running[] = "running:";

    return strncmp(word, running, sizeof(running) - 1) == 0 ? word + sizeof(running) - 1 : NULL;
}

/* --- what its owner says of it --- */

/* In the catalogue, where an interface finds the bases that are described elsewhere. S_FALSE: the
 * owner does not describe it. */
static HRESULT describe(IUnknown *object, const GUID *iid, unsigned depth,
                        struct typelib_entry *entry)
{
    struct via_typelib *lib;
    BSTR json = NULL;
    char *text;
    HRESULT hr = typelib_catalog_find(iid, &entry->lib, &entry->index);

    if (hr != REGDB_E_IIDNOTREG)
        return hr;
    error_clear();
    if (depth == 0 || FAILED(via_describe(object, iid, &json)))
        return S_FALSE;
    text = cli_text(json);
    SysFreeString(json);
    hr = typelib_from_json(text, strlen(text), &lib);
    free(text);
    for (uint16_t i = 0; SUCCEEDED(hr) && i < lib->n_interfaces; i++) {
        struct typelib_entry other;

        if (lib->interfaces[i].flags & VIA_INTERFACE_EXTERNAL &&
            builtin_slots(&lib->interfaces[i].iid) == 0)
            hr = describe(object, &lib->interfaces[i].iid, depth - 1, &other);
        if (FAILED(hr))
            typelib_free(lib);
    }
    if (SUCCEEDED(hr))
        hr = typelib_catalog_adopt(lib);
    return SUCCEEDED(hr) ? typelib_catalog_find(iid, &entry->lib, &entry->index) : hr;
}

static int describe_all(struct live *live)
{
    GUID *iids;
    ULONG count;
    HRESULT hr = via_get_interfaces(live->object, &count, &iids);

    if (FAILED(hr))
        return cli_fail_runtime(hr);
    for (ULONG i = 0; SUCCEEDED(hr) && i < count && live->n < LIVE_MAX_INTERFACES; i++) {
        hr = IsEqualGUID(&iids[i], &IID_IDispatch)
                 ? S_FALSE
                 : describe(live->object, &iids[i], MAX_DEPTH, &live->entries[live->n]);
        live->n += hr == S_OK;
    }
    CoTaskMemFree(iids);
    if (FAILED(hr))
        return cli_fail_record(hr);
    if (live->n == 0)
        return cli_fail(E_NOINTERFACE,
                        "the owner of %.200s describes none of its interfaces: there are no names "
                        "to call it by",
                        live->name);
    return -1;
}

int live_open(const char *name, struct live *live)
{
    HRESULT hr;
    int code;

    *live = (struct live){.name = name};
    if (!*name)
        return cli_fail_usage(NULL, "running: is followed by the name of an object; viaduct list "
                                    "--running shows which there are");
    hr = via_lookup(name, &IID_IUnknown, (void **)&live->object);
    if (FAILED(hr))
        return cli_fail_runtime(hr);
    code = describe_all(live);
    if (code >= 0)
        live_close(live);
    return code;
}

void live_close(struct live *live)
{
    if (live->object)
        IUnknown_Release(live->object);
    *live = (struct live){.n = 0};
}

/* --- its methods --- */

static const struct via_interface *interface_of(const struct typelib_entry *entry)
{
    return &entry->lib->interfaces[entry->index];
}

static int no_method(const struct live *live, const char *name, unsigned forms)
{
    char list[1024] = "";

    for (unsigned i = 0; i < live->n; i++) {
        const struct typelib_entry *entry = &live->entries[i];
        HRESULT hr = method_list(entry->lib, entry->index, forms, interface_of(entry)->name, list,
                                 sizeof(list));

        if (FAILED(hr))
            return cli_fail_record(hr);
    }
    return cli_fail(DISP_E_UNKNOWNNAME, "%.200s has no %s %.100s; it has: %s", live->name,
                    method_noun(forms), name, *list ? list : "none");
}

int live_find_method(const struct live *live, const char *name, unsigned forms,
                     const struct via_interface **itf, struct typelib_method *method)
{
    const char *dot = strrchr(name, '.');
    char interface_name[128];

    snprintf(interface_name, sizeof(interface_name), "%.*s", dot ? (int)(dot - name) : 0, name);
    for (unsigned i = 0; i < live->n; i++) {
        const struct typelib_entry *entry = &live->entries[i];
        HRESULT hr;

        if (dot && typelib_find_interface_name(entry->lib, interface_name) != entry->index)
            continue;
        hr = method_find(entry->lib, entry->index, dot ? dot + 1 : name, forms, method);
        if (FAILED(hr))
            return cli_fail_record(hr);
        *itf = interface_of(entry);
        if (hr == S_OK)
            return -1;
    }
    return no_method(live, name, forms);
}
