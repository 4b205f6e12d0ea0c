/*
 * ITypeInfo, ITypeLib and ITypeComp of descriptions, by what clients of COM call.
 *
 * tests/typeinfo/type_test.txt is everything that they say of type_test.idl; on Windows
 * test_typeinfo_windows.c compares the same with what the system says of a library that widl made.
 */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/com.h>
#include <viaduct/late.h>
#include <viaduct/runtime.h>

#include "core/util/buffer.h"
#include "core/util/cleanup.h"
#include "core/util/utf.h"
#include "tests/typeinfo/dump.h"
#include "tests/typeinfo/type_object.h"
#include "type_base.h"

static const GUID none;

static ITypeLib *open_library(void)
{
    ITypeLib *library = NULL;
    CHECK_OK(via_register_typelib(&type_base_typelib));
    CHECK_OK(via_type_library(&type_test_typelib, &library));
    return library;
}

static ITypeInfo *open_type(const GUID *guid)
{
    ITypeLib *library = open_library();
    ITypeInfo *info = NULL;
    if (library == NULL)
        return NULL;
    CHECK_OK(ITypeLib_GetTypeInfoOfGuid(library, guid, &info));
    ITypeLib_Release(library);
    return info;
}

static ITypeInfo *follow(ITypeInfo *info, UINT index)
{
    ITypeInfo *other = NULL;
    HREFTYPE ref = 0;
    CHECK_OK(ITypeInfo_GetRefTypeOfImplType(info, index, &ref));
    CHECK_OK(ITypeInfo_GetRefTypeInfo(info, ref, &other));
    return other;
}

static bool is_text(BSTR text, const char *expected)
{
    char *utf8 = text != NULL ? utf_from_wide(text, SysStringLen(text)) : NULL;
    bool is_equal = utf8 != NULL && CHECK_STR_EQ(utf8, expected);
    free(utf8);
    SysFreeString(text);
    return is_equal;
}

/* --- everything --- */

static void dump_library(ITypeLib *library, struct buffer *out)
{
    UINT n = ITypeLib_GetTypeInfoCount(library);
    for (UINT i = 0; i < n; i++) {
        ITypeInfo *info = NULL;
        ITypeLib *same = NULL;
        UINT index = n;
        if (!CHECK_OK(ITypeLib_GetTypeInfo(library, i, &info)))
            return;
        CLEANUP(cleanup_free) char *text = dump_type(info);
        buffer_print(out, "%s", text != NULL ? text : "?\n");
        CHECK_OK(ITypeInfo_GetContainingTypeLib(info, &same, &index));
        CHECK_EQ(index, i);
        ITypeLib_Release(same);
        ITypeInfo_Release(info);
    }
}

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = calloc(1, 1u << 16);
    if (file == NULL || text == NULL) {
        FAIL("%s cannot be read", path);
        return text;
    }
    CHECK(fread(text, 1, (1u << 16) - 1, file) > 0);
    fclose(file);
    return text;
}

TEST(a_library_says_what_its_source_says)
{
    struct buffer out;
    ITypeLib *library = open_library();
    REQUIRE_NOT_NULL(library);
    buffer_init(&out, 1u << 16);
    dump_library(library, &out);
    CLEANUP(cleanup_free) char *text = buffer_take_text(&out);
    CLEANUP(cleanup_free)
    char *expected = read_text(TEST_SOURCE_DIRECTORY "/tests/typeinfo/type_test.txt");
    CHECK_STR_EQ(text, expected);
    buffer_deinit(&out);
    ITypeLib_Release(library);
}

