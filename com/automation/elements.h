/* The elements of SAFEARRAYs and the values of VARIANTs, by their VARTYPE. */
#ifndef COM_AUTOMATION_ELEMENTS_H
#define COM_AUTOMATION_ELEMENTS_H

#include <stdbool.h>
#include <viaduct/automation.h>

/* A flag of arrays that SafeArrayCreateVector() makes, out of FADF_RESERVED: the elements are in
 * the descriptor's block. */
#define FADF_CREATEVECTOR 0x2000

/* 0: not the type of an element, or VT_RECORD, whose size its IRecordInfo knows. */
ULONG elements_size(VARTYPE vt);
/* The FADF_ flag of elements that hold something. */
USHORT elements_feature(VARTYPE vt);

/* The IRecordInfo of an array of records, borrowed. */
IRecordInfo *elements_record_info(const SAFEARRAY *array);
/* All of them: 0 where a dimension is empty. */
size_t elements_count(const SAFEARRAY *array);

/* Frees what `n` elements of the array hold and makes them zero. */
void elements_clear(const SAFEARRAY *array, void *elements, size_t n);
/* Into zeroed memory. What has been copied before a failure stays. */
HRESULT elements_copy(const SAFEARRAY *array, const void *from, void *to, size_t n);

#endif
