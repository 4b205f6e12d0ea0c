/* com/typelib: every rule of the validation, the JSON form from strangers, the catalogue. */
#include "com/typelib/typelib.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A small, valid library that each test may change. */
enum { T_I32, T_BSTR, T_STRUCT, T_SIZED, T_INTERFACE, T_ENUM, T_ARRAY, N_TYPES };
enum { I_UNKNOWN, I_ONE, I_TWO, N_INTERFACES };

struct sample {
    struct via_type types[N_TYPES];
    struct via_field fields[3];
    struct via_struct structs[1];
    struct via_enumerator values[2];
    struct via_enum enums[1];
    struct via_param params[4];
    struct via_method methods[2];
    struct via_interface interfaces[N_INTERFACES];
    struct via_coclass_interface members[1];
    struct via_coclass coclasses[1];
    struct via_typelib lib;
};

#define NONE VIA_NO_INDEX
#define IID_ONE                       \
    {                                 \
        0x1a2b3c4d, 0x0001, 0x4000,   \
        {                             \
            0x80, 0, 0, 0, 0, 0, 0, 1 \
        }                             \
    }
#define IID_TWO                       \
    {                                 \
        0x1a2b3c4d, 0x0002, 0x4000,   \
        {                             \
            0x80, 0, 0, 0, 0, 0, 0, 2 \
        }                             \
    }

static void sample_init(struct sample *s)
{
    static const struct sample initial = {
        .types = {[T_I32] = {VIA_TYPE_I32, 0, 0, 0, NONE, NONE, 0, 0, 0},
                  [T_BSTR] = {VIA_TYPE_BSTR, 0, 0, 0, NONE, NONE, 0, 0, 0},
                  [T_STRUCT] = {VIA_TYPE_STRUCT, 0, 0, 0, 0, NONE, 0, 0, 0},
                  [T_SIZED] = {VIA_TYPE_SIZED, VIA_TYPE_NULLABLE, VIA_SIZE_PARAM, 0, NONE, T_I32, 0,
                               0, 0},
                  [T_INTERFACE] = {VIA_TYPE_INTERFACE, 0, 0, 0, I_TWO, NONE, 0, 0, 0},
                  [T_ENUM] = {VIA_TYPE_ENUM, 0, 0, 0, 0, NONE, 0, 0, 0},
                  [T_ARRAY] = {VIA_TYPE_ARRAY, 0, 0, 0, NONE, T_I32, 0, 0, 4}},
        .fields = {{"a", T_I32}, {"b", T_BSTR}, {"c", T_ARRAY}},
        .values = {{"RED", 1}, {"GREEN", 2}},
        .params = {{"n", T_I32, VIA_PARAM_IN, NULL},
                   {"values", T_SIZED, VIA_PARAM_IN, NULL},
                   {"record", T_STRUCT, VIA_PARAM_IN | VIA_PARAM_BY_REF, NULL},
                   {"sum", T_I32, VIA_PARAM_OUT | VIA_PARAM_RETVAL | VIA_PARAM_BY_REF, NULL}},
        .interfaces = {[I_UNKNOWN] = {"IUnknown",
                                      {0, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}},
                                      NONE,
                                      VIA_INTERFACE_EXTERNAL,
                                      0,
                                      NULL,
                                      NULL},
                       [I_ONE] = {"IOne", IID_ONE, I_UNKNOWN, 0, 2, NULL, NULL},
                       [I_TWO] = {"ITwo", IID_TWO, I_ONE, 0, 0, NULL, NULL}},
        .members = {{I_ONE, VIA_COCLASS_DEFAULT}},
    };

    *s = initial;
    s->structs[0] = (struct via_struct){"Record", 3, s->fields, NULL};
    s->enums[0] = (struct via_enum){"Color", 2, s->values, NULL};
    s->methods[0] = (struct via_method){"Sum", 1, 0, 4, s->params, NULL};
    s->methods[1] = (struct via_method){"Nothing", 2, 0, 0, NULL, NULL};
    s->interfaces[I_ONE].methods = s->methods;
    s->coclasses[0] = (struct via_coclass){"Thing", IID_ONE, 0, 1, s->members, NULL};
    s->lib = (struct via_typelib){.abi = VIA_TYPELIB_ABI,
                                  .size = sizeof(struct via_typelib),
                                  .name = "sample",
                                  .version_major = 1,
                                  .n_types = N_TYPES,
                                  .n_structs = 1,
                                  .n_enums = 1,
                                  .n_interfaces = N_INTERFACES,
                                  .n_coclasses = 1,
                                  .types = s->types,
                                  .structs = s->structs,
                                  .enums = s->enums,
                                  .interfaces = s->interfaces,
                                  .coclasses = s->coclasses};
}

