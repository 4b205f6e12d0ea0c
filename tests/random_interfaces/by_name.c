/*
 * The client by name: it has no table and no header of the random interfaces, only the JSON form
 * that the object's owner gives. It fills arguments by their types, implements the callback
 * interface, and compares each `x_out` with its `x_in`. In the JSON of arguments and results the
 * callback object stands as "callback".
 *
 *   random-by-name ADDRESS SEED ROUNDS IID...
 */
#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/implement.h>
#include <viaduct/runtime.h>
#include <viaduct/value.h>

static uint64_t random_state;

static uint32_t random_next(void)
{
    uint64_t x = (random_state += 0x9E3779B97F4A7C15u);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)(x >> 32);
}

static json_t *find_named(json_t *list, const char *name)
{
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry)
    {
        const char *text = json_string_value(json_object_get(entry, "name"));
        if (text && !strcmp(text, name))
            return entry;
    }
    return NULL;
}

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

static bool is_callback(IUnknown *object)
{
    IUnknown *identity = NULL;
    if (FAILED(IUnknown_QueryInterface(object, &IID_IUnknown, (void **)&identity)))
        return false;
    IUnknown_Release(identity);
    return identity == callback;
}

/* "callback" becomes the object where the type is an interface. */
static void place_objects(IUnknown *root, json_t *lib, json_t *type, struct via_value *value)
{
    json_t *part;
    if (value->kind == VIA_VALUE_STRING && (part = json_object_get(type, "interface"))) {
        /* What iid_is says is this too. */
        bool is_known = !json_object_get(type, "iid_is");
        via_value_set_object(
            value, get_callback(root, lib, is_known ? json_string_value(part) : "IRandomCallback"));
    }
    if (value->kind == VIA_VALUE_LIST &&
        ((part = json_object_get(type, "sized")) || (part = json_object_get(type, "array"))))
        for (uint32_t i = 0; i < value->n; i++)
            place_objects(root, lib, part, &value->as.items[i]);
}

/* And back. */
static void name_objects(struct via_value *value)
{
    if (value->kind == VIA_VALUE_OBJECT) {
        const char *name = is_callback(value->as.object) ? "callback" : "another object";
        via_value_set_string(value, name, strlen(name));
    }
    for (uint32_t i = 0; value->kind == VIA_VALUE_LIST && i < value->n; i++)
        name_objects(&value->as.items[i]);
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

/* --- random values by type, as JSON --- */

/* `others`: the arguments, or the fields, that are there already. */
static json_t *random_value(json_t *lib, json_t *type, json_t *others);

/* What every run has to have in it. */
static const char *const kinds[] = {
    "i8",       "u8",      "i16",     "u16",       "i32",     "u32",     "i64",       "u64",
    "f32",      "f64",     "wchar",   "bool",      "hresult", "guid",    "bstr",      "string8",
    "string16", "enum",    "struct",  "array",     "sized",   "pointer", "interface", "cy",
    "date",     "decimal", "variant", "safearray", "union"};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))
static unsigned n_of_kind[N_KINDS];

static void count_kind(const char *kind)
{
    for (size_t i = 0; i < N_KINDS; i++)
        n_of_kind[i] += !strcmp(kinds[i], kind);
}

static bool all_kinds_were_there(void)
{
    bool are_there = true;
    for (size_t i = 0; i < N_KINDS; i++) {
        if (n_of_kind[i] == 0)
            fprintf(stderr, "random-by-name: no value of type %s\n", kinds[i]);
        are_there &= n_of_kind[i] > 0;
    }
    return are_there;
}

/* JSON has no unsigned 64-bit numbers: large ones are texts. */
static json_t *random_u64(void)
{
    char text[24];
    uint64_t number = (uint64_t)random_next() << 32 | random_next();
    snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
    return number > INT64_MAX ? json_string(text) : json_integer((json_int_t)number);
}

static json_t *random_basic(const char *kind);

/* As it comes back: no zero at its end. */
static json_t *random_decimal(void)
{
    char text[24];
    snprintf(text, sizeof(text), "%d.%u", (int16_t)random_next(), 1 + random_next() % 9);
    return json_string(text);
}

/* Of two dimensions, one of which has one element. */
static json_t *random_form(json_t *items)
{
    size_t n = json_array_size(items);
    return json_pack("{s:[[i,i],[i,i]], s:o}", "bounds", -1, (int)n, (int)(random_next() % 9), 1,
                     "items", items);
}

