/*
 * The COM objects: ITypeInfo with its ITypeComp, and ITypeLib with its own. Each is made when it is
 * asked for, holds nothing that changes, and can be used on every thread.
 */
#ifndef COM_TYPEINFO_OBJECTS_H
#define COM_TYPEINFO_OBJECTS_H

#include "com/typeinfo/subject.h"
#include "core/util/ref.h"

struct type_info {
    ITypeInfo ITypeInfo_iface;
    ITypeComp ITypeComp_iface; /* type_comp.c */
    struct ref refs;
    struct type_subject subject; /* read-only */
};

struct type_library {
    ITypeLib ITypeLib_iface;
    ITypeComp ITypeComp_iface; /* type_comp.c */
    struct ref refs;
    const struct via_typelib *lib; /* read-only */
};

extern const ITypeCompVtbl type_info_comp_vtbl;
extern const ITypeCompVtbl type_library_comp_vtbl;

/* E_OUTOFMEMORY, with NULL. */
HRESULT type_info_new(const struct type_subject *subject, ITypeInfo **info);
HRESULT type_library_new(const struct via_typelib *lib, ITypeLib **library);

/* What IDispatch::GetTypeInfo() of an object gives whose default interface is that. */
HRESULT type_info_of_dispatch(const struct marshal_interface *itf, ITypeInfo **info);

#endif
