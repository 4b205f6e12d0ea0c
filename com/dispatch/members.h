/*
 * The members of an interface as late-bound clients see them: names and DISPIDs.
 *
 * A member is a method, or the up to three methods of a property, which share a name and an id. An
 * id is what the description says, or, for a property, what it says of the first of its methods.
 * Where an interface uses an id that a base of it has for something else, the base's member gets
 * one made of its slot, so that every id means one member.
 */
#ifndef COM_DISPATCH_MEMBERS_H
#define COM_DISPATCH_MEMBERS_H

#include <stdbool.h>
#include <viaduct/com.h>

#include "com/marshal/marshal.h"

/* Methods of the interface and its bases but those of IUnknown and IDispatch, in slot order; those
 * of a dispinterface as if they had slots. */
size_t members_count(const struct marshal_interface *itf);
const struct marshal_method *members_at(const struct marshal_interface *itf, size_t i);
/* NULL: there is none. */
const struct marshal_method *members_at_slot(const struct marshal_interface *itf, unsigned slot);
/* [restricted]: not for callers by name. As in Automation, one with a negative id (_NewEnum) is. */
bool members_is_restricted(const struct marshal_method *method);

DISPID members_id(const struct marshal_method *method);
/* DISPATCH_METHOD, or the form of a property that the method is. */
WORD members_form(const struct marshal_method *method);

/* The first method with the name, without case, that is not restricted; NULL: there is none (no
 * error is set). `flags`: forms that will do, DISPATCH_...; 0: any. */
const struct marshal_method *members_named(const struct marshal_interface *itf, const char *name,
                                           WORD flags);
/* The same for an id. */
const struct marshal_method *members_find(const struct marshal_interface *itf, DISPID id,
                                          WORD flags);
/* Whether the interface has a member with that id at all. */
bool members_has(const struct marshal_interface *itf, DISPID id);

/* The parameters that a caller may give: all but a retval; they are the first ones. */
unsigned members_n_arguments(const struct marshal_method *method);
/* The parameter that gets what is given beyond the others ([vararg]), which is the last that a
 * caller may give; -1: there is none. */
int members_rest(const struct marshal_method *method);
/* The index of the parameter of that name, without case, or -1. */
int members_argument(const struct marshal_method *method, const char *name);
/* The index of the retval parameter, or -1. */
int members_result(const struct marshal_method *method);

#endif
