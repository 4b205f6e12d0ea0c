/* com/typelib: every rule of the validation, and the catalogue. */
#include "com/typelib/typelib.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"
#include "tests/typelib/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    REFUSED("have version 4 and", s.lib.abi = 4);
    REFUSED("compile its IDL again", s.lib.abi = 4);
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

/* Whoever reads a type may take its name, or what that stands for: both say the same. */
TEST(wrong_aliases_are_refused)
{
    REFUSED("alias 0 of the type library has no valid name", s.aliases[0].name = "1st");
    REFUSED("alias Counts: it is there twice", s.aliases[0].name = "Counts");
    REFUSED("alias Count: it stands for an unknown type", s.aliases[0].type = N_TYPES);
    REFUSED("alias Count: unknown flags", s.aliases[0].flags = 2);
    REFUSED("the help of Count", s.aliases[0].help = "\xff");
    REFUSED("alias Count: it stands for an alias that is not in front",
            s.aliases[0].type = T_COUNT);
    REFUSED("alias Count: it stands for an alias that is not in front",
            s.aliases[0].type = T_COUNTS);
    REFUSED("alias Counts: what it stands for needs more than a name", s.aliases[1].type = T_SIZED);
    REFUSED("names alias 3, of which there are 2", s.types[T_COUNT].alias = 3);
    REFUSED("names alias 1, of which there are 0", s.lib.n_aliases = 0);
    REFUSED("is not what its alias Count stands for", s.types[T_COUNT].kind = VIA_TYPE_U32);
    REFUSED("is not what its alias Count stands for", s.types[T_BSTR].alias = A_COUNT);
    REFUSED("is not what its alias Counts stands for", s.types[T_ARRAY].alias = A_COUNTS);
    REFUSED("IOne.Nothing(count): unknown alias", s.params[4].alias = 3);
    REFUSED("its alias stands for no pointer to such a type", s.params[4].alias = A_COUNT);
    REFUSED("its alias stands for no pointer to such a type", s.params[4].type = T_ENUM);
    REFUSED("its alias stands for no pointer to such a type", s.params[4].flags = VIA_PARAM_IN);
    REFUSED("more than", s.lib.n_aliases = 3000);
}

/* Pointers are declared by a name whatever else is said of them. */
TEST(what_an_alias_stands_for_may_be_said_more_of)
{
    struct sample s;

    sample_init(&s);
    s.types[T_SIZED].alias = A_COUNTS;
    CHECK_OK(typelib_check(&s.lib));
    s.types[T_COUNT] =
        (struct via_type){.kind = VIA_TYPE_WCHAR, .index = VIA_NO_INDEX, .element = VIA_NO_INDEX};
    s.types[T_BSTR] = (struct via_type){.kind = VIA_TYPE_STRING16,
                                        .index = VIA_NO_INDEX,
                                        .element = VIA_NO_INDEX,
                                        .alias = A_COUNTS};
    s.types[T_SIZED].alias = 0;
    CHECK_OK(typelib_check(&s.lib));
}

/* Two programs may differ in names that change nothing. */
TEST(names_of_types_are_no_part_of_a_description)
{
    struct sample a, b;
    uint8_t hash_a[TYPELIB_HASH_SIZE], hash_b[TYPELIB_HASH_SIZE];

    sample_init(&a);
    sample_init(&b);
    b.types[T_COUNT].alias = 0;
    b.params[4].alias = 0;
    b.lib.n_aliases = 0;
    CHECK_OK(typelib_check(&b.lib));
    CHECK_OK(typelib_hash(&a.lib, I_ONE, hash_a));
    CHECK_OK(typelib_hash(&b.lib, I_ONE, hash_b));
    CHECK_MEM_EQ(hash_a, hash_b, TYPELIB_HASH_SIZE);
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
    b.types[T_SIZED].element = b.types[T_ARRAY].element = b.aliases[0].type = T_BSTR;
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

HARNESS_MAIN("typelib", TEST_ENTRY(a_good_library_is_accepted),
             TEST_ENTRY(wrong_tables_are_refused), TEST_ENTRY(wrong_types_are_refused),
             TEST_ENTRY(wrong_records_are_refused), TEST_ENTRY(wrong_methods_are_refused),
             TEST_ENTRY(wrong_attributes_are_refused), TEST_ENTRY(wrong_aliases_are_refused),
             TEST_ENTRY(what_an_alias_stands_for_may_be_said_more_of),
             TEST_ENTRY(names_of_types_are_no_part_of_a_description),
             TEST_ENTRY(wrong_interfaces_are_refused),
             TEST_ENTRY(methods_are_listed_with_their_bases),
             TEST_ENTRY(a_description_does_not_depend_on_the_tables_order),
             TEST_ENTRY(the_catalogue_knows_one_description_of_each_interface),
             TEST_ENTRY(what_a_peer_said_yields_to_what_is_registered))
