#include "com/typeinfo/subject.h"

#include <stdlib.h>

#include "com/dispatch/members.h"
#include "com/marshal/plan.h"
#include "com/typeinfo/base_types.h"
#include "com/typelib/builtin.h"
#include "com/typelib/typelib.h"
#include "core/util/error.h"
#include "core/util/utf.h"

BSTR type_text(const char *text)
{
    WCHAR *wide = utf_to_wide(text);
    BSTR copy = wide != NULL ? SysAllocString(wide) : NULL;
    free(wide);
    return copy;
}

HRESULT type_documentation(const char *text, const char *help, BSTR *name, BSTR *doc,
                           DWORD *help_context, BSTR *help_file)
{
    BSTR help_text = doc != NULL && help != NULL ? type_text(help) : NULL;
    if (name != NULL)
        *name = type_text(text);
    bool is_whole =
        (name == NULL || *name != NULL) && (doc == NULL || help == NULL || help_text != NULL);
    if (!is_whole) {
        SysFreeString(help_text);
        help_text = NULL;
        if (name != NULL) {
            SysFreeString(*name);
            *name = NULL;
        }
    }
    if (doc != NULL)
        *doc = help_text;
    if (help_context != NULL)
        *help_context = 0;
    if (help_file != NULL)
        *help_file = NULL;
    return is_whole ? S_OK : E_OUTOFMEMORY;
}

/* --- places --- */

static bool is_described(const struct via_interface *itf)
{
    return (itf->flags & VIA_INTERFACE_EXTERNAL) == 0;
}

static enum type_view view_of(const struct via_interface *itf)
{
    bool is_late_bound = (itf->flags & (VIA_INTERFACE_DUAL | VIA_INTERFACE_DISPINTERFACE)) != 0;
    return is_late_bound ? TYPE_VIEW_DISPATCH : TYPE_VIEW_INTERFACE;
}

/* What is only named here may be dual where it is described. */
static enum type_view view_of_entry(const struct via_typelib *lib, uint16_t index)
{
    const struct via_interface *itf = &lib->interfaces[index];
    if (is_described(itf))
        return view_of(itf);
    if (SUCCEEDED(typelib_catalog_find(&itf->iid, &lib, &index)))
        return view_of(&lib->interfaces[index]);
    error_clear();
    return TYPE_VIEW_INTERFACE;
}

static UINT n_described(const struct via_typelib *lib)
{
    UINT n = 0;
    for (uint16_t i = 0; i < lib->n_interfaces; i++)
        n += is_described(&lib->interfaces[i]);
    return n;
}

/* Of the first `n` aliases. */
static UINT n_public(const struct via_typelib *lib, uint16_t n)
{
    UINT count = 0;
    for (uint16_t i = 0; i < n; i++)
        count += (lib->aliases[i].flags & VIA_ALIAS_PUBLIC) != 0;
    return count;
}

UINT type_places_count(const struct via_typelib *lib)
{
    return n_described(lib) + lib->n_coclasses + lib->n_enums + lib->n_structs + lib->n_unions +
           n_public(lib, lib->n_aliases);
}

/* The alias at this place among the public ones; VIA_NO_INDEX: there are fewer. */
static uint16_t public_at(const struct via_typelib *lib, UINT place)
{
    for (uint16_t i = 0; i < lib->n_aliases; i++)
        if ((lib->aliases[i].flags & VIA_ALIAS_PUBLIC) != 0 && place-- == 0)
            return i;
    return VIA_NO_INDEX;
}

/* The interface at this place among those that are described; VIA_NO_INDEX: there are fewer. */
static uint16_t described_at(const struct via_typelib *lib, UINT place)
{
    for (uint16_t i = 0; i < lib->n_interfaces; i++)
        if (is_described(&lib->interfaces[i]) && place-- == 0)
            return i;
    return VIA_NO_INDEX;
}

bool type_place_at(const struct via_typelib *lib, UINT place, struct type_subject *subject)
{
    const struct {
        enum type_view view;
        UINT n;
    } others[] = {{TYPE_VIEW_COCLASS, lib->n_coclasses},
                  {TYPE_VIEW_ENUM, lib->n_enums},
                  {TYPE_VIEW_STRUCT, lib->n_structs},
                  {TYPE_VIEW_UNION, lib->n_unions}};
    UINT n = n_described(lib);
    *subject = (struct type_subject){.lib = lib};
    if (place < n) {
        subject->index = described_at(lib, place);
        subject->view = view_of(&lib->interfaces[subject->index]);
        return true;
    }
    place -= n;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        subject->view = others[i].view;
        subject->index = (uint16_t)place;
        if (place < others[i].n)
            return true;
        place -= others[i].n;
    }
    subject->view = TYPE_VIEW_ALIAS;
    subject->index = public_at(lib, place);
    return subject->index != VIA_NO_INDEX;
}

static bool is_interface(const struct type_subject *subject)
{
    return subject->view == TYPE_VIEW_INTERFACE || subject->view == TYPE_VIEW_DISPATCH;
}

