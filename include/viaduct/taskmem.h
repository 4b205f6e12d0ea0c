/*
 * Memory that crosses module borders, and BSTRs. On Windows the system's own functions.
 *
 * Whoever receives an [out] string or array frees it with CoTaskMemFree, a BSTR with SysFreeString.
 * All functions may be called from any thread; allocating returns NULL when there is no memory.
 */
#ifndef VIADUCT_TASKMEM_H
#define VIADUCT_TASKMEM_H

#include <viaduct/base.h>

#ifdef _WIN32

#include <objbase.h>
#include <oleauto.h>

#else

#ifdef __cplusplus
extern "C" {
#endif

#define CoTaskMemAlloc        via_CoTaskMemAlloc
#define CoTaskMemRealloc      via_CoTaskMemRealloc
#define CoTaskMemFree         via_CoTaskMemFree
#define SysAllocString        via_SysAllocString
#define SysAllocStringLen     via_SysAllocStringLen
#define SysAllocStringByteLen via_SysAllocStringByteLen
#define SysReAllocString      via_SysReAllocString
#define SysReAllocStringLen   via_SysReAllocStringLen
#define SysFreeString         via_SysFreeString
#define SysStringLen          via_SysStringLen
#define SysStringByteLen      via_SysStringByteLen

VIA_API void *CoTaskMemAlloc(SIZE_T size);
VIA_API void *CoTaskMemRealloc(void *memory, SIZE_T size);
VIA_API void CoTaskMemFree(void *memory);

/* A BSTR points to UTF-16 units behind a 32-bit count of bytes, and ends with a unit 0 that is not
 * counted. It may contain zeroes. NULL stands for the empty string, and has length 0. */
VIA_API BSTR SysAllocString(const OLECHAR *text);
/* `text` NULL: the units are not set. */
VIA_API BSTR SysAllocStringLen(const OLECHAR *text, UINT n_units);
VIA_API BSTR SysAllocStringByteLen(const char *bytes, UINT n_bytes);
/* Returns FALSE, and leaves the string as it was, when there is no memory. */
VIA_API INT SysReAllocString(BSTR *string, const OLECHAR *text);
VIA_API INT SysReAllocStringLen(BSTR *string, const OLECHAR *text, UINT n_units);
VIA_API void SysFreeString(BSTR string);
VIA_API UINT SysStringLen(BSTR string);
VIA_API UINT SysStringByteLen(BSTR string);

#ifdef __cplusplus
}
#endif

#endif /* _WIN32 */

#endif