TEST(a_base_of_another_library_is_found)
{
    ITypeInfo *plain = open_type(&IID_ITypePlain);
    REQUIRE_NOT_NULL(plain);
    ITypeInfo *base = follow(plain, 0);
    REQUIRE_NOT_NULL(base);
    CLEANUP(cleanup_free) char *text = dump_type(base);
    CHECK_STR_HAS(text, "ITypeBase");
    CHECK_STR_HAS(text, "TypeColour colour");
    CHECK_STR_HAS(text, "TypePoint* at");
    ITypeInfo *unknown = follow(base, 0);
    REQUIRE_NOT_NULL(unknown);
    CLEANUP(cleanup_free) char *root = dump_type(unknown);
    CHECK_STR_HAS(root, "kind 3 IUnknown {00000000-0000-0000-C000-000000000046}");
    CHECK_STR_HAS(root, "QueryInterface([1] GUID* riid, [2] vt24** ppvObj)");
    ITypeInfo_Release(unknown);
    ITypeInfo_Release(base);
    ITypeInfo_Release(plain);
}

/* --- names --- */

static MEMBERID id_of(ITypeInfo *info, const WCHAR *name)
{
    LPOLESTR names[] = {(LPOLESTR)name};
    MEMBERID id = MEMBERID_NIL;
    CHECK_OK(ITypeInfo_GetIDsOfNames(info, names, 1, &id));
    return id;
}

TEST(names_have_ids)
{
    ITypeInfo *info = open_type(&IID_ITypeMore);
    LPOLESTR names[] = {(LPOLESTR)VIA_STR("divide"), (LPOLESTR)VIA_STR("B"),
                        (LPOLESTR)VIA_STR("rest")};
    LPOLESTR wrong[] = {(LPOLESTR)VIA_STR("Divide"), (LPOLESTR)VIA_STR("quotient")};
    LPOLESTR missing[] = {(LPOLESTR)VIA_STR("Multiply")};
    MEMBERID ids[3];
    BSTR text = NULL;
    REQUIRE_NOT_NULL(info);
    CHECK_OK(ITypeInfo_GetIDsOfNames(info, names, 3, ids));
    CHECK_EQ(ids[0], 5);
    CHECK_EQ(ids[1], 1);
    CHECK_EQ(ids[2], 2);
    CHECK_EQ(id_of(info, VIA_STR("More")), 40);
    CHECK_EQ(id_of(info, VIA_STR("QueryInterface")), 0x60000000);
    CHECK_HR(ITypeInfo_GetIDsOfNames(info, wrong, 2, ids), DISP_E_UNKNOWNNAME);
    CHECK_EQ(ids[0], 5);
    CHECK_EQ(ids[1], MEMBERID_NIL);
    CHECK_HR(ITypeInfo_GetIDsOfNames(info, missing, 1, ids), DISP_E_UNKNOWNNAME);
    CHECK_OK(ITypeInfo_GetDocumentation(info, 5, &text, NULL, NULL, NULL));
    is_text(text, "Divide");
    CHECK_HR(ITypeInfo_GetDocumentation(info, 99, &text, NULL, NULL, NULL), TYPE_E_ELEMENTNOTFOUND);
    ITypeInfo_Release(info);
}

TEST(few_names_fit)
{
    ITypeInfo *info = open_type(&IID_ITypeMore);
    BSTR names[2] = {NULL};
    UINT n = 9;
    REQUIRE_NOT_NULL(info);
    CHECK_OK(ITypeInfo_GetNames(info, 2, names, 2, &n));
    CHECK_EQ(n, 2);
    is_text(names[0], "Add");
    is_text(names[1], "a");
    CHECK_OK(ITypeInfo_GetNames(info, 2, names, 0, &n));
    CHECK_EQ(n, 0);
    CHECK_HR(ITypeInfo_GetNames(info, 99, names, 2, &n), TYPE_E_ELEMENTNOTFOUND);
    ITypeInfo_Release(info);
}

TEST(a_class_has_the_names_of_its_default_interface)
{
    ITypeInfo *info = open_type(&CLSID_TypeThing);
    REQUIRE_NOT_NULL(info);
    CHECK_EQ(id_of(info, VIA_STR("More")), 40);
    CHECK_EQ(id_of(info, VIA_STR("Title")), 1);
    ITypeInfo_Release(info);
}

