/* com/idl: the tables, headers and JSON that come of tests/idl/broad.idl, which has one of
 * everything. */
#include "base.h"
#include "broad.h"
#include "com/abi/guid.h"
#include "com/typelib/typelib.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "tests/harness/harness.h"
#include "tests/idl/cpp_numbers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(BROAD_QUOTED == 42, "cpp_quote");
_Static_assert(BROAD_LIMIT == 16 && BROAD_SMALL == 7, "const");
_Static_assert(BROAD_SECOND == 0 && BROAD_LAST == 0x7fffffff && BASE_BLUE == 40, "enums");
_Static_assert(sizeof(BroadKind) == 4 && sizeof(enum BroadPlain) == 4, "enums have 32 bits");

static const struct via_interface *find_interface(const char *name)
{
    uint16_t index = typelib_find_interface_name(&broad_typelib, name);

    return index == VIA_NO_INDEX ? NULL : &broad_typelib.interfaces[index];
}

static const struct via_method *find_method(const char *interface_name, const char *name)
{
    const struct via_interface *iface = find_interface(interface_name);

    for (uint16_t i = 0; iface && i < iface->n_methods; i++)
        if (!strcmp(iface->methods[i].name, name))
            return &iface->methods[i];
    FAIL("%s.%s is not there", interface_name, name);
    return NULL;
}

/* The method as text, for CHECK_STR_EQ; its parameters' flags in hexadecimal behind it. */
static const char *show(const char *interface_name, const char *name)
{
    static char text[1024];
    const struct via_method *method = find_method(interface_name, name);
    struct buffer buffer;

    buffer_init(&buffer, sizeof(text));
    if (method)
        typelib_print_method(&broad_typelib, method, &buffer);
    for (uint16_t i = 0; method && i < method->n_params; i++)
        buffer_print(&buffer, " %x", method->params[i].flags);
    snprintf(text, sizeof(text), "%.*s", (int)buffer.size, (const char *)buffer.data);
    buffer_deinit(&buffer);
    return text;
}

TEST(the_library_is_described)
{
    static const GUID libid = {
        0x7d2f1b00, 0x3c57, 0x4f6e, {0x8a, 0x11, 0x0c, 0x1d, 0x2e, 0x3f, 0x4a, 0x10}};

    CHECK_EQ(broad_typelib.abi, VIA_TYPELIB_ABI);
    CHECK_EQ(broad_typelib.size, sizeof(struct via_typelib));
    CHECK_STR_EQ(broad_typelib.name, "BroadLibrary");
    CHECK(IsEqualGUID(&broad_typelib.libid, &libid));
    CHECK_EQ(broad_typelib.version_major, 2);
    CHECK_EQ(broad_typelib.version_minor, 5);
    CHECK_OK(typelib_check(&broad_typelib));
    CHECK_OK(typelib_check(&base_typelib));
    CHECK_STR_EQ(base_typelib.name, "base");
    /* Version 5, variant of RFC 4122. */
    CHECK_EQ(base_typelib.libid.Data3 >> 12, 5);
    CHECK_EQ(base_typelib.libid.Data4[0] >> 6, 2);
}

TEST(interfaces_have_ids_bases_and_flags)
{
    const struct via_interface *dual = find_interface("IBroadDual");
    const struct via_interface *structs = find_interface("IBroadStructs");

    REQUIRE_NOT_NULL(dual);
    REQUIRE_NOT_NULL(structs);
    CHECK(IsEqualGUID(&structs->iid, &IID_IBroadStructs));
    CHECK_EQ(dual->flags, VIA_INTERFACE_DUAL | VIA_INTERFACE_OLEAUTOMATION);
    CHECK_STR_EQ(broad_typelib.interfaces[dual->base].name, "IDispatch");
    CHECK_EQ(broad_typelib.interfaces[dual->base].flags, VIA_INTERFACE_EXTERNAL);
    CHECK_STR_EQ(broad_typelib.interfaces[structs->base].name, "IBase");
    CHECK_EQ(broad_typelib.interfaces[structs->base].flags, VIA_INTERFACE_EXTERNAL);
    CHECK(IsEqualGUID(&broad_typelib.interfaces[structs->base].iid, &IID_IBase));
    CHECK_EQ(find_interface("IBroadSink")->flags, 0);
    CHECK_EQ(IID_IBroadSink.Data4[7], 5);
}