/* A plain value, or one that says its type. */
static json_t *random_variant(unsigned depth)
{
    static const char *const names[] = {"i1",   "ui1", "i2",   "ui2",     "ui4",  "int",
                                        "uint", "cy",  "date", "decimal", "error"};
    static const char *const kinds_of[] = {"i8",  "u8", "i16",  "u16",     "u32",    "i32",
                                           "u32", "cy", "date", "decimal", "hresult"};
    size_t i = random_next() % (sizeof(names) / sizeof(names[0]));
    json_t *items = json_array();
    for (unsigned n = random_next() % 4; depth > 0 && n > 0; n--)
        json_array_append_new(items, random_variant(depth - 1));
    switch (random_next() % 9) {
    case 0:
        json_decref(items);
        return json_null();
    case 1:
        json_decref(items);
        return json_pack("{s:s}", "vt", "null");
    case 2:
        return items;
    case 3:
        return json_pack("{s:s, s:o}", "vt", "variant[]", "value", random_form(items));
    case 4:
        json_array_clear(items);
        json_array_append_new(items, random_basic(kinds_of[i]));
        char name[16];
        snprintf(name, sizeof(name), "%s[]", names[i]);
        return json_pack("{s:s, s:o}", "vt", name, "value", random_form(items));
    case 5:
        json_decref(items);
        return random_basic("bool");
    case 6:
        json_decref(items);
        return random_basic("i32");
    case 7:
        json_decref(items);
        return random_basic("string8");
    default:
        json_decref(items);
        return json_pack("{s:s, s:o}", "vt", names[i], "value", random_basic(kinds_of[i]));
    }
}

static json_t *random_basic(const char *kind)
{
    static const char *const texts[] = {"", "a", "plain text", "\xc3\xa4\xc3\xb6",
                                        "\xf0\x9f\x9a\x82!"};
    if (!strcmp(kind, "i8"))
        return json_integer((int8_t)random_next());
    if (!strcmp(kind, "u8"))
        return json_integer((uint8_t)random_next());
    if (!strcmp(kind, "i16"))
        return json_integer((int16_t)random_next());
    if (!strcmp(kind, "u16") || !strcmp(kind, "wchar"))
        return json_integer((uint16_t)random_next());
    if (!strcmp(kind, "i32") || !strcmp(kind, "hresult"))
        return json_integer((int32_t)random_next());
    if (!strcmp(kind, "u32"))
        return json_integer(random_next());
    if (!strcmp(kind, "i64"))
        return json_integer((int64_t)((uint64_t)random_next() << 32 | random_next()));
    if (!strcmp(kind, "u64"))
        return random_u64();
    if (!strcmp(kind, "f32") || !strcmp(kind, "f64"))
        return json_real((double)(int16_t)random_next() / 4);
    if (!strcmp(kind, "bool"))
        return json_boolean(random_next() % 2);
    if (!strcmp(kind, "guid")) {
        char text[40];
        snprintf(text, sizeof(text), "{%08X-%04X-%04X-%04X-%08X%04X}", random_next(),
                 random_next() & 0xFFFF, random_next() & 0xFFFF, random_next() & 0xFFFF,
                 random_next(), random_next() & 0xFFFF);
        return json_string(text);
    }
    if (!strcmp(kind, "cy") || !strcmp(kind, "decimal"))
        return random_decimal();
    if (!strcmp(kind, "date"))
        return json_real((double)(int16_t)random_next() / 4);
    if (!strcmp(kind, "variant"))
        return random_variant(random_next() % 3);
    if (!strcmp(kind, "bstr") && random_next() % 8 == 0)
        return json_null();
    return json_string(texts[random_next() % 5]);
}

static json_t *random_list(json_t *lib, json_t *element, size_t n, json_t *others)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, random_value(lib, element, others));
    return list;
}

/* --- what says how many elements there are, or which arm it is --- */

static json_int_t evaluate(json_t *expression, json_t *others)
{
    if (json_is_integer(expression))
        return json_integer_value(expression);
    if (json_is_string(expression))
        return json_integer_value(json_object_get(others, json_string_value(expression)));
    json_int_t left = evaluate(json_array_get(expression, 0), others);
    json_int_t right = evaluate(json_array_get(expression, 2), others);
    const char *op = json_string_value(json_array_get(expression, 1));
    switch (op[0]) {
    case '+':
        return left + right;
    case '-':
        return left - right;
    case '*':
        return left * right;
    case '/':
        return left / right;
    case '%':
        return left % right;
    default:
        return op[0] == '<' ? left << right : left >> right;
    }
}

