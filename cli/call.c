/*
 * viaduct call: an object is made, one method called by its name, the results printed, the object
 * released. How a word of the command line becomes a value depends on the parameter: text stays
 * text where the parameter is a string.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>
#include <viaduct/value.h>

#include "cli/class.h"
#include "cli/cli.h"
#include "core/util/error.h"

static const struct via_enum *enum_of(const struct via_typelib *lib, const struct via_type *type)
{
    return type->kind == VIA_TYPE_ENUM ? &lib->enums[type->index] : NULL;
}

static bool is_text(const struct via_type *type)
{
    return type->kind == VIA_TYPE_BSTR || type->kind == VIA_TYPE_STRING8 ||
           type->kind == VIA_TYPE_STRING16 || type->kind == VIA_TYPE_GUID;
}

/* -1, or the exit code. */
static int read_argument(const struct typelib_method *method, const struct via_param *param,
                         const char *word, struct via_value *value)
{
    const struct via_type *type = &method->lib->types[param->type];
    const struct via_enum *names = enum_of(method->lib, type);
    char text[512];
    HRESULT hr;

    if (is_text(type)) {
        hr = via_value_set_string(value, word, strlen(word));
        return FAILED(hr) ? cli_fail_runtime(hr) : -1;
    }
    for (uint16_t i = 0; names && i < names->n_values; i++) {
        if (strcmp(names->values[i].name, word) == 0) {
            value->kind = VIA_VALUE_I64;
            value->as.i64 = names->values[i].value;
            return -1;
        }
    }
    hr = via_value_from_json(word, value);
    if (SUCCEEDED(hr))
        return -1;
    return cli_fail_usage(
        "call", "parameter %s takes a number, true, false, or JSON, not '%.60s%s': %s", param->name,
        word, strlen(word) > 60 ? "..." : "", via_error_message(hr, text, sizeof(text)));
}

static unsigned count_in(const struct via_method *method)
{
    unsigned count = 0;

    for (uint16_t i = 0; i < method->n_params; i++)
        count += (method->params[i].flags & VIA_PARAM_IN) != 0;
    return count;
}

static int wrong_count(const struct typelib_method *method, int n_words)
{
    unsigned expected = count_in(method->method);
    char names[1024] = "";
    size_t used = 0;

    for (uint16_t i = 0; i < method->method->n_params && used < sizeof(names); i++) {
        if (method->method->params[i].flags & VIA_PARAM_IN)
            used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "",
                                     method->method->params[i].name);
    }
    return cli_fail_usage("call", "%s takes %u argument%s, not %d: (%s)", method->method->name,
                          expected, expected == 1 ? "" : "s", n_words, names);
}

static int read_arguments(const struct typelib_method *method, int n_words, char **words,
                          struct via_value *in)
{
    uint32_t used = 0;
    int code = -1;
    HRESULT hr;

    if (n_words != (int)count_in(method->method))
        return wrong_count(method, n_words);
    hr = via_value_set_list(in, (uint32_t)n_words);
    if (FAILED(hr))
        return cli_fail_runtime(hr);
    for (uint16_t i = 0; code < 0 && i < method->method->n_params; i++) {
        const struct via_param *param = &method->method->params[i];

        if (param->flags & VIA_PARAM_IN) {
            code = read_argument(method, param, words[used], &in->as.items[used]);
            used++;
        }
    }
    return code;
}

/* --- results --- */

/* A text as it is, everything else as JSON. */
static int print_value(const struct via_value *value, bool json)
{
    char *text = NULL;
    HRESULT hr;

    if (value->kind == VIA_VALUE_STRING && !json) {
        fwrite(value->as.string, 1, value->n, stdout);
        putchar('\n');
        return -1;
    }
    if (value->kind == VIA_VALUE_OBJECT && !json) {
        puts("(an object)");
        return -1;
    }
    hr = via_value_to_json(value, json ? 2 : 0, &text);
    if (FAILED(hr))
        return cli_fail_runtime(hr);
    puts(text);
    via_value_free_text(text);
    return -1;
}

static const struct via_param *out_param(const struct via_method *method, uint32_t index)
{
    for (uint16_t i = 0; i < method->n_params; i++) {
        if ((method->params[i].flags & VIA_PARAM_OUT) && index-- == 0)
            return &method->params[i];
    }
    return NULL;
}

/* With names, as one object. Takes the values out of the list. */
static int print_json(const struct via_method *method, struct via_value *out)
{
    struct via_value record = {.kind = VIA_VALUE_STRUCT};
    HRESULT hr = S_OK;
    int code;

    for (uint32_t i = 0; SUCCEEDED(hr) && i < out->n; i++) {
        const struct via_param *param = out_param(method, i);
        struct via_value *field;

        hr = via_value_add_field(&record, param ? param->name : "result", &field);
        if (SUCCEEDED(hr)) {
            *field = out->as.items[i];
            memset(&out->as.items[i], 0, sizeof(out->as.items[i]));
        }
    }
    code = SUCCEEDED(hr) ? print_value(&record, true) : cli_fail_runtime(hr);
    via_value_clear(&record);
    return code;
}

static int print_results(const struct via_method *method, struct via_value *out, bool json)
{
    int code = -1;

    if (out->kind != VIA_VALUE_LIST)
        return -1;
    if (json)
        return print_json(method, out);
    for (uint32_t i = 0; code < 0 && i < out->n; i++) {
        const struct via_param *param = out_param(method, i);

        if (out->n > 1)
            printf("%s: ", param ? param->name : "result");
        code = print_value(&out->as.items[i], false);
    }
    return code;
}

/* --- the call --- */

static int call(const char *name, const struct via_interface *itf,
                const struct typelib_method *method, const struct via_value *in,
                const struct cli_options *options)
{
    struct via_value out = {.kind = VIA_VALUE_NULL};
    IUnknown *object;
    /* Its interfaces are described by its owner, not by this program. */
    HRESULT hr = via_create_instance(name, &IID_IUnknown, (void **)&object);
    int code;

    if (FAILED(hr))
        return cli_fail_runtime(hr);
    hr = via_invoke_values(object, &itf->iid, method->method->name, in, &out);
    code =
        SUCCEEDED(hr) ? print_results(method->method, &out, options->json) : cli_fail_runtime(hr);
    via_value_clear(&out);
    IUnknown_Release(object);
    return code;
}

int command_call(int argc, char **argv)
{
    struct via_value in = {.kind = VIA_VALUE_NULL};
    const struct via_interface *itf;
    struct typelib_method method;
    struct cli_options options;
    struct class class;
    IViaductHost *host;
    char **words;
    int code = cli_read_options(argc, argv, "call", CLI_FREE_BEHIND, 1000, &options);

    if (code < 0)
        code = cli_connect(&options, &host);
    if (code >= 0)
        return code;
    words = options.arguments;
    code = class_load(host, words[0], &class);
    if (code >= 0)
        return cli_disconnect(host, code);
    code = class_find_method(&class, words[1], &itf, &method);
    if (code < 0)
        code = read_arguments(&method, options.n_arguments - CLI_FREE_BEHIND,
                              words + CLI_FREE_BEHIND, &in);
    if (code < 0)
        code = call(words[0], itf, &method, &in, &options);
    via_value_clear(&in);
    class_deinit(&class);
    return cli_disconnect(host, code < 0 ? CLI_OK : code);
}