UINT type_subject_place(const struct type_subject *subject)
{
    const struct via_typelib *lib = subject->lib;
    UINT place = subject->index;
    if (is_interface(subject)) {
        for (uint16_t i = 0; i < subject->index; i++)
            place -= !is_described(&lib->interfaces[i]);
        return place;
    }
    if (subject->view == TYPE_VIEW_ALIAS)
        return type_places_count(lib) - n_public(lib, lib->n_aliases) +
               n_public(lib, subject->index);
    place += n_described(lib);
    if (subject->view > TYPE_VIEW_COCLASS)
        place += lib->n_coclasses;
    if (subject->view > TYPE_VIEW_ENUM)
        place += lib->n_enums;
    if (subject->view > TYPE_VIEW_STRUCT)
        place += lib->n_structs;
    return place;
}

/* --- interfaces --- */

void type_subject_of_interface(const struct marshal_interface *itf, bool as_dispatch,
                               struct type_subject *subject)
{
    uint16_t index = typelib_find_interface(itf->lib, &itf->iid);
    *subject = (struct type_subject){.lib = itf->lib, .index = index, .itf = itf};
    subject->view = as_dispatch ? TYPE_VIEW_DISPATCH : view_of(&itf->lib->interfaces[index]);
}

HRESULT type_subject_of_iid(const GUID *iid, struct type_subject *subject)
{
    if (builtin_slots(iid) != 0) {
        *subject = (struct type_subject){.view = TYPE_VIEW_INTERFACE,
                                         .lib = &base_library,
                                         .index = typelib_find_interface(&base_library, iid)};
        return S_OK;
    }
    const struct marshal_interface *itf = marshal_interface_find(iid);
    if (itf == NULL)
        return error_get() != NULL ? error_get()->code : E_OUTOFMEMORY;
    type_subject_of_interface(itf, false, subject);
    return S_OK;
}

HRESULT type_subject_resolve(struct type_subject *subject)
{
    enum type_view view = subject->view;
    if (!is_interface(subject) || subject->lib == &base_library)
        return S_OK;
    HRESULT hr = type_subject_of_iid(&subject->lib->interfaces[subject->index].iid, subject);
    if (SUCCEEDED(hr) && subject->itf != NULL)
        subject->view = view;
    return hr;
}

const struct via_interface *type_subject_interface(const struct type_subject *subject)
{
    return subject->itf != NULL ? &subject->lib->interfaces[subject->index] : NULL;
}

bool type_subject_is_dual(const struct type_subject *subject)
{
    const struct via_interface *itf = type_subject_interface(subject);
    return itf != NULL && (itf->flags & VIA_INTERFACE_DUAL) != 0;
}

/* --- what it is --- */

TYPEKIND type_subject_kind(const struct type_subject *subject)
{
    static const TYPEKIND kinds[] = {
        [TYPE_VIEW_INTERFACE] = TKIND_INTERFACE, [TYPE_VIEW_DISPATCH] = TKIND_DISPATCH,
        [TYPE_VIEW_COCLASS] = TKIND_COCLASS,     [TYPE_VIEW_ENUM] = TKIND_ENUM,
        [TYPE_VIEW_STRUCT] = TKIND_RECORD,       [TYPE_VIEW_UNION] = TKIND_UNION,
        [TYPE_VIEW_ALIAS] = TKIND_ALIAS};
    return kinds[subject->view];
}

const char *type_subject_name(const struct type_subject *subject)
{
    const struct via_typelib *lib = subject->lib;
    switch (subject->view) {
    case TYPE_VIEW_COCLASS:
        return lib->coclasses[subject->index].name;
    case TYPE_VIEW_ENUM:
        return lib->enums[subject->index].name;
    case TYPE_VIEW_STRUCT:
        return lib->structs[subject->index].name;
    case TYPE_VIEW_UNION:
        return lib->unions[subject->index].name;
    case TYPE_VIEW_ALIAS:
        return lib->aliases[subject->index].name;
    default:
        return lib->interfaces[subject->index].name;
    }
}

const char *type_subject_help(const struct type_subject *subject)
{
    const struct via_typelib *lib = subject->lib;
    switch (subject->view) {
    case TYPE_VIEW_COCLASS:
        return lib->coclasses[subject->index].help;
    case TYPE_VIEW_ENUM:
        return lib->enums[subject->index].help;
    case TYPE_VIEW_STRUCT:
        return lib->structs[subject->index].help;
    case TYPE_VIEW_UNION:
        return lib->unions[subject->index].help;
    case TYPE_VIEW_ALIAS:
        return lib->aliases[subject->index].help;
    default:
        return lib->interfaces[subject->index].help;
    }
}

GUID type_subject_guid(const struct type_subject *subject)
{
    static const GUID none;
    if (is_interface(subject))
        return subject->lib->interfaces[subject->index].iid;
    if (subject->view == TYPE_VIEW_ALIAS)
        return subject->lib->aliases[subject->index].uuid;
    return subject->view == TYPE_VIEW_COCLASS ? subject->lib->coclasses[subject->index].clsid
                                              : none;
}

/* --- references --- */

/* The index, 4 bits of the view, and which library: 0 is the subject's own, then those of the
 * interface's bases in the order of the vtable. */
