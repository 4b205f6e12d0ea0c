/*
 * Making and unmaking SAFEARRAYs, and what they say of themselves.
 *
 * An array is one block: 16 bytes for an IID, an IRecordInfo or a VARTYPE, the descriptor, one
 * bound for each dimension; a vector's elements follow in the same block. Other elements have a
 * block of their own.
 */
#include "com/automation/elements.h"

#include <limits.h>
#include <stddef.h>
#include <string.h>
#include <viaduct/record_info.h>
#include <viaduct/safearray.h>
#include <viaduct/taskmem.h>

#define PREFIX_SIZE 16
/* As Windows has it. */
#define MAX_DIMS          65535u
#define MAX_ELEMENT_BYTES ((size_t)INT32_MAX)
/* Where the elements begin in a vector's block. */
#define VECTOR_AT ((PREFIX_SIZE + sizeof(SAFEARRAY) + 15u) & ~(size_t)15)

static void *block_of(SAFEARRAY *array)
{
    return (char *)array - PREFIX_SIZE;
}

static void set_vartype(SAFEARRAY *array, VARTYPE vt)
{
    uint32_t wide = vt;
    memcpy((char *)array - sizeof(wide), &wide, sizeof(wide));
}

/* `n_bytes`: of elements behind the descriptor. */
static SAFEARRAY *allocate(UINT n_dims, size_t n_bytes)
{
    size_t size = PREFIX_SIZE + offsetof(SAFEARRAY, rgsabound) + n_dims * sizeof(SAFEARRAYBOUND);
    if (n_bytes)
        size = VECTOR_AT + n_bytes;
    char *block = CoTaskMemAlloc(size);
    if (!block)
        return NULL;
    memset(block, 0, size);
    SAFEARRAY *array = (SAFEARRAY *)(void *)(block + PREFIX_SIZE);
    array->cDims = (USHORT)n_dims;
    return array;
}

HRESULT SafeArrayAllocDescriptor(UINT n_dims, SAFEARRAY **array)
{
    if (!array)
        return E_POINTER;
    *array = NULL;
    if (n_dims == 0 || n_dims > MAX_DIMS)
        return E_INVALIDARG;
    *array = allocate(n_dims, 0);
    return *array ? S_OK : E_OUTOFMEMORY;
}

static void set_features(SAFEARRAY *array, VARTYPE vt)
{
    array->cbElements = elements_size(vt);
    array->fFeatures |= elements_feature(vt);
    if (vt == VT_RECORD)
        return;
    if (vt == VT_UNKNOWN || vt == VT_DISPATCH) {
        array->fFeatures |= FADF_HAVEIID;
        SafeArraySetIID(array, vt == VT_UNKNOWN ? &IID_IUnknown : &IID_IDispatch);
    } else {
        array->fFeatures |= FADF_HAVEVARTYPE;
        set_vartype(array, vt);
    }
}

HRESULT SafeArrayAllocDescriptorEx(VARTYPE vt, UINT n_dims, SAFEARRAY **array)
{
    HRESULT hr = SafeArrayAllocDescriptor(n_dims, array);
    if (SUCCEEDED(hr))
        set_features(*array, vt);
    return hr;
}

/* The bytes of all elements. False: more than an array can have. */
static bool total_size(const SAFEARRAY *array, size_t *size)
{
    bool fits = true;
    *size = array->cbElements;
    for (USHORT i = 0; i < array->cDims; i++) {
        size_t n = array->rgsabound[i].cElements;
        if (n == 0) {
            *size = 0;
            return true;
        }
        fits &= *size <= MAX_ELEMENT_BYTES / n;
        *size = fits ? *size * n : 0;
    }
    return fits;
}

HRESULT SafeArrayAllocData(SAFEARRAY *array)
{
    size_t size;
    if (!array)
        return E_INVALIDARG;
    if (!total_size(array, &size))
        return E_OUTOFMEMORY;
    array->pvData = CoTaskMemAlloc(size);
    if (!array->pvData)
        return E_OUTOFMEMORY;
    memset(array->pvData, 0, size);
    return S_OK;
}

