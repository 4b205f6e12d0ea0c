/*
 * The client by name: it has no table and no header of the random interfaces, only the JSON form
 * that the object's owner gives. It fills arguments by their types, implements the callback
 * interface, and compares each `x_out` with its `x_in`. In the JSON of arguments and results the
 * callback object stands as "callback"; so do streams, enumerators and objects with an IDispatch
 * that have the right content.
 *
 *   random-by-name ADDRESS SEED ROUNDS IID...
 */
#include "values.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/implement.h>
#include <viaduct/runtime.h>
#include <viaduct/value.h>

#include "tests/random_interfaces/contents.h"

static int fail(const char *what, HRESULT code)
{
    char text[1024];
    fprintf(stderr, "random-by-name: %s: %s\n", what, via_error_message(code, text, sizeof(text)));
    return 1;
}

static bool parse_iid(const char *text, GUID *iid)
{
    unsigned bytes[8], a, b, c;
    if (sscanf(text, "{%8x-%4x-%4x-%2x%2x-%2x%2x%2x%2x%2x%2x}", &a, &b, &c, &bytes[0], &bytes[1],
               &bytes[2], &bytes[3], &bytes[4], &bytes[5], &bytes[6], &bytes[7]) != 11)
        return false;
    iid->Data1 = a;
    iid->Data2 = (uint16_t)b;
    iid->Data3 = (uint16_t)c;
    for (int i = 0; i < 8; i++)
        iid->Data4[i] = (uint8_t)bytes[i];
    return true;
}

/* --- the callback object --- */

static IUnknown *callback; /* made when the first method wants one */
static atomic_uint n_callbacks;
static atomic_uint n_released;
static unsigned n_callbacks_expected;

static HRESULT transform(void *context, const char *method, const struct via_value *in,
                         struct via_value *out)
{
    (void)context;
    if (strcmp(method, "Transform") || in->n != 1 || out->n != 1)
        return E_UNEXPECTED;
    atomic_fetch_add(&n_callbacks, 1);
    out->as.items[0].kind = VIA_VALUE_I64;
    out->as.items[0].as.i64 = (int32_t)((uint32_t)in->as.items[0].as.i64 * 3 + 1);
    return S_OK;
}

static void count_release(void *context)
{
    (void)context;
    atomic_fetch_add(&n_released, 1);
}

static IUnknown *get_callback(IUnknown *root, json_t *lib, const char *name)
{
    GUID iid;
    json_t *described = find_named(json_object_get(lib, "interfaces"), name);
    const char *text = json_string_value(json_object_get(described, "iid"));
    if (callback || !text || !parse_iid(text, &iid))
        return callback;
    HRESULT hr = via_implement(&iid, root, transform, NULL, count_release, (void **)&callback);
    if (FAILED(hr))
        fail("via_implement", hr);
    return callback;
}

/* --- streams and enumerators --- */

static const struct contents {
    const char *name;
    const IID *iid;
} contents[] = {
    {"ISequentialStream", &IID_ISequentialStream},
    {"IStream", &IID_IStream},
    {"IEnumString", &IID_IEnumString},
    {"IEnumUnknown", &IID_IEnumUnknown},
    {"IEnumVARIANT", &IID_IEnumVARIANT},
    {"IDispatch", &IID_IDispatch}, /* the last one: every proxy answers for it */
};
#define N_CONTENTS (sizeof(contents) / sizeof(contents[0]))

/* NULL: it is another interface. */
static IUnknown *make_contents(const char *name)
{
    for (size_t i = 0; name && i < N_CONTENTS; i++)
        if (!strcmp(contents[i].name, name))
            return contents_make(contents[i].iid);
    return NULL;
}

static bool has_contents(IUnknown *object)
{
    for (size_t i = 0; i < N_CONTENTS; i++) {
        IUnknown *pointer = NULL;
        if (FAILED(IUnknown_QueryInterface(object, contents[i].iid, (void **)&pointer)))
            continue;
        bool is_right = contents_are_right(contents[i].iid, pointer);
        IUnknown_Release(pointer);
        return is_right;
    }
    return false;
}

/* --- objects in values --- */

static bool is_callback(IUnknown *object)
{
    IUnknown *identity = NULL;
    if (FAILED(IUnknown_QueryInterface(object, &IID_IUnknown, (void **)&identity)))
        return false;
    IUnknown_Release(identity);
    return identity == callback;
}

