/* Calls by name of members that only the object's own IDispatch knows: no description has them. */
#ifndef COM_REMOTE_LATE_UNKNOWN_H
#define COM_REMOTE_LATE_UNKNOWN_H

#include <stddef.h>
#include <stdint.h>
#include <viaduct/late.h>

/* via_invoke_list() with an object that has an IDispatch. Everything goes as a VARIANT, in the
 * order in which it is given; the last pointer, if there is one, receives the result. Failures are
 * published. */
HRESULT late_unknown_invoke(IUnknown *object, uint32_t form, const struct via_argument *list,
                            size_t n);

#endif
