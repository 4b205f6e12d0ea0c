/* What an argument is that a caller by name has left out. */
#ifndef COM_DISPATCH_MISSING_H
#define COM_DISPATCH_MISSING_H

#include <stdbool.h>
#include <viaduct/com.h>

struct marshal_method;
struct via_value;

/* An argument that says that it is none: VT_ERROR with DISP_E_PARAMNOTFOUND. */
bool missing_is(const VARIANT *argument);

/* The default value of the parameter `i`, else what its type has for "nothing": that VARIANT, NULL,
 * 0, an empty text. S_FALSE: it is not optional, and `value` is as it was. */
HRESULT missing_value(const struct marshal_method *method, unsigned i, struct via_value *value);

#endif
