/* What the parts of the validation share. */
#ifndef COM_TYPELIB_CHECK_H
#define COM_TYPELIB_CHECK_H

#include "com/typelib/typelib.h"

/* An identifier of C, at most 255 characters. */
bool check_is_name(const char *name);

/* check_members.c: expressions and unions, before anything that refers to them. */
HRESULT check_expressions(const struct via_typelib *lib);
HRESULT check_unions(const struct via_typelib *lib);
/* Whatever the field's type needs to know stands in the same struct, and can be it. */
HRESULT check_field_references(const struct via_typelib *lib, const struct via_struct *record,
                               const struct via_field *field);
/* The same of a parameter in its method, and it is known where it is needed. */
HRESULT check_param_references(const struct via_typelib *lib, const struct via_interface *iface,
                               const struct via_method *method, const struct via_param *param);

/* check_aliases.c: aliases, and the types that are declared by them. Types are valid by then, and
 * name only aliases that are there. */
HRESULT check_aliases(const struct via_typelib *lib);
/* What is wrong with the alias of the pointer that the parameter is; NULL: nothing. Its type is
 * valid. */
const char *check_param_alias(const struct via_typelib *lib, const struct via_param *param);

/* check_attributes.c. `owner`: for the message. */
HRESULT check_help(const char *owner, const char *help);
/* What is wrong with the parameter's default value, and with its being optional; NULL: nothing. Its
 * type is valid. */
const char *check_optional(const struct via_typelib *lib, const struct via_param *param);
/* The same of a method's [vararg]; its parameters are valid. */
const char *check_vararg(const struct via_typelib *lib, const struct via_method *method);
/* An interface that is a dispinterface, or built on one; its methods are valid. */
HRESULT check_dispinterface(const struct via_typelib *lib, const struct via_interface *iface);

#endif