TEST(a_good_library_is_accepted)
{
    struct sample s;

    sample_init(&s);
    CHECK_OK(typelib_check(&s.lib));
    CHECK_EQ(typelib_layout(&s.lib, T_STRUCT).size, 32);
    CHECK_EQ(typelib_field_offset(&s.lib, 0, 2), 16);
}

/* Breaks one rule; the message has to have `part`. */
#define REFUSED(part, ...)                                \
    do {                                                  \
        struct sample s;                                  \
        sample_init(&s);                                  \
        __VA_ARGS__;                                      \
        if (!CHECK_HR(typelib_check(&s.lib), VIA_E_TYPE)) \
            harness_note("accepted: " #__VA_ARGS__);      \
        else                                              \
            check_message(part);                          \
        error_clear();                                    \
    } while (0)

static void check_message(const char *part)
{
    char text[ERROR_TEXT_SIZE];

    CHECK_STR_HAS(error_format(error_get(), VIA_E_TYPE, text, sizeof(text)), part);
}

TEST(wrong_tables_are_refused)
{
    REFUSED("version 1", s.lib.abi = 1);
    REFUSED("bytes", s.lib.size = 8);
    REFUSED("no name", s.lib.name = NULL);
    REFUSED("more than", s.lib.n_interfaces = 3000);
    REFUSED("more than", s.lib.n_types = 20000);
}

TEST(wrong_types_are_refused)
{
    REFUSED("unknown kind", s.types[T_I32].kind = 0);
    REFUSED("unknown kind", s.types[T_I32].kind = VIA_TYPE_OPAQUE + 1);
    REFUSED("flags", s.types[T_I32].flags = VIA_TYPE_NULLABLE);
    REFUSED("flags", s.types[T_SIZED].flags = 0x80);
    REFUSED("length stands", s.types[T_SIZED].length_from = VIA_SIZE_CONST);
    REFUSED("names struct", s.types[T_STRUCT].index = 1);
    REFUSED("names enum", s.types[T_ENUM].index = 1);
    REFUSED("names interface", s.types[T_INTERFACE].index = N_INTERFACES);
    REFUSED("names type", s.types[T_SIZED].element = N_TYPES);
    REFUSED("nested", s.types[T_SIZED].element = T_SIZED);
    REFUSED("array of 0", s.types[T_ARRAY].count = 0);
    REFUSED("array of", s.types[T_ARRAY].count = 1u << 30);
    REFUSED("holds itself", s.types[T_ARRAY].element = T_STRUCT);
    REFUSED("larger than", s.types[T_ARRAY].count = TYPELIB_MAX_VALUE_SIZE);
    /* of which no type is, so that only a VARIANT could hold one */
    REFUSED("struct Record is larger than", s.types[T_STRUCT] = s.types[T_I32],
            s.types[T_ARRAY].count = TYPELIB_MAX_VALUE_SIZE / 20, s.fields[0].type = T_ARRAY,
            s.fields[1].type = T_ARRAY);
    REFUSED("number of elements", s.types[T_SIZED].size_from = 0);
    REFUSED("number of elements", s.types[T_SIZED].size_from = VIA_SIZE_EXPRESSION + 1);
}

TEST(wrong_records_are_refused)
{
    REFUSED("no fields", s.structs[0].n_fields = 0);
    REFUSED("no valid name", s.structs[0].name = "1st");
    REFUSED("no valid name", s.fields[1].name = "a b");
    REFUSED("no valid name", s.fields[1].name = "");
    REFUSED("unknown type", s.fields[1].type = N_TYPES);
    REFUSED("same struct", s.fields[1].type = T_SIZED);
    REFUSED("same struct", s.types[T_SIZED].size_from = VIA_SIZE_FIELD; s.fields[1].type = T_SIZED;
            s.types[T_SIZED].size_index = 3; s.params[1].type = T_I32);
    REFUSED("not an integer", s.types[T_SIZED].size_from = VIA_SIZE_FIELD;
            s.fields[0].type = T_SIZED; s.types[T_SIZED].size_index = 1; s.params[1].type = T_I32);
    REFUSED("no valid name", s.values[0].name = "\xc3\xa4");
    REFUSED("no valid name", s.enums[0].name = NULL);
}

TEST(wrong_methods_are_refused)
{
    REFUSED("no valid name", s.methods[0].name = "a.b");
    REFUSED("unknown flags", s.methods[0].flags = 0x80);
    REFUSED("IOne.SUM is there twice", s.methods[1].name = "SUM");
    REFUSED("the other one in IUnknown", s.methods[1].name = "release");
    REFUSED("ITwo.Sum is there twice, the other one in IOne", s.interfaces[I_TWO].n_methods = 1;
            s.interfaces[I_TWO].methods = s.methods);
    REFUSED("IOne.get_Sum is there twice", s.methods[0].flags = VIA_METHOD_PROPGET;
            s.methods[1].name = "get_Sum");
    REFUSED("no valid name", s.params[0].name = "*");
    REFUSED("unknown type", s.params[0].type = N_TYPES);
    REFUSED("neither in nor out", s.params[0].flags = 0);
    REFUSED("unknown flags", s.params[0].flags = 0x80 | VIA_PARAM_IN);
    REFUSED("not by reference", s.params[3].flags = VIA_PARAM_OUT);
    REFUSED("array by value", s.params[2].type = T_ARRAY; s.params[2].flags = VIA_PARAM_IN);
    REFUSED("retval", s.params[2].flags = VIA_PARAM_OUT | VIA_PARAM_RETVAL | VIA_PARAM_BY_REF);
    REFUSED("nullable", s.params[0].flags = VIA_PARAM_IN | VIA_PARAM_NULLABLE);
    REFUSED("one-way", s.methods[0].flags = VIA_METHOD_ONEWAY);
    REFUSED("in place", s.params[0].flags = VIA_PARAM_IN | VIA_PARAM_IN_PLACE);
    REFUSED("struct or method", s.types[T_SIZED].size_index = 4);
    REFUSED("not an integer", s.types[T_SIZED].size_index = 2);
    REFUSED("not an [in]", s.types[T_SIZED].size_index = 3);
    REFUSED("may be NULL",
            s.params[0].flags = VIA_PARAM_IN | VIA_PARAM_BY_REF | VIA_PARAM_NULLABLE);
    /* An array's size counts where the array is an element, too. */
    REFUSED("not an integer", s.types[T_SIZED].size_index = 2; s.types[T_ARRAY].element = T_SIZED;
            s.params[1].type = T_ARRAY; s.params[1].flags = VIA_PARAM_IN | VIA_PARAM_BY_REF;
            s.structs[0].n_fields = 2);
    REFUSED("parameters", s.methods[0].n_params = TYPELIB_MAX_PARAMS + 1);
}

/* What is said for callers by name, and for people. */
TEST(wrong_attributes_are_refused)
{
    static const struct via_constant text = {VIA_CONSTANT_TEXT, 0, 0, "text"};
    static const struct via_constant five = {VIA_CONSTANT_INTEGER, 5, 0, NULL};
    static const struct via_constant both = {VIA_CONSTANT_INTEGER, 5, 0, "text"};
    static const struct via_constant bell = {VIA_CONSTANT_TEXT, 0, 0, "\a"};

    REFUSED("a default value, but not in and optional", s.params[0].default_value = &five);
    REFUSED("its default value is not of its type", s.params[0].default_value = &text;
            s.params[0].flags |= VIA_PARAM_OPTIONAL);
    REFUSED("its default value is no number and no text", s.params[0].default_value = &both;
            s.params[0].flags |= VIA_PARAM_OPTIONAL);
    REFUSED("its default value is no number and no text", s.params[0].default_value = &bell;
            s.params[0].flags |= VIA_PARAM_OPTIONAL);
    REFUSED("optional, but there is nothing of its type", s.params[2].flags |= VIA_PARAM_OPTIONAL);
    REFUSED("vararg, but its last argument", s.methods[0].flags = VIA_METHOD_VARARG);
    REFUSED("the help of Sum", s.methods[0].help = "\xff");
    REFUSED("the help of IOne", s.interfaces[I_ONE].help = "\r");
    REFUSED("the help of Thing", s.coclasses[0].help = "\x01");
    REFUSED("IOne has unknown flags", s.interfaces[I_ONE].flags = 0x80);
    REFUSED("the dispinterface IOne is not one of IDispatch alone",
            s.interfaces[I_ONE].flags = VIA_INTERFACE_DISPINTERFACE);
    REFUSED(
        "ITwo is built on the dispinterface IOne", s.interfaces[I_UNKNOWN].iid.Data1 = 0x00020400;
        s.interfaces[I_ONE].n_methods = 0; s.interfaces[I_ONE].flags = VIA_INTERFACE_DISPINTERFACE);
}

TEST(wrong_interfaces_are_refused)
{
    REFUSED("no valid name", s.interfaces[I_ONE].name = "I One");
    REFUSED("derive from IUnknown", s.interfaces[I_ONE].base = NONE);
    REFUSED("do not end at IUnknown", s.interfaces[I_ONE].base = I_TWO);
    REFUSED("do not end at IUnknown", s.interfaces[I_TWO].base = 77);
    REFUSED("same IID", s.interfaces[I_TWO].iid = s.interfaces[I_ONE].iid);
    REFUSED("described elsewhere", s.interfaces[I_ONE].flags = VIA_INTERFACE_EXTERNAL);
    REFUSED("built in", s.interfaces[I_UNKNOWN].flags = 0);
    REFUSED("unknown interface", s.members[0].interface_index = N_INTERFACES);
    REFUSED("no valid name", s.coclasses[0].name = "");
}

TEST(methods_are_listed_with_their_bases)
{
    struct sample s;
    struct typelib_method *methods;
    size_t n;
    uint16_t slot;

    sample_init(&s);
    s.methods[1].name = "Other";
    s.interfaces[I_ONE].n_methods = 1;
    s.interfaces[I_TWO].n_methods = 1;
    s.interfaces[I_TWO].methods = &s.methods[1];
    CHECK_OK(typelib_first_slot(&s.lib, I_TWO, &slot));
    CHECK_EQ(slot, 4);
    REQUIRE_OK(typelib_methods(&s.lib, I_TWO, &methods, &n));
    CHECK_EQ(n, 2);
    CHECK_STR_EQ(methods[0].method->name, "Sum");
    CHECK_EQ(methods[0].slot, 3);
    CHECK_STR_EQ(methods[1].method->name, "Other");
    CHECK_EQ(methods[1].slot, 4);
    free(methods);
}

TEST(a_description_does_not_depend_on_the_tables_order)
{
    struct sample a, b;
    uint8_t hash_a[TYPELIB_HASH_SIZE], hash_b[TYPELIB_HASH_SIZE];

    sample_init(&a);
    sample_init(&b);
    struct via_type spare = b.types[T_I32];
    b.types[T_I32] = b.types[T_BSTR];
    b.types[T_BSTR] = spare;
    b.types[T_SIZED].element = b.types[T_ARRAY].element = T_BSTR;
    b.fields[0].type = b.params[0].type = b.params[3].type = T_BSTR;
    b.fields[1].type = T_I32;
    CHECK_OK(typelib_check(&b.lib));
    CHECK_OK(typelib_hash(&a.lib, I_ONE, hash_a));
    CHECK_OK(typelib_hash(&b.lib, I_ONE, hash_b));
    CHECK_MEM_EQ(hash_a, hash_b, TYPELIB_HASH_SIZE);
    b.values[0].value = 7;
    b.types[T_STRUCT].kind = VIA_TYPE_ENUM;
    CHECK_OK(typelib_hash(&b.lib, I_ONE, hash_b));
    CHECK(memcmp(hash_a, hash_b, TYPELIB_HASH_SIZE) != 0);
}

/* The catalogue keeps what it is given, so it is given what lives as long as the process. */
TEST(the_catalogue_knows_one_description_of_each_interface)
{
    static struct sample known;
    struct sample same, other;
    const struct via_typelib *lib;
    uint16_t index;
    GUID unknown = IID_ONE;
    char text[ERROR_TEXT_SIZE];

    if (!known.lib.abi)
        sample_init(&known);
    sample_init(&same);
    sample_init(&other);
    CHECK_OK(typelib_catalog_add(&known.lib));
    CHECK_OK(typelib_catalog_add(&same.lib));
    CHECK_OK(typelib_catalog_find(&known.interfaces[I_TWO].iid, &lib, &index));
    CHECK_PTR_EQ(lib, &known.lib);
    CHECK_EQ(index, I_TWO);
    other.methods[1].name = "Renamed";
    CHECK_HR(typelib_catalog_add(&other.lib), VIA_E_MISMATCH);
    error_format(error_get(), VIA_E_MISMATCH, text, sizeof(text));
    CHECK_STR_HAS(text, "IOne");
    CHECK_STR_HAS(text, "needs a new IID");
    unknown.Data1++;
    CHECK_HR(typelib_catalog_find(&unknown, &lib, &index), REGDB_E_IIDNOTREG);
    CHECK_STR_HAS(error_get()->text, "{1A2B3C4E-0001-4000-8000-000000000001}");
    error_clear();
}

/* As a peer sends it; the method of IOne has another name. */
static struct via_typelib *wrong_library(const struct sample *genuine)
{
    struct via_typelib *lib = NULL;
    struct sample wrong = *genuine;
    char *json = NULL;

    sample_init(&wrong);
    for (int i = I_ONE; i <= I_TWO; i++)
        wrong.interfaces[i].iid = genuine->interfaces[i].iid;
    wrong.methods[1].name = "Wrong";
    CHECK_OK(typelib_to_json(&wrong.lib, 0, &json));
    CHECK_OK(typelib_from_json(json, strlen(json), &lib));
    free(json);
    return lib;
}

TEST(what_a_peer_said_yields_to_what_is_registered)
{
    static struct sample sample;
    struct sample *genuine = &sample;
    const struct via_typelib *lib, *adopted;
    struct via_typelib *mixed;
    uint16_t index;

    if (genuine->lib.abi)
        return; /* the catalogue keeps what it has, so this can be done once */
    sample_init(genuine);
    for (int i = I_ONE; i <= I_TWO; i++)
        genuine->interfaces[i].iid.Data1 += 100;
    CHECK_OK(typelib_catalog_adopt(wrong_library(genuine)));
    CHECK_OK(typelib_catalog_find(&genuine->interfaces[I_ONE].iid, &adopted, &index));
    CHECK_OK(typelib_catalog_add(&genuine->lib));
    CHECK_OK(typelib_catalog_find(&genuine->interfaces[I_ONE].iid, &lib, &index));
    CHECK_PTR_EQ(lib, &genuine->lib);
    CHECK_STR_EQ(adopted->interfaces[index].methods[1].name, "Wrong"); /* who uses it still may */
    CHECK_HR(typelib_catalog_adopt(wrong_library(genuine)), VIA_E_MISMATCH);
    CHECK_OK(typelib_catalog_find(&genuine->interfaces[I_ONE].iid, &lib, &index));
    CHECK_PTR_EQ(lib, &genuine->lib);
    /* What else is in such a library is taken all the same. */
    mixed = wrong_library(genuine);
    ((struct via_interface *)mixed->interfaces)[I_TWO].iid.Data1 += 7;
    CHECK_OK(typelib_catalog_adopt(mixed));
    CHECK_OK(typelib_catalog_find(&mixed->interfaces[I_TWO].iid, &lib, &index));
    CHECK_PTR_EQ(lib, mixed);
    CHECK_OK(typelib_catalog_find(&genuine->interfaces[I_ONE].iid, &lib, &index));
    CHECK_PTR_EQ(lib, &genuine->lib);
    error_clear();
}

/* --- from strangers --- */

static HRESULT read_json(const char *text)
{
    struct via_typelib *lib;
    HRESULT hr = typelib_from_json(text, strlen(text), &lib);

    if (SUCCEEDED(hr))
        typelib_free(lib);
    error_clear();
    return hr;
}

TEST(json_that_is_no_type_library_is_refused)
{
    static const char *const bad[] = {"",
                                      "null",
                                      "[]",
                                      "{}",
                                      "{\"viaduct_typelib\": 1}",
                                      "{\"viaduct_typelib\": 2, \"name\": \"x\"}",
                                      "{\"viaduct_typelib\": 1, \"name\": \"x\", \"libid\": "
                                      "\"{}\", \"version\": [1, 0], \"enums\": [], "
                                      "\"structs\": [], \"interfaces\": [], \"coclasses\": []}",
                                      "{\"viaduct_typelib\": 1, \"name\": 5, \"libid\": "
                                      "\"1a2b3c4d-0001-4000-8000-000000000001\", "
                                      "\"version\": [1, 0], \"enums\": [], \"structs\": [], "
                                      "\"interfaces\": [], \"coclasses\": []}",
                                      "{\"viaduct_typelib\": 1, \"name\": \"x\", \"libid\": "
                                      "\"1a2b3c4d-0001-4000-8000-000000000001\", "
                                      "\"version\": [1, 0], \"enums\": [5], \"structs\": [], "
                                      "\"interfaces\": [], \"coclasses\": []}"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        CHECK_HR(read_json(bad[i]), VIA_E_TYPE);
}

/* Each struct holds the one before it twice: 2^40 fields, if somebody looked at them one by one. */
TEST(doubling_structs_are_refused_at_once)
{
    struct buffer text;

    buffer_init(&text, 1 << 20);
    buffer_print(&text,
                 "{\"viaduct_typelib\": 1, \"name\": \"x\", \"libid\": "
                 "\"1a2b3c4d-0001-4000-8000-000000000001\", \"version\": [1, 0], \"enums\": [], "
                 "\"interfaces\": [], \"coclasses\": [], \"structs\": ["
                 "{\"name\": \"s0\", \"fields\": [{\"name\": \"a\", \"type\": \"i32\"}]}");
    for (unsigned i = 1; i <= 40; i++)
        buffer_print(&text,
                     ", {\"name\": \"s%u\", \"fields\": [{\"name\": \"a\", \"type\": {\"struct\": "
                     "\"s%u\"}}, "
                     "{\"name\": \"b\", \"type\": {\"struct\": \"s%u\"}}]}",
                     i, i - 1, i - 1);
    buffer_print(&text, "]}");
    char *json = buffer_take_text(&text);
    buffer_deinit(&text);
    REQUIRE_NOT_NULL(json);
    CHECK_HR(read_json(json), VIA_E_TYPE);
    free(json);
}

/* What types need to know of their neighbours: sizes that are computed, lengths, discriminants,
 * IIDs. */
static const char needy_json[] =
    "{\"viaduct_typelib\": 1, \"name\": \"needy\", \"libid\": "
    "\"1a2b3c4d-0001-4000-8000-000000000002\", \"version\": [1, 0], \"enums\": [], \"structs\": ["
    "{\"name\": \"Record\", \"fields\": [{\"name\": \"n\", \"type\": \"i32\"}, {\"name\": \"c\", "
    "\"type\": {\"sized\": \"bstr\", \"size_is\": [[\"n\", \"*\", 2], \"+\", 1], \"length_is\": "
    "\"n\", "
    "\"nullable\": true}}, {\"name\": \"u\", \"type\": {\"union\": \"U\", \"switch_is\": \"n\"}}, "
    "{\"name\": \"a\", \"type\": {\"array\": \"i32\", \"count\": 4, \"length_is\": [\"n\", \"%\", "
    "5]}}]}], \"unions\": [{\"name\": \"U\", \"arms\": [{\"cases\": [1, 2], \"name\": \"a\", "
    "\"type\": "
    "\"i32\"}, {\"cases\": [], \"default\": true}, {\"cases\": [-3], \"name\": \"s\", \"type\": "
    "{\"pointer\": {\"struct\": \"Record\"}, \"nullable\": true}}]}], \"interfaces\": [{\"name\": "
    "\"IUnknown\", \"iid\": \"00000000-0000-0000-c000-000000000046\", \"external\": true, "
    "\"methods\": "
    "[]}, {\"name\": \"IOne\", \"iid\": \"1a2b3c4d-0001-4000-8000-000000000003\", \"base\": "
    "\"IUnknown\", \"methods\": [{\"name\": \"M\", \"dispid\": 1, \"params\": [{\"name\": \"iid\", "
    "\"type\": \"guid\", \"in\": true, \"by_ref\": true}, {\"name\": \"n\", \"type\": \"u32\", "
    "\"in\": "
    "true}, {\"name\": \"object\", \"type\": {\"interface\": \"IUnknown\", \"iid_is\": \"iid\"}, "
    "\"out\": true, \"by_ref\": true}, {\"name\": \"list\", \"type\": {\"sized\": {\"struct\": "
    "\"Record\"}, \"size_is\": [\"n\", \"<<\", 1]}, \"in\": true}, {\"name\": \"u\", \"type\": "
    "{\"union\": "
    "\"U\", \"switch_is\": \"n\"}, \"in\": true}]}]}], \"coclasses\": []}";

static char *needy_copy(void)
{
    char *text = malloc(sizeof(needy_json));
    return text ? memcpy(text, needy_json, sizeof(needy_json)) : NULL;
}

/* One part is replaced. */
static void check_needy(const char *part, const char *other, const char *expected)
{
    char text[2 * sizeof(needy_json)], message[ERROR_TEXT_SIZE];
    struct via_typelib *lib;
    const char *at = strstr(needy_json, part);
    REQUIRE_NOT_NULL(at);
    int size = snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - needy_json), needy_json, other,
                        at + strlen(part));
    if (!CHECK_HR(typelib_from_json(text, (size_t)size, &lib), VIA_E_TYPE))
        harness_note("accepted: %s instead of %s", other, part);
    CHECK_STR_HAS(error_format(error_get(), VIA_E_TYPE, message, sizeof(message)), expected);
    error_clear();
}

