/* com/abi, and what it is made of: base types, strings, memory, error information, GUIDs, UTF. On
 * Windows the same checks run against the system's own functions. */
#include "com/abi/error_border.h"
#include "com/abi/guid.h"
#include "core/util/error.h"
#include "core/util/sha1.h"
#include "core/util/utf.h"
#include "tests/abi/cpp_object.h"
#include "tests/harness/harness.h"

#include <stdlib.h>
#include <string.h>
#include <viaduct/com.h>
#include <viaduct/component.h>

_Static_assert(sizeof(LONG) == 4 && sizeof(ULONG) == 4 && sizeof(DWORD) == 4, "32 bits");
_Static_assert(sizeof(BOOL) == 4 && sizeof(HRESULT) == 4 && sizeof(INT) == 4, "32 bits");
_Static_assert(sizeof(SHORT) == 2 && sizeof(WCHAR) == 2 && sizeof(VARIANT_BOOL) == 2, "16 bits");
_Static_assert(sizeof(BYTE) == 1 && sizeof(CHAR) == 1 && sizeof(BOOLEAN) == 1, "8 bits");
_Static_assert(sizeof(LONGLONG) == 8 && sizeof(ULONGLONG) == 8 && sizeof(DOUBLE) == 8, "64 bits");
_Static_assert(sizeof(GUID) == 16 && _Alignof(GUID) == 4, "COM's layout");
_Static_assert(offsetof(GUID, Data4) == 8, "COM's layout");
_Static_assert(offsetof(IUnknownVtbl, QueryInterface) == 0, "slot 0");
_Static_assert(offsetof(IUnknownVtbl, AddRef) == sizeof(void *), "slot 1");
_Static_assert(offsetof(IUnknownVtbl, Release) == 2 * sizeof(void *), "slot 2");
_Static_assert(sizeof(IDispatchVtbl) == 7 * sizeof(void *), "seven slots");
_Static_assert(sizeof(IClassFactoryVtbl) == 5 * sizeof(void *), "five slots");

/* Type information: what 64-bit Windows has. */
_Static_assert(sizeof(TYPEDESC) == 16 && offsetof(TYPEDESC, vt) == 8, "COM's layout");
_Static_assert(sizeof(ARRAYDESC) == 32 && offsetof(ARRAYDESC, rgbounds) == 20, "COM's layout");
_Static_assert(sizeof(PARAMDESCEX) == 32 && offsetof(PARAMDESCEX, varDefaultValue) == 8,
               "COM's layout");
_Static_assert(sizeof(PARAMDESC) == 16 && sizeof(IDLDESC) == 16, "COM's layout");
_Static_assert(sizeof(ELEMDESC) == 32 && offsetof(ELEMDESC, paramdesc) == 16, "COM's layout");
_Static_assert(sizeof(TYPEATTR) == 96 && offsetof(TYPEATTR, lpstrSchema) == 32, "COM's layout");
_Static_assert(offsetof(TYPEATTR, typekind) == 44 && offsetof(TYPEATTR, tdescAlias) == 64,
               "COM's layout");
_Static_assert(sizeof(FUNCDESC) == 88 && offsetof(FUNCDESC, funckind) == 24, "COM's layout");
_Static_assert(offsetof(FUNCDESC, oVft) == 40 && offsetof(FUNCDESC, elemdescFunc) == 48 &&
                   offsetof(FUNCDESC, wFuncFlags) == 80,
               "COM's layout");
_Static_assert(sizeof(VARDESC) == 64 && offsetof(VARDESC, elemdescVar) == 24 &&
                   offsetof(VARDESC, varkind) == 60,
               "COM's layout");
