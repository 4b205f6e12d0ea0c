#include "tests/remote/serve.h"

#include <stdio.h>

#include "core/os/clock.h"

static HRESULT begin(const struct served *served, const struct via_options *options,
                     const char *address, const char *name)
{
    IUnknown *root = NULL;
    HRESULT hr = via_initialize(options);
    for (const struct via_typelib *const *t = served->typelibs; *t != NULL && SUCCEEDED(hr); t++)
        hr = via_register_typelib(*t);
    if (SUCCEEDED(hr))
        hr = served->make_root(name, &root);
    if (SUCCEEDED(hr))
        hr = via_set_root_object(root);
    return SUCCEEDED(hr) ? via_listen(address) : hr;
}

int serve(const struct served *served, const struct via_options *options, int argc, char **argv)
{
    char text[1024];
    if (argc < 2)
        return 2;
    HRESULT hr = begin(served, options, argv[1], argc > 2 ? argv[2] : "peer");
    if (FAILED(hr)) {
        fprintf(stderr, "%s: %s\n", argv[0], via_error_message(hr, text, sizeof text));
        return 1;
    }
    os_sleep_ms(served->lifetime_ms);
    return 3;
}