TEST(what_types_need_has_to_be_there)
{
    CHECK_OK(read_json(needy_json));
    check_needy("[\"n\", \"*\", 2]", "[\"x\", \"*\", 2]", "a reference names nothing");
    check_needy("[\"n\", \"*\", 2]", "[\"u\", \"*\", 2]", "its size is not an integer");
    check_needy("[\"n\", \"*\", 2]", "[\"n\", \"^\", 2]", "an expression is neither");
    check_needy("[\"n\", \"*\", 2]", "[\"n\", \"*\"]", "an expression is neither");
    check_needy("\"length_is\": \"n\"", "\"length_is\": \"c\"", "its length is not an integer");
    check_needy("\"switch_is\": \"n\"", "\"switch_is\": \"c\"",
                "its discriminant is not an integer");
    check_needy("\"switch_is\": \"n\"", "\"switch_is\": 5", "does not say where");
    check_needy("\"iid_is\": \"iid\"", "\"iid_is\": \"n\"", "its IID is not a GUID");
    check_needy("\"union\": \"U\"", "\"union\": \"V\"", "a reference names nothing");
    check_needy("[1, 2]", "[1, -3]", "has two arms for -3");
    check_needy("[1, 2]", "[1, 4294967296]", "a union's case is out of range");
    check_needy("{\"pointer\": {\"struct\": \"Record\"}, \"nullable\": true}",
                "{\"struct\": \"Record\"}", "holds itself");
    check_needy("{\"pointer\": {\"struct\": \"Record\"}, \"nullable\": true}",
                "{\"sized\": \"i32\", \"size_is\": \"n\"}", "a reference names nothing");
    check_needy("\"name\": \"n\", \"type\": \"u32\", \"in\": true",
                "\"name\": \"n\", \"type\": \"u32\", \"out\": true, \"by_ref\": true",
                "is not an [in] parameter");
}

