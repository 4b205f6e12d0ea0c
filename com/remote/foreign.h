/*
 * Calls of objects of this process that are COM's own proxies (com/abi/standard_proxy.h): what
 * stands in between, COM's marshaler, knows less than a description may say.
 */
#ifndef COM_REMOTE_FOREIGN_H
#define COM_REMOTE_FOREIGN_H

#include <stdbool.h>
#include <viaduct/com.h>

struct marshal_invocation;
struct marshal_method;

/* Whether a call through a vtable of such a proxy loses the error information of its method. */
bool foreign_loses_errors(void);
/* Calls the method of such a proxy's interface pointer, as marshal_invoke() does. By its Invoke,
 * where the vtable would lose errors. VIA_E_TYPE: an argument is something that COM's marshaler
 * passes wrongly, and does not say so. Failures are the thread's error information. */
HRESULT foreign_call(struct marshal_invocation *invocation, const struct marshal_method *method,
                     void *pointer);

#endif
