/*
 * Descriptions in their other forms: what is written as JSON and as IDL of a type library is, read
 * again, the same library: the same hashes, and everything that hashes leave out.
 */
#include "com/idl/idl.h"
#include "com/typelib/typelib.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/util/buffer.h"
#include "core/util/cleanup.h"
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>

#include "aliases.h"
#include "attributes.h"
#include "marshal_test.h"

#define MAX_TEXT (4u << 20)

static void check_text(const char *a, const char *b)
{
    CHECK_EQ(a == NULL, b == NULL);
    if (a && b)
        CHECK_STR_EQ(a, b);
}

/* --- aliases --- */

static const char *alias_name(const struct via_typelib *lib, uint16_t alias)
{
    return alias ? lib->aliases[alias - 1].name : "";
}

/* Which aliases the type is declared by, from outside; within the first one no other is seen. */
static void print_aliases(const struct via_typelib *lib, uint16_t type, struct buffer *text)
{
    const struct via_type *self = &lib->types[type];
    buffer_print(text, "%s", alias_name(lib, self->alias));
    if (self->alias || self->element == VIA_NO_INDEX)
        return;
    buffer_print(text, ">");
    print_aliases(lib, self->element, text);
}

static void check_aliases(const struct via_typelib *a, uint16_t i, const struct via_typelib *b,
                          uint16_t j)
{
    struct buffer texts[2];

    for (int k = 0; k < 2; k++)
        buffer_init(&texts[k], MAX_TEXT);
    print_aliases(a, i, &texts[0]);
    print_aliases(b, j, &texts[1]);
    CLEANUP(cleanup_free) char *x = buffer_take_text(&texts[0]);
    CLEANUP(cleanup_free) char *y = buffer_take_text(&texts[1]);
    CHECK_STR_EQ(x, y);
}

static const struct via_alias *find_alias(const struct via_typelib *lib, const char *name)
{
    for (uint16_t i = 0; i < lib->n_aliases; i++)
        if (!strcmp(lib->aliases[i].name, name))
            return &lib->aliases[i];
    FAIL("there is no %s", name);
    return NULL;
}

static void check_all_aliases(const struct via_typelib *a, const struct via_typelib *b)
{
    CHECK_EQ(a->n_aliases, b->n_aliases);
    for (uint16_t i = 0; i < a->n_aliases; i++) {
        const struct via_alias *x = &a->aliases[i], *y = find_alias(b, x->name);
        if (!y)
            continue;
        CHECK_EQ(x->flags, y->flags);
        CHECK(IsEqualGUID(&x->uuid, &y->uuid));
        check_text(x->help, y->help);
        CHECK_EQ(a->types[x->type].kind, b->types[y->type].kind);
        check_aliases(a, x->type, b, y->type);
    }
}

static void check_fields(const struct via_typelib *a, const struct via_typelib *b)
{
    REQUIRE_EQ(a->n_structs, b->n_structs);
    for (uint16_t i = 0; i < a->n_structs; i++)
        for (uint16_t j = 0; j < b->n_structs; j++)
            for (uint16_t k = 0;
                 !strcmp(a->structs[i].name, b->structs[j].name) && k < a->structs[i].n_fields; k++)
                check_aliases(a, a->structs[i].fields[k].type, b, b->structs[j].fields[k].type);
}

/* --- members --- */

static void check_param(const struct via_typelib *lib, const struct via_param *a,
                        const struct via_typelib *other, const struct via_param *b)
{
    const struct via_constant *x = a->default_value, *y = b->default_value;

    CHECK_STR_EQ(a->name, b->name);
    CHECK_EQ(a->flags, b->flags);
    CHECK_STR_EQ(alias_name(lib, a->alias), alias_name(other, b->alias));
    if (!a->alias)
        check_aliases(lib, a->type, other, b->type);
    REQUIRE_EQ(x == NULL, y == NULL);
    if (!x)
        return;
    CHECK_EQ(x->kind, y->kind);
    CHECK_EQ(x->integer, y->integer);
    CHECK(x->real == y->real);
    check_text(x->text, y->text);
}

static void check_interface(const struct via_typelib *a, uint16_t i, const struct via_typelib *b)
{
    const struct via_interface *x = &a->interfaces[i], *y;
    uint8_t hash_a[TYPELIB_HASH_SIZE], hash_b[TYPELIB_HASH_SIZE];
    uint16_t j = typelib_find_interface(b, &x->iid);

    REQUIRE(j != VIA_NO_INDEX);
    y = &b->interfaces[j];
    CHECK_STR_EQ(x->name, y->name);
    CHECK_EQ(x->flags, y->flags);
    check_text(x->help, y->help);
    CHECK_OK(typelib_hash(a, i, hash_a));
    CHECK_OK(typelib_hash(b, j, hash_b));
    if (!CHECK_MEM_EQ(hash_a, hash_b, TYPELIB_HASH_SIZE))
        harness_note("of %s", x->name);
    REQUIRE_EQ(x->n_methods, y->n_methods);
    for (uint16_t m = 0; m < x->n_methods; m++) {
        CHECK_EQ(x->methods[m].flags, y->methods[m].flags);
        check_text(x->methods[m].help, y->methods[m].help);
        for (uint16_t p = 0; p < x->methods[m].n_params; p++)
            check_param(a, &x->methods[m].params[p], b, &y->methods[m].params[p]);
    }
}

