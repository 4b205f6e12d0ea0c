#include "tests/automation/cases.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    VARTYPE vt;
} types[] = {{"EMPTY", VT_EMPTY},
             {"NULL", VT_NULL},
             {"I1", VT_I1},
             {"UI1", VT_UI1},
             {"I2", VT_I2},
             {"UI2", VT_UI2},
             {"I4", VT_I4},
             {"UI4", VT_UI4},
             {"I8", VT_I8},
             {"UI8", VT_UI8},
             {"INT", VT_INT},
             {"UINT", VT_UINT},
             {"R4", VT_R4},
             {"R8", VT_R8},
             {"CY", VT_CY},
             {"DATE", VT_DATE},
             {"BSTR", VT_BSTR},
             {"BOOL", VT_BOOL},
             {"ERROR", VT_ERROR},
             {"DECIMAL", VT_DECIMAL},
             {"UNKNOWN", VT_UNKNOWN},
             {"DISPATCH", VT_DISPATCH},
             {"VARIANT", VT_VARIANT},
             {"RECORD", VT_RECORD},
             {"BYREF|I4", VT_BYREF | VT_I4},
             {"ARRAY|UI1", VT_ARRAY | VT_UI1},
             {"15", 15},
             {"VECTOR|I4", VT_VECTOR | VT_I4}};

static bool find_type(const char *name, VARTYPE *vt)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(types[i].name, name))
            continue;
        *vt = types[i].vt;
        return true;
    }
    return false;
}

/* 'text', with \xNNNN for a unit. */
static BSTR read_text(const char *value)
{
    OLECHAR units[CASES_TEXT_SIZE];
    UINT n = 0;
    size_t size = strlen(value);
    for (size_t i = 1; i + 1 < size; i++) {
        unsigned unit = (unsigned char)value[i];
        if (value[i] == '\\' && sscanf(value + i, "\\x%4x", &unit) == 1)
            i += 5;
        units[n++] = (OLECHAR)unit;
    }
    return SysAllocStringLen(units, n);
}

/* "-12345/2" is -123.45. */
static void read_decimal(const char *value, DECIMAL *decimal)
{
    unsigned __int128 magnitude = 0;
    unsigned scale = 0;
    bool is_negative = *value == '-';
    for (value += is_negative; *value >= '0' && *value <= '9'; value++)
        magnitude = magnitude * 10 + (unsigned)(*value - '0');
    if (*value == '/')
        scale = (unsigned)atoi(value + 1);
    decimal->scale = (BYTE)scale;
    decimal->sign = is_negative ? DECIMAL_NEG : 0;
    decimal->Hi32 = (ULONG)(magnitude >> 64);
    decimal->Lo64 = (ULONGLONG)magnitude;
}

static void make_array(const char *value, VARIANT *variant)
{
    BSTR text = read_text(value);
    UINT n = SysStringLen(text);
    V_ARRAY(variant) = SafeArrayCreateVector(VT_UI1, 0, n);
    for (UINT i = 0; i < n; i++)
        ((BYTE *)V_ARRAY(variant)->pvData)[i] = (BYTE)text[i];
    SysFreeString(text);
}

bool cases_make(const char *type, const char *value, VARIANT *variant)
{
    VARTYPE vt;
    if (!find_type(type, &vt))
        return false;
    memset(variant, 0, sizeof(*variant));
    if (vt == VT_R4)
        V_R4(variant) = strtof(value, NULL);
    else if (vt == VT_R8 || vt == VT_DATE)
        V_R8(variant) = strtod(value, NULL);
    else if (vt == VT_BSTR)
        V_BSTR(variant) = *value == '\'' ? read_text(value) : NULL;
    else if (vt == VT_DECIMAL)
        read_decimal(value, &V_DECIMAL(variant));
    else if (vt == (VT_ARRAY | VT_UI1))
        make_array(value, variant);
    else if (*value == '-')
        V_I8(variant) = strtoll(value, NULL, 0);
    else
        V_UI8(variant) = strtoull(value, NULL, 0);
    V_VT(variant) = vt;
    return true;
}

static int print_text(BSTR value, char *text, size_t room)
{
    int n = snprintf(text, room, "'");
    for (UINT i = 0; i < SysStringLen(value) && (size_t)n + 10 < room; i++)
        n += value[i] >= ' ' && value[i] < 0x7F
                 ? snprintf(text + n, room - (size_t)n, "%c", (char)value[i])
                 : snprintf(text + n, room - (size_t)n, "\\x%04X", value[i]);
    return n + snprintf(text + n, room - (size_t)n, "'");
}

