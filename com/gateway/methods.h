/* The methods of an interface, and the members of a dispinterface, in the JSON form. */
#ifndef COM_GATEWAY_METHODS_H
#define COM_GATEWAY_METHODS_H

#include "com/gateway/types.h"

/* A list, in the order of the vtable. */
json_t *methods_of_interface(struct conversion *self, ITypeInfo *info, const TYPEATTR *attributes);
/* Its functions and its properties, which are methods that get and set them. IDispatch's own, which
 * type libraries count among them, are left out, and so is what Viaduct cannot tell from another
 * member, since names there have no case. */
json_t *methods_of_dispinterface(struct conversion *self, ITypeInfo *info,
                                 const TYPEATTR *attributes);

/* Whether a method of the interface is called so in C ("get_Level"); and, unless `param` is NULL,
 * a parameter of it so. Case makes no difference. */
bool methods_have(ITypeInfo *info, const char *method, const char *param);

#endif