TEST(methods_have_ids_and_flags)
{
    const struct via_interface *dual = find_interface("IBroadDual");

    REQUIRE(dual && dual->n_methods == 4);
    CHECK_STR_EQ(dual->methods[0].name, "Name");
    CHECK_EQ(dual->methods[0].flags, VIA_METHOD_PROPGET);
    CHECK_EQ(dual->methods[0].dispid, 1);
    CHECK_EQ(dual->methods[1].flags, VIA_METHOD_PROPPUT);
    CHECK_EQ(dual->methods[2].flags, VIA_METHOD_PROPPUTREF);
    CHECK_EQ(dual->methods[3].dispid, -4);
    CHECK_EQ(find_method("IBroadNumbers", "Medium")->dispid, 2);
    CHECK_EQ(find_method("IBroadSink", "Notify")->flags, VIA_METHOD_ONEWAY);
    CHECK_EQ(find_method("IBroadSink", "Ask")->flags, 0);
    CHECK_EQ(find_method("IBroadNumbers", "Void")->n_params, 0);
    const struct via_method *paint = find_method("IBroadSink", "Paint");
    CHECK_EQ(paint->params[1].flags, VIA_PARAM_IN | VIA_PARAM_IN_PLACE);
    CHECK_EQ(paint->params[2].flags, VIA_PARAM_IN);
    CHECK_STR_HAS(show("IBroadSink", "Paint"), "in in-place u16[n] rows, in u8[n] marks");
}

TEST(numbers_have_the_right_types)
{
    CHECK_STR_EQ(show("IBroadNumbers", "Small"),
                 "Small(in u8 a, in i8 b, in i8 c, in u8 d, in i8 e, in u8 f) 1 1 1 1 1 1");
    CHECK_STR_EQ(
        show("IBroadNumbers", "Medium"),
        "Medium(in i16 a, in u16 b, in i16 c, in u16 d, in wchar e, in wchar f) 1 1 1 1 1 1");
    CHECK_STR_EQ(show("IBroadNumbers", "Large"),
                 "Large(in i32 a, in u32 b, in i32 c, in u32 d, in i32 e, in u32 f, in u32 g, in "
                 "u32 h, in i32 i) 1 1 1 1 1 1 1 1 1");
    CHECK_STR_EQ(show("IBroadNumbers", "Huge"),
                 "Huge(in i64 a, in u64 b, in i64 c, in u64 d, in i64 e, in u64 f) 1 1 1 1 1 1");
    CHECK_STR_EQ(show("IBroadNumbers", "Real"),
                 "Real(in f32 a, in f64 b, in f32 c, in f64 d) 1 1 1 1");
    CHECK_STR_EQ(
        show("IBroadNumbers", "Others"),
        "Others(in bool a, in hresult b, in guid c, in guid d, in guid e, in guid f) 1 1 1 9 9 9");
}

TEST(results_and_texts_have_the_right_types)
{
    CHECK_STR_EQ(show("IBroadNumbers", "Returns"),
                 "Returns(out u8 a, out i64 b, out f64 c, out guid d, in out i32 e, out retval "
                 "bool f) a a a a b e");
    CHECK_EQ(find_method("IBroadNumbers", "Optional")->params[0].flags,
             VIA_PARAM_IN | VIA_PARAM_BY_REF | VIA_PARAM_NULLABLE);
    CHECK_STR_EQ(show("IBroadTexts", "Return"), "Return(in i32 a, out retval bstr b) 1 e");
    const struct via_method *in = find_method("IBroadTexts", "In");
    REQUIRE_NOT_NULL(in);
    static const uint8_t kinds[] = {VIA_TYPE_BSTR,     VIA_TYPE_STRING8,  VIA_TYPE_STRING16,
                                    VIA_TYPE_STRING16, VIA_TYPE_STRING16, VIA_TYPE_STRING8};
    for (uint16_t i = 0; i < in->n_params; i++) {
        const struct via_type *type = &broad_typelib.types[in->params[i].type];
        CHECK_EQ(type->kind, kinds[i]);
        CHECK_EQ(type->flags, i == 3 ? VIA_TYPE_NULLABLE : 0);
        CHECK_EQ(in->params[i].flags, VIA_PARAM_IN);
    }
}

