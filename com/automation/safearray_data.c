/* What is in SAFEARRAYs: elements, copies, other sizes. */
#include "com/automation/elements.h"

#include <string.h>
#include <viaduct/record_info.h>
#include <viaduct/safearray.h>
#include <viaduct/taskmem.h>

HRESULT SafeArrayLock(SAFEARRAY *array)
{
    if (!array)
        return E_INVALIDARG;
    if (__atomic_add_fetch(&array->cLocks, 1, __ATOMIC_ACQ_REL) <= UINT16_MAX)
        return S_OK;
    __atomic_sub_fetch(&array->cLocks, 1, __ATOMIC_ACQ_REL);
    return E_UNEXPECTED;
}

HRESULT SafeArrayUnlock(SAFEARRAY *array)
{
    if (!array)
        return E_INVALIDARG;
    ULONG n = __atomic_load_n(&array->cLocks, __ATOMIC_ACQUIRE);
    do {
        if (n == 0)
            return E_UNEXPECTED;
    } while (!__atomic_compare_exchange_n(&array->cLocks, &n, n - 1, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
    return S_OK;
}

HRESULT SafeArrayAccessData(SAFEARRAY *array, void **data)
{
    if (!array || !data)
        return E_INVALIDARG;
    HRESULT hr = SafeArrayLock(array);
    *data = SUCCEEDED(hr) ? array->pvData : NULL;
    return hr;
}

HRESULT SafeArrayUnaccessData(SAFEARRAY *array)
{
    return SafeArrayUnlock(array);
}

HRESULT SafeArrayPtrOfIndex(SAFEARRAY *array, LONG *indexes, void **element)
{
    if (!array || !indexes || !element)
        return E_INVALIDARG;
    size_t at = 0;
    size_t step = 1;
    for (USHORT i = 0; i < array->cDims; i++) {
        const SAFEARRAYBOUND *bound = &array->rgsabound[array->cDims - 1 - i];
        int64_t index = (int64_t)indexes[i] - bound->lLbound;
        if (index < 0 || index >= bound->cElements)
            return DISP_E_BADINDEX;
        at += (size_t)index * step;
        step *= bound->cElements;
    }
    *element = (char *)array->pvData + at * array->cbElements;
    return S_OK;
}

HRESULT SafeArrayGetElement(SAFEARRAY *array, LONG *indexes, void *element)
{
    void *at;
    if (!array || !indexes || !element)
        return E_INVALIDARG;
    HRESULT hr = SafeArrayLock(array);
    if (FAILED(hr))
        return hr;
    hr = SafeArrayPtrOfIndex(array, indexes, &at);
    if (SUCCEEDED(hr)) {
        /* What was there is not the array's, and is not freed. */
        if (!(array->fFeatures & FADF_RECORD))
            memset(element, 0, array->cbElements);
        hr = elements_copy(array, at, element, 1);
    }
    SafeArrayUnlock(array);
    return hr;
}

/* What PutElement is given: pointers themselves, everything else by pointer. */
static const void *element_given(const SAFEARRAY *array, void *const *element)
{
    bool is_pointer = array->fFeatures & (FADF_BSTR | FADF_UNKNOWN | FADF_DISPATCH);
    return is_pointer ? (const void *)element : *element;
}

/* The copy is made before the old value is freed, of which it may be a part. */
static HRESULT replace(SAFEARRAY *array, void *at, const void *from)
{
    if (array->fFeatures & FADF_RECORD)
        return IRecordInfo_RecordCopy(elements_record_info(array), (void *)from, at);
    _Alignas(16) char copy[sizeof(VARIANT) > sizeof(DECIMAL) ? sizeof(VARIANT) : sizeof(DECIMAL)];
    if (array->cbElements > sizeof(copy))
        return E_UNEXPECTED;
    memset(copy, 0, sizeof(copy));
    HRESULT hr = elements_copy(array, from, copy, 1);
    if (FAILED(hr))
        return hr;
    elements_clear(array, at, 1);
    memcpy(at, copy, array->cbElements);
    return S_OK;
}

HRESULT SafeArrayPutElement(SAFEARRAY *array, LONG *indexes, void *element)
{
    void *at;
    if (!array || !indexes)
        return E_INVALIDARG;
    HRESULT hr = SafeArrayLock(array);
    if (FAILED(hr))
        return hr;
    hr = SafeArrayPtrOfIndex(array, indexes, &at);
    const void *given = element_given(array, &element);
    if (SUCCEEDED(hr))
        hr = given ? replace(array, at, given) : E_INVALIDARG;
    SafeArrayUnlock(array);
    return hr;
}

/* --- whole arrays --- */

/* A descriptor like the other one's, whoever made that. */
static HRESULT copy_descriptor(SAFEARRAY *from, SAFEARRAY **to)
{
    VARTYPE vt;
    HRESULT hr = SUCCEEDED(SafeArrayGetVartype(from, &vt))
                     ? SafeArrayAllocDescriptorEx(vt, from->cDims, to)
                     : SafeArrayAllocDescriptor(from->cDims, to);
    if (FAILED(hr))
        return hr;
    (*to)->fFeatures |= from->fFeatures & (FADF_BSTR | FADF_UNKNOWN | FADF_DISPATCH | FADF_VARIANT);
    (*to)->cbElements = from->cbElements;
    memcpy((*to)->rgsabound, from->rgsabound, from->cDims * sizeof(SAFEARRAYBOUND));
    if (from->fFeatures & FADF_RECORD)
        SafeArraySetRecordInfo(*to, elements_record_info(from));
    if (from->fFeatures & FADF_HAVEIID) {
        GUID iid;
        SafeArrayGetIID(from, &iid);
        SafeArraySetIID(*to, &iid);
    }
    return S_OK;
}

HRESULT SafeArrayCopy(SAFEARRAY *from, SAFEARRAY **to)
{
    if (!to)
        return E_INVALIDARG;
    *to = NULL;
    if (!from)
        return S_OK;
    if (from->cbElements == 0)
        return E_INVALIDARG;
    HRESULT hr = copy_descriptor(from, to);
    if (FAILED(hr))
        return hr;
    hr = SafeArrayAllocData(*to);
    if (SUCCEEDED(hr) && from->pvData)
        hr = elements_copy(from, from->pvData, (*to)->pvData, elements_count(from));
    if (FAILED(hr)) {
        SafeArrayDestroy(*to);
        *to = NULL;
    }
    return hr;
}

HRESULT SafeArrayCopyData(SAFEARRAY *from, SAFEARRAY *to)
{
    if (!from || !to || !from->pvData || !to->pvData || from->cDims != to->cDims ||
        from->cbElements != to->cbElements)
        return E_INVALIDARG;
    for (USHORT i = 0; i < from->cDims; i++)
        if (from->rgsabound[i].cElements != to->rgsabound[i].cElements)
            return E_INVALIDARG;
    size_t n = elements_count(from);
    elements_clear(to, to->pvData, n);
    return elements_copy(from, from->pvData, to->pvData, n);
}

HRESULT SafeArrayRedim(SAFEARRAY *array, SAFEARRAYBOUND *rightmost)
{
    if (!array || !rightmost || array->fFeatures & FADF_FIXEDSIZE)
        return E_INVALIDARG;
    if (array->cLocks)
        return DISP_E_ARRAYISLOCKED;
    SAFEARRAYBOUND old = array->rgsabound[0];
    size_t n_old = elements_count(array);
    void *old_data = array->pvData;
    array->rgsabound[0] = *rightmost;
    HRESULT hr = SafeArrayAllocData(array);
    if (FAILED(hr)) {
        array->rgsabound[0] = old;
        array->pvData = old_data;
        return hr;
    }
    /* The rightmost index varies slowest: what is left is in front. */
    size_t n = elements_count(array);
    size_t n_kept = n < n_old ? n : n_old;
    size_t size = array->cbElements;
    if (old_data) {
        memcpy(array->pvData, old_data, n_kept * size);
        elements_clear(array, (char *)old_data + n_kept * size, n_old - n_kept);
    }
    if (!(array->fFeatures & (FADF_CREATEVECTOR | FADF_STATIC)))
        CoTaskMemFree(old_data);
    array->fFeatures &= (USHORT) ~(FADF_CREATEVECTOR | FADF_STATIC);
    return S_OK;
}

/* --- strings --- */

HRESULT VectorFromBstr(BSTR text, SAFEARRAY **array)
{
    if (!array)
        return E_INVALIDARG;
    UINT n = SysStringByteLen(text);
    *array = SafeArrayCreateVector(VT_UI1, 0, n);
    if (!*array)
        return E_OUTOFMEMORY;
    if (n)
        memcpy((*array)->pvData, text, n);
    return S_OK;
}

HRESULT BstrFromVector(SAFEARRAY *array, BSTR *text)
{
    if (!array || !text)
        return E_INVALIDARG;
    *text = NULL;
    if (array->cDims != 1)
        return E_INVALIDARG;
    if (array->cbElements != 1)
        return DISP_E_TYPEMISMATCH;
    *text = SysAllocStringByteLen(array->pvData, array->rgsabound[0].cElements);
    return *text ? S_OK : E_OUTOFMEMORY;
}
