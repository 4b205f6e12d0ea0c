/* What calls of objects that COM's own marshaler stands in front of have to know of a method. */
#ifndef COM_MARSHAL_BEYOND_H
#define COM_MARSHAL_BEYOND_H

#include <stdbool.h>

struct marshal_method;

/* Whether its interface is dual, and callers by name may call it. */
bool marshal_method_is_dual(const struct marshal_method *method);
/* The first parameter that is more than a type library can say: an array or a text behind a
 * pointer, an interface that another parameter names. NULL: there is none. */
const char *marshal_method_param_beyond_com(const struct marshal_method *method);

#endif