TEST(handles_have_kinds)
{
    CHECK_STR_EQ(show("IBroadHandles", "All"),
                 "All(in handle(file) a, out handle(pipe) b, in out handle(socket) c, in "
                 "handle(section) d, out retval handle(event) e) 1 a b 1 e");
}

/* What the number of elements is read from. */
static void check_sized(const char *method_name, uint16_t param, uint8_t size_from,
                        uint16_t size_index, uint8_t element_kind, unsigned flags)
{
    const struct via_method *method = find_method("IBroadStructs", method_name);

    REQUIRE(method && param < method->n_params);
    const struct via_type *type = &broad_typelib.types[method->params[param].type];
    CHECK_EQ(type->kind, VIA_TYPE_SIZED);
    CHECK_EQ(type->size_from, size_from);
    if (size_from == VIA_SIZE_CONST)
        CHECK_EQ(type->count, size_index);
    else
        CHECK_EQ(type->size_index, size_index);
    CHECK_EQ(broad_typelib.types[type->element].kind, element_kind);
    CHECK_EQ(method->params[param].flags, flags);
}

TEST(arrays_know_their_sizes)
{
    const unsigned in = VIA_PARAM_IN, out = VIA_PARAM_OUT, ref = VIA_PARAM_BY_REF;

    check_sized("Sized", 1, VIA_SIZE_PARAM, 0, VIA_TYPE_I32, in);
    check_sized("Sized", 2, VIA_SIZE_PARAM, 0, VIA_TYPE_F64, out);
    check_sized("Sized", 3, VIA_SIZE_PARAM, 0, VIA_TYPE_U8, in | out);
    check_sized("Sized", 4, VIA_SIZE_PARAM, 0, VIA_TYPE_GUID, in);
    check_sized("Sized", 5, VIA_SIZE_CONST, 5, VIA_TYPE_I16, in);
    check_sized("Made", 1, VIA_SIZE_PARAM, 0, VIA_TYPE_I32, out | ref);
    check_sized("Made", 3, VIA_SIZE_PARAM, 0, VIA_TYPE_STRUCT, out | ref);
    check_sized("Objects", 1, VIA_SIZE_PARAM, 0, VIA_TYPE_INTERFACE, in);
    check_sized("Objects", 6, VIA_SIZE_PARAM, 0, VIA_TYPE_INTERFACE, out);
    const struct via_method *fixed = find_method("IBroadStructs", "Fixed");
    REQUIRE_NOT_NULL(fixed);
    const struct via_type *rows = &broad_typelib.types[fixed->params[2].type];
    CHECK_EQ(rows->kind, VIA_TYPE_ARRAY);
    CHECK_EQ(rows->count, 2);
    CHECK_EQ(broad_typelib.types[rows->element].count, 3);
    CHECK_EQ(fixed->params[2].flags, in | ref);
    CHECK_EQ(fixed->params[3].flags, in | out | ref);
}

/* A name of an array is that array, whose levels come behind those that stand beside it. */
TEST(arrays_have_names)
{
    _Static_assert(sizeof(BroadVector) == 6 && sizeof(BroadTable) == 12, "arrays");
    CHECK_STR_EQ(show("IBroadStructs", "Named"),
                 "Named(in i16[3] a, in out i16[3][2] b, out i16[3] c, in i16[3] d, "
                 "in IUnknown*[2] e, in string16?[2] f, in i16[3][size 2] g) 9 b a 19 9 9 1");
    CHECK_STR_EQ(show("IBroadStructs", "NamedSized"),
                 "NamedSized(in u32 n, in i16[3][n] a, out i16[3][n] b, out u32 m, "
                 "out i16[3][m]? c) 1 1 2 a a");
}