_Static_assert(sizeof(TLIBATTR) == 32 && offsetof(TLIBATTR, syskind) == 20, "COM's layout");
_Static_assert(sizeof(ITypeInfoVtbl) == 22 * sizeof(void *), "22 slots");
_Static_assert(sizeof(ITypeLibVtbl) == 13 * sizeof(void *), "13 slots");
_Static_assert(sizeof(ITypeCompVtbl) == 5 * sizeof(void *), "5 slots");
_Static_assert(offsetof(ITypeInfoVtbl, Invoke) == 11 * sizeof(void *), "slot 11");
_Static_assert(offsetof(ITypeInfoVtbl, ReleaseVarDesc) == 21 * sizeof(void *), "slot 21");

static const WCHAR *const sample = VIA_STR("Grüße, \xD83D\xDE00");

TEST(strings_count_their_units)
{
    BSTR text = SysAllocString(VIA_STR("abc"));
    uint32_t n_bytes;

    REQUIRE_NOT_NULL(text);
    CHECK_EQ(SysStringLen(text), 3);
    CHECK_EQ(SysStringByteLen(text), 6);
    CHECK_EQ(text[3], 0);
    memcpy(&n_bytes, (char *)text - 4, 4);
    CHECK_EQ(n_bytes, 6);
    CHECK_EQ(SysReAllocString(&text, VIA_STR("longer text")), TRUE);
    CHECK_EQ(SysStringLen(text), 11);
    CHECK_EQ(SysReAllocStringLen(&text, text, 6), TRUE);
    CHECK_EQ(SysStringLen(text), 6);
    CHECK_MEM_EQ(text, VIA_STR("longer"), 14);
    SysFreeString(text);
}

TEST(strings_may_hold_anything)
{
    static const WCHAR with_zero[] = {'a', 0, 'b'};
    BSTR text = SysAllocStringLen(with_zero, 3);
    BSTR bytes = SysAllocStringByteLen("xyz", 3);
    BSTR empty = SysAllocString(VIA_STR(""));

    CHECK_EQ(SysStringLen(text), 3);
    CHECK_EQ(text[2], 'b');
    CHECK_EQ(SysStringByteLen(bytes), 3);
    CHECK_EQ(SysStringLen(bytes), 1);
    CHECK_NOT_NULL(empty);
    CHECK_EQ(SysStringLen(empty), 0);
    SysFreeString(text);
    SysFreeString(bytes);
    SysFreeString(empty);
}

TEST(null_is_an_empty_string)
{
    CHECK_NULL(SysAllocString(NULL));
    CHECK_EQ(SysStringLen(NULL), 0);
    CHECK_EQ(SysStringByteLen(NULL), 0);
    SysFreeString(NULL);
}

TEST(task_memory_grows_and_is_freed)
{
    char *memory = CoTaskMemAlloc(4);

    REQUIRE_NOT_NULL(memory);
    memcpy(memory, "abc", 4);
    memory = CoTaskMemRealloc(memory, 4096);
    REQUIRE_NOT_NULL(memory);
    CHECK_STR_EQ(memory, "abc");
    CoTaskMemFree(memory);
    CoTaskMemFree(NULL);
    memory = CoTaskMemAlloc(0);
    CHECK_NOT_NULL(memory);
    CHECK_NULL(CoTaskMemRealloc(memory, 0));
}

static void set_error_info(const WCHAR *description)
{
    ICreateErrorInfo *create;
    IErrorInfo *info;

    REQUIRE_OK(CreateErrorInfo(&create));
    CHECK_OK(ICreateErrorInfo_SetDescription(create, (LPOLESTR)description));
    CHECK_OK(ICreateErrorInfo_SetSource(create, (LPOLESTR)VIA_STR("Test.Source")));
    CHECK_OK(ICreateErrorInfo_QueryInterface(create, &IID_IErrorInfo, (void **)&info));
    CHECK_OK(SetErrorInfo(0, info));
    IErrorInfo_Release(info);
    ICreateErrorInfo_Release(create);
}