TEST(what_is_not_there_is_refused)
{
    ITypeInfo *info = open_type(&IID_ITypeMore), *other = NULL;
    ITypeLib *library = open_library();
    FUNCDESC *function = NULL;
    VARDESC *variable = NULL;
    HREFTYPE ref = 0;
    INT flags = 0;
    TYPEKIND kind;
    REQUIRE(info != NULL && library != NULL);
    CHECK_HR(ITypeInfo_GetFuncDesc(info, 999, &function), TYPE_E_ELEMENTNOTFOUND);
    CHECK_HR(ITypeInfo_GetVarDesc(info, 0, &variable), TYPE_E_ELEMENTNOTFOUND);
    CHECK_HR(ITypeInfo_GetRefTypeOfImplType(info, 1, &ref), TYPE_E_ELEMENTNOTFOUND);
    CHECK_HR(ITypeInfo_GetImplTypeFlags(info, 1, &flags), TYPE_E_ELEMENTNOTFOUND);
    for (HREFTYPE wrong = 0xFF; wrong != 0; wrong <<= 4)
        if (FAILED(ITypeInfo_GetRefTypeInfo(info, wrong, &other)))
            CHECK_NULL(other);
        else
            ITypeInfo_Release(other);
    CHECK_HR(ITypeInfo_GetRefTypeInfo(info, 0xFFFFFFFF, &other), TYPE_E_ELEMENTNOTFOUND);
    UINT n = ITypeLib_GetTypeInfoCount(library);
    CHECK_HR(ITypeLib_GetTypeInfo(library, n, &other), TYPE_E_ELEMENTNOTFOUND);
    CHECK_HR(ITypeLib_GetTypeInfoType(library, n, &kind), TYPE_E_ELEMENTNOTFOUND);
    CHECK_HR(ITypeLib_GetTypeInfoOfGuid(library, &IID_IUnknown, &other), TYPE_E_ELEMENTNOTFOUND);
    CHECK_HR(ITypeLib_GetTypeInfoOfGuid(library, (REFGUID)&none, &other), TYPE_E_ELEMENTNOTFOUND);
    CHECK_HR(via_type_info(&CLSID_TypeThing, &other), REGDB_E_IIDNOTREG);
    CHECK_NULL(other);
    ITypeLib_Release(library);
    ITypeInfo_Release(info);
}

/* --- libraries --- */

TEST(a_library_has_attributes_and_names)
{
    ITypeLib *library = open_library();
    TLIBATTR *attr = NULL;
    BSTR text = NULL;
    BOOL is_name = FALSE;
    WCHAR name[] = {'D', 'I', 'V', 'I', 'D', 'E', 0};
    WCHAR param[] = {'Q', 'u', 'x', 0};
    ITypeInfo *infos[4];
    MEMBERID ids[4];
    USHORT n = 4;
    REQUIRE_NOT_NULL(library);
    CHECK_OK(ITypeLib_GetLibAttr(library, &attr));
    CHECK(IsEqualGUID(&attr->guid, &type_test_typelib.libid));
    CHECK_EQ(attr->wMajorVerNum, 2);
    CHECK_EQ(attr->wMinorVerNum, 5);
    CHECK_EQ(attr->syskind, SYS_WIN64);
    ITypeLib_ReleaseTLibAttr(library, attr);
    CHECK_OK(ITypeLib_GetDocumentation(library, -1, &text, NULL, NULL, NULL));
    is_text(text, "TypeTest");
    CHECK_OK(ITypeLib_IsName(library, name, 0, &is_name));
    CHECK_EQ(is_name, TRUE);
    CHECK_MEM_EQ(name, VIA_STR("Divide"), 14);
    CHECK_OK(ITypeLib_IsName(library, param, 0, &is_name));
    CHECK_EQ(is_name, FALSE);
    CHECK_OK(ITypeLib_FindName(library, name, 0, infos, ids, &n));
    CHECK_EQ(n, 2); /* ITypeDual, and ITypeMore, which late-bound callers see whole */
    for (USHORT i = 0; i < n; i++) {
        CHECK_EQ(ids[i], 5);
        ITypeInfo_Release(infos[i]);
    }
    ITypeLib_Release(library);
}

