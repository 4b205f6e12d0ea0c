/*
 * Random values by type, as JSON: from the description of an interface alone. What the values of a
 * run have had in them is counted by kind, since a seed that leaves one out tests less.
 */
#include "values.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t random_state;

void random_seed(uint64_t seed)
{
    random_state = seed;
}

uint32_t random_next(void)
{
    uint64_t x = (random_state += 0x9E3779B97F4A7C15u);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)(x >> 32);
}

json_t *find_named(json_t *list, const char *name)
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

bool random_had_all_kinds(void)
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

json_t *random_needed(json_t *lib, json_t *members, json_t *member)
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
bool random_is_size(json_t *fields, const char *name)
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
        json_t *needed =
            random_is_size(fields, field_name) ? NULL : random_needed(lib, fields, field);
        if (needed)
            json_object_set_new(value, field_name, needed);
    }
    json_array_foreach(fields, i, field)
    {
        const char *field_name = json_string_value(json_object_get(field, "name"));
        if (!random_is_size(fields, field_name) && !json_object_get(value, field_name))
            json_object_set_new(value, field_name,
                                random_value(lib, json_object_get(field, "type"), value));
    }
    return value;
}

/* A VARIANT that holds a struct. */
static json_t *random_record(json_t *lib)
{
    json_t *structs = json_object_get(lib, "structs");
    json_t *chosen = json_array_get(structs, random_next() % json_array_size(structs));
    const char *library = json_string_value(json_object_get(lib, "name"));
    const char *name = json_string_value(json_object_get(chosen, "name"));
    return json_pack("{s:s, s:s++, s:o}", "vt", "record", "struct", library, ".", name, "value",
                     random_struct(lib, name));
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

/* Structs with VARIANTs that hold structs: so deep. */
#define MAX_RECORDS 2

json_t *random_value(json_t *lib, json_t *type, json_t *others)
{
    static unsigned depth, n_records;
    json_t *part = json_is_string(type) ? type : json_object_get(type, "type");
    if (part) {
        bool is_variant = !strcmp(json_string_value(part), "variant");
        count_kind(json_string_value(part));
        if (!is_variant || n_records == MAX_RECORDS || random_next() % 4)
            return random_basic(json_string_value(part));
        n_records++;
        json_t *record = random_record(lib);
        n_records--;
        return record;
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
    if (!strcmp(kind, "safearray") && json_object_get(part, "interface"))
        return random_list(lib, part, random_next() % 5, NULL);
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
