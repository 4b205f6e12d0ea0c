#include "com/dispatch/members.h"

#include <strings.h>

#include "com/marshal/plan.h"

/* Ids of base members that their own interface's ids hide: far from those that people choose and
 * from those that Windows' tools assign. */
#define HIDDEN_IDS      0x5A000000
#define HIDDEN_IDS_MASK 0x7FFF0000

size_t members_count(const struct marshal_interface *itf)
{
    return itf->n_methods;
}

const struct marshal_method *members_at(const struct marshal_interface *itf, size_t i)
{
    return &itf->methods[i];
}

const struct marshal_method *members_at_slot(const struct marshal_interface *itf, unsigned slot)
{
    bool is_there = slot >= itf->first_slot && slot - itf->first_slot < itf->n_methods;
    return is_there ? &itf->methods[slot - itf->first_slot] : NULL;
}

WORD members_form(const struct marshal_method *method)
{
    switch (method->method->flags &
            (VIA_METHOD_PROPGET | VIA_METHOD_PROPPUT | VIA_METHOD_PROPPUTREF)) {
    case VIA_METHOD_PROPGET:
        return DISPATCH_PROPERTYGET;
    case VIA_METHOD_PROPPUT:
        return DISPATCH_PROPERTYPUT;
    case VIA_METHOD_PROPPUTREF:
        return DISPATCH_PROPERTYPUTREF;
    default:
        return DISPATCH_METHOD;
    }
}

static bool is_same_member(const struct marshal_method *left, const struct marshal_method *right)
{
    return left->owner == right->owner && members_form(left) != DISPATCH_METHOD &&
           members_form(right) != DISPATCH_METHOD &&
           !strcasecmp(left->method->name, right->method->name);
}

/* The method whose id the member has. */
static const struct marshal_method *first_of(const struct marshal_method *method)
{
    const struct marshal_interface *itf = method->of;
    for (size_t i = 0; i < members_count(itf); i++)
        if (is_same_member(&itf->methods[i], method))
            return &itf->methods[i];
    return method;
}

/* Bases come first in a vtable. */
static bool is_hidden(const struct marshal_method *first)
{
    const struct marshal_interface *itf = first->of;
    for (size_t i = members_count(itf); i-- > 0 && &itf->methods[i] > first;)
        if (itf->methods[i].owner != first->owner &&
            itf->methods[i].method->dispid == first->method->dispid)
            return true;
    return false;
}

DISPID members_id(const struct marshal_method *method)
{
    const struct marshal_method *first = first_of(method);
    return is_hidden(first) ? HIDDEN_IDS + first->slot : first->method->dispid;
}

bool members_is_restricted(const struct marshal_method *method)
{
    return (method->method->flags & VIA_METHOD_RESTRICTED) && members_id(method) >= 0;
}

static bool has_form(const struct marshal_method *method, WORD flags)
{
    return (flags == 0 || (members_form(method) & flags) != 0) && !members_is_restricted(method);
}

/* Derived interfaces first, and in each the order of the description. */
const struct marshal_method *members_named(const struct marshal_interface *itf, const char *name,
                                           WORD flags)
{
    const struct marshal_method *found = NULL;
    for (size_t i = 0; i < members_count(itf); i++) {
        const struct marshal_method *method = &itf->methods[i];
        if (!has_form(method, flags) ||
            (strcasecmp(method->method->name, name) && strcasecmp(method->full_name, name)))
            continue;
        if (!found || found->owner != method->owner)
            found = method;
    }
    return found;
}

/* The first method of the member, whatever its form. */
static const struct marshal_method *member(const struct marshal_interface *itf, DISPID id)
{
    if ((id & HIDDEN_IDS_MASK) == HIDDEN_IDS) {
        const struct marshal_method *method =
            members_at_slot(itf, (unsigned)(id & ~HIDDEN_IDS_MASK));
        if (method && members_id(method) == id)
            return first_of(method);
    }
    for (size_t i = members_count(itf); i-- > 0;) {
        const struct marshal_method *first = first_of(&itf->methods[i]);
        if (first->method->dispid == id)
            return first;
    }
    return NULL;
}

const struct marshal_method *members_find(const struct marshal_interface *itf, DISPID id,
                                          WORD flags)
{
    const struct marshal_method *first = member(itf, id);
    if (!first || has_form(first, flags))
        return first;
    for (size_t i = 0; i < members_count(itf); i++)
        if (is_same_member(&itf->methods[i], first) && has_form(&itf->methods[i], flags))
            return &itf->methods[i];
    return NULL;
}

bool members_has(const struct marshal_interface *itf, DISPID id)
{
    return member(itf, id) != NULL;
}

int members_result(const struct marshal_method *method)
{
    for (uint16_t i = 0; i < method->n_params; i++)
        if (method->method->params[i].flags & VIA_PARAM_RETVAL)
            return i;
    return -1;
}

unsigned members_n_arguments(const struct marshal_method *method)
{
    int result = members_result(method);
    return result < 0 ? method->n_params : (unsigned)result;
}

int members_rest(const struct marshal_method *method)
{
    return method->method->flags & VIA_METHOD_VARARG ? (int)members_n_arguments(method) - 1 : -1;
}

int members_argument(const struct marshal_method *method, const char *name)
{
    for (unsigned i = 0; i < members_n_arguments(method); i++)
        if (!strcasecmp(method->method->params[i].name, name))
            return (int)i;
    return -1;
}
