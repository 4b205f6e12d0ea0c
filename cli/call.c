/*
 * viaduct call, get, set: an object is made, one method called by its name, the results printed,
 * the object released. How a word of the command line becomes a value depends on the parameter:
 * text stays text where the parameter is a string.
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
static int read_argument(const char *command, const struct typelib_method *method,
                         const struct via_param *param, const char *word, struct via_value *value)
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
    return cli_fail_usage(command,
                          "parameter %s takes a number, true, false, or JSON, not '%.60s%s': %s",
                          param->name, word, strlen(word) > 60 ? "..." : "",
                          via_error_message(hr, text, sizeof(text)));
}

/* Whether a parameter only counts the elements of arrays that go in. */
static bool is_size(const struct typelib_method *method, uint16_t index)
{
    const struct via_method *self = method->method;

    for (uint16_t i = 0; i < self->n_params; i++) {
        const struct via_type *type = &method->lib->types[self->params[i].type];

        if (self->params[i].flags & VIA_PARAM_IN && type->kind == VIA_TYPE_SIZED &&
            type->size_from == VIA_SIZE_PARAM && type->size_index == index)
            return true;
    }
    return false;
}

/* The parameters that words are for; those that count arrays may be left out. */
static unsigned count_in(const struct typelib_method *method, bool with_sizes)
{
    unsigned count = 0;

    for (uint16_t i = 0; i < method->method->n_params; i++)
        count += (method->method->params[i].flags & VIA_PARAM_IN) != 0 &&
                 (with_sizes || !is_size(method, i));
    return count;
}

static int wrong_count(const char *command, const struct typelib_method *method, int n_words)
{
    unsigned expected = count_in(method, true);
    char names[1024] = "";
    size_t used = 0;

    for (uint16_t i = 0; i < method->method->n_params && used < sizeof(names); i++) {
        if (method->method->params[i].flags & VIA_PARAM_IN)
            used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s", used ? ", " : "",
                                     method->method->params[i].name);
    }
    return cli_fail_usage(command, "%s takes %u argument%s, not %d: (%s)", method->method->name,
                          expected, expected == 1 ? "" : "s", n_words, names);
}

static int read_arguments(const char *command, const struct typelib_method *method, int n_words,
                          char **words, struct via_value *in)
{
    bool with_sizes = n_words == (int)count_in(method, true);
    uint32_t used = 0;
    int code = -1;
    HRESULT hr;

    if (!with_sizes && n_words != (int)count_in(method, false))
        return wrong_count(command, method, n_words);
    hr = via_value_set_list(in, (uint32_t)n_words);
    if (FAILED(hr))
        return cli_fail_runtime(hr);
    for (uint16_t i = 0; code < 0 && i < method->method->n_params; i++) {
        const struct via_param *param = &method->method->params[i];

        if (param->flags & VIA_PARAM_IN && (with_sizes || !is_size(method, i))) {
            code = read_argument(command, method, param, words[used], &in->as.items[used]);
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

/* As headers have it, so that it is one method of a property and no other. */
static const char *full_name(const struct via_method *method, char *text, size_t size)
{
    const char *prefix = method->flags & VIA_METHOD_PROPPUT      ? "put_"
                         : method->flags & VIA_METHOD_PROPPUTREF ? "putref_"
                         : method->flags & VIA_METHOD_PROPGET    ? "get_"
                                                                 : "";

    snprintf(text, size, "%s%s", prefix, method->name);
    return text;
}

static int call(const char *name, const struct via_interface *itf,
                const struct typelib_method *method, const struct via_value *in,
                const struct cli_options *options)
{
    struct via_value out = {.kind = VIA_VALUE_NULL};
    char member[512];
    IUnknown *object;
    /* Its interfaces are described by its owner, not by this program. */
    HRESULT hr = via_create_instance(name, &IID_IUnknown, (void **)&object);
    int code;

    if (FAILED(hr))
        return cli_fail_runtime(hr);
    hr = via_invoke_values(object, &itf->iid, full_name(method->method, member, sizeof(member)), in,
                           &out);
    code =
        SUCCEEDED(hr) ? print_results(method->method, &out, options->json) : cli_fail_runtime(hr);
    via_value_clear(&out);
    IUnknown_Release(object);
    return code;
}

/* `forms`: of a property, VIA_METHOD_...; 0: any method. */
static int run(int argc, char **argv, const char *command, unsigned forms)
{
    struct via_value in = {.kind = VIA_VALUE_NULL};
    const struct via_interface *itf;
    struct typelib_method method;
    struct cli_options options;
    struct class class;
    IViaductHost *host;
    char **words;
    int code = cli_read_options(argc, argv, command, CLI_FREE_BEHIND, 1000, &options);

    if (code < 0)
        code = cli_connect(&options, &host);
    if (code >= 0)
        return code;
    words = options.arguments;
    code = class_load(host, words[0], &class);
    if (code >= 0)
        return cli_disconnect(host, code);
    code = class_find_method(&class, words[1], forms, &itf, &method);
    if (code < 0)
        code = read_arguments(command, &method, options.n_arguments - CLI_FREE_BEHIND,
                              words + CLI_FREE_BEHIND, &in);
    if (code < 0)
        code = call(words[0], itf, &method, &in, &options);
    via_value_clear(&in);
    class_deinit(&class);
    return cli_disconnect(host, code < 0 ? CLI_OK : code);
}

int command_call(int argc, char **argv)
{
    return run(argc, argv, "call", 0);
}

int command_get(int argc, char **argv)
{
    return run(argc, argv, "get", VIA_METHOD_PROPGET);
}

int command_set(int argc, char **argv)
{
    return run(argc, argv, "set", VIA_METHOD_PROPPUT | VIA_METHOD_PROPPUTREF);
}
