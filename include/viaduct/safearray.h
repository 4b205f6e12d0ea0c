/*
 * SAFEARRAYs. On Windows the system's own functions.
 *
 * Indexes and bounds are in the order of the dimensions, the leftmost first; dimensions count from
 * 1. NULL where an array is expected is E_INVALIDARG, and 0 from functions that give a number. An
 * array has no lock against other threads: cLocks keeps it from being destroyed and resized.
 */
#ifndef VIADUCT_SAFEARRAY_H
#define VIADUCT_SAFEARRAY_H

#include <viaduct/automation.h>

#ifndef _WIN32

#ifdef __cplusplus
extern "C" {
#endif

#define SafeArrayAllocDescriptor   via_SafeArrayAllocDescriptor
#define SafeArrayAllocDescriptorEx via_SafeArrayAllocDescriptorEx
#define SafeArrayAllocData         via_SafeArrayAllocData
#define SafeArrayCreate            via_SafeArrayCreate
#define SafeArrayCreateEx          via_SafeArrayCreateEx
#define SafeArrayCreateVector      via_SafeArrayCreateVector
#define SafeArrayCreateVectorEx    via_SafeArrayCreateVectorEx
#define SafeArrayDestroy           via_SafeArrayDestroy
#define SafeArrayDestroyData       via_SafeArrayDestroyData
#define SafeArrayDestroyDescriptor via_SafeArrayDestroyDescriptor
#define SafeArrayCopy              via_SafeArrayCopy
#define SafeArrayCopyData          via_SafeArrayCopyData
#define SafeArrayRedim             via_SafeArrayRedim
#define SafeArrayLock              via_SafeArrayLock
#define SafeArrayUnlock            via_SafeArrayUnlock
#define SafeArrayAccessData        via_SafeArrayAccessData
#define SafeArrayUnaccessData      via_SafeArrayUnaccessData
#define SafeArrayGetElement        via_SafeArrayGetElement
#define SafeArrayPutElement        via_SafeArrayPutElement
#define SafeArrayPtrOfIndex        via_SafeArrayPtrOfIndex
#define SafeArrayGetDim            via_SafeArrayGetDim
#define SafeArrayGetElemsize       via_SafeArrayGetElemsize
#define SafeArrayGetLBound         via_SafeArrayGetLBound
#define SafeArrayGetUBound         via_SafeArrayGetUBound
#define SafeArrayGetVartype        via_SafeArrayGetVartype
#define SafeArrayGetIID            via_SafeArrayGetIID
#define SafeArraySetIID            via_SafeArraySetIID
#define SafeArrayGetRecordInfo     via_SafeArrayGetRecordInfo
#define SafeArraySetRecordInfo     via_SafeArraySetRecordInfo
#define VectorFromBstr             via_VectorFromBstr
#define BstrFromVector             via_BstrFromVector

/* NULL: no memory, no dimension, or no type of elements. `extra`: the IRecordInfo of VT_RECORD, of
 * which a reference is taken; the IID of VT_UNKNOWN and VT_DISPATCH, or NULL. Elements are zero. */
VIA_API SAFEARRAY *SafeArrayCreate(VARTYPE vt, UINT n_dims, SAFEARRAYBOUND *bounds);
VIA_API SAFEARRAY *SafeArrayCreateEx(VARTYPE vt, UINT n_dims, SAFEARRAYBOUND *bounds, PVOID extra);
VIA_API SAFEARRAY *SafeArrayCreateVector(VARTYPE vt, LONG lower, ULONG n_elements);
VIA_API SAFEARRAY *SafeArrayCreateVectorEx(VARTYPE vt, LONG lower, ULONG n_elements, PVOID extra);
VIA_API HRESULT SafeArrayAllocDescriptor(UINT n_dims, SAFEARRAY **array);
VIA_API HRESULT SafeArrayAllocDescriptorEx(VARTYPE vt, UINT n_dims, SAFEARRAY **array);
/* For the bounds and the size of elements that the descriptor says. */
VIA_API HRESULT SafeArrayAllocData(SAFEARRAY *array);

/* DISP_E_ARRAYISLOCKED. The data frees what its elements hold. NULL is no error for the first. */
VIA_API HRESULT SafeArrayDestroy(SAFEARRAY *array);
VIA_API HRESULT SafeArrayDestroyData(SAFEARRAY *array);
VIA_API HRESULT SafeArrayDestroyDescriptor(SAFEARRAY *array);

VIA_API HRESULT SafeArrayCopy(SAFEARRAY *from, SAFEARRAY **to);
/* Into an array of the same form, whose elements are freed. */
VIA_API HRESULT SafeArrayCopyData(SAFEARRAY *from, SAFEARRAY *to);
/* Changes the rightmost dimension; elements that are left keep their values. */
VIA_API HRESULT SafeArrayRedim(SAFEARRAY *array, SAFEARRAYBOUND *rightmost);

VIA_API HRESULT SafeArrayLock(SAFEARRAY *array);
VIA_API HRESULT SafeArrayUnlock(SAFEARRAY *array);
VIA_API HRESULT SafeArrayAccessData(SAFEARRAY *array, void **data);
VIA_API HRESULT SafeArrayUnaccessData(SAFEARRAY *array);

/* DISP_E_BADINDEX. A copy of the element goes to, or comes from, `element`: for VT_BSTR a BSTR *,
 * for VT_RECORD the record; PutElement takes VT_BSTR, VT_UNKNOWN and VT_DISPATCH as they are. */
VIA_API HRESULT SafeArrayGetElement(SAFEARRAY *array, LONG *indexes, void *element);
VIA_API HRESULT SafeArrayPutElement(SAFEARRAY *array, LONG *indexes, void *element);
VIA_API HRESULT SafeArrayPtrOfIndex(SAFEARRAY *array, LONG *indexes, void **element);

VIA_API UINT SafeArrayGetDim(SAFEARRAY *array);
VIA_API UINT SafeArrayGetElemsize(SAFEARRAY *array);
/* DISP_E_BADINDEX. */
VIA_API HRESULT SafeArrayGetLBound(SAFEARRAY *array, UINT dim, LONG *lower);
VIA_API HRESULT SafeArrayGetUBound(SAFEARRAY *array, UINT dim, LONG *upper);
VIA_API HRESULT SafeArrayGetVartype(SAFEARRAY *array, VARTYPE *vt);
VIA_API HRESULT SafeArrayGetIID(SAFEARRAY *array, GUID *iid);
VIA_API HRESULT SafeArraySetIID(SAFEARRAY *array, REFGUID iid);
/* With a reference for the caller. */
VIA_API HRESULT SafeArrayGetRecordInfo(SAFEARRAY *array, IRecordInfo **info);
VIA_API HRESULT SafeArraySetRecordInfo(SAFEARRAY *array, IRecordInfo *info);

/* The bytes of a string as an array of VT_UI1, and back. */
VIA_API HRESULT VectorFromBstr(BSTR text, SAFEARRAY **array);
VIA_API HRESULT BstrFromVector(SAFEARRAY *array, BSTR *text);

#ifdef __cplusplus
}
#endif

#endif /* _WIN32 */

#endif
