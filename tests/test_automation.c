/*
 * VARIANTs, SAFEARRAYs and their relatives. Everything here is what Windows does: the suite runs
 * against Windows' own functions too.
 */
#include "core/os/unix_calls.h"
#include "tests/automation/cases.h"
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAME_PLACE(type, field, where) \
    _Static_assert(offsetof(type, field) == (where), "the place in Windows' headers")

_Static_assert(sizeof(VARTYPE) == 2 && sizeof(SCODE) == 4 && sizeof(DATE) == 8, "Windows' sizes");
_Static_assert(sizeof(CY) == 8 && _Alignof(CY) == 8, "Windows' size");
_Static_assert(sizeof(DECIMAL) == 16 && _Alignof(DECIMAL) == 8, "Windows' size");
_Static_assert(sizeof(VARIANT) == 8 + 2 * sizeof(void *) && _Alignof(VARIANT) == 8, "its size");
_Static_assert(sizeof(SAFEARRAYBOUND) == 8, "Windows' size");
_Static_assert(sizeof(SYSTEMTIME) == 16, "Windows' size");
_Static_assert(sizeof(IRecordInfoVtbl) == 19 * sizeof(void *), "nineteen slots");
SAME_PLACE(DECIMAL, scale, 2);
SAME_PLACE(DECIMAL, sign, 3);
SAME_PLACE(DECIMAL, Hi32, 4);
SAME_PLACE(DECIMAL, Lo64, 8);
SAME_PLACE(CY, Hi, 4);
SAME_PLACE(VARIANT, vt, 0);
SAME_PLACE(VARIANT, lVal, 8);
SAME_PLACE(VARIANT, pvRecord, 8);
SAME_PLACE(VARIANT, pRecInfo, 8 + sizeof(void *));
SAME_PLACE(VARIANT, decVal, 0);
SAME_PLACE(SAFEARRAY, fFeatures, 2);
SAME_PLACE(SAFEARRAY, cbElements, 4);
SAME_PLACE(SAFEARRAY, cLocks, 8);
SAME_PLACE(SAFEARRAY, pvData, sizeof(void *) == 8 ? 16 : 12);
SAME_PLACE(SAFEARRAY, rgsabound, sizeof(void *) == 8 ? 24 : 16);

/* --- conversions --- */

/* The columns of a row; the last one is only there where Wine is known to be wrong. */
static size_t split_row(char *line, char *columns[5])
{
    size_t n = 0;
    line[strcspn(line, "\r\n")] = 0;
    for (char *column = line; column && n < 5; n++) {
        columns[n] = column;
        column = strchr(column, '\t');
        if (column)
            *column++ = 0;
    }
    return n;
}

TEST(conversions_are_those_of_windows)
{
    char line[1024], result[CASES_TEXT_SIZE];
    char *columns[5];
    unsigned n_rows = 0;
    FILE *file = fopen(TEST_SOURCE_DIRECTORY "/tests/automation/conversions.txt", "r");
    REQUIRE_NOT_NULL(file);
    while (fgets(line, sizeof(line), file)) {
        if (line[0] == '#')
            continue;
        size_t n = split_row(line, columns);
        const char *expected = n == 5 && os_is_wine() ? columns[4] : columns[3];
        bool is_row = n >= 4 && cases_evaluate(columns[0], columns[1], columns[2], result);
        if (!CHECK(is_row && !strcmp(result, expected)))
            harness_note("%s %s to %s: %s, not %s", columns[0], columns[1], columns[2],
                         is_row ? result : "no row", expected);
        n_rows++;
    }
    fclose(file);
    CHECK(n_rows > 3000);
}