/* --- compilers --- */

TEST(names_are_bound)
{
    ITypeInfo *info = open_type(&IID_ITypeMore), *owner = NULL;
    ITypeComp *comp = NULL;
    DESCKIND kind;
    BINDPTR bound;
    REQUIRE_NOT_NULL(info);
    CHECK_OK(ITypeInfo_GetTypeComp(info, &comp));
    CHECK_OK(ITypeComp_Bind(comp, (LPOLESTR)VIA_STR("title"), 0, INVOKE_PROPERTYPUT, &owner, &kind,
                            &bound));
    REQUIRE_EQ(kind, DESCKIND_FUNCDESC);
    CHECK_EQ(bound.lpfuncdesc->invkind, INVOKE_PROPERTYPUT);
    CHECK_EQ(bound.lpfuncdesc->memid, 1);
    ITypeInfo_ReleaseFuncDesc(owner, bound.lpfuncdesc);
    ITypeInfo_Release(owner);
    CHECK_HR(ITypeComp_Bind(comp, (LPOLESTR)VIA_STR("Add"), 0, INVOKE_PROPERTYPUT, &owner, &kind,
                            &bound),
             TYPE_E_TYPEMISMATCH);
    CHECK_OK(ITypeComp_Bind(comp, (LPOLESTR)VIA_STR("Nobody"), 0, 0, &owner, &kind, &bound));
    CHECK_EQ(kind, DESCKIND_NONE);
    CHECK_NULL(owner);
    ITypeComp_Release(comp);
    ITypeInfo_Release(info);
}

TEST(constants_are_bound_by_their_library)
{
    ITypeLib *library = NULL;
    ITypeInfo *owner = NULL;
    ITypeComp *comp = NULL, *inner = NULL;
    DESCKIND kind;
    BINDPTR bound;
    REQUIRE_OK(via_type_library(&type_base_typelib, &library));
    CHECK_OK(ITypeLib_GetTypeComp(library, &comp));
    CHECK_OK(ITypeComp_Bind(comp, (LPOLESTR)VIA_STR("type_blue"), 0, 0, &owner, &kind, &bound));
    REQUIRE_EQ(kind, DESCKIND_VARDESC);
    CHECK_EQ(V_I4(bound.lpvardesc->lpvarValue), -5);
    ITypeInfo_ReleaseVarDesc(owner, bound.lpvardesc);
    ITypeInfo_Release(owner);
    CHECK_OK(ITypeComp_Bind(comp, (LPOLESTR)VIA_STR("TypeColour"), 0, 0, &owner, &kind, &bound));
    REQUIRE_EQ(kind, DESCKIND_TYPECOMP);
    ITypeComp_Release(bound.lptcomp);
    CHECK_OK(ITypeComp_BindType(comp, (LPOLESTR)VIA_STR("TypePoint"), 0, &owner, &inner));
    CLEANUP(cleanup_free) char *name = owner != NULL ? dump_name(owner) : NULL;
    CHECK_STR_EQ(name, "TypePoint");
    ITypeComp_Release(inner);
    ITypeInfo_Release(owner);
    ITypeComp_Release(comp);
    ITypeLib_Release(library);
}