static bool is_operand(json_t *expression, const char *name)
{
    if (json_is_string(expression))
        return !strcmp(json_string_value(expression), name);
    return json_is_array(expression) && (is_operand(json_array_get(expression, 0), name) ||
                                         is_operand(json_array_get(expression, 2), name));
}

/* The type by which another one is made. */
static json_t *find_user(json_t *members, const char *key, const char *name)
{
    size_t i;
    json_t *member;
    json_array_foreach(members, i, member)
    {
        json_t *type = json_object_get(member, "type");
        if (is_operand(json_object_get(type, key), name))
            return type;
    }
    return NULL;
}

/* A discriminant: one of those that the union has, or another, if there is a default. */
static json_t *random_choice(json_t *lib, json_t *type, json_t *own_type)
{
    json_t *all = json_array();
    size_t i, j;
    json_t *arm, *value;
    const char *name = json_string_value(json_object_get(type, "union"));
    json_array_foreach(json_object_get(find_named(json_object_get(lib, "unions"), name), "arms"), i,
                       arm)
    {
        json_array_foreach(json_object_get(arm, "cases"), j, value)
        {
            json_array_append(all, value);
        }
        if (json_is_true(json_object_get(arm, "default")))
            json_array_append_new(all, json_integer(101));
    }
    json_t *chosen = json_incref(json_array_get(all, random_next() % json_array_size(all)));
    json_decref(all);
    /* Enums come back by their names. */
    const char *list = json_string_value(json_object_get(own_type, "enum"));
    json_t *enums = json_object_get(lib, "enums");
    json_array_foreach(list ? json_object_get(find_named(enums, list), "values") : NULL, i, value)
    {
        if (json_equal(json_object_get(value, "value"), chosen)) {
            json_decref(chosen);
            return json_incref(json_object_get(value, "name"));
        }
    }
    return chosen;
}

/* As a number, whether it is one or an enum's name. */
static json_int_t choice_value(json_t *lib, json_t *choice)
{
    size_t i;
    json_t *list, *entry;
    if (json_is_integer(choice))
        return json_integer_value(choice);
    json_array_foreach(json_object_get(lib, "enums"), i, list)
    {
        entry = find_named(json_object_get(list, "values"), json_string_value(choice));
        if (entry)
            return json_integer_value(json_object_get(entry, "value"));
    }
    return 0;
}

static json_t *random_union(json_t *lib, json_t *type, json_t *others)
{
    const char *name = json_string_value(json_object_get(type, "union"));
    json_t *arms = json_object_get(find_named(json_object_get(lib, "unions"), name), "arms");
    const char *switch_is = json_string_value(json_object_get(type, "switch_is"));
    json_int_t which = choice_value(lib, json_object_get(others, switch_is));
    size_t i, j;
    json_t *arm, *value, *chosen = NULL, *other = NULL;
    json_array_foreach(arms, i, arm)
    {
        json_array_foreach(json_object_get(arm, "cases"), j, value)
        {
            if (json_integer_value(value) == which)
                chosen = arm;
        }
        if (json_is_true(json_object_get(arm, "default")))
            other = arm;
    }
    chosen = chosen ? chosen : other;
    json_t *content = json_object_get(chosen, "type");
    if (!content)
        return json_null();
    json_t *made = json_object();
    json_object_set_new(made, json_string_value(json_object_get(chosen, "name")),
                        json_object_get(content, "interface") ? json_null()
                                                              : random_value(lib, content, NULL));
    return made;
}

/* One that others are made by and that cannot be filled in: a discriminant, a part of an
 * expression, an IID. NULL: it is an ordinary one. */
static json_t *random_needed(json_t *lib, json_t *members, json_t *member)
{
    const char *name = json_string_value(json_object_get(member, "name"));
    json_t *user = find_user(members, "switch_is", name);
    if (user)
        return random_choice(lib, user, json_object_get(member, "type"));
    if ((user = find_user(members, "iid_is", name))) {
        json_t *callback_type = find_named(json_object_get(lib, "interfaces"), "IRandomCallback");
        return json_incref(json_object_get(callback_type, "iid"));
    }
    bool counts =
        find_user(members, "size_is", name) != NULL || find_user(members, "length_is", name);
    return counts ? json_integer(random_next() % 5) : NULL;
}

