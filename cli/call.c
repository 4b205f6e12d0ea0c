/*
 * viaduct call, get, set: an object is made, or one that runs is found by its name; one method is
 * called by its name, the results printed, the object released. How a word of the command line
 * becomes a value depends on the parameter: text stays text where the parameter is a string. With
 * --watch the object lives on, and its events are printed, from the call on.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/late.h>
#include <viaduct/runtime.h>
#include <viaduct/value.h>

#include "cli/class.h"
#include "cli/cli.h"
#include "cli/live.h"
#include "cli/watch.h"
#include "core/util/error.h"

static bool is_text(const struct via_type *type)
{
    return type->kind == VIA_TYPE_BSTR || type->kind == VIA_TYPE_STRING8 ||
           type->kind == VIA_TYPE_STRING16 || type->kind == VIA_TYPE_GUID;
}

/* An amount of money and a decimal number keep all their digits as texts only. */
static bool is_exact(const struct via_type *type, const char *word)
{
    return (type->kind == VIA_TYPE_CY || type->kind == VIA_TYPE_DECIMAL) && word[0] != '"';
}

/* What is no JSON, and is taken as text by what the parameter is: dates, names of an enum, "NaN"
 * and "Infinity". */
static bool may_be_text(const struct via_type *type, const char *word)
{
    bool is_real = type->kind == VIA_TYPE_F32 || type->kind == VIA_TYPE_F64;
    const char *name = word + (word[0] == '-');

    return type->kind == VIA_TYPE_DATE || type->kind == VIA_TYPE_ENUM ||
           (is_real && (strcmp(name, "NaN") == 0 || strcmp(name, "Infinity") == 0));
}

