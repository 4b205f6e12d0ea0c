/*
 * A type library of Windows from our metadata, made when it is needed: what fits (typelib_fit.h).
 *
 * What is written is what our own ITypeLib says of the library (com/typeinfo), type by type, with
 * references to other types made anew. IUnknown, IDispatch and IEnumVARIANT are those of stdole2;
 * an interface that another library of ours describes is that one's.
 */
#ifndef COM_INPROC_TYPELIB_WRITE_H
#define COM_INPROC_TYPELIB_WRITE_H

#include "com/inproc/typelib_fit.h"

/* Writes the file. `lib` becomes known to the runtime, and stays for ever. `others` are what it may
 * refer to; the runtime has to know them already. */
HRESULT typelib_write(const struct via_typelib *lib, const struct typelib_fit *fit,
                      const struct typelib_written *others, unsigned n_others, const WCHAR *path);
/* What a record of the library is called in VARIANTs. */
HRESULT typelib_record_guid(const struct via_typelib *lib, uint16_t index, GUID *guid);

#endif
