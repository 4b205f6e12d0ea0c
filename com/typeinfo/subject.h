/*
 * What a type information is about: one thing of a type library, as clients of COM divide it up.
 *
 * A library is a list of places: its interfaces, classes, enums, structs, unions and those aliases
 * that are public, in this order.
 * An interface has two views, as in Windows' libraries: the vtable (TKIND_INTERFACE) and what
 * late-bound callers see (TKIND_DISPATCH). A dual interface has one place, which is the latter,
 * and index -1 of its implemented types leads from one view to the other. Late-bound callers also
 * see interfaces that are not dual; that view has no place of its own and no other side.
 *
 * Libraries and prepared interfaces live as long as the process, so subjects own nothing.
 */
#ifndef COM_TYPEINFO_SUBJECT_H
#define COM_TYPEINFO_SUBJECT_H

#include <stdbool.h>
#include <viaduct/com.h>
#include <viaduct/type_info.h>
#include <viaduct/typelib.h>

struct marshal_interface;

enum type_view {
    TYPE_VIEW_INTERFACE,
    TYPE_VIEW_DISPATCH,
    TYPE_VIEW_COCLASS,
    TYPE_VIEW_ENUM,
    TYPE_VIEW_STRUCT,
    TYPE_VIEW_UNION,
    TYPE_VIEW_ALIAS
};

struct type_subject {
    enum type_view view;
    uint16_t index; /* in the library's table of such things */
    const struct via_typelib *lib;
    const struct marshal_interface *itf; /* of interfaces; NULL: one of base_types.h */
};

/* --- places --- */

UINT type_places_count(const struct via_typelib *lib);
/* False: there is no such place. `itf` is not looked up yet. */
bool type_place_at(const struct via_typelib *lib, UINT place, struct type_subject *subject);
/* Fills in `itf`. REGDB_E_IIDNOTREG, VIA_E_TYPE: the interface, or a base of it, is not known. */
HRESULT type_subject_resolve(struct type_subject *subject);
UINT type_subject_place(const struct type_subject *subject);

/* As its library has it, or, `as_dispatch`, as late-bound callers see it. */
void type_subject_of_interface(const struct marshal_interface *itf, bool as_dispatch,
                               struct type_subject *subject);
/* REGDB_E_IIDNOTREG: neither described nor IUnknown or IDispatch. */
HRESULT type_subject_of_iid(const GUID *iid, struct type_subject *subject);

/* --- what it is --- */

TYPEKIND type_subject_kind(const struct type_subject *subject);
const char *type_subject_name(const struct type_subject *subject);
/* NULL: it has none. */
const char *type_subject_help(const struct type_subject *subject);
/* Zeroes of what has none. */
GUID type_subject_guid(const struct type_subject *subject);
/* Of an interface. */
bool type_subject_is_dual(const struct type_subject *subject);
/* Of an interface; NULL: it is one of base_types.h. */
const struct via_interface *type_subject_interface(const struct type_subject *subject);

/* --- references --- */

/* The number by which a subject names a type of `lib`, which is its own library, or one of its
 * bases'. */
HREFTYPE type_ref_make(const struct type_subject *from, const struct via_typelib *lib,
                       enum type_view view, uint16_t index);
/* The same of an interface, which `lib` may only name, as its own library has it. */
HREFTYPE type_ref_of_interface(const struct type_subject *from, const struct via_typelib *lib,
                               uint16_t index);
/* The other way. TYPE_E_ELEMENTNOTFOUND: it is no such number. */
HRESULT type_ref_find(const struct type_subject *from, HREFTYPE ref, struct type_subject *to);
/* How many types the subject implements, and which. */
UINT type_impls_count(const struct type_subject *subject);
HRESULT type_impl_at(const struct type_subject *subject, UINT index, HREFTYPE *ref);

/* A name for a client; NULL without memory. */
BSTR type_text(const char *text);
/* What GetDocumentation() gives; each may be NULL. `help` may be. */
HRESULT type_documentation(const char *text, const char *help, BSTR *name, BSTR *doc,
                           DWORD *help_context, BSTR *help_file);

#endif