#define REF_VIEW_SHIFT    16
#define REF_LIBRARY_SHIFT 20
#define REF_BASE_LIBRARY  0xFFFu

static unsigned library_number(const struct type_subject *from, const struct via_typelib *lib)
{
    const struct via_typelib *last = from->lib;
    unsigned number = 0;
    if (lib == from->lib)
        return 0;
    if (lib == &base_library || from->itf == NULL)
        return REF_BASE_LIBRARY;
    for (size_t i = 0; i < members_count(from->itf); i++) {
        const struct via_typelib *next = members_at(from->itf, i)->lib;
        number += next != last && next != from->lib;
        if (next == lib)
            break;
        last = next;
    }
    return number;
}

static const struct via_typelib *library_at(const struct type_subject *from, unsigned number)
{
    if (number == REF_BASE_LIBRARY)
        return &base_library;
    if (number == 0 || from->itf == NULL)
        return number == 0 ? from->lib : NULL;
    for (size_t i = 0; i < members_count(from->itf); i++)
        if (library_number(from, members_at(from->itf, i)->lib) == number)
            return members_at(from->itf, i)->lib;
    return NULL;
}

HREFTYPE type_ref_make(const struct type_subject *from, const struct via_typelib *lib,
                       enum type_view view, uint16_t index)
{
    return (library_number(from, lib) << REF_LIBRARY_SHIFT) | ((unsigned)view << REF_VIEW_SHIFT) |
           index;
}

HREFTYPE type_ref_of_interface(const struct type_subject *from, const struct via_typelib *lib,
                               uint16_t index)
{
    const GUID *iid = &lib->interfaces[index].iid;
    if (builtin_slots(iid) != 0)
        return type_ref_make(from, &base_library, TYPE_VIEW_INTERFACE,
                             typelib_find_interface(&base_library, iid));
    return type_ref_make(from, lib, view_of_entry(lib, index), index);
}

static uint16_t table_size(const struct via_typelib *lib, enum type_view view)
{
    switch (view) {
    case TYPE_VIEW_COCLASS:
        return lib->n_coclasses;
    case TYPE_VIEW_ENUM:
        return lib->n_enums;
    case TYPE_VIEW_STRUCT:
        return lib->n_structs;
    case TYPE_VIEW_UNION:
        return lib->n_unions;
    case TYPE_VIEW_ALIAS:
        return lib->n_aliases;
    default:
        return lib->n_interfaces;
    }
}

HRESULT type_ref_find(const struct type_subject *from, HREFTYPE ref, struct type_subject *to)
{
    unsigned view = (ref >> REF_VIEW_SHIFT) & 0xF;
    const struct via_typelib *lib = library_at(from, ref >> REF_LIBRARY_SHIFT);
    *to = (struct type_subject){.lib = lib, .index = (uint16_t)ref};
    if (lib == NULL || view > TYPE_VIEW_ALIAS || to->index >= table_size(lib, (enum type_view)view))
        return TYPE_E_ELEMENTNOTFOUND;
    to->view = (enum type_view)view;
    return type_subject_resolve(to);
}

/* --- implemented types --- */

UINT type_impls_count(const struct type_subject *subject)
{
    const struct via_interface *itf = &subject->lib->interfaces[subject->index];
    switch (subject->view) {
    case TYPE_VIEW_INTERFACE:
        return itf->base != VIA_NO_INDEX;
    case TYPE_VIEW_DISPATCH:
        return 1;
    case TYPE_VIEW_COCLASS:
        return subject->lib->coclasses[subject->index].n_interfaces;
    default:
        return 0;
    }
}

/* The vtable of a base. */
static HREFTYPE base_ref(const struct type_subject *from, uint16_t index)
{
    const struct via_interface *itf = &from->lib->interfaces[index];
    if (builtin_slots(&itf->iid) != 0)
        return type_ref_of_interface(from, from->lib, index);
    return type_ref_make(from, from->lib, TYPE_VIEW_INTERFACE, index);
}

HRESULT type_impl_at(const struct type_subject *subject, UINT index, HREFTYPE *ref)
{
    const struct via_typelib *lib = subject->lib;
    bool is_other_side = index == (UINT)-1 && is_interface(subject);
    if (is_other_side && type_subject_is_dual(subject)) {
        enum type_view other =
            subject->view == TYPE_VIEW_DISPATCH ? TYPE_VIEW_INTERFACE : TYPE_VIEW_DISPATCH;
        *ref = type_ref_make(subject, lib, other, subject->index);
        return S_OK;
    }
    if (index >= type_impls_count(subject))
        return TYPE_E_ELEMENTNOTFOUND;
    if (subject->view == TYPE_VIEW_COCLASS)
        *ref = type_ref_of_interface(
            subject, lib, lib->coclasses[subject->index].interfaces[index].interface_index);
    else if (subject->view == TYPE_VIEW_DISPATCH)
        *ref = type_ref_make(subject, &base_library, TYPE_VIEW_INTERFACE, BASE_DISPATCH);
    else
        *ref = base_ref(subject, lib->interfaces[subject->index].base);
    return S_OK;
}