/* What comes with the elements' type; a reference of the IRecordInfo goes with the array. */
static HRESULT set_extra(SAFEARRAY *array, VARTYPE vt, PVOID extra)
{
    HRESULT hr = S_OK;
    if (vt == VT_RECORD) {
        ULONG size = 0;
        hr = extra ? IRecordInfo_GetSize((IRecordInfo *)extra, &size) : E_INVALIDARG;
        array->cbElements = size;
        if (SUCCEEDED(hr))
            hr = SafeArraySetRecordInfo(array, extra);
    } else if ((vt == VT_UNKNOWN || vt == VT_DISPATCH) && extra) {
        hr = SafeArraySetIID(array, extra);
    }
    return hr;
}

SAFEARRAY *SafeArrayCreateEx(VARTYPE vt, UINT n_dims, SAFEARRAYBOUND *bounds, PVOID extra)
{
    SAFEARRAY *array;
    if (vt != VT_RECORD && elements_size(vt) == 0)
        return NULL;
    if (!bounds || FAILED(SafeArrayAllocDescriptorEx(vt, n_dims, &array)))
        return NULL;
    for (UINT i = 0; i < n_dims; i++)
        array->rgsabound[i] = bounds[n_dims - 1 - i];
    if (SUCCEEDED(set_extra(array, vt, extra)) && SUCCEEDED(SafeArrayAllocData(array)))
        return array;
    SafeArrayDestroyDescriptor(array);
    return NULL;
}

SAFEARRAY *SafeArrayCreate(VARTYPE vt, UINT n_dims, SAFEARRAYBOUND *bounds)
{
    return vt == VT_RECORD ? NULL : SafeArrayCreateEx(vt, n_dims, bounds, NULL);
}

SAFEARRAY *SafeArrayCreateVectorEx(VARTYPE vt, LONG lower, ULONG n_elements, PVOID extra)
{
    ULONG size = elements_size(vt);
    if (vt == VT_RECORD && (!extra || FAILED(IRecordInfo_GetSize((IRecordInfo *)extra, &size))))
        return NULL;
    if (size == 0 || n_elements > MAX_ELEMENT_BYTES / size)
        return NULL;
    SAFEARRAY *array = allocate(1, (size_t)n_elements * size + 1);
    if (!array)
        return NULL;
    set_features(array, vt);
    array->fFeatures |= FADF_CREATEVECTOR;
    array->rgsabound[0] = (SAFEARRAYBOUND){n_elements, lower};
    array->pvData = (char *)block_of(array) + VECTOR_AT;
    if (SUCCEEDED(set_extra(array, vt, extra)))
        return array;
    SafeArrayDestroyDescriptor(array);
    return NULL;
}

SAFEARRAY *SafeArrayCreateVector(VARTYPE vt, LONG lower, ULONG n_elements)
{
    return vt == VT_RECORD ? NULL : SafeArrayCreateVectorEx(vt, lower, n_elements, NULL);
}

/* --- the end --- */

HRESULT SafeArrayDestroyData(SAFEARRAY *array)
{
    if (!array)
        return E_INVALIDARG;
    if (array->cLocks)
        return DISP_E_ARRAYISLOCKED;
    if (!array->pvData)
        return S_OK;
    elements_clear(array, array->pvData, elements_count(array));
    if (array->fFeatures & (FADF_CREATEVECTOR | FADF_STATIC))
        return S_OK;
    CoTaskMemFree(array->pvData);
    array->pvData = NULL;
    return S_OK;
}

HRESULT SafeArrayDestroyDescriptor(SAFEARRAY *array)
{
    if (!array)
        return S_OK;
    if (array->cLocks)
        return DISP_E_ARRAYISLOCKED;
    if (array->fFeatures & FADF_CREATEVECTOR && array->pvData)
        elements_clear(array, array->pvData, elements_count(array));
    if (array->fFeatures & FADF_RECORD)
        SafeArraySetRecordInfo(array, NULL);
    CoTaskMemFree(block_of(array));
    return S_OK;
}