/* Fields that count others are left out: they are filled in. */
static bool is_size(json_t *fields, const char *name)
{
    size_t i;
    json_t *field;
    json_array_foreach(fields, i, field)
    {
        json_t *type = json_object_get(field, "type");
        const char *size = json_string_value(json_object_get(type, "size_is"));
        const char *length = json_string_value(json_object_get(type, "length_is"));
        if ((size && !strcmp(size, name)) || (length && !strcmp(length, name)))
            return true;
    }
    return false;
}

static json_t *random_struct(json_t *lib, const char *name)
{
    json_t *fields = json_object_get(find_named(json_object_get(lib, "structs"), name), "fields");
    json_t *value = json_object();
    size_t i;
    json_t *field;
    json_array_foreach(fields, i, field)
    {
        const char *field_name = json_string_value(json_object_get(field, "name"));
        json_t *needed = is_size(fields, field_name) ? NULL : random_needed(lib, fields, field);
        if (needed)
            json_object_set_new(value, field_name, needed);
    }
    json_array_foreach(fields, i, field)
    {
        const char *field_name = json_string_value(json_object_get(field, "name"));
        if (!is_size(fields, field_name) && !json_object_get(value, field_name))
            json_object_set_new(value, field_name,
                                random_value(lib, json_object_get(field, "type"), value));
    }
    return value;
}

static json_t *random_enum(json_t *lib, const char *name)
{
    json_t *values = json_object_get(find_named(json_object_get(lib, "enums"), name), "values");
    json_t *entry = json_array_get(values, random_next() % json_array_size(values));
    return json_incref(json_object_get(entry, "name"));
}

/* As many as the type says, or as can be. */
static size_t random_count(json_t *type, json_t *others)
{
    json_t *size = json_object_get(type, "size_is");
    json_t *length = json_object_get(type, "length_is");
    json_t *count = json_object_get(type, "count");
    if (length && !json_is_string(length))
        return (size_t)evaluate(length, others);
    if (count)
        return length ? random_next() % (size_t)(json_integer_value(count) + 1)
                      : (size_t)json_integer_value(count);
    return json_is_string(size) ? random_next() % 5 : (size_t)evaluate(size, others);
}

/* Structs may point to themselves: so deep. */
#define MAX_POINTERS 8

static json_t *random_value(json_t *lib, json_t *type, json_t *others)
{
    static unsigned depth;
    json_t *part = json_is_string(type) ? type : json_object_get(type, "type");
    if (part) {
        count_kind(json_string_value(part));
        return random_basic(json_string_value(part));
    }
    const char *kind = json_object_iter_key(json_object_iter(type));
    part = json_object_get(type, kind);
    count_kind(kind);
    if (!strcmp(kind, "enum"))
        return random_enum(lib, json_string_value(part));
    if (!strcmp(kind, "struct"))
        return random_struct(lib, json_string_value(part));
    if (!strcmp(kind, "union"))
        return random_union(lib, type, others);
    if (!strcmp(kind, "array") || !strcmp(kind, "sized"))
        return random_list(lib, part, random_count(type, others), others);
    if (!strcmp(kind, "safearray") && random_next() % 4)
        return random_next() % 2 ? random_form(random_list(lib, part, random_next() % 5, NULL))
                                 : random_list(lib, part, random_next() % 5, NULL);
    if (random_next() % 4 == 0 || !strcmp(kind, "safearray") || depth == MAX_POINTERS)
        return json_null();
    if (strcmp(kind, "pointer"))
        return json_string("callback");
    depth++;
    json_t *value = random_value(lib, part, others);
    depth--;
    return value;
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
    return json_is_true(json_object_get(param, "in")) && !is_size(params, name);
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
        json_t *value =
            is_null ? json_null() : random_value(lib, json_object_get(param, "type"), arguments);
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
    random_state = strtoull(argv[2], NULL, 10);
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
    n_failed += !all_kinds_were_there() + !callback_was_used_and_released();
    printf("%u calls echoed, %u failed\n", n_echoed, n_failed);
    return n_failed > 0 || n_calls == 0;
}
