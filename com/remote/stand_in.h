/*
 * Objects of script engines where a method takes an interface of slots: a callback, say, for which
 * a script can pass an object with methods of that name, or a function.
 *
 * What such an object has is IDispatch. An object that implements the interface stands in for it,
 * and calls the member that has the method's name; of an object that has no such member, as a
 * function, its default member.
 */
#ifndef COM_REMOTE_STAND_IN_H
#define COM_REMOTE_STAND_IN_H

#include <viaduct/com.h>

struct import;
struct marshal_method;
struct via_value;

/* Exchanges what has an IDispatch, and not the interface that its parameter is of. Blocks when
 * `import`'s owner has to describe that. Others stay. */
HRESULT stand_in_for_arguments(struct import *import, const struct marshal_method *method,
                               struct via_value *in);

#endif