/* -1, or the exit code. */
static int read_argument(const char *command, const struct typelib_method *method,
                         const struct via_param *param, const char *word, struct via_value *value)
{
    const struct via_type *type = &method->lib->types[param->type];
    char text[512];
    HRESULT hr;

    if (is_text(type) || is_exact(type, word)) {
        hr = via_value_set_string(value, word, strlen(word));
        return FAILED(hr) ? cli_fail_runtime(hr) : -1;
    }
    hr = via_value_from_json(word, value);
    if (FAILED(hr) && may_be_text(type, word))
        hr = via_value_set_string(value, word, strlen(word));
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

/* The parameter that gets all further words, or -1. */
static int find_rest(const struct via_method *method)
{
    int last = method->n_params - 1;

    if (!(method->flags & VIA_METHOD_VARARG))
        return -1;
    return method->params[last].flags & VIA_PARAM_RETVAL ? last - 1 : last;
}

static int wrong_count(const char *command, const struct typelib_method *method, int n_words)
{
    unsigned expected = count_in(method, true);
    int rest = find_rest(method->method);
    bool is_fixed = rest < 0;
    char names[1024] = "";
    size_t used = 0;

    for (uint16_t i = 0; i < method->method->n_params && used < sizeof(names); i++) {
        const struct via_param *param = &method->method->params[i];
        bool is_optional = param->flags & VIA_PARAM_OPTIONAL;

        if (!(param->flags & VIA_PARAM_IN))
            continue;
        is_fixed &= !is_optional;
        used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s%s%s", used ? ", " : "",
                                 is_optional ? "[" : "", param->name,
                                 is_optional ? "]"
                                 : i == rest ? " ..."
                                             : "");
    }
    if (!is_fixed)
        return cli_fail_usage(command, "%s does not take %d argument%s: (%s)", method->method->name,
                              n_words, n_words == 1 ? "" : "s", names);
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

/* What the words of the command line ask for. */
struct request {
    const char *command;
    unsigned forms; /* of a property, VIA_METHOD_...; 0: any method */
    const struct cli_options *options;
    unsigned watch_ms; /* --timeout, with --watch */
    IUnknown *object;  /* one that runs; NULL: one of the class is made when the words are read */
};

/* Its interfaces are described by its owner, not by this program. With a reference. */
static HRESULT get_object(const struct request *request, IUnknown **object)
{
    *object = request->object;
    if (!request->object)
        return via_create_instance(request->options->arguments[0], &IID_IUnknown, (void **)object);
    IUnknown_AddRef(request->object);
    return S_OK;
}

/* Does it, and watches the object if that is asked for. Releases it. */
static int act_on(const struct request *request, IUnknown *object, int (*act)(void *),
                  void *argument)
{
    const struct watching how = {.count = request->options->count,
                                 .timeout_ms = request->watch_ms,
                                 .act = act,
                                 .argument = argument};
    int code = request->options->watch ? watch_events(object, &how) : act(argument);

    IUnknown_Release(object);
    return code;
}

struct call {
    const struct request *request;
    const struct via_interface *itf;
    const struct via_method *method;
    const struct via_value *in;
    IUnknown *object; /* borrowed */
};

static int make_call(void *argument)
{
    const struct call *self = argument;
    struct via_value out = {.kind = VIA_VALUE_NULL};
    char member[512];
    HRESULT hr = via_invoke_values(self->object, &self->itf->iid,
                                   full_name(self->method, member, sizeof(member)), self->in, &out);
    int code = SUCCEEDED(hr) ? print_results(self->method, &out, self->request->options->json)
                             : cli_fail_runtime(hr);

    via_value_clear(&out);
    return code;
}

static int call(const struct request *request, const struct via_interface *itf,
                const struct typelib_method *method, const struct via_value *in)
{
    struct call self = {.request = request, .itf = itf, .method = method->method, .in = in};
    HRESULT hr = get_object(request, &self.object);

    return FAILED(hr) ? cli_fail_runtime(hr) : act_on(request, self.object, make_call, &self);
}

/* --- calls in which arguments may be left out --- */

/* One more or fewer argument than the method has parameters, or Invoke's to say whether it may be
 * called: such a call goes the way of via_invoke(). */
static bool is_late(const struct via_interface *itf, const struct via_method *method)
{
    bool is_late = itf->flags & VIA_INTERFACE_DISPINTERFACE ||
                   method->flags & (VIA_METHOD_VARARG | VIA_METHOD_RESTRICTED);

    for (uint16_t i = 0; i < method->n_params; i++)
        is_late |= (method->params[i].flags & VIA_PARAM_OPTIONAL) != 0;
    return is_late;
}

struct late_call {
    const struct request *request;
    IUnknown *object; /* borrowed */
    const struct typelib_method *method;
    char **words;
    int n_words;
    int n_used;
    struct via_value in;  /* a list: what the words are */
    struct via_value out; /* a list: a place for each [out] parameter */
    struct via_argument *arguments;
    size_t n_arguments;
};

static int take_word(struct late_call *self, const struct via_param *param, struct via_value *value)
{
    return read_argument(self->request->command, self->method, param, self->words[self->n_used++],
                         value);
}

/* -1, or the exit code. `place`: of the result, NULL where none comes. */
static int take_param(struct late_call *self, uint16_t index, struct via_value *place)
{
    const struct via_param *param = &self->method->method->params[index];
    bool is_in = param->flags & VIA_PARAM_IN;
    bool is_rest = index == find_rest(self->method->method);
    bool is_left_out = is_in && self->n_used == self->n_words;
    struct via_argument *argument;
    int code = -1;

    if (is_left_out && (is_rest || param->flags & VIA_PARAM_OPTIONAL))
        return -1;
    if (is_left_out)
        return wrong_count(self->request->command, self->method, self->n_words);
    do {
        argument = &self->arguments[self->n_arguments++];
        *argument = via_argument_make(place && !is_rest ? VIA_RESULT_VALUE : VIA_ARGUMENT_VALUE);
        if (place && !is_rest) {
            argument->as.result = place;
            code = is_in ? take_word(self, param, place) : -1;
        } else {
            struct via_value *value = &self->in.as.items[self->n_used];

            code = take_word(self, param, value);
            argument->as.value = *value;
        }
    } while (code < 0 && is_rest && self->n_used < self->n_words);
    return code;
}

static int take_params(struct late_call *self, char *member)
{
    const struct via_method *method = self->method->method;
    uint32_t n_out = 0;
    int code = -1;

    for (uint16_t i = 0; i < method->n_params; i++)
        n_out += (method->params[i].flags & VIA_PARAM_OUT) != 0;
    self->arguments =
        calloc((size_t)self->n_words + method->n_params + 1, sizeof(*self->arguments));
    if (!self->arguments || FAILED(via_value_set_list(&self->in, (uint32_t)self->n_words)) ||
        FAILED(via_value_set_list(&self->out, n_out)))
        return cli_fail(E_OUTOFMEMORY, "no memory for the arguments");
    self->arguments[0] = via_argument_make(VIA_ARGUMENT_TEXT);
    self->arguments[0].as.text = member;
    self->n_arguments = 1;
    n_out = 0;
    for (uint16_t i = 0; code < 0 && i < method->n_params; i++) {
        bool is_out = method->params[i].flags & VIA_PARAM_OUT;

        code = take_param(self, i, is_out ? &self->out.as.items[n_out] : NULL);
        n_out += is_out;
    }
    return code < 0 && self->n_used < self->n_words
               ? wrong_count(self->request->command, self->method, self->n_words)
               : code;
}

static int make_late_call(void *argument)
{
    struct late_call *self = argument;
    HRESULT hr = via_invoke_list(self->object, VIA_LATE_CALL, self->arguments, self->n_arguments);

    return SUCCEEDED(hr)
               ? print_results(self->method->method, &self->out, self->request->options->json)
               : cli_fail_runtime(hr);
}

static int call_late(struct late_call *self, const struct via_interface *itf)
{
    char plain[256], member[600];
    HRESULT hr;
    int code;

    snprintf(member, sizeof(member), "%s.%s", itf->name,
             full_name(self->method->method, plain, sizeof(plain)));
    code = take_params(self, member);
    if (code >= 0)
        return code;
    hr = get_object(self->request, &self->object);
    return FAILED(hr) ? cli_fail_runtime(hr)
                      : act_on(self->request, self->object, make_late_call, self);
}

/* --- both --- */

static int call_method(const struct request *request, const struct via_interface *itf,
                       const struct typelib_method *method)
{
    struct via_value in = {.kind = VIA_VALUE_NULL};
    char **words = request->options->arguments + CLI_FREE_BEHIND;
    int n_words = request->options->n_arguments - CLI_FREE_BEHIND;
    int code;

    if (is_late(itf, method->method)) {
        struct late_call late = {
            .request = request, .method = method, .words = words, .n_words = n_words};

        code = call_late(&late, itf);
        free(late.arguments);
        via_value_clear(&late.in);
        via_value_clear(&late.out);
        return code;
    }
    code = read_arguments(request->command, method, n_words, words, &in);
    if (code < 0)
        code = call(request, itf, method, &in);
    via_value_clear(&in);
    return code;
}

static int call_new(const struct request *request, IViaductHost *host)
{
    char **words = request->options->arguments;
    const struct via_interface *itf;
    struct typelib_method method;
    struct class class;
    int code = class_load(host, words[0], &class);

    if (code >= 0)
        return code;
    code = class_find_method(&class, words[1], request->forms, &itf, &method);
    if (code < 0)
        code = call_method(request, itf, &method);
    class_deinit(&class);
    return code;
}

static int call_running(struct request *request, const char *name)
{
    const struct via_interface *itf;
    struct typelib_method method;
    struct live live;
    int code = live_open(name, &live);

    if (code >= 0)
        return code;
    request->object = live.object;
    code = live_find_method(&live, request->options->arguments[1], request->forms, &itf, &method);
    if (code < 0)
        code = call_method(request, itf, &method);
    live_close(&live);
    return code;
}

static int run(int argc, char **argv, const char *command, unsigned forms)
{
    struct cli_options options;
    struct request request = {.command = command, .forms = forms, .options = &options};
    const char *name;
    IViaductHost *host;
    int code = cli_read_options(argc, argv, command, CLI_FREE_BEHIND, 1000, &options);

    if (code < 0 && options.count > 0 && !options.watch)
        code = cli_fail_usage(command, "--count is of --watch");
    if (code < 0 && options.watch) {
        request.watch_ms = options.timeout_ms;
        options.timeout_ms = 0;
        code = watch_prepare();
    }
    if (code < 0)
        code = cli_connect(&options, &host);
    if (code >= 0)
        return code;
    name = live_name(options.arguments[0]);
    code = name ? call_running(&request, name) : call_new(&request, host);
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
