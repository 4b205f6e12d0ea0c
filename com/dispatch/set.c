#include "com/dispatch/set.h"

#include <string.h>
#include <strings.h>

#include "com/dispatch/invoke.h"
#include "com/dispatch/members.h"
#include "com/marshal/plan.h"
#include "core/util/buffer.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

/* Ids of the second interface's members and on: these, the interface's number, the slot. */
#define OTHER_IDS      0x5B000000
#define OTHER_IDS_MASK 0x7F000000
#define SLOT_BITS      16

#define MAX_LIST_TEXT 700

static const char *interface_name(const struct marshal_interface *itf)
{
    return itf->lib->interfaces[typelib_find_interface(itf->lib, &itf->iid)].name;
}

/* The part of "Interface.Member" that an interface is asked for; NULL: it is another's. */
static const char *own_part(const struct marshal_interface *itf, const char *name)
{
    const char *dot = strchr(name, '.');
    const char *own = interface_name(itf);
    if (dot == NULL)
        return name;
    size_t length = (size_t)(dot - name);
    return strlen(own) == length && strncasecmp(own, name, length) == 0 ? dot + 1 : NULL;
}

static HRESULT unknown_name(const struct dispatch_set *set, const char *name)
{
    struct buffer list;
    unsigned n_names = 0;
    buffer_init(&list, MAX_LIST_TEXT);
    for (unsigned k = 0; k < set->n; k++) {
        for (size_t i = 0; i < members_count(set->interfaces[k]); i++) {
            const struct marshal_method *method = members_at(set->interfaces[k], i);
            WORD form = members_form(method);
            if (form == DISPATCH_PROPERTYPUT || form == DISPATCH_PROPERTYPUTREF)
                continue; /* named by its getter; one that cannot be read is rare */
            if (members_is_restricted(method) || (method->method->flags & VIA_METHOD_HIDDEN))
                continue;
            buffer_print(&list, "%s%s", n_names++ > 0 ? ", " : "", marshal_method_name(method));
        }
    }
    CLEANUP(cleanup_free) char *text = buffer_take_text(&list);
    HRESULT hr = error_set(DISP_E_UNKNOWNNAME, "the object has no member %s; it has %s", name,
                           text != NULL ? text : "others");
    buffer_deinit(&list);
    return hr;
}

const struct marshal_method *dispatch_set_named(const struct dispatch_set *set, const char *name,
                                                WORD flags)
{
    for (unsigned k = 0; k < set->n; k++) {
        const char *part = own_part(set->interfaces[k], name);
        const struct marshal_method *method =
            part != NULL ? members_named(set->interfaces[k], part, flags) : NULL;
        if (method != NULL)
            return method;
    }
    if (flags != 0 && dispatch_set_named(set, name, 0) != NULL)
        error_set(DISP_E_MEMBERNOTFOUND, "the object's member %s has no such form", name);
    else
        unknown_name(set, name);
    return NULL;
}

HRESULT dispatch_set_get_ids(const struct dispatch_set *set, LPOLESTR *names, UINT n_names,
                             DISPID *ids)
{
    CLEANUP(cleanup_free)
    char *name = names[0] != NULL ? utf_from_wide(names[0], utf16_length(names[0])) : NULL;
    if (name == NULL)
        return error_set(DISP_E_UNKNOWNNAME, "a name is NULL");
    const struct marshal_method *method = dispatch_set_named(set, name, 0);
    if (method == NULL)
        return error_get()->code;
    HRESULT hr = dispatch_get_ids(method, names, n_names, ids);
    for (unsigned k = 1; k < set->n; k++)
        if (method->of == set->interfaces[k])
            ids[0] = (DISPID)(OTHER_IDS | (k << SLOT_BITS) | method->slot);
    return hr;
}

const struct marshal_interface *dispatch_set_find(const struct dispatch_set *set, DISPID *id)
{
    if ((*id & OTHER_IDS_MASK) == OTHER_IDS) {
        unsigned k = ((unsigned)*id >> SLOT_BITS) & 0xFF;
        const struct marshal_method *method =
            k > 0 && k < set->n
                ? members_at_slot(set->interfaces[k], (unsigned)*id & ((1u << SLOT_BITS) - 1))
                : NULL;
        if (method != NULL) {
            *id = members_id(method);
            return set->interfaces[k];
        }
    }
    if (set->n > 0 && members_has(set->interfaces[0], *id))
        return set->interfaces[0];
    error_set(DISP_E_MEMBERNOTFOUND, "the object has no member %d", (int)*id);
    return NULL;
}