static bool text_is(BSTR text, const char *expected)
{
    size_t n = strlen(expected);
    if (!text || SysStringLen(text) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (text[i] != (OLECHAR)expected[i])
            return false;
    return true;
}

TEST(a_variant_becomes_another_in_place)
{
    VARIANT value;
    VariantInit(&value);
    V_VT(&value) = VT_BSTR;
    V_BSTR(&value) = SysAllocString(VIA_STR("12.50"));
    CHECK_OK(VariantChangeType(&value, &value, 0, VT_R8));
    CHECK_EQ(V_VT(&value), VT_R8);
    CHECK(V_R8(&value) == 12.5);
    CHECK_HR(VariantChangeType(&value, &value, 0, VT_ERROR), DISP_E_TYPEMISMATCH);
    CHECK_EQ(V_VT(&value), VT_R8);
    CHECK_OK(VariantChangeType(&value, &value, 0, VT_BSTR));
    CHECK(text_is(V_BSTR(&value), "12.5"));
    CHECK_OK(VariantClear(&value));
    CHECK_EQ(V_VT(&value), VT_EMPTY);
}

TEST(what_is_no_decimal_becomes_no_number)
{
    VARIANT value = {0}, to = {0};
    V_DECIMAL(&value) = (DECIMAL){.scale = 29, .Lo64 = 1};
    V_VT(&value) = VT_DECIMAL;
    CHECK_HR(VariantChangeType(&to, &value, 0, VT_R8), E_INVALIDARG);
    V_DECIMAL(&value).scale = 28;
    CHECK_OK(VariantChangeType(&to, &value, 0, VT_R8));
    V_DECIMAL(&value).sign = 1;
    CHECK_HR(VariantChangeType(&to, &value, 0, VT_R8), E_INVALIDARG);
}

TEST(a_reference_is_followed_when_it_is_converted)
{
    LONG number = 42;
    VARIANT from = {0}, to = {0}, outer = {0};
    V_VT(&from) = VT_BYREF | VT_I4;
    V_I4REF(&from) = &number;
    CHECK_OK(VariantChangeType(&to, &from, 0, VT_BSTR));
    CHECK(text_is(V_BSTR(&to), "42"));
    VariantClear(&to);
    V_VT(&outer) = VT_BYREF | VT_VARIANT;
    V_VARIANTREF(&outer) = &from;
    CHECK_OK(VariantChangeType(&to, &outer, 0, VT_R8));
    CHECK(V_R8(&to) == 42);
}

TEST(dates_become_parts_and_come_back)
{
    SYSTEMTIME parts = {.wYear = 2024, .wMonth = 2, .wDay = 29, .wHour = 13, .wMinute = 30}, back;
    double date = 0;
    CHECK(SystemTimeToVariantTime(&parts, &date));
    CHECK(date == 45351.5625);
    CHECK(VariantTimeToSystemTime(date, &back));
    CHECK_EQ(back.wDayOfWeek, 4);
    back.wDayOfWeek = 0;
    CHECK_MEM_EQ(&parts, &back, sizeof(parts));
    CHECK(VariantTimeToSystemTime(-1.25, &back));
    CHECK_EQ(back.wYear, 1899);
    CHECK_EQ(back.wMonth, 12);
    CHECK_EQ(back.wDay, 29);
    CHECK_EQ(back.wHour, 6);
    CHECK_FALSE(VariantTimeToSystemTime(3000000, &back));
}

/* --- values --- */

TEST(a_copy_has_content_of_its_own)
{
    VARIANT from = {0}, to = {0};
    V_VT(&from) = VT_BSTR;
    V_BSTR(&from) = SysAllocStringByteLen("a\0bcd", 5);
    CHECK_OK(VariantCopy(&to, &from));
    CHECK_EQ(V_VT(&to), VT_BSTR);
    CHECK(V_BSTR(&to) != V_BSTR(&from));
    CHECK_EQ(SysStringByteLen(V_BSTR(&to)), 5);
    CHECK_MEM_EQ(V_BSTR(&to), "a\0bcd", 5);
    CHECK_OK(VariantCopy(&to, &to));
    CHECK_OK(VariantClear(&to));
    SysFreeString(V_BSTR(&from));
    V_BSTR(&from) = NULL;
    CHECK_OK(VariantCopy(&to, &from));
    CHECK_EQ(V_VT(&to), VT_BSTR);
    CHECK_EQ(SysStringLen(V_BSTR(&to)), 0);
    CHECK_OK(VariantClear(&to));
}

TEST(what_is_referred_to_is_neither_copied_nor_freed)
{
    BSTR text = SysAllocString(VIA_STR("text"));
    VARIANT from = {0}, to = {0};
    V_VT(&from) = VT_BYREF | VT_BSTR;
    V_BSTRREF(&from) = &text;
    CHECK_OK(VariantCopy(&to, &from));
    CHECK_PTR_EQ(V_BSTRREF(&to), &text);
    CHECK_OK(VariantClear(&to));
    CHECK_OK(VariantCopyInd(&to, &from));
    CHECK_EQ(V_VT(&to), VT_BSTR);
    CHECK(text_is(V_BSTR(&to), "text"));
    CHECK(V_BSTR(&to) != text);
    CHECK_OK(VariantClear(&to));
    CHECK_OK(VariantCopyInd(&from, &from));
    CHECK_EQ(V_VT(&from), VT_BSTR);
    CHECK_OK(VariantClear(&from));
    CHECK(text_is(text, "text"));
    SysFreeString(text);
}

TEST(a_decimal_lies_over_the_type)
{
    DECIMAL decimal = {.scale = 2, .Lo64 = 1234};
    VARIANT from = {0}, to = {0};
    V_VT(&from) = VT_BYREF | VT_DECIMAL;
    V_DECIMALREF(&from) = &decimal;
    decimal.wReserved = 0x5555;
    CHECK_OK(VariantCopyInd(&to, &from));
    CHECK_EQ(V_VT(&to), VT_DECIMAL);
    CHECK_EQ(V_DECIMAL(&to).Lo64, 1234);
    CHECK_EQ(V_DECIMAL(&to).scale, 2);
}

TEST(types_that_are_none_are_refused)
{
    static const VARTYPE bad[] = {15, VT_VECTOR | VT_I4, VT_RESERVED, VT_BYREF};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        VARIANT value = {0}, to = {0};
        V_VT(&value) = bad[i];
        if (!CHECK_HR(VariantClear(&value), DISP_E_BADVARTYPE))
            harness_note("type %x", bad[i]);
        CHECK_HR(VariantCopy(&to, &value), DISP_E_BADVARTYPE);
    }
}

