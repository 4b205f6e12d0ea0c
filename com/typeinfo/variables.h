/* The constants of an enum, and the fields of a struct or union, as ITypeInfo has them. */
#ifndef COM_TYPEINFO_VARIABLES_H
#define COM_TYPEINFO_VARIABLES_H

#include "com/typeinfo/subject.h"

UINT variables_count(const struct type_subject *subject);
const char *variable_name(const struct type_subject *subject, UINT index);
MEMBERID variable_id(UINT index);
/* The index, or -1: there is none. Names are compared without case. */
int variables_with_id(const struct type_subject *subject, MEMBERID id);
int variables_with_name(const struct type_subject *subject, const char *name);
/* For free(). NULL without memory. */
VARDESC *variable_describe(const struct type_subject *subject, UINT index);

#endif