static char *sample_json(void)
{
    struct sample s;
    char *text = NULL;

    sample_init(&s);
    CHECK_OK(typelib_to_json(&s.lib, 0, &text));
    return text;
}

/* What is accepted after a change can be used: described, hashed, written again. */
static void use(const struct via_typelib *lib)
{
    uint8_t hash[TYPELIB_HASH_SIZE];
    char *again = NULL;

    for (uint16_t i = 0; i < lib->n_interfaces; i++)
        typelib_hash(lib, i, hash);
    for (uint16_t i = 0; i < lib->n_types; i++)
        typelib_layout(lib, i);
    if (SUCCEEDED(typelib_to_json(lib, 0, &again)))
        free(again);
}

#define N_MUTANTS 20000

/* How many of the mutants of a text are accepted. */
static unsigned mutate(const char *good)
{
    static const char *const words[] = {"\"i32\"",   "\"bstr\"",  "\"Record\"", "\"IOne\"", "\"n\"",
                                        "\"sum\"",   "0",         "4294967296", "true",     "{}",
                                        "\"sized\"", "\"array\"", "\"record\"", "[]",       "-1"};
    size_t size = strlen(good);
    char *text = malloc(size + 64);
    uint32_t state = 20260102;
    unsigned n_accepted = 0;

    for (unsigned i = 0; text && i < N_MUTANTS; i++) {
        struct via_typelib *lib;
        state = state * 1664525u + 1013904223u;
        const char *word = words[(state >> 8) % (sizeof(words) / sizeof(words[0]))];
        state = state * 1664525u + 1013904223u;
        /* A string or number is replaced by another. */
        const char *at = good + (state >> 8) % size;
        at = at + strcspn(at, "\":,");
        const char *from = *at ? at + (*at != '"') : at;
        size_t n = *from == '"' ? strcspn(from + 1, "\"") + 2 : strcspn(from, ",]}");
        if (from + n > good + size)
            continue;
        int length =
            snprintf(text, size + 64, "%.*s%s%s", (int)(from - good), good, word, from + n);
        if (SUCCEEDED(typelib_from_json(text, (size_t)length, &lib))) {
            n_accepted++;
            use(lib);
            typelib_free(lib);
        }
        error_clear();
    }
    free(text);
    return n_accepted;
}