static void check_same(const struct via_typelib *a, const struct via_typelib *b)
{
    CHECK_EQ(a->flags, b->flags);
    check_all_aliases(a, b);
    check_fields(a, b);
    REQUIRE_EQ(a->n_coclasses, b->n_coclasses);
    if (a->n_coclasses > 0) /* IDL has the name and the help of a library only around classes */
        check_text(a->help, b->help);
    for (uint16_t i = 0; i < a->n_interfaces; i++)
        if (!(a->interfaces[i].flags & VIA_INTERFACE_EXTERNAL))
            check_interface(a, i, b);
    for (uint16_t i = 0; i < a->n_coclasses; i++) {
        const struct via_coclass *x = &a->coclasses[i], *y = &b->coclasses[i];
        CHECK(IsEqualGUID(&x->clsid, &y->clsid));
        CHECK_EQ(x->flags, y->flags);
        check_text(x->help, y->help);
        REQUIRE_EQ(x->n_interfaces, y->n_interfaces);
        for (uint16_t j = 0; j < x->n_interfaces; j++)
            CHECK_EQ(x->interfaces[j].flags, y->interfaces[j].flags);
    }
}

static void check_json(const struct via_typelib *lib)
{
    struct via_typelib *again = NULL;
    char *text = NULL;

    REQUIRE_OK(typelib_to_json(lib, 2, &text));
    if (CHECK_OK(typelib_from_json(text, strlen(text), &again)))
        check_same(lib, again);
    typelib_free(again);
    free(text);
}

/* The IDL is compiled to JSON, which is read. */
static struct via_typelib *compile(const char *idl)
{
    struct via_typelib *lib = NULL;
    char *path = os_path_join(harness_temporary_directory(), "again.idl");
    char *json = os_path_join(harness_temporary_directory(), "again.json");
    char program[] = "viaduct-idl", option[] = "--json";
    char *arguments[] = {program, path, option, json, NULL};
    char *text = NULL;
    size_t size = 0;

    CHECK_OK(os_file_write(path, idl, strlen(idl)));
    if (!CHECK_EQ(idl_main(program, 4, arguments), 0))
        harness_note("%s", idl);
    else if (CHECK_OK(os_file_read(json, MAX_TEXT, &text, &size)))
        CHECK_OK(typelib_from_json(text, size, &lib));
    free(text);
    free(path);
    free(json);
    return lib;
}

static void check_idl(const struct via_typelib *lib)
{
    struct buffer text;
    struct via_typelib *again = NULL;

    buffer_init(&text, MAX_TEXT);
    if (CHECK_OK(typelib_to_idl(lib, &text))) {
        char *idl = buffer_take_text(&text);
        again = compile(idl);
        free(idl);
    }
    buffer_deinit(&text);
    if (again)
        check_same(lib, again);
    typelib_free(again);
}

TEST(attributes_are_the_same_in_json)
{
    check_json(&attributes_typelib);
}

TEST(attributes_are_the_same_in_idl)
{
    check_idl(&attributes_typelib);
}

/* Unions, sizes that are computed, lengths, IIDs, handles, recursive structs. */
TEST(shapes_are_the_same_in_idl)
{
    check_json(&marshal_test_typelib);
    check_idl(&marshal_test_typelib);
}

/* As callers write it: &IID_IFoo is a pointer to what is constant, and any pointer may come out. */
TEST(what_an_iid_names_is_called_as_before)
{
    struct buffer text;
    buffer_init(&text, MAX_TEXT);
    CHECK_OK(typelib_to_idl(&marshal_test_typelib, &text));
    char *idl = buffer_take_text(&text);
    if (CHECK_NOT_NULL(idl)) {
        CHECK_STR_HAS(idl, "Query([in] REFGUID iid, [in, iid_is(iid)] IUnknown *in, "
                           "[out, iid_is(iid)] void **out)");
        CHECK_STR_HAS(idl, "[in] REFGUID guid");
    }
    free(idl);
    buffer_deinit(&text);
}

/* Of every kind of type, wherever one can stand. */
TEST(names_of_types_are_the_same_in_idl)
{
    check_json(&aliases_typelib);
    check_idl(&aliases_typelib);
}

