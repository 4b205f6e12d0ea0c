#include "cli/class.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "com/abi/guid.h"
#include "core/util/error.h"

/* The class that was asked for: the library of a component may have several. The host has found it
 * by the name's own rules, so that its CLSID is asked for there. S_FALSE: it is gone by now. */
static HRESULT find_clsid(IViaductHost *host, const char *name, GUID *clsid)
{
    struct ClassInfo info = {.processId = 0};
    BSTR string = cli_bstr(name);
    HRESULT hr = IViaductHost_FindClass(host, string, &info);

    SysFreeString(string);
    if (FAILED(hr))
        return S_FALSE;
    *clsid = info.clsid;
    SysFreeString(info.progid);
    SysFreeString(info.description);
    SysFreeString(info.host);
    SysFreeString(info.component);
    SysFreeString(info.manifest);
    return S_OK;
}

static HRESULT read_clsid(IViaductHost *host, const char *name, GUID *clsid)
{
    char text[GUID_TEXT_SIZE];

    if (name[0] != '{')
        return find_clsid(host, name, clsid);
    snprintf(text, sizeof(text), "%s", name);
    return guid_parse(text, clsid) ? S_OK : S_FALSE;
}

int class_load(IViaductHost *host, const char *name, struct class *class)
{
    BSTR string = cli_bstr(name), json = NULL;
    uint16_t index = VIA_NO_INDEX;
    GUID clsid;
    HRESULT hr = IViaductHost_DescribeClass(host, string, &json);

    memset(class, 0, sizeof(*class));
    SysFreeString(string);
    if (FAILED(hr))
        return cli_fail_runtime(hr);
    class->json = cli_text(json);
    SysFreeString(json);
    hr = typelib_from_json(class->json, strlen(class->json), &class->lib);
    if (FAILED(hr)) {
        free(class->json);
        return cli_fail_record(hr);
    }
    hr = read_clsid(host, name, &clsid);
    if (hr == S_OK)
        index = typelib_find_coclass(class->lib, &clsid);
    if (index == VIA_NO_INDEX && class->lib->n_coclasses == 1)
        index = 0;
    if (index == VIA_NO_INDEX) {
        class_deinit(class);
        return cli_fail(TYPE_E_ELEMENTNOTFOUND, "the type library of %s does not describe it",
                        name);
    }
    class->coclass = &class->lib->coclasses[index];
    return -1;
}

void class_deinit(struct class *class)
{
    free(class->json);
    typelib_free(class->lib);
    memset(class, 0, sizeof(*class));
}

static const struct via_interface *find_interface(const struct class *class, const char *name,
                                                  size_t length)
{
    char text[128];
    uint16_t index;

    if (length >= sizeof(text))
        return NULL;
    memcpy(text, name, length);
    text[length] = 0;
    index = typelib_find_interface_name(class->lib, text);
    return index == VIA_NO_INDEX ? NULL : &class->lib->interfaces[index];
}

static bool names_equal(const char *left, const char *right)
{
    while (*left && (*left | 0x20) == (*right | 0x20)) {
        left++;
        right++;
    }
    return !*left && !*right;
}

const char *method_noun(unsigned forms)
{
    return forms == 0                   ? "method"
           : forms & VIA_METHOD_PROPGET ? "property to get"
                                        : "property to set";
}

static bool has_form(const struct via_method *method, unsigned forms)
{
    return forms == 0 || (method->flags & forms);
}

HRESULT method_find(const struct via_typelib *lib, uint16_t index, const char *name, unsigned forms,
                    struct typelib_method *method)
{
    struct typelib_method *methods;
    size_t n_methods;
    HRESULT hr = typelib_methods(lib, index, &methods, &n_methods);

    if (FAILED(hr))
        return hr;
    hr = S_FALSE;
    for (size_t i = 0; hr == S_FALSE && i < n_methods; i++) {
        if (names_equal(methods[i].method->name, name) && has_form(methods[i].method, forms)) {
            *method = methods[i];
            hr = S_OK;
        }
    }
    free(methods);
    return hr;
}

/* The other method of a property. */
static bool was_listed(const struct typelib_method *methods, size_t index, unsigned forms)
{
    for (size_t i = 0; i < index; i++)
        if (has_form(methods[i].method, forms) &&
            names_equal(methods[i].method->name, methods[index].method->name))
            return true;
    return false;
}

HRESULT method_list(const struct via_typelib *lib, uint16_t index, unsigned forms,
                    const char *owner, char *list, size_t size)
{
    struct typelib_method *methods;
    size_t used = strlen(list), n_methods;
    HRESULT hr = typelib_methods(lib, index, &methods, &n_methods);

    if (FAILED(hr))
        return hr;
    for (size_t i = 0; i < n_methods && used < size; i++)
        if (has_form(methods[i].method, forms) && !was_listed(methods, i, forms))
            used += (size_t)snprintf(list + used, size - used, "%s%s%s%s", used ? ", " : "", owner,
                                     *owner ? "." : "", methods[i].method->name);
    free(methods);
    return S_OK;
}

static int no_method(const struct class *class, uint16_t index, const char *name, unsigned forms)
{
    char list[1024] = "";
    HRESULT hr = method_list(class->lib, index, forms, "", list, sizeof(list));

    if (FAILED(hr))
        return cli_fail_record(hr);
    return cli_fail(DISP_E_UNKNOWNNAME, "interface %s has no %s %.100s; it has: %s",
                    class->lib->interfaces[index].name, method_noun(forms), name,
                    *list ? list : "none");
}

int class_find_method(const struct class *class, const char *name, unsigned forms,
                      const struct via_interface **out, struct typelib_method *method)
{
    const char *dot = strrchr(name, '.');
    const struct via_interface *itf;
    uint16_t index = typelib_default_interface(class->lib, class->coclass);
    HRESULT hr;

    itf = dot                     ? find_interface(class, name, (size_t)(dot - name))
          : index != VIA_NO_INDEX ? &class->lib->interfaces[index]
                                  : NULL;
    if (!itf)
        return cli_fail(E_NOINTERFACE, "class %s has no interface %.*s", class->coclass->name,
                        !dot               ? 0
                        : dot - name < 100 ? (int)(dot - name)
                                           : 100,
                        name);
    name = dot ? dot + 1 : name;
    index = (uint16_t)(itf - class->lib->interfaces);
    hr = method_find(class->lib, index, name, forms, method);
    if (FAILED(hr))
        return cli_fail_record(hr);
    *out = itf;
    return hr == S_OK ? -1 : no_method(class, index, name, forms);
}