HRESULT SafeArrayDestroy(SAFEARRAY *array)
{
    if (!array)
        return S_OK;
    if (array->cLocks)
        return DISP_E_ARRAYISLOCKED;
    HRESULT hr = SafeArrayDestroyData(array);
    return FAILED(hr) ? hr : SafeArrayDestroyDescriptor(array);
}

/* --- what it says of itself --- */

UINT SafeArrayGetDim(SAFEARRAY *array)
{
    return array ? array->cDims : 0;
}

UINT SafeArrayGetElemsize(SAFEARRAY *array)
{
    return array ? array->cbElements : 0;
}

HRESULT SafeArrayGetLBound(SAFEARRAY *array, UINT dim, LONG *lower)
{
    if (!array || !lower)
        return E_INVALIDARG;
    if (dim == 0 || dim > array->cDims)
        return DISP_E_BADINDEX;
    *lower = array->rgsabound[array->cDims - dim].lLbound;
    return S_OK;
}

HRESULT SafeArrayGetUBound(SAFEARRAY *array, UINT dim, LONG *upper)
{
    if (!array || !upper)
        return E_INVALIDARG;
    if (dim == 0 || dim > array->cDims)
        return DISP_E_BADINDEX;
    const SAFEARRAYBOUND *bound = &array->rgsabound[array->cDims - dim];
    *upper = (LONG)((ULONG)bound->lLbound + bound->cElements - 1);
    return S_OK;
}

HRESULT SafeArrayGetVartype(SAFEARRAY *array, VARTYPE *vt)
{
    uint32_t wide;
    if (!array || !vt)
        return E_INVALIDARG;
    if (array->fFeatures & FADF_RECORD) {
        *vt = VT_RECORD;
    } else if ((array->fFeatures & (FADF_HAVEIID | FADF_DISPATCH)) ==
               (FADF_HAVEIID | FADF_DISPATCH)) {
        *vt = VT_DISPATCH;
    } else if (array->fFeatures & FADF_HAVEIID) {
        *vt = VT_UNKNOWN;
    } else if (array->fFeatures & FADF_HAVEVARTYPE) {
        memcpy(&wide, (const char *)array - sizeof(wide), sizeof(wide));
        *vt = (VARTYPE)wide;
    } else {
        return E_INVALIDARG;
    }
    return S_OK;
}

HRESULT SafeArrayGetIID(SAFEARRAY *array, GUID *iid)
{
    if (!array || !iid || !(array->fFeatures & FADF_HAVEIID))
        return E_INVALIDARG;
    memcpy(iid, block_of(array), sizeof(*iid));
    return S_OK;
}

HRESULT SafeArraySetIID(SAFEARRAY *array, REFGUID iid)
{
    if (!array || !iid || !(array->fFeatures & FADF_HAVEIID))
        return E_INVALIDARG;
    memcpy(block_of(array), iid, sizeof(*iid));
    return S_OK;
}

HRESULT SafeArrayGetRecordInfo(SAFEARRAY *array, IRecordInfo **info)
{
    if (!array || !info || !(array->fFeatures & FADF_RECORD))
        return E_INVALIDARG;
    *info = elements_record_info(array);
    if (*info)
        IRecordInfo_AddRef(*info);
    return S_OK;
}

HRESULT SafeArraySetRecordInfo(SAFEARRAY *array, IRecordInfo *info)
{
    if (!array || !(array->fFeatures & FADF_RECORD))
        return E_INVALIDARG;
    IRecordInfo *old = elements_record_info(array);
    if (info)
        IRecordInfo_AddRef(info);
    memcpy((char *)array - sizeof(info), &info, sizeof(info));
    if (old)
        IRecordInfo_Release(old);
    return S_OK;
}
