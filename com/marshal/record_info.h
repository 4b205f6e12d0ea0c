/*
 * IRecordInfo of the structs of type libraries: one for each, which lives as long as the process.
 * VARIANTs and SAFEARRAYs of structs have it.
 */
#ifndef COM_MARSHAL_RECORD_INFO_H
#define COM_MARSHAL_RECORD_INFO_H

#include <viaduct/com.h>

/* Of the interface that is the first member of struct plan_struct. */
extern const IRecordInfoVtbl record_info_vtbl;

#endif
