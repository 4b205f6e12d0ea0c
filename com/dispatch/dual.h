/* A method of a dual interface, called by its object's Invoke. */
#ifndef COM_DISPATCH_DUAL_H
#define COM_DISPATCH_DUAL_H

#include <stdbool.h>
#include <viaduct/com.h>

struct marshal_method;
struct via_value;

/* As dispatch_pass_on() (invoke.h). *is_refused: it has not been called, since its arguments cannot
 * be VARIANTs, or Invoke does not take them. */
HRESULT dispatch_pass_on_dual(IDispatch *dispatch, const struct marshal_method *method,
                              const struct via_value *in, struct via_value *out, bool *is_refused);

#endif