static bool is_variant(json_t *type)
{
    return json_is_string(type) && !strcmp(json_string_value(type), "variant");
}

/* The content of {"vt": "dispatch", ...}. */
static void place_dispatch(struct via_value *value)
{
    for (uint32_t i = 0; i < value->n; i++) {
        struct via_value *field = &value->as.fields[i].value;
        bool is_named = field->kind == VIA_VALUE_STRING && !strcmp(field->as.string, "callback");
        IDispatch *made = is_named ? contents_dispatch() : NULL;
        if (made) {
            via_value_set_object(field, (IUnknown *)made);
            IDispatch_Release(made);
        }
    }
}

/* "callback" becomes the object where the type is an interface, or a VARIANT. */
static void place_objects(IUnknown *root, json_t *lib, json_t *type, struct via_value *value)
{
    json_t *part;
    if (value->kind == VIA_VALUE_STRING && is_variant(type) &&
        !strcmp(value->as.string, "callback"))
        via_value_set_object(value, get_callback(root, lib, "IRandomCallback"));
    if (value->kind == VIA_VALUE_STRUCT && is_variant(type))
        place_dispatch(value);
    if (value->kind == VIA_VALUE_STRING && (part = json_object_get(type, "interface"))) {
        /* What iid_is says is the callback, too, and IUnknown. */
        const char *name = json_string_value(part);
        if (json_object_get(type, "iid_is") || !strcmp(name, "IUnknown"))
            name = "IRandomCallback";
        IUnknown *made = make_contents(name);
        via_value_set_object(value, made ? made : get_callback(root, lib, name));
        if (made)
            IUnknown_Release(made);
    }
    if (value->kind == VIA_VALUE_LIST &&
        ((part = json_object_get(type, "sized")) || (part = json_object_get(type, "array")) ||
         (part = json_object_get(type, "safearray"))))
        for (uint32_t i = 0; i < value->n; i++)
            place_objects(root, lib, part, &value->as.items[i]);
}

/* And back. */
static void name_objects(struct via_value *value)
{
    if (value->kind == VIA_VALUE_OBJECT) {
        bool is_right = is_callback(value->as.object) || has_contents(value->as.object);
        const char *name = is_right ? "callback" : "another object";
        via_value_set_string(value, name, strlen(name));
    }
    for (uint32_t i = 0; value->kind == VIA_VALUE_LIST && i < value->n; i++)
        name_objects(&value->as.items[i]);
    for (uint32_t i = 0; value->kind == VIA_VALUE_STRUCT && i < value->n; i++)
        name_objects(&value->as.fields[i].value);
}

static bool callback_was_used_and_released(void)
{
    unsigned n = atomic_load(&n_callbacks);
    if (n == 0 || n != n_callbacks_expected)
        fprintf(stderr, "random-by-name: %u callbacks, not %u\n", n, n_callbacks_expected);
    if (atomic_load(&n_released) != 1)
        fprintf(stderr, "random-by-name: the callback object is not released\n");
    return n > 0 && n == n_callbacks_expected && atomic_load(&n_released) == 1;
}

/* --- comparing --- */

/* Everything that went in came out; what came out may have more: sizes that were filled in. */
static bool is_echo(json_t *in, json_t *out)
{
    size_t i;
    json_t *entry;
    const char *key;
    if (json_is_object(in)) {
        json_object_foreach(in, key, entry)
        {
            if (!is_echo(entry, json_object_get(out, key)))
                return false;
        }
        return true;
    }
    if (json_is_array(in)) {
        json_array_foreach(in, i, entry)
        {
            if (!is_echo(entry, json_array_get(out, i)))
                return false;
        }
        return json_array_size(in) == json_array_size(out);
    }
    if (json_is_number(in) && json_is_number(out))
        return json_number_value(in) == json_number_value(out);
    return json_equal(in, out);
}

/* Of a VARIANT that refers: the value that the method leaves there. */
static json_t *expected_of_reference(json_t *argument)
{
    json_t *value = json_object_get(argument, "value");
    return json_is_string(value) ? json_string("changed")
                                 : json_integer(~(int32_t)json_integer_value(value));
}

/* What a result has to be: "p3_out" echoes "p3_in", "p3_io" itself, and "same3" the object "c3", on
 * which the method has called Transform(p3_in), and gives that back as "t3". NULL: anything. */