/* --- arrays --- */

TEST(elements_stand_where_windows_has_them)
{
    SAFEARRAYBOUND bounds[] = {{3, -1}, {2, 10}};
    SAFEARRAY *array = SafeArrayCreate(VT_I4, 2, bounds);
    LONG lower = 0, upper = 0, value = 77, back = 0;
    LONG index[] = {1, 11};
    VARTYPE vt = 0;
    LONG *data;
    REQUIRE_NOT_NULL(array);
    CHECK_EQ(SafeArrayGetDim(array), 2);
    CHECK_EQ(SafeArrayGetElemsize(array), 4);
    CHECK_OK(SafeArrayGetVartype(array, &vt));
    CHECK_EQ(vt, VT_I4);
    CHECK_OK(SafeArrayGetLBound(array, 1, &lower));
    CHECK_OK(SafeArrayGetUBound(array, 1, &upper));
    CHECK_EQ(lower, -1);
    CHECK_EQ(upper, 1);
    CHECK_OK(SafeArrayGetUBound(array, 2, &upper));
    CHECK_EQ(upper, 11);
    CHECK_HR(SafeArrayGetUBound(array, 3, &upper), DISP_E_BADINDEX);
    CHECK_EQ(array->rgsabound[0].lLbound, 10);
    CHECK_OK(SafeArrayPutElement(array, index, &value));
    CHECK_OK(SafeArrayGetElement(array, index, &back));
    CHECK_EQ(back, 77);
    CHECK_OK(SafeArrayAccessData(array, (void **)&data));
    CHECK_EQ(data[1 + 1 + 3], 77);
    CHECK_HR(SafeArrayDestroy(array), DISP_E_ARRAYISLOCKED);
    CHECK_OK(SafeArrayUnaccessData(array));
    CHECK_HR(SafeArrayUnlock(array), E_UNEXPECTED);
    index[0] = 2;
    CHECK_HR(SafeArrayGetElement(array, index, &back), DISP_E_BADINDEX);
    CHECK_OK(SafeArrayDestroy(array));
}