TEST(error_information_belongs_to_the_thread)
{
    IErrorInfo *info;
    BSTR text;

    set_error_info(sample);
    REQUIRE_OK(GetErrorInfo(0, &info));
    CHECK_OK(IErrorInfo_GetDescription(info, &text));
    CHECK_EQ(SysStringLen(text), utf16_length(sample));
    SysFreeString(text);
    CHECK_OK(IErrorInfo_GetSource(info, &text));
    CHECK_MEM_EQ(text, VIA_STR("Test.Source"), 24);
    SysFreeString(text);
    IErrorInfo_Release(info);
    CHECK_HR(GetErrorInfo(0, &info), S_FALSE);
    CHECK_NULL(info);
}

TEST(a_record_becomes_error_information_and_comes_back)
{
    char text[ERROR_TEXT_SIZE];

    error_set(E_INVALIDARG, "the number %d is odd", 3);
    error_set_source("Viaduct.Test");
    error_wrap(E_INVALIDARG, "cannot halve");
    error_border_publish(E_INVALIDARG);
    error_clear();
    error_border_capture(E_INVALIDARG);
    REQUIRE_NOT_NULL(error_get());
    error_format(error_get(), E_INVALIDARG, text, sizeof(text));
    CHECK_STR_HAS(text, "cannot halve");
    CHECK_STR_HAS(text, "the number 3 is odd");
    CHECK_HR(error_get()->code, E_INVALIDARG);
    error_border_clear();
    CHECK_NULL(error_get());
}

TEST(a_components_error_information_becomes_a_record)
{
    set_error_info(VIA_STR("no such thing"));
    error_border_capture(E_FAIL);
    REQUIRE_NOT_NULL(error_get());
    CHECK_STR_EQ(error_get()->text, "no such thing");
    CHECK_STR_EQ(error_get()->source, "Test.Source");
    CHECK_HR(error_get()->code, E_FAIL);
    error_border_clear();
}

TEST(guids_are_written_and_read)
{
    static const GUID guid = {
        0x8c1d5a34, 0x6f0b, 0x4b7e, {0x9a, 0x52, 0x3f, 0x6f, 0x0f, 0x2f, 0x1b, 0x01}};
    static const char *const bad[] = {"",
                                      "{}",
                                      "8c1d5a34-6f0b-4b7e-9a52-3f6f0f2f1b0",
                                      "8c1d5a34-6f0b-4b7e-9a52-3f6f0f2f1b011",
                                      "8c1d5a34-6f0b-4b7e-9a523-f6f0f2f1b01",
                                      "{8c1d5a34-6f0b-4b7e-9a52-3f6f0f2f1b01",
                                      "8c1d5a34-6f0b-4b7e-9a52-3f6f0f2f1b01}",
                                      "8g1d5a34-6f0b-4b7e-9a52-3f6f0f2f1b01",
                                      " 8c1d5a34-6f0b-4b7e-9a52-3f6f0f2f1b01",
                                      "+c1d5a34-6f0b-4b7e-9a52-3f6f0f2f1b01"};
    char text[GUID_TEXT_SIZE];
    GUID back;

    CHECK_STR_EQ(guid_format(&guid, text), "{8C1D5A34-6F0B-4B7E-9A52-3F6F0F2F1B01}");
    CHECK(guid_parse(text, &back));
    CHECK(IsEqualGUID(&guid, &back));
    CHECK(guid_parse("8c1d5a34-6f0b-4b7e-9a52-3f6f0f2f1b01", &back));
    CHECK(IsEqualGUID(&guid, &back));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (!CHECK_FALSE(guid_parse(bad[i], &back)))
            harness_note("accepted: '%s'", bad[i]);
    back = guid_random();
    CHECK_EQ(back.Data3 >> 12, 4);
    CHECK_EQ(back.Data4[0] >> 6, 2);
}

TEST(text_goes_from_utf8_to_utf16_and_back)
{
    static const char text[] = "Gr\xc3\xbc\xc3\x9f"
                               "e, \xf0\x9f\x98\x80";
    WCHAR *wide = utf_to_wide(text);
    char *back;

    REQUIRE_NOT_NULL(wide);
    CHECK_EQ(utf16_length(wide), 9);
    CHECK_EQ(wide[7], 0xD83D);
    back = utf_from_wide(wide, utf16_length(wide));
    CHECK_STR_EQ(back, text);
    free(back);
    free(wide);
}