static json_t *expected(json_t *arguments, const char *out_name)
{
    char name[64];
    size_t n = strlen(out_name);
    if (!strncmp(out_name, "same", 4)) {
        snprintf(name, sizeof(name), "c%s", out_name + 4);
        return json_incref(json_object_get(arguments, name));
    }
    if (out_name[0] == 'r')
        return expected_of_reference(json_object_get(arguments, out_name));
    if (out_name[0] == 't') {
        snprintf(name, sizeof(name), "p%s_in", out_name + 1);
        json_int_t value = json_integer_value(json_object_get(arguments, name));
        snprintf(name, sizeof(name), "c%s", out_name + 1);
        bool is_called = !json_is_null(json_object_get(arguments, name));
        n_callbacks_expected += is_called;
        return json_integer(is_called ? (int32_t)((uint32_t)value * 3 + 1) : 0);
    }
    snprintf(name, sizeof(name), "%s", out_name);
    if (n > 4 && !strcmp(name + n - 4, "_out"))
        strcpy(name + n - 4, "_in");
    return json_incref(json_object_get(arguments, name));
}

static bool compare(json_t *method, json_t *arguments, json_t *results)
{
    json_t *params = json_object_get(method, "params");
    size_t i;
    size_t n_out = 0;
    json_t *param;
    json_array_foreach(params, i, param)
    {
        const char *name = json_string_value(json_object_get(param, "name"));
        if (!json_is_true(json_object_get(param, "out")))
            continue;
        json_t *in = expected(arguments, name);
        bool is_right = !in || is_echo(in, json_array_get(results, n_out));
        json_decref(in);
        if (!is_right) {
            fprintf(stderr, "random-by-name: %s: %s is not what it has to be\n",
                    json_string_value(json_object_get(method, "name")), name);
            return false;
        }
        n_out++;
    }
    return true;
}

/* --- calling --- */

static bool is_argument(json_t *params, json_t *param)
{
    const char *name = json_string_value(json_object_get(param, "name"));
    return json_is_true(json_object_get(param, "in")) && !random_is_size(params, name);
}

static json_t *argument_types(json_t *params)
{
    size_t i;
    json_t *param;
    json_t *types = json_array();
    json_array_foreach(params, i, param)
    {
        if (is_argument(params, param))
            json_array_append(types, json_object_get(param, "type"));
    }
    return types;
}

static HRESULT invoke(IUnknown *object, const GUID *iid, json_t *lib, json_t *method, json_t *in,
                      json_t **out)
{
    struct via_value arguments = {0}, results = {0};
    char *text = json_dumps(in, JSON_REAL_PRECISION(17));
    json_t *types = argument_types(json_object_get(method, "params"));
    HRESULT hr = via_value_from_json(text, &arguments);
    for (uint32_t i = 0; SUCCEEDED(hr) && i < arguments.n; i++)
        place_objects(object, lib, json_array_get(types, i), &arguments.as.items[i]);
    if (SUCCEEDED(hr))
        hr = via_invoke_values(object, iid, json_string_value(json_object_get(method, "name")),
                               &arguments, &results);
    free(text);
    json_decref(types);
    text = NULL;
    name_objects(&results);
    if (SUCCEEDED(hr) && SUCCEEDED(via_value_to_json(&results, 0, &text)))
        *out = json_loads(text, 0, NULL);
    via_value_free_text(text);
    via_value_clear(&arguments);
    via_value_clear(&results);
    return hr;
}

/* A VARIANT whose parameter's name says what has to be in it; NULL: it does not. */
static json_t *named_variant(const char *name)
{
    if (name[0] == 'v')
        return json_string("callback");
    if (name[0] == 'd')
        return json_pack("{s:s, s:s}", "vt", "dispatch", "value", "callback");
    if (name[0] != 'r')
        return NULL;
    return random_next() % 2
               ? json_pack("{s:s, s:s}", "vt", "bstr&", "value", "before")
               : json_pack("{s:s, s:i}", "vt", "i4&", "value", (int)(int32_t)random_next());
}