#define CHECK_OFFSET(field)                                                                    \
    do {                                                                                       \
        CHECK_STR_EQ(broad_typelib.structs[outer].fields[n].name, #field);                     \
        CHECK_EQ(typelib_field_offset(&broad_typelib, outer, n), offsetof(BroadOuter, field)); \
        n++;                                                                                   \
    } while (0)

/* The layout that is computed is the C compiler's. */
TEST(structs_are_laid_out_as_in_c)
{
    uint16_t outer = 0, inner = 0, n = 0;

    for (uint16_t i = 0; i < broad_typelib.n_structs; i++) {
        if (!strcmp(broad_typelib.structs[i].name, "BroadOuter"))
            outer = i;
        if (!strcmp(broad_typelib.structs[i].name, "BroadInner"))
            inner = i;
    }
    CHECK_EQ(typelib_struct_layout(&broad_typelib, outer).size, sizeof(BroadOuter));
    CHECK_EQ(typelib_struct_layout(&broad_typelib, inner).size, sizeof(struct BroadInner));
    CHECK_EQ(typelib_struct_layout(&broad_typelib, outer).alignment, _Alignof(BroadOuter));
    CHECK_OFFSET(inner);
    CHECK_OFFSET(row);
    CHECK_OFFSET(matrix);
    CHECK_OFFSET(text);
    CHECK_OFFSET(wide);
    CHECK_OFFSET(utf8);
    CHECK_OFFSET(id);
    CHECK_OFFSET(kind);
    CHECK_OFFSET(plain);
    CHECK_OFFSET(flag);
    CHECK_OFFSET(result);
    CHECK_OFFSET(count);
    CHECK_OFFSET(values);
    CHECK_OFFSET(inners);
    CHECK_OFFSET(object);
    CHECK_OFFSET(cookie);
    CHECK_OFFSET(table);
    CHECK_OFFSET(vector);
    CHECK_OFFSET(given);
    CHECK_OFFSET(vectors);
    CHECK_OFFSET(objects);
    CHECK_EQ(broad_typelib.structs[outer].n_fields, n);
}

/* Slots of a derived interface come behind its bases', in C as in the tables. */
TEST(slots_follow_the_bases)
{
    uint16_t slot = 0;
    const size_t word = sizeof(void *);

    CHECK_OK(typelib_catalog_add(&base_typelib));
    CHECK_OK(typelib_first_slot(&broad_typelib,
                                typelib_find_interface(&broad_typelib, &IID_IBroadStructs), &slot));
    CHECK_EQ(slot, 5);
    CHECK_EQ(offsetof(IBroadStructsVtbl, ByValue), slot * word);
    CHECK_OK(typelib_first_slot(&broad_typelib,
                                typelib_find_interface(&broad_typelib, &IID_IBroadDual), &slot));
    CHECK_EQ(slot, 7);
    CHECK_EQ(offsetof(IBroadDualVtbl, get_Name), slot * word);
    CHECK_EQ(offsetof(IBroadNumbersVtbl, Small), 3 * word);
    CHECK_EQ(sizeof(IBroadNumbersVtbl), 14 * word);
}

TEST(classes_name_their_interfaces)
{
    uint16_t index = typelib_find_coclass(&broad_typelib, &CLSID_Broad);

    REQUIRE(index != VIA_NO_INDEX);
    const struct via_coclass *coclass = &broad_typelib.coclasses[index];
    CHECK_STR_EQ(coclass->name, "Broad");
    CHECK_EQ(coclass->n_interfaces, 4);
    CHECK_EQ(coclass->interfaces[0].flags, VIA_COCLASS_DEFAULT);
    CHECK_EQ(coclass->interfaces[3].flags, VIA_COCLASS_SOURCE);
    CHECK_STR_EQ(broad_typelib.interfaces[typelib_default_interface(&broad_typelib, coclass)].name,
                 "IBroadNumbers");
    CHECK_EQ(typelib_find_coclass_name(&broad_typelib, "broadsecond"), 1);
}

static void check_same(const struct via_typelib *a, const struct via_typelib *b)
{
    REQUIRE_EQ(a->n_interfaces, b->n_interfaces);
    REQUIRE_EQ(a->n_coclasses, b->n_coclasses);
    for (uint16_t i = 0; i < a->n_interfaces; i++) {
        uint8_t hash_a[TYPELIB_HASH_SIZE], hash_b[TYPELIB_HASH_SIZE];
        CHECK_STR_EQ(a->interfaces[i].name, b->interfaces[i].name);
        CHECK_EQ(a->interfaces[i].flags, b->interfaces[i].flags);
        CHECK_OK(typelib_hash(a, i, hash_a));
        CHECK_OK(typelib_hash(b, i, hash_b));
        CHECK_MEM_EQ(hash_a, hash_b, TYPELIB_HASH_SIZE);
    }
    for (uint16_t i = 0; i < a->n_structs; i++)
        CHECK_EQ(typelib_struct_layout(a, i).size, typelib_struct_layout(b, i).size);
    for (uint16_t i = 0; i < a->n_coclasses; i++)
        CHECK(IsEqualGUID(&a->coclasses[i].clsid, &b->coclasses[i].clsid));
}

TEST(the_json_form_is_equal_to_the_tables)
{
    char *path = os_path_join(TEST_BINARY_DIRECTORY, "tests/broad.json");
    struct via_typelib *from_file = NULL, *from_tables = NULL;
    char *text = NULL;
    size_t size;

    CHECK_OK(os_file_read(path, 1 << 20, &text, &size));
    free(path);
    REQUIRE_NOT_NULL(text);
    CHECK_OK(typelib_from_json(text, size, &from_file));
    free(text);
    REQUIRE_NOT_NULL(from_file);
    check_same(&broad_typelib, from_file);
    typelib_free(from_file);
    CHECK_OK(typelib_to_json(&broad_typelib, 0, &text));
    CHECK_NULL(strchr(text, '\n'));
    CHECK_OK(typelib_from_json(text, strlen(text), &from_tables));
    free(text);
    REQUIRE_NOT_NULL(from_tables);
    check_same(&broad_typelib, from_tables);
    typelib_free(from_tables);
}

/* An object of the C++ header, called through the C header. */
TEST(both_forms_of_the_header_share_one_abi)
{
    IBroadNumbers *numbers = cpp_numbers_new();
    BYTE a = 0;
    LONGLONG b = 0;
    double c = 0;
    GUID d;
    LONG e = 20;
    VARIANT_BOOL f = VARIANT_FALSE;

    REQUIRE_NOT_NULL(numbers);
    CHECK_OK(IBroadNumbers_Returns(numbers, &a, &b, &c, &d, &e, &f));
    CHECK_EQ(a, 200);
    CHECK_EQ(b, -5000000000);
    CHECK(c == 0.5);
    CHECK(IsEqualGUID(&d, &IID_IBroadNumbers));
    CHECK_EQ(e, 21);
    CHECK_EQ(f, VARIANT_TRUE);
    CHECK_HR(
        IBroadNumbers_Others(numbers, VARIANT_TRUE, E_FAIL, d, &IID_IBroadSink, &d, &CLSID_Broad),
        E_FAIL);
    CHECK_OK(IBroadNumbers_Void(numbers));
    CHECK_EQ(IBroadNumbers_Release(numbers), 0);
}

HARNESS_MAIN("idl", TEST_ENTRY(the_library_is_described),
             TEST_ENTRY(interfaces_have_ids_bases_and_flags),
             TEST_ENTRY(methods_have_ids_and_flags), TEST_ENTRY(numbers_have_the_right_types),
             TEST_ENTRY(handles_have_kinds), TEST_ENTRY(results_and_texts_have_the_right_types),
             TEST_ENTRY(arrays_know_their_sizes), TEST_ENTRY(arrays_have_names),
             TEST_ENTRY(structs_are_laid_out_as_in_c), TEST_ENTRY(slots_follow_the_bases),
             TEST_ENTRY(classes_name_their_interfaces),
             TEST_ENTRY(the_json_form_is_equal_to_the_tables),
             TEST_ENTRY(both_forms_of_the_header_share_one_abi))
