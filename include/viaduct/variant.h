/*
 * VARIANTs: making, copying, freeing and converting them. On Windows the system's own functions.
 *
 * Elsewhere the conversions are those that Windows makes with US-English settings, whatever `lcid`
 * says: "1,234.5", "$12.00", "12/31/1999 6:00:00 PM", "True". Numbers are rounded to the nearest,
 * and halves to even. The default property of an object is not asked: an object becomes nothing but
 * another interface of itself. All functions may be called from any thread.
 */
#ifndef VIADUCT_VARIANT_H
#define VIADUCT_VARIANT_H

#include <viaduct/automation.h>
#include <viaduct/taskmem.h>

#ifndef _WIN32

#ifdef __cplusplus
extern "C" {
#endif

#define VariantInit             via_VariantInit
#define VariantClear            via_VariantClear
#define VariantCopy             via_VariantCopy
#define VariantCopyInd          via_VariantCopyInd
#define VariantChangeType       via_VariantChangeType
#define VariantChangeTypeEx     via_VariantChangeTypeEx
#define SystemTimeToVariantTime via_SystemTimeToVariantTime
#define VariantTimeToSystemTime via_VariantTimeToSystemTime
#define VarDecFromStr           via_VarDecFromStr
#define VarBstrFromDec          via_VarBstrFromDec
#define VarCyFromStr            via_VarCyFromStr
#define VarBstrFromCy           via_VarBstrFromCy
#define VarDateFromStr          via_VarDateFromStr
#define VarBstrFromDate         via_VarBstrFromDate

VIA_API void VariantInit(VARIANTARG *variant);
/* Frees what it holds, unless that is only referred to, and makes it VT_EMPTY. DISP_E_BADVARTYPE;
 * DISP_E_ARRAYISLOCKED. */
VIA_API HRESULT VariantClear(VARIANTARG *variant);
/* Clears `to` first, which may be `from`. What is referred to is not copied. */
VIA_API HRESULT VariantCopy(VARIANTARG *to, const VARIANTARG *from);
/* The same, and follows a reference: `to` is a value of its own. */
VIA_API HRESULT VariantCopyInd(VARIANT *to, const VARIANTARG *from);

#define VARIANT_NOVALUEPROP    0x01
#define VARIANT_ALPHABOOL      0x02 /* booleans become "True" and "False", not "-1" and "0" */
#define VARIANT_NOUSEROVERRIDE 0x04
#define VARIANT_LOCALBOOL      0x10

#define LOCALE_INVARIANT      0x007Fu
#define LOCALE_NOUSEROVERRIDE 0x80000000u

/* `to` may be `from`. DISP_E_TYPEMISMATCH, DISP_E_OVERFLOW, DISP_E_BADVARTYPE: `to` is as it was.
 */
VIA_API HRESULT VariantChangeType(VARIANTARG *to, const VARIANTARG *from, USHORT flags, VARTYPE vt);
VIA_API HRESULT VariantChangeTypeEx(VARIANTARG *to, const VARIANTARG *from, LCID lcid, USHORT flags,
                                    VARTYPE vt);

typedef struct _SYSTEMTIME {
    WORD wYear;
    WORD wMonth;
    WORD wDayOfWeek; /* 0: Sunday */
    WORD wDay;
    WORD wHour;
    WORD wMinute;
    WORD wSecond;
    WORD wMilliseconds; /* DATEs that these functions make have none */
} SYSTEMTIME, *LPSYSTEMTIME;

/* FALSE: no date of the years 100 to 9999. */
VIA_API INT SystemTimeToVariantTime(SYSTEMTIME *system_time, DOUBLE *variant_time);
VIA_API INT VariantTimeToSystemTime(DOUBLE variant_time, SYSTEMTIME *system_time);

/* Text and back; `flags` are ignored. */
VIA_API HRESULT VarDecFromStr(const OLECHAR *text, LCID lcid, ULONG flags, DECIMAL *value);
VIA_API HRESULT VarBstrFromDec(const DECIMAL *value, LCID lcid, ULONG flags, BSTR *text);
VIA_API HRESULT VarCyFromStr(const OLECHAR *text, LCID lcid, ULONG flags, CY *value);
VIA_API HRESULT VarBstrFromCy(CY value, LCID lcid, ULONG flags, BSTR *text);
VIA_API HRESULT VarDateFromStr(const OLECHAR *text, LCID lcid, ULONG flags, DATE *value);
VIA_API HRESULT VarBstrFromDate(DATE value, LCID lcid, ULONG flags, BSTR *text);

#ifdef __cplusplus
}
#endif

#endif /* _WIN32 */

#endif