/* Arguments by name, and the list of them that the call takes. */
static json_t *make_arguments(json_t *lib, json_t *method, json_t **list)
{
    json_t *params = json_object_get(method, "params");
    json_t *arguments = json_object();
    size_t i;
    json_t *param;
    *list = json_array();
    json_array_foreach(params, i, param)
    {
        const char *name = json_string_value(json_object_get(param, "name"));
        json_t *needed = is_argument(params, param) ? random_needed(lib, params, param) : NULL;
        if (needed)
            json_object_set_new(arguments, name, needed);
    }
    json_array_foreach(params, i, param)
    {
        const char *name = json_string_value(json_object_get(param, "name"));
        if (!is_argument(params, param))
            continue;
        json_t *needed = json_object_get(arguments, name);
        if (needed) {
            json_array_append(*list, needed);
            continue;
        }
        bool is_null = json_is_true(json_object_get(param, "nullable")) && random_next() % 4 == 0;
        json_t *type = json_object_get(param, "type");
        json_t *value = is_null ? json_null() : is_variant(type) ? named_variant(name) : NULL;
        if (!value)
            value = random_value(lib, type, arguments);
        json_object_set_new(arguments, name, value);
        json_array_append(*list, value);
    }
    return arguments;
}

static unsigned call_method(IUnknown *object, const GUID *iid, json_t *lib, json_t *method)
{
    const char *name = json_string_value(json_object_get(method, "name"));
    json_t *list;
    json_t *results = NULL;
    json_t *arguments = make_arguments(lib, method, &list);
    HRESULT hr = invoke(object, iid, lib, method, list, &results);
    bool ok = SUCCEEDED(hr) && results && compare(method, arguments, results);
    if (FAILED(hr))
        fail(name, hr);
    json_decref(list);
    json_decref(arguments);
    json_decref(results);
    return !ok;
}

static json_t *describe(IUnknown *object, const GUID *iid)
{
    BSTR text = NULL;
    HRESULT hr = via_describe(object, iid, &text);
    if (FAILED(hr)) {
        fail("describe", hr);
        return NULL;
    }
    /* The JSON form is ASCII but for names in comments of people: narrow it. */
    UINT n = SysStringLen(text);
    char *narrow = malloc((size_t)n + 1);
    for (UINT i = 0; narrow && i < n; i++)
        narrow[i] = (char)text[i];
    json_t *lib = narrow ? json_loadb(narrow, n, 0, NULL) : NULL;
    free(narrow);
    SysFreeString(text);
    return lib;
}

static json_t *find_interface(json_t *lib, const char *iid)
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(lib, "interfaces"), i, entry)
    {
        if (!strcmp(json_string_value(json_object_get(entry, "iid")), iid))
            return entry;
    }
    return NULL;
}

static bool has_handle(json_t *params)
{
    size_t i;
    json_t *param;
    json_array_foreach(params, i, param)
    {
        if (json_object_get(json_object_get(param, "type"), "handle"))
            return true;
    }
    return false;
}

static unsigned n_calls;

static unsigned call_interface(IUnknown *root, const char *iid_text)
{
    GUID iid;
    unsigned n_failed = 0;
    if (!parse_iid(iid_text, &iid))
        return 1;
    json_t *lib = describe(root, &iid);
    json_t *methods = json_object_get(find_interface(lib, iid_text), "methods");
    size_t i;
    json_t *method;
    if (!methods)
        return 1;
    json_array_foreach(methods, i, method)
    {
        if (has_handle(json_object_get(method, "params")))
            continue; /* which is no value */
        unsigned failed = call_method(root, &iid, lib, method);
        printf("%s %s.%s\n", failed ? "failed" : "called",
               json_string_value(json_object_get(find_interface(lib, iid_text), "name")),
               json_string_value(json_object_get(method, "name")));
        n_failed += failed;
        n_calls++;
    }
    json_decref(lib);
    return n_failed;
}

int main(int argc, char **argv)
{
    unsigned n_failed = 0;
    IUnknown *root = NULL;
    if (argc < 5) {
        fprintf(stderr, "usage: random-by-name ADDRESS SEED ROUNDS IID...\n");
        return 2;
    }
    random_seed(strtoull(argv[2], NULL, 10));
    HRESULT hr = via_initialize(NULL);
    if (SUCCEEDED(hr))
        hr = via_connect(argv[1], &IID_IUnknown, (void **)&root);
    if (FAILED(hr))
        return fail(argv[1], hr);
    for (int round = 0; round < atoi(argv[3]); round++)
        for (int i = 4; i < argc; i++)
            n_failed += call_interface(root, argv[i]);
    IUnknown_Release(root);
    if (callback)
        IUnknown_Release(callback);
    via_uninitialize();
    unsigned n_echoed = n_calls - n_failed;
    n_failed += !random_had_all_kinds() + !callback_was_used_and_released();
    printf("%u calls echoed, %u failed\n", n_echoed, n_failed);
    return n_failed > 0 || n_calls == 0;
}