/* As C needs it: what is named comes before what names it. */
TEST(a_regenerated_header_has_the_names_of_types)
{
    static const char *const parts[] = {"typedef LONG AliasColour;",
                                        "typedef AliasColour AliasPen;",
                                        "typedef LONG *AliasLongs;",
                                        "typedef AliasRow AliasGrid[3];",
                                        "typedef SAFEARRAY *AliasPalette;",
                                        "typedef struct AliasNode *AliasLink;",
                                        "typedef IUnknown *AliasObject;",
                                        "AliasLongs one",
                                        "AliasPalette *palette",
                                        "AliasLink node",
                                        "AliasPen *pen"};
    struct buffer text;
    char *path = os_path_join(harness_temporary_directory(), "again.idl");
    char *header = os_path_join(harness_temporary_directory(), "again.h");
    char program[] = "viaduct-idl", option[] = "--header";
    char *arguments[] = {program, path, option, header, NULL};
    char *made = NULL;
    size_t size = 0;

    buffer_init(&text, MAX_TEXT);
    REQUIRE_OK(typelib_to_idl(&aliases_typelib, &text));
    CLEANUP(cleanup_free) char *idl = buffer_take_text(&text);
    CHECK_OK(os_file_write(path, idl, strlen(idl)));
    CHECK_EQ(idl_main(program, 4, arguments), 0);
    CHECK_OK(os_file_read(header, MAX_TEXT, &made, &size));
    for (size_t i = 0; made && i < sizeof(parts) / sizeof(parts[0]); i++)
        CHECK_STR_HAS(made, parts[i]);
    free(made);
    free(path);
    free(header);
}

/* What has to be escaped, and numbers that need all their digits. */
TEST(texts_and_numbers_are_the_same_in_idl)
{
    static const struct via_constant text = {VIA_CONSTANT_TEXT, 0, 0, "\"?\?/\\\n\t\xc3\xa4\""};
    static const struct via_constant least = {VIA_CONSTANT_INTEGER, INT64_MIN, 0, NULL};
    static const struct via_constant third = {VIA_CONSTANT_REAL, 0, 1.0 / 3, NULL};
    static const struct via_constant large = {VIA_CONSTANT_REAL, 0, -1e300, NULL};
    static const struct via_type types[] = {
        {VIA_TYPE_BSTR, 0, 0, 0, VIA_NO_INDEX, VIA_NO_INDEX, 0, 0, 0, 0, 0},
        {VIA_TYPE_I64, 0, 0, 0, VIA_NO_INDEX, VIA_NO_INDEX, 0, 0, 0, 0, 0},
        {VIA_TYPE_F64, 0, 0, 0, VIA_NO_INDEX, VIA_NO_INDEX, 0, 0, 0, 0, 0}};
    static const struct via_param params[] = {
        {"a", 0, VIA_PARAM_IN | VIA_PARAM_OPTIONAL, 0, &text},
        {"b", 1, VIA_PARAM_IN | VIA_PARAM_OPTIONAL, 0, &least},
        {"c", 2, VIA_PARAM_IN | VIA_PARAM_OPTIONAL, 0, &third},
        {"d", 2, VIA_PARAM_IN | VIA_PARAM_OPTIONAL, 0, &large}};
    static const struct via_method methods[] = {{"Say", 1, 0, 4, params, "\"\\?\n"}};
    static const struct via_interface interfaces[] = {
        {"IUnknown",
         {0, 0, 0, {0xC0, 0, 0, 0, 0, 0, 0, 0x46}},
         VIA_NO_INDEX,
         VIA_INTERFACE_EXTERNAL,
         0,
         NULL,
         NULL},
        {"ISay", {0x1a2b3c4d, 1, 0x4000, {0x80, 0, 0, 0, 0, 0, 0, 1}}, 0, 0, 1, methods, NULL}};
    static const struct via_typelib lib = {.abi = VIA_TYPELIB_ABI,
                                           .size = sizeof(struct via_typelib),
                                           .name = "say",
                                           .n_types = 3,
                                           .n_interfaces = 2,
                                           .types = types,
                                           .interfaces = interfaces};

    CHECK_OK(typelib_check(&lib));
    check_json(&lib);
    check_idl(&lib);
}

HARNESS_MAIN("regenerate", TEST_ENTRY(attributes_are_the_same_in_json),
             TEST_ENTRY(attributes_are_the_same_in_idl), TEST_ENTRY(shapes_are_the_same_in_idl),
             TEST_ENTRY(what_an_iid_names_is_called_as_before),
             TEST_ENTRY(names_of_types_are_the_same_in_idl),
             TEST_ENTRY(a_regenerated_header_has_the_names_of_types),
             TEST_ENTRY(texts_and_numbers_are_the_same_in_idl))