/* As midl has it: what is public is a type of the library, and what is declared by it names it. */
TEST(an_alias_is_a_type)
{
    static const GUID index_id = {
        0x6e2c5d00, 0x41b7, 0x4e0a, {0x9c, 0x53, 0x2f, 0x1a, 0x7b, 0x8d, 0x0e, 0x09}};
    ITypeLib *library = open_library();
    ITypeInfo *info = NULL, *owner = NULL;
    ITypeComp *comp = NULL, *inner = NULL;
    TYPEATTR *attr = NULL;
    WCHAR quiet[] = {'T', 'y', 'p', 'e', 'Q', 'u', 'i', 'e', 't', 0};
    BOOL is_name = TRUE;
    REQUIRE_NOT_NULL(library);
    REQUIRE_OK(ITypeLib_GetTypeInfoOfGuid(library, &index_id, &info));
    REQUIRE_OK(ITypeInfo_GetTypeAttr(info, &attr));
    CHECK_EQ(attr->typekind, TKIND_ALIAS);
    CHECK_EQ(attr->cbSizeInstance, 4);
    REQUIRE_EQ(attr->tdescAlias.vt, VT_USERDEFINED);
    CHECK_OK(ITypeInfo_GetRefTypeInfo(info, attr->tdescAlias.hreftype, &owner));
    CLEANUP(cleanup_free) char *text = owner != NULL ? dump_type(owner) : NULL;
    CHECK_STR_HAS(text, "kind 6 TypeCount");
    CHECK_STR_HAS(text, "means vt3");
    ITypeInfo_ReleaseTypeAttr(info, attr);
    ITypeInfo_Release(owner);
    ITypeInfo_Release(info);
    CHECK_OK(ITypeLib_IsName(library, quiet, 0, &is_name));
    CHECK_EQ(is_name, FALSE);
    CHECK_OK(ITypeLib_GetTypeComp(library, &comp));
    CHECK_OK(ITypeComp_BindType(comp, (LPOLESTR)VIA_STR("typeobject"), 0, &owner, &inner));
    CLEANUP(cleanup_free) char *found = owner != NULL ? dump_type(owner) : NULL;
    CHECK_STR_HAS(found, "means vt13");
    ITypeComp_Release(inner);
    ITypeInfo_Release(owner);
    ITypeComp_Release(comp);
    ITypeLib_Release(library);
}

/* --- objects --- */

static void add(ITypeInfo *info, void *instance, IDispatch *dispatch)
{
    VARIANT arguments[2], result;
    DISPPARAMS params = {.rgvarg = arguments, .cArgs = 2};
    UINT wrong = 9;
    V_VT(&arguments[1]) = VT_BSTR;
    V_BSTR(&arguments[1]) = SysAllocString(VIA_STR("40"));
    V_VT(&arguments[0]) = VT_I2;
    V_I2(&arguments[0]) = 2;
    CHECK_OK(ITypeInfo_Invoke(info, instance, 2, DISPATCH_METHOD, &params, &result, NULL, &wrong));
    CHECK_EQ(V_VT(&result), VT_I4);
    CHECK_EQ(V_I4(&result), 42);
    CHECK_OK(IDispatch_Invoke(dispatch, 2, (REFIID)&none, 0, DISPATCH_METHOD, &params, &result,
                              NULL, &wrong));
    CHECK_EQ(V_I4(&result), 42);
    VariantClear(&arguments[1]);
    V_VT(&arguments[1]) = VT_DISPATCH;
    V_DISPATCH(&arguments[1]) = dispatch;
    CHECK_HR(ITypeInfo_Invoke(info, instance, 2, DISPATCH_METHOD, &params, &result, NULL, &wrong),
             DISP_E_TYPEMISMATCH);
    CHECK_EQ(wrong, 1);
}

TEST(an_object_gives_its_own)
{
    ITypeMore *object = type_object_new();
    IDispatch *dispatch = NULL;
    ITypeInfo *info = NULL;
    UINT n = 0;
    REQUIRE_NOT_NULL(object);
    CHECK_OK(ITypeMore_QueryInterface(object, &IID_IDispatch, (void **)&dispatch));
    CHECK_OK(IDispatch_GetTypeInfoCount(dispatch, &n));
    CHECK_EQ(n, 1);
    CHECK_HR(IDispatch_GetTypeInfo(dispatch, 1, 0, &info), DISP_E_BADINDEX);
    REQUIRE_OK(IDispatch_GetTypeInfo(dispatch, 0, 0, &info));
    CLEANUP(cleanup_free) char *name = dump_name(info);
    CHECK_STR_EQ(name, "ITypeMore");
    add(info, object, dispatch);
    ITypeInfo_Release(info);
    IDispatch_Release(dispatch);
    ITypeMore_Release(object);
}