/* What may be the element's type, and how large it is then. */
TEST(every_type_of_element_can_be_made)
{
    static const struct {
        VARTYPE vt;
        ULONG size;
        USHORT features;
    } types[] = {{VT_I1, 1, FADF_HAVEVARTYPE},
                 {VT_UI1, 1, FADF_HAVEVARTYPE},
                 {VT_I2, 2, FADF_HAVEVARTYPE},
                 {VT_UI2, 2, FADF_HAVEVARTYPE},
                 {VT_I4, 4, FADF_HAVEVARTYPE},
                 {VT_UI4, 4, FADF_HAVEVARTYPE},
                 {VT_I8, 8, FADF_HAVEVARTYPE},
                 {VT_UI8, 8, FADF_HAVEVARTYPE},
                 {VT_INT, 4, FADF_HAVEVARTYPE},
                 {VT_UINT, 4, FADF_HAVEVARTYPE},
                 {VT_R4, 4, FADF_HAVEVARTYPE},
                 {VT_R8, 8, FADF_HAVEVARTYPE},
                 {VT_CY, 8, FADF_HAVEVARTYPE},
                 {VT_DATE, 8, FADF_HAVEVARTYPE},
                 {VT_BOOL, 2, FADF_HAVEVARTYPE},
                 {VT_ERROR, 4, FADF_HAVEVARTYPE},
                 {VT_DECIMAL, sizeof(DECIMAL), FADF_HAVEVARTYPE},
                 {VT_BSTR, sizeof(void *), FADF_HAVEVARTYPE | FADF_BSTR},
                 {VT_VARIANT, sizeof(VARIANT), FADF_HAVEVARTYPE | FADF_VARIANT},
                 {VT_UNKNOWN, sizeof(void *), FADF_HAVEIID | FADF_UNKNOWN},
                 {VT_DISPATCH, sizeof(void *), FADF_HAVEIID | FADF_DISPATCH}};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        SAFEARRAY *array = SafeArrayCreateVector(types[i].vt, 5, 3), *copy = NULL;
        VARTYPE vt = 0;
        REQUIRE_NOT_NULL(array);
        CHECK_EQ(SafeArrayGetElemsize(array), types[i].size);
        CHECK_EQ(array->fFeatures & (FADF_HAVEVARTYPE | FADF_HAVEIID | FADF_BSTR | FADF_UNKNOWN |
                                     FADF_DISPATCH | FADF_VARIANT),
                 types[i].features);
        CHECK_OK(SafeArrayCopy(array, &copy));
        CHECK_OK(SafeArrayDestroy(array));
        CHECK_OK(SafeArrayGetVartype(copy, &vt));
        CHECK_EQ(vt, types[i].vt);
        CHECK_EQ(copy->rgsabound[0].lLbound, 5);
        CHECK_OK(SafeArrayDestroy(copy));
    }
    CHECK_NULL(SafeArrayCreateVector(VT_EMPTY, 0, 1));
    CHECK_NULL(SafeArrayCreateVector(VT_RECORD, 0, 1));
}

TEST(strings_in_arrays_are_copies)
{
    SAFEARRAY *array = SafeArrayCreateVector(VT_BSTR, 0, 2), *copy = NULL;
    BSTR text = SysAllocString(VIA_STR("text")), back = NULL;
    LONG index = 1;
    REQUIRE_NOT_NULL(array);
    CHECK_OK(SafeArrayPutElement(array, &index, text));
    CHECK_OK(SafeArrayPutElement(array, &index, text));
    SysFreeString(text);
    CHECK_OK(SafeArrayCopy(array, &copy));
    CHECK_OK(SafeArrayDestroy(array));
    CHECK_OK(SafeArrayGetElement(copy, &index, &back));
    CHECK(text_is(back, "text"));
    SysFreeString(back);
    index = 0;
    CHECK_OK(SafeArrayGetElement(copy, &index, &back));
    CHECK_NULL(back);
    CHECK_OK(SafeArrayDestroy(copy));
}

TEST(an_array_in_a_variant_belongs_to_it)
{
    VARIANT value = {0}, copy = {0};
    SAFEARRAY *array = SafeArrayCreateVector(VT_VARIANT, 0, 2);
    REQUIRE_NOT_NULL(array);
    VARIANT *elements = array->pvData;
    V_VT(&elements[1]) = VT_BSTR;
    V_BSTR(&elements[1]) = SysAllocString(VIA_STR("inner"));
    V_VT(&value) = VT_ARRAY | VT_VARIANT;
    V_ARRAY(&value) = array;
    CHECK_OK(VariantCopy(&copy, &value));
    CHECK_OK(VariantClear(&value));
    elements = V_ARRAY(&copy)->pvData;
    CHECK(text_is(V_BSTR(&elements[1]), "inner"));
    SafeArrayLock(V_ARRAY(&copy));
    CHECK_HR(VariantClear(&copy), DISP_E_ARRAYISLOCKED);
    SafeArrayUnlock(V_ARRAY(&copy));
    CHECK_OK(VariantClear(&copy));
}