static void print_decimal(const DECIMAL *decimal, char *text, size_t room)
{
    unsigned __int128 magnitude = (unsigned __int128)decimal->Hi32 << 64 | decimal->Lo64;
    char digits[40];
    size_t at = sizeof(digits) - 1;
    digits[at] = 0;
    do
        digits[--at] = (char)('0' + (int)(magnitude % 10));
    while (magnitude /= 10);
    snprintf(text, room, "%s%s/%u", decimal->sign ? "-" : "", digits + at, decimal->scale);
}

static void print_value(const VARIANT *variant, char *text, size_t room)
{
    switch (V_VT(variant)) {
    case VT_I1:
        snprintf(text, room, "%d", (int8_t)V_I1(variant));
        break;
    case VT_UI1:
        snprintf(text, room, "%u", V_UI1(variant));
        break;
    case VT_I2:
    case VT_BOOL:
        snprintf(text, room, "%d", V_I2(variant));
        break;
    case VT_UI2:
        snprintf(text, room, "%u", V_UI2(variant));
        break;
    case VT_I4:
    case VT_INT:
    case VT_ERROR:
        snprintf(text, room, "%d", (int)V_I4(variant));
        break;
    case VT_UI4:
    case VT_UINT:
        snprintf(text, room, "%u", (unsigned)V_UI4(variant));
        break;
    case VT_I8:
    case VT_CY:
        snprintf(text, room, "%" PRId64, (int64_t)V_I8(variant));
        break;
    case VT_UI8:
        snprintf(text, room, "%" PRIu64, (uint64_t)V_UI8(variant));
        break;
    case VT_R4:
        snprintf(text, room, "%.9g", (double)V_R4(variant));
        break;
    case VT_R8:
        snprintf(text, room, "%.17g", V_R8(variant));
        break;
    case VT_DATE: /* to the tenth of a second: no more is in a time of day */
        snprintf(text, room, "%.6f", V_DATE(variant));
        break;
    case VT_BSTR:
        print_text(V_BSTR(variant), text, room);
        break;
    case VT_DECIMAL:
        print_decimal(&V_DECIMAL(variant), text, room);
        break;
    case VT_UNKNOWN:
    case VT_DISPATCH:
        snprintf(text, room, "%s", V_UNKNOWN(variant) ? "object" : "null");
        break;
    case VT_ARRAY | VT_UI1:
        snprintf(text, room, "%u bytes", (unsigned)V_ARRAY(variant)->rgsabound[0].cElements);
        break;
    default:
        *text = 0;
    }
}

static const char *error_name(HRESULT hr)
{
    return hr == DISP_E_TYPEMISMATCH ? "DISP_E_TYPEMISMATCH"
           : hr == DISP_E_OVERFLOW   ? "DISP_E_OVERFLOW"
           : hr == DISP_E_BADVARTYPE ? "DISP_E_BADVARTYPE"
           : hr == E_INVALIDARG      ? "E_INVALIDARG"
                                     : NULL;
}

void cases_print(HRESULT hr, const VARIANT *variant, char text[CASES_TEXT_SIZE])
{
    const char *name = error_name(hr);
    if (FAILED(hr)) {
        if (name)
            snprintf(text, CASES_TEXT_SIZE, "%s", name);
        else
            snprintf(text, CASES_TEXT_SIZE, "%08X", (unsigned)hr);
        return;
    }
    int n = snprintf(text, CASES_TEXT_SIZE, "%u", V_VT(variant));
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].vt == V_VT(variant))
            n = snprintf(text, CASES_TEXT_SIZE, "%s", types[i].name);
    char value[CASES_TEXT_SIZE - 20];
    print_value(variant, value, sizeof(value));
    if (*value)
        snprintf(text + n, CASES_TEXT_SIZE - (size_t)n, " %s", value);
}

bool cases_evaluate(const char *type, const char *value, const char *target,
                    char text[CASES_TEXT_SIZE])
{
    VARIANT from, to = {0};
    VARTYPE vt;
    char name[32];
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(target, "/"), target);
    if (!find_type(name, &vt) || !cases_make(type, value, &from))
        return false;
    USHORT flags = strstr(target, "/alpha") ? VARIANT_ALPHABOOL : 0;
    HRESULT hr = VariantChangeTypeEx(&to, &from, 0x0409 /* US English */, flags, vt);
    cases_print(hr, &to, text);
    VariantClear(&to);
    VariantClear(&from);
    return true;
}