/* A class is called by its default interface. */
TEST(a_class_calls_its_object)
{
    ITypeMore *object = type_object_new();
    ITypeInfo *info = open_type(&CLSID_TypeThing);
    EXCEPINFO exception = {0};
    VARIANT arguments[2];
    DISPPARAMS params = {.rgvarg = arguments, .cArgs = 2};
    REQUIRE(object != NULL && info != NULL);
    add(info, object, (IDispatch *)object);
    V_VT(&arguments[1]) = VT_I4;
    V_I4(&arguments[1]) = (LONG)E_ABORT;
    V_VT(&arguments[0]) = VT_BSTR;
    V_BSTR(&arguments[0]) = SysAllocString(VIA_STR("on purpose"));
    CHECK_HR(ITypeInfo_Invoke(info, object, 7, DISPATCH_METHOD, &params, NULL, &exception, NULL),
             DISP_E_EXCEPTION);
    CHECK_HR(exception.scode, E_ABORT);
    is_text(exception.bstrDescription, "on purpose");
    SysFreeString(exception.bstrSource);
    VariantClear(&arguments[0]);
    CHECK_HR(ITypeInfo_Invoke(info, object, 99, DISPATCH_METHOD, &params, NULL, NULL, NULL),
             DISP_E_MEMBERNOTFOUND);
    CHECK_HR(ITypeInfo_Invoke(info, NULL, 7, DISPATCH_METHOD, &params, NULL, NULL, NULL),
             E_INVALIDARG);
    ITypeInfo_Release(info);
    ITypeMore_Release(object);
}

/* --- memory --- */

static void describe_all(void)
{
    ITypeLib *library = NULL;
    ITypeInfo *info = NULL;
    FUNCDESC *function = NULL;
    TYPEATTR *attr = NULL;
    BSTR names[4];
    UINT n = 0;
    if (FAILED(via_type_library(&type_test_typelib, &library)))
        return;
    if (SUCCEEDED(ITypeLib_GetTypeInfoOfGuid(library, &IID_ITypePlain, &info))) {
        if (SUCCEEDED(ITypeInfo_GetTypeAttr(info, &attr)))
            ITypeInfo_ReleaseTypeAttr(info, attr);
        if (SUCCEEDED(ITypeInfo_GetFuncDesc(info, 0, &function)))
            ITypeInfo_ReleaseFuncDesc(info, function);
        if (SUCCEEDED(ITypeInfo_GetNames(info, 5, names, 4, &n)))
            for (UINT i = 0; i < n; i++)
                SysFreeString(names[i]);
        ITypeInfo_Release(info);
    }
    info = NULL;
    if (SUCCEEDED(ITypeLib_GetTypeInfo(library, ITypeLib_GetTypeInfoCount(library) - 1, &info))) {
        if (SUCCEEDED(ITypeInfo_GetTypeAttr(info, &attr)))
            ITypeInfo_ReleaseTypeAttr(info, attr);
        ITypeInfo_Release(info);
    }
    ITypeLib_Release(library);
}

TEST(short_memory_is_survived)
{
    ITypeLib *library = open_library();
    REQUIRE_NOT_NULL(library);
    for (size_t n = 0; harness_fail_allocation(n), describe_all(), harness_allocation_failed(); n++)
        ;
    ITypeLib_Release(library);
}

HARNESS_MAIN("typeinfo", TEST_ENTRY(a_library_says_what_its_source_says),
             TEST_ENTRY(a_base_of_another_library_is_found), TEST_ENTRY(names_have_ids),
             TEST_ENTRY(few_names_fit), TEST_ENTRY(a_class_has_the_names_of_its_default_interface),
             TEST_ENTRY(what_is_not_there_is_refused),
             TEST_ENTRY(a_library_has_attributes_and_names), TEST_ENTRY(names_are_bound),
             TEST_ENTRY(constants_are_bound_by_their_library), TEST_ENTRY(an_alias_is_a_type),
             TEST_ENTRY(an_object_gives_its_own), TEST_ENTRY(a_class_calls_its_object),
             TEST_ENTRY(short_memory_is_survived))