TEST(only_the_shortest_form_of_utf8_is_valid)
{
    static const char *const bad[] = {"\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf8\x88\x80\x80\x80",
                                      "\x80",
                                      "a\xc3",
                                      "\xe2\x82",
                                      "\xff",
                                      "\xf0\x80\x80\x80"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (!CHECK_FALSE(utf8_is_valid(bad[i], strlen(bad[i]))))
            harness_note("accepted: number %zu", i);
    CHECK(utf8_is_valid("", 0));
    CHECK(utf8_is_valid("\xf4\x8f\xbf\xbf", 4));
    CHECK(utf8_is_valid("\xed\x9f\xbf", 3));
    CHECK(utf8_is_valid("\xee\x80\x80", 3));
}

TEST(sha1_gives_the_standards_examples)
{
    static const struct {
        const char *text;
        uint8_t digest[4];
    } examples[] = {
        {"", {0xda, 0x39, 0xa3, 0xee}},
        {"abc", {0xa9, 0x99, 0x3e, 0x36}},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", {0x84, 0x98, 0x3e, 0x44}},
    };

    for (size_t i = 0; i < sizeof(examples) / sizeof(examples[0]); i++) {
        struct sha1 sha1;
        uint8_t digest[SHA1_SIZE];

        sha1_init(&sha1);
        for (const char *c = examples[i].text; *c; c++)
            sha1_update(&sha1, c, 1);
        sha1_finish(&sha1, digest);
        CHECK_MEM_EQ(digest, examples[i].digest, 4);
    }
}

/* A class in C++, called through the C form, and the other way round. */
TEST(c_and_cpp_share_one_abi)
{
    IClassFactory *factory = cpp_factory_new();
    IUnknown *unknown = NULL;

    REQUIRE_NOT_NULL(factory);
    CHECK_EQ(IClassFactory_AddRef(factory), 2);
    CHECK_OK(IClassFactory_QueryInterface(factory, &IID_IUnknown, (void **)&unknown));
    CHECK_PTR_EQ(unknown, factory);
    CHECK_HR(IClassFactory_QueryInterface(factory, &IID_IErrorInfo, (void **)&unknown),
             E_NOINTERFACE);
    CHECK_NULL(unknown);
    CHECK_OK(IClassFactory_LockServer(factory, TRUE));
    CHECK_EQ(cpp_locks(factory), 1);
    CHECK_OK(IClassFactory_CreateInstance(factory, NULL, &IID_IUnknown, (void **)&unknown));
    CHECK_PTR_EQ(unknown, factory);
    CHECK_EQ(cpp_release(unknown), 3);
    CHECK_EQ(IClassFactory_Release(factory), 2);
    CHECK_EQ(IClassFactory_Release(factory), 1);
    CHECK_EQ(IClassFactory_Release(factory), 0);
}

HARNESS_MAIN("abi", TEST_ENTRY(strings_count_their_units), TEST_ENTRY(strings_may_hold_anything),
             TEST_ENTRY(null_is_an_empty_string), TEST_ENTRY(task_memory_grows_and_is_freed),
             TEST_ENTRY(error_information_belongs_to_the_thread),
             TEST_ENTRY(a_record_becomes_error_information_and_comes_back),
             TEST_ENTRY(a_components_error_information_becomes_a_record),
             TEST_ENTRY(guids_are_written_and_read),
             TEST_ENTRY(text_goes_from_utf8_to_utf16_and_back),
             TEST_ENTRY(only_the_shortest_form_of_utf8_is_valid),
             TEST_ENTRY(sha1_gives_the_standards_examples), TEST_ENTRY(c_and_cpp_share_one_abi))
