/* Calls by name, once it is known which method: values in, values out. */
#ifndef COM_REMOTE_INVOKE_H
#define COM_REMOTE_INVOKE_H

#include <stdbool.h>
#include <viaduct/com.h>

struct import;
struct marshal_method;
struct via_value;

/* Block. `in`: a list of the [in] arguments; `out` becomes a list of the results. *is_called: the
 * arguments fitted, and the call was made. A failure is the thread's error record, but what a call
 * of an object of this process has ended with is its error information already. */
HRESULT invoke_proxy(struct import *import, const struct marshal_method *method,
                     const struct via_value *in, struct via_value *out, bool *is_called);
HRESULT invoke_object(IUnknown *object, const struct marshal_method *method,
                      const struct via_value *in, struct via_value *out, bool *is_called);

#endif
