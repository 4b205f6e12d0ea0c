/*
 * Conversions between the types of VARIANTs.
 *
 * Every simple value is first read as one of three kinds of number, or stays what it is: a whole
 * number, a double, or an exact decimal number (of DECIMAL, CY and text). Each kind is then made
 * what is wanted, so that nothing goes through a double that would lose digits there.
 */
#include "com/automation/date.h"
#include "com/automation/number.h"

#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/dispatch.h>
#include <viaduct/safearray.h>
#include <viaduct/variant.h>

#define CY_SCALE         4
#define R4_DIGITS        7
#define R8_DIGITS        15
#define NUMBER_TEXT_SIZE 64
#define ANY_BITS         UINT_MAX

enum kind { KIND_WHOLE, KIND_REAL, KIND_EXACT };

/* What a VARIANT says as a number. */
struct source {
    enum kind kind;
    bool is_negative;   /* of `magnitude` */
    uint64_t magnitude; /* KIND_WHOLE */
    double real;        /* KIND_REAL */
    int n_digits;       /* KIND_REAL: as many of them mean something */
    unsigned n_bits;    /* of whole numbers, and of text: number_parse(); or 0 */
    struct number exact;
};

/* --- from --- */

static void read_signed(struct source *self, int64_t value, unsigned n_bits)
{
    self->kind = KIND_WHOLE;
    self->n_bits = n_bits;
    self->is_negative = value < 0;
    self->magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

static void read_unsigned(struct source *self, uint64_t value, unsigned n_bits)
{
    self->kind = KIND_WHOLE;
    self->n_bits = n_bits;
    self->magnitude = value;
}

static void read_real(struct source *self, double value, int n_digits)
{
    self->kind = KIND_REAL;
    self->real = value;
    self->n_digits = n_digits;
}

static HRESULT read_text(struct source *self, BSTR text)
{
    self->kind = KIND_EXACT;
    bool is_number = text && number_parse(&self->exact, text, &self->n_bits);
    return is_number ? S_OK : DISP_E_TYPEMISMATCH;
}

static HRESULT read_source(struct source *self, const VARIANT *from)
{
    *self = (struct source){0};
    switch (V_VT(from)) {
    case VT_EMPTY:
        read_unsigned(self, 0, 0);
        return S_OK;
    case VT_I1:
        read_signed(self, (int8_t)V_I1(from), 8);
        return S_OK;
    case VT_UI1:
        read_unsigned(self, V_UI1(from), 8);
        return S_OK;
    case VT_I2:
        read_signed(self, V_I2(from), 16);
        return S_OK;
    case VT_BOOL:
        read_signed(self, V_BOOL(from), ANY_BITS);
        return S_OK;
    case VT_UI2:
        read_unsigned(self, V_UI2(from), 16);
        return S_OK;
    case VT_I4:
    case VT_INT:
        read_signed(self, V_I4(from), 32);
        return S_OK;
    case VT_UI4:
    case VT_UINT:
        read_unsigned(self, V_UI4(from), 32);
        return S_OK;
    case VT_I8:
        read_signed(self, V_I8(from), 64);
        return S_OK;
    case VT_UI8:
        read_unsigned(self, V_UI8(from), 64);
        return S_OK;
    case VT_R4:
        read_real(self, (double)V_R4(from), R4_DIGITS);
        return S_OK;
    case VT_R8:
        read_real(self, V_R8(from), R8_DIGITS);
        return S_OK;
    case VT_DATE:
        read_real(self, V_DATE(from), R8_DIGITS);
        return S_OK;
    case VT_CY:
        self->kind = KIND_EXACT;
        number_from_cy(&self->exact, V_CY(from));
        return S_OK;
    case VT_DECIMAL:
        if (V_DECIMAL(from).scale > NUMBER_MAX_SCALE || V_DECIMAL(from).sign & ~DECIMAL_NEG)
            return E_INVALIDARG;
        self->kind = KIND_EXACT;
        number_from_decimal(&self->exact, &V_DECIMAL(from));
        return S_OK;
    case VT_BSTR:
        return read_text(self, V_BSTR(from));
    case VT_DISPATCH: /* it would be asked for its value */
        return V_DISPATCH(from) ? DISP_E_TYPEMISMATCH : DISP_E_BADVARTYPE;
    default:
        return DISP_E_TYPEMISMATCH;
    }
}

/* --- to whole numbers --- */

static const struct range {
    int64_t least;
    uint64_t most;
    unsigned bits;
} ranges[] = {
    [VT_I1] = {INT8_MIN, INT8_MAX, 8},     [VT_UI1] = {0, UINT8_MAX, 8},
    [VT_I2] = {INT16_MIN, INT16_MAX, 16},  [VT_UI2] = {0, UINT16_MAX, 16},
    [VT_I4] = {INT32_MIN, INT32_MAX, 32},  [VT_UI4] = {0, UINT32_MAX, 32},
    [VT_I8] = {INT64_MIN, INT64_MAX, 64},  [VT_UI8] = {0, UINT64_MAX, 64},
    [VT_INT] = {INT32_MIN, INT32_MAX, 32}, [VT_UINT] = {0, UINT32_MAX, 32},
};

/* A whole number in front of its range check: 96 bits of magnitude are enough for all. */
static HRESULT round_source(const struct source *from, bool *is_negative,
                            unsigned __int128 *magnitude)
{
    double rounded;
    switch (from->kind) {
    case KIND_WHOLE:
        *is_negative = from->is_negative;
        *magnitude = from->magnitude;
        return S_OK;
    case KIND_EXACT:
        *is_negative = from->exact.is_negative;
        return number_to_scaled(&from->exact, 0, magnitude) ? S_OK : DISP_E_OVERFLOW;
    default:
        rounded = rint(from->real);
        if (!(fabs(rounded) <= 0x1p64))
            return DISP_E_OVERFLOW;
        *is_negative = rounded < 0;
        *magnitude = (unsigned __int128)fabs(rounded);
        return S_OK;
    }
}

/* What is as long as the type keeps its bits: "&HFFFF" is -1 in 16 of them, and -1 is 65535. True
 * has all bits, however many. */
static bool is_bit_pattern(const struct source *from, const struct range *range)
{
    return from->n_bits == range->bits || from->n_bits == ANY_BITS;
}

static HRESULT to_whole(const struct source *from, VARTYPE vt, VARIANT *to)
{
    const struct range *range = &ranges[vt];
    unsigned __int128 magnitude;
    bool is_negative;
    HRESULT hr = round_source(from, &is_negative, &magnitude);
    if (FAILED(hr))
        return hr;
    unsigned __int128 most = is_negative ? (unsigned __int128)0 - (unsigned __int128)range->least
                                         : (unsigned __int128)range->most;
    if (magnitude > most && !is_bit_pattern(from, range))
        return DISP_E_OVERFLOW;
    uint64_t bits = (uint64_t)magnitude;
    V_UI8(to) = is_negative ? 0 - bits : bits;
    return S_OK;
}

/* --- to other numbers --- */

static double real_of(const struct source *from)
{
    switch (from->kind) {
    case KIND_WHOLE:
        return from->is_negative ? -(double)from->magnitude : (double)from->magnitude;
    case KIND_EXACT:
        return number_to_double(&from->exact);
    default:
        return from->real;
    }
}

static HRESULT to_real(const struct source *from, VARTYPE vt, VARIANT *to)
{
    double value = real_of(from);
    if (vt == VT_R8) {
        V_R8(to) = value;
        return isinf(value) && from->kind != KIND_REAL ? DISP_E_OVERFLOW : S_OK;
    }
    V_R4(to) = (float)value;
    /* Text may be rounded to the largest one. */
    bool fits = from->kind == KIND_EXACT ? !isinf(V_R4(to)) : !(fabs(value) > (double)FLT_MAX);
    return fits ? S_OK : DISP_E_OVERFLOW;
}

static HRESULT to_cy(const struct source *from, VARIANT *to)
{
    unsigned __int128 magnitude = 0;
    bool is_negative = false;
    long double scaled; /* a double has too few bits for 19 digits */
    switch (from->kind) {
    case KIND_WHOLE:
        is_negative = from->is_negative;
        magnitude = (unsigned __int128)from->magnitude * 10000;
        break;
    case KIND_EXACT:
        is_negative = from->exact.is_negative;
        if (!number_to_scaled(&from->exact, CY_SCALE, &magnitude))
            return DISP_E_OVERFLOW;
        break;
    default:
        scaled = rintl((long double)from->real * 10000);
        if (!(scaled >= -0x1p63L && scaled < 0x1p63L))
            return DISP_E_OVERFLOW;
        V_CY(to).int64 = (int64_t)scaled;
        return S_OK;
    }
    if (magnitude > (unsigned __int128)INT64_MAX + is_negative)
        return DISP_E_OVERFLOW;
    V_UI8(to) = is_negative ? 0 - (uint64_t)magnitude : (uint64_t)magnitude;
    return S_OK;
}

static HRESULT to_decimal(const struct source *from, VARIANT *to)
{
    struct number number = from->exact;
    if (from->kind == KIND_REAL && !isfinite(from->real))
        return DISP_E_OVERFLOW;
    if (from->kind == KIND_WHOLE)
        number_from_u64(&number, from->is_negative, from->magnitude);
    else if (from->kind == KIND_REAL)
        number_from_double(&number, from->real, from->n_digits);
    return number_to_decimal(&number, &V_DECIMAL(to));
}

/* With all four decimals, whatever they are. */
static HRESULT cy_to_decimal(CY cy, VARIANT *to)
{
    V_DECIMAL(to) = (DECIMAL){.scale = CY_SCALE, .sign = cy.int64 < 0 ? DECIMAL_NEG : 0};
    V_DECIMAL(to).Lo64 = cy.int64 < 0 ? 0 - (uint64_t)cy.int64 : (uint64_t)cy.int64;
    return S_OK;
}

/* Only those that are not exact in themselves are let pass, as on Windows; `vt`: the source's. */
static HRESULT to_date(const struct source *from, VARTYPE vt, VARIANT *to)
{
    V_DATE(to) = real_of(from);
    bool is_checked = vt != VT_R4 && vt != VT_CY && vt != VT_DECIMAL;
    return !is_checked || date_is_valid(V_DATE(to)) ? S_OK : DISP_E_OVERFLOW;
}

static HRESULT to_bool(const struct source *from, VARIANT *to)
{
    bool is_true = from->kind == KIND_WHOLE   ? from->magnitude != 0
                   : from->kind == KIND_EXACT ? from->exact.n_digits > 0
                                              : from->real != 0;
    V_BOOL(to) = is_true ? VARIANT_TRUE : VARIANT_FALSE;
    return S_OK;
}

/* --- text --- */

static HRESULT set_text(const char *text, VARIANT *to)
{
    size_t n = strlen(text);
    BSTR copy = SysAllocStringLen(NULL, (UINT)n);
    if (!copy)
        return E_OUTOFMEMORY;
    for (size_t i = 0; i < n; i++)
        copy[i] = (OLECHAR)text[i];
    V_BSTR(to) = copy;
    return S_OK;
}

/* "1E+20", "0.1": the shorter of both forms, as %G has it, whatever the C locale is. */
static HRESULT real_to_text(double value, int n_digits, VARIANT *to)
{
    char text[NUMBER_TEXT_SIZE];
    snprintf(text, sizeof(text), "%.*G", n_digits, value == 0 ? 0.0 : value);
    for (char *c = text; *c; c++)
        if (!strchr("0123456789+-EINFNA", *c))
            *c = '.';
    return set_text(text, to);
}

static HRESULT number_to_text(const struct number *number, VARIANT *to)
{
    char *text = number_format(number);
    HRESULT hr = text ? set_text(text, to) : E_OUTOFMEMORY;
    free(text);
    return hr;
}

static HRESULT date_to_text(const VARIANT *from, VARIANT *to)
{
    char text[DATE_TEXT_SIZE];
    HRESULT hr = date_format(V_DATE(from), text);
    return FAILED(hr) ? hr : set_text(text, to);
}

static HRESULT to_text(const VARIANT *from, USHORT flags, VARIANT *to)
{
    struct source source;
    if (V_VT(from) == VT_EMPTY)
        return set_text("", to);
    if (V_VT(from) == VT_BOOL && flags & (VARIANT_ALPHABOOL | VARIANT_LOCALBOOL))
        return set_text(V_BOOL(from) ? "True" : "False", to);
    if (V_VT(from) == VT_DATE)
        return date_to_text(from, to);
    HRESULT hr = read_source(&source, from);
    if (FAILED(hr))
        return hr;
    if (source.kind == KIND_REAL)
        return real_to_text(source.real, source.n_digits, to);
    if (source.kind == KIND_WHOLE)
        number_from_u64(&source.exact, source.is_negative, source.magnitude);
    return number_to_text(&source.exact, to);
}

/* Without case, unless it is the form that programs write: "#TRUE#". */
static bool text_is(BSTR text, const char *expected)
{
    size_t i = 0;
    for (; text[i] && expected[i]; i++) {
        bool is_upper = text[i] >= 'A' && text[i] <= 'Z' && expected[0] != '#';
        if ((is_upper ? text[i] + 32 : text[i]) != expected[i])
            return false;
    }
    return !text[i] && !expected[i];
}

static HRESULT text_to_bool(BSTR text, VARIANT *to)
{
    struct source source = {0};
    if (text && (text_is(text, "true") || text_is(text, "#TRUE#"))) {
        V_BOOL(to) = VARIANT_TRUE;
        return S_OK;
    }
    if (text && (text_is(text, "false") || text_is(text, "#FALSE#"))) {
        V_BOOL(to) = VARIANT_FALSE;
        return S_OK;
    }
    HRESULT hr = read_text(&source, text);
    if (FAILED(hr))
        return hr;
    double value = number_to_double(&source.exact);
    V_BOOL(to) = value != 0 ? VARIANT_TRUE : VARIANT_FALSE;
    return isinf(value) ? DISP_E_OVERFLOW : S_OK;
}

/* --- all --- */

static HRESULT to_number(const VARIANT *from, VARTYPE vt, VARIANT *to)
{
    struct source source;
    HRESULT hr = read_source(&source, from);
    if (V_VT(from) == VT_CY && vt == VT_DECIMAL)
        return cy_to_decimal(V_CY(from), to);
    if (FAILED(hr))
        return hr;
    switch (vt) {
    case VT_R4:
    case VT_R8:
        return to_real(&source, vt, to);
    case VT_CY:
        return to_cy(&source, to);
    case VT_DECIMAL:
        return to_decimal(&source, to);
    case VT_DATE:
        return to_date(&source, V_VT(from), to);
    case VT_BOOL:
        return to_bool(&source, to);
    default:
        return to_whole(&source, vt, to);
    }
}

static HRESULT to_object(const VARIANT *from, VARTYPE vt, VARIANT *to)
{
    if (V_VT(from) != VT_UNKNOWN && V_VT(from) != VT_DISPATCH)
        return DISP_E_TYPEMISMATCH;
    V_UNKNOWN(to) = NULL;
    if (!V_UNKNOWN(from))
        return S_OK;
    HRESULT hr =
        IUnknown_QueryInterface(V_UNKNOWN(from), vt == VT_UNKNOWN ? &IID_IUnknown : &IID_IDispatch,
                                (void **)&V_UNKNOWN(to));
    return FAILED(hr) ? DISP_E_TYPEMISMATCH : S_OK;
}

static HRESULT convert_array(const VARIANT *from, VARTYPE vt, VARIANT *to)
{
    if (V_VT(from) == vt)
        return SafeArrayCopy(V_ARRAY(from), &V_ARRAY(to));
    if (V_VT(from) == VT_BSTR && vt == (VT_ARRAY | VT_UI1))
        return VectorFromBstr(V_BSTR(from), &V_ARRAY(to));
    if (V_VT(from) == (VT_ARRAY | VT_UI1) && vt == VT_BSTR)
        return BstrFromVector(V_ARRAY(from), &V_BSTR(to));
    return DISP_E_TYPEMISMATCH;
}

/* `from` is no reference, and not of the type that is wanted. */
static HRESULT convert(const VARIANT *from, USHORT flags, VARTYPE vt, VARIANT *to)
{
    if ((V_VT(from) | vt) & VT_ARRAY)
        return convert_array(from, vt, to);
    switch (vt) {
    case VT_EMPTY:
    case VT_NULL:
        return V_VT(from) == VT_NULL || V_VT(from) == VT_ERROR ? DISP_E_TYPEMISMATCH : S_OK;
    case VT_BSTR:
        return to_text(from, flags, to);
    case VT_UNKNOWN:
    case VT_DISPATCH:
        return to_object(from, vt, to);
    case VT_ERROR:
    case VT_RECORD:
    case VT_VARIANT:
        return DISP_E_TYPEMISMATCH;
    case VT_BOOL:
        return V_VT(from) == VT_BSTR ? text_to_bool(V_BSTR(from), to) : to_number(from, vt, to);
    case VT_DATE:
        if (V_VT(from) == VT_BSTR)
            return V_BSTR(from) ? date_parse(V_BSTR(from), &V_DATE(to)) : DISP_E_TYPEMISMATCH;
        return to_number(from, vt, to);
    default:
        return to_number(from, vt, to);
    }
}

/* What a conversion may be asked for. */
static bool is_target(VARTYPE vt)
{
    VARIANT value = {0};
    V_VT(&value) = vt;
    return !(vt & VT_BYREF) && SUCCEEDED(VariantClear(&value));
}

HRESULT VariantChangeTypeEx(VARIANTARG *to, const VARIANTARG *from, LCID lcid, USHORT flags,
                            VARTYPE vt)
{
    VARIANT value = {0}, result = {0};
    (void)lcid;
    if (!is_target(vt))
        return vt & VT_BYREF ? DISP_E_TYPEMISMATCH : DISP_E_BADVARTYPE;
    if (V_ISBYREF(from) && !V_BYREF(from))
        return DISP_E_TYPEMISMATCH;
    HRESULT hr = VariantCopyInd(&value, from);
    if (FAILED(hr))
        return hr;
    if (V_VT(&value) == vt) {
        result = value;
        V_VT(&value) = VT_EMPTY;
    } else {
        hr = convert(&value, flags, vt, &result);
        V_VT(&result) = SUCCEEDED(hr) ? vt : VT_EMPTY;
    }
    VariantClear(&value);
    if (SUCCEEDED(hr))
        hr = VariantClear(to);
    if (FAILED(hr)) {
        VariantClear(&result);
        return hr;
    }
    *to = result;
    return S_OK;
}

HRESULT VariantChangeType(VARIANTARG *to, const VARIANTARG *from, USHORT flags, VARTYPE vt)
{
    return VariantChangeTypeEx(to, from, LOCALE_INVARIANT, flags, vt);
}

/* --- single conversions --- */

static HRESULT parse(const OLECHAR *text, VARTYPE vt, VARIANT *value)
{
    struct source source = {.kind = KIND_EXACT};
    if (!text || !number_parse(&source.exact, text, &source.n_bits))
        return DISP_E_TYPEMISMATCH;
    return vt == VT_CY ? to_cy(&source, value) : to_decimal(&source, value);
}

HRESULT VarDecFromStr(const OLECHAR *text, LCID lcid, ULONG flags, DECIMAL *value)
{
    VARIANT result = {0};
    (void)lcid;
    (void)flags;
    HRESULT hr = parse(text, VT_DECIMAL, &result);
    if (SUCCEEDED(hr)) {
        *value = V_DECIMAL(&result);
        value->wReserved = 0;
    }
    return hr;
}

HRESULT VarCyFromStr(const OLECHAR *text, LCID lcid, ULONG flags, CY *value)
{
    VARIANT result = {0};
    (void)lcid;
    (void)flags;
    HRESULT hr = parse(text, VT_CY, &result);
    if (SUCCEEDED(hr))
        *value = V_CY(&result);
    return hr;
}

static HRESULT format(VARIANT *from, BSTR *text)
{
    VARIANT result = {0};
    HRESULT hr = to_text(from, 0, &result);
    *text = SUCCEEDED(hr) ? V_BSTR(&result) : NULL;
    return hr;
}

HRESULT VarBstrFromDec(const DECIMAL *value, LCID lcid, ULONG flags, BSTR *text)
{
    VARIANT from = {0};
    (void)lcid;
    (void)flags;
    V_DECIMAL(&from) = *value;
    V_VT(&from) = VT_DECIMAL;
    return format(&from, text);
}

HRESULT VarBstrFromCy(CY value, LCID lcid, ULONG flags, BSTR *text)
{
    VARIANT from = {0};
    (void)lcid;
    (void)flags;
    V_VT(&from) = VT_CY;
    V_CY(&from) = value;
    return format(&from, text);
}

HRESULT VarDateFromStr(const OLECHAR *text, LCID lcid, ULONG flags, DATE *value)
{
    (void)lcid;
    (void)flags;
    return text ? date_parse(text, value) : DISP_E_TYPEMISMATCH;
}

HRESULT VarBstrFromDate(DATE value, LCID lcid, ULONG flags, BSTR *text)
{
    VARIANT from = {0};
    (void)lcid;
    (void)flags;
    V_VT(&from) = VT_DATE;
    V_DATE(&from) = value;
    return format(&from, text);
}