TEST(mutated_json_brings_nothing_down)
{
    char *good = sample_json();
    REQUIRE_NOT_NULL(good);
    harness_note("%u of %u mutants accepted", mutate(good), N_MUTANTS);
    harness_note("%u of %u mutants accepted", mutate(needy_json), N_MUTANTS);
    free(good);
}

static void fail_every_allocation(char *text)
{
    HRESULT hr;
    size_t n = 0;

    REQUIRE_NOT_NULL(text);
    do {
        struct via_typelib *lib = NULL;
        harness_fail_allocation(n);
        hr = typelib_from_json(text, strlen(text), &lib);
        bool failed = harness_allocation_failed();
        if (SUCCEEDED(hr))
            typelib_free(lib);
        error_clear();
        if (!failed)
            break;
        n++;
    } while (n < 1000);
    CHECK_OK(hr);
    CHECK(n > 5 && n < 1000);
    free(text);
}

TEST(no_memory_is_an_error_at_every_allocation)
{
    fail_every_allocation(sample_json());
    fail_every_allocation(needy_copy());
}

HARNESS_MAIN("typelib", TEST_ENTRY(a_good_library_is_accepted),
             TEST_ENTRY(wrong_tables_are_refused), TEST_ENTRY(wrong_types_are_refused),
             TEST_ENTRY(wrong_records_are_refused), TEST_ENTRY(wrong_methods_are_refused),
             TEST_ENTRY(wrong_attributes_are_refused), TEST_ENTRY(wrong_interfaces_are_refused),
             TEST_ENTRY(methods_are_listed_with_their_bases),
             TEST_ENTRY(a_description_does_not_depend_on_the_tables_order),
             TEST_ENTRY(the_catalogue_knows_one_description_of_each_interface),
             TEST_ENTRY(what_a_peer_said_yields_to_what_is_registered),
             TEST_ENTRY(json_that_is_no_type_library_is_refused),
             TEST_ENTRY(doubling_structs_are_refused_at_once),
             TEST_ENTRY(what_types_need_has_to_be_there),
             TEST_ENTRY_LIMIT(mutated_json_brings_nothing_down, 60000),
             TEST_ENTRY(no_memory_is_an_error_at_every_allocation))
