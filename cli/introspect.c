/* viaduct introspect. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/class.h"
#include "cli/cli.h"
#include "cli/regenerate.h"
#include "com/abi/guid.h"
#include "core/util/buffer.h"
#include "core/util/error.h"

#define TEXT_LIMIT (1u << 20)

static int print_buffer(struct buffer *text, const char *indent)
{
    char *line = NULL;
    HRESULT hr = buffer_result(text);

    if (SUCCEEDED(hr))
        line = buffer_take_text(text);
    buffer_deinit(text);
    if (!line)
        return cli_fail_record(FAILED(hr) ? hr : E_OUTOFMEMORY);
    printf("%s%s\n", indent, line);
    free(line);
    return -1;
}

static int print_methods(const struct via_typelib *lib, uint16_t index)
{
    struct typelib_method *methods;
    size_t n_methods;
    HRESULT hr = typelib_methods(lib, index, &methods, &n_methods);
    int code = -1;

    if (FAILED(hr))
        return cli_fail_record(hr);
    for (size_t i = 0; code < 0 && i < n_methods; i++) {
        struct buffer text;

        buffer_init(&text, TEXT_LIMIT);
        typelib_print_method(methods[i].lib, methods[i].method, &text);
        code = print_buffer(&text, "    ");
    }
    free(methods);
    return code;
}

static int print_structs(const struct via_typelib *lib)
{
    int code = -1;

    for (uint16_t i = 0; code < 0 && i < lib->n_structs; i++) {
        const struct via_struct *type = &lib->structs[i];

        printf("struct %s\n", type->name);
        for (uint16_t j = 0; code < 0 && j < type->n_fields; j++) {
            struct buffer text;

            buffer_init(&text, TEXT_LIMIT);
            typelib_print_field(lib, type, j, &text);
            code = print_buffer(&text, "    ");
        }
    }
    for (uint16_t i = 0; code < 0 && i < lib->n_enums; i++) {
        printf("enum %s\n", lib->enums[i].name);
        for (uint16_t j = 0; j < lib->enums[i].n_values; j++)
            printf("    %s = %d\n", lib->enums[i].values[j].name,
                   (int)lib->enums[i].values[j].value);
    }
    return code;
}

static const char *keyword(const struct via_interface *itf)
{
    return itf->flags & VIA_INTERFACE_DISPINTERFACE ? "dispinterface" : "interface";
}

static int print_class(const struct class *class, const char *name)
{
    const struct via_typelib *lib = class->lib;
    char guid[GUID_TEXT_SIZE];
    int code = -1;

    printf("class %s %s\n", name, guid_format(&class->coclass->clsid, guid));
    for (uint16_t i = 0; code < 0 && i < class->coclass->n_interfaces; i++) {
        const struct via_coclass_interface *entry = &class->coclass->interfaces[i];
        const struct via_interface *itf = &lib->interfaces[entry->interface_index];

        printf("%s %s %s%s%s\n", keyword(itf), itf->name, guid_format(&itf->iid, guid),
               entry->flags & VIA_COCLASS_DEFAULT ? " default" : "",
               entry->flags & VIA_COCLASS_SOURCE ? " source" : "");
        code = print_methods(lib, entry->interface_index);
    }
    /* What its methods take or return objects of. */
    for (uint16_t i = 0; code < 0 && i < lib->n_interfaces; i++) {
        bool shown =
            lib->interfaces[i].flags & VIA_INTERFACE_EXTERNAL || lib->interfaces[i].n_methods == 0;

        for (uint16_t j = 0; j < class->coclass->n_interfaces; j++)
            shown = shown || class->coclass->interfaces[j].interface_index == i;
        if (shown)
            continue;
        printf("%s %s %s\n", keyword(&lib->interfaces[i]), lib->interfaces[i].name,
               guid_format(&lib->interfaces[i].iid, guid));
        code = print_methods(lib, i);
    }
    return code < 0 ? print_structs(lib) : code;
}

int command_introspect(int argc, char **argv)
{
    struct cli_options options;
    struct class class;
    IViaductHost *host;
    int code = cli_read_options(argc, argv, "introspect", 1, 1, &options);

    if (code < 0)
        code = cli_connect(&options, &host);
    if (code >= 0)
        return code;
    code = class_load(host, options.arguments[0], &class);
    if (code < 0) {
        char *pretty = NULL;

        if (options.idl || options.header)
            code = regenerate(class.lib, options.header);
        else if (!options.json)
            code = print_class(&class, options.arguments[0]);
        else if (SUCCEEDED(typelib_to_json(class.lib, 2, &pretty)))
            puts(pretty);
        else
            code = cli_fail_record(E_OUTOFMEMORY);
        free(pretty);
        class_deinit(&class);
    }
    return cli_disconnect(host, code < 0 ? CLI_OK : code);
}