TEST(the_rightmost_dimension_changes)
{
    SAFEARRAYBOUND bounds[] = {{2, 0}, {2, 0}}, larger = {3, 1}, smaller = {1, 1};
    SAFEARRAY *array = SafeArrayCreate(VT_BSTR, 2, bounds);
    BSTR text = SysAllocString(VIA_STR("x"));
    LONG first[] = {1, 0}, last[] = {1, 1};
    BSTR back = NULL;
    REQUIRE_NOT_NULL(array);
    CHECK_OK(SafeArrayPutElement(array, first, text));
    CHECK_OK(SafeArrayPutElement(array, last, text));
    SysFreeString(text);
    CHECK_OK(SafeArrayRedim(array, &larger));
    first[1] = 1;
    CHECK_OK(SafeArrayGetElement(array, first, &back));
    CHECK(text_is(back, "x"));
    SysFreeString(back);
    CHECK_OK(SafeArrayRedim(array, &smaller));
    CHECK_OK(SafeArrayGetElement(array, first, &back));
    CHECK(text_is(back, "x"));
    SysFreeString(back);
    last[1] = 2;
    CHECK_HR(SafeArrayGetElement(array, last, &back), DISP_E_BADINDEX);
    CHECK_OK(SafeArrayDestroy(array));
}

TEST(an_array_may_be_empty)
{
    SAFEARRAY *array = SafeArrayCreateVector(VT_I4, 0, 0), *copy = NULL;
    LONG upper = 0, index = 0, value;
    REQUIRE_NOT_NULL(array);
    CHECK_OK(SafeArrayGetUBound(array, 1, &upper));
    CHECK_EQ(upper, -1);
    CHECK_HR(SafeArrayGetElement(array, &index, &value), DISP_E_BADINDEX);
    CHECK_OK(SafeArrayCopy(array, &copy));
    CHECK_OK(SafeArrayDestroy(array));
    CHECK_OK(SafeArrayDestroy(copy));
    CHECK_OK(SafeArrayDestroy(NULL));
}

TEST(bytes_become_a_string_and_come_back)
{
    BSTR text = SysAllocStringByteLen("\x01\x02\x03", 3), back = NULL;
    SAFEARRAY *array = NULL;
    CHECK_OK(VectorFromBstr(text, &array));
    CHECK_EQ(array->rgsabound[0].cElements, 3);
    CHECK_OK(BstrFromVector(array, &back));
    CHECK_EQ(SysStringByteLen(back), 3);
    CHECK_MEM_EQ(back, text, 3);
    SafeArrayDestroy(array);
    SysFreeString(text);
    SysFreeString(back);
}

HARNESS_MAIN("automation", TEST_ENTRY(conversions_are_those_of_windows),
             TEST_ENTRY(a_variant_becomes_another_in_place),
             TEST_ENTRY(what_is_no_decimal_becomes_no_number),
             TEST_ENTRY(a_reference_is_followed_when_it_is_converted),
             TEST_ENTRY(dates_become_parts_and_come_back),
             TEST_ENTRY(a_copy_has_content_of_its_own),
             TEST_ENTRY(what_is_referred_to_is_neither_copied_nor_freed),
             TEST_ENTRY(a_decimal_lies_over_the_type), TEST_ENTRY(types_that_are_none_are_refused),
             TEST_ENTRY(elements_stand_where_windows_has_them),
             TEST_ENTRY(every_type_of_element_can_be_made),
             TEST_ENTRY(strings_in_arrays_are_copies),
             TEST_ENTRY(an_array_in_a_variant_belongs_to_it),
             TEST_ENTRY(the_rightmost_dimension_changes), TEST_ENTRY(an_array_may_be_empty),
             TEST_ENTRY(bytes_become_a_string_and_come_back))
