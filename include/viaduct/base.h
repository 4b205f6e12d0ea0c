/*
 * The base types of COM, with the same names, sizes and layout on both systems.
 *
 * On Windows they are the system's own. Elsewhere this header defines them; they are typedefs,
 * never macros, so that they do not disturb other libraries' headers.
 */
#ifndef VIADUCT_BASE_H
#define VIADUCT_BASE_H

#include <stddef.h>
#include <stdint.h>
#include <viaduct/guid.h>
#include <viaduct/hresult.h>

#ifdef _WIN32

#ifndef COBJMACROS
#define COBJMACROS
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#include <windows.h>
#include <wtypes.h>

#define VIA_STR(literal) L##literal

#if defined(VIA_BUILDING_VIADUCT)
#define VIA_API __declspec(dllexport)
#else
#define VIA_API
#endif
/* For what a component module exports. */
#define VIA_EXPORT __declspec(dllexport)

#else

#ifdef __cplusplus
typedef char16_t WCHAR;
#else
#include <uchar.h>
typedef char16_t WCHAR;
#endif

typedef int8_t INT8;
typedef uint8_t UINT8, BYTE, UCHAR;
typedef char CHAR;
typedef int16_t INT16, SHORT;
typedef uint16_t UINT16, USHORT, WORD;
typedef int32_t INT32, LONG, INT, BOOL;
typedef uint32_t UINT32, ULONG, UINT, DWORD;
typedef int64_t INT64, LONGLONG;
typedef uint64_t UINT64, ULONGLONG;
typedef float FLOAT;
typedef double DOUBLE;
typedef unsigned char BOOLEAN;
typedef int16_t VARIANT_BOOL;
typedef WCHAR OLECHAR;
typedef WCHAR *LPWSTR, *LPOLESTR, *BSTR;
typedef const WCHAR *LPCWSTR, *LPCOLESTR;
typedef char *LPSTR;
typedef const char *LPCSTR;
typedef void *LPVOID;
typedef size_t SIZE_T;
typedef int32_t DISPID;
typedef uint32_t LCID;

#define VARIANT_TRUE  ((VARIANT_BOOL)-1)
#define VARIANT_FALSE ((VARIANT_BOOL)0)
#ifndef TRUE
#define TRUE  1
#define FALSE 0
#endif

/* The System V convention is the only one on this platform. */
#define STDMETHODCALLTYPE
#define STDAPICALLTYPE
#define STDMETHODIMP        HRESULT STDMETHODCALLTYPE
#define STDMETHODIMP_(type) type STDMETHODCALLTYPE

#define VIA_STR(literal) u##literal
#define VIA_API          __attribute__((visibility("default")))
#define VIA_EXPORT       __attribute__((visibility("default")))

#endif /* _WIN32 */

/* What a parameter is that a description has no type for; its method is not called from another
 * process. */
typedef void *VIA_OPAQUE;

#endif
