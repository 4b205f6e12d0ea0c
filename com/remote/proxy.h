/*
 * The client's side of a call: what the slots of a proxy's vtable do.
 *
 * The slots of IUnknown are plain functions here; every other slot is a function of com/marshal
 * that comes to proxy_call(). QueryInterface asks the object once for each interface and remembers
 * the answer, refusals too.
 */
#ifndef COM_REMOTE_PROXY_H
#define COM_REMOTE_PROXY_H

#include <viaduct/com.h>

struct face;
struct import;
struct marshal_interface;
struct marshal_method;

/* IUnknown's three slots, shared by every face; slot 0 tells a proxy from other objects. */
extern const void *const proxy_unknown_vtable[3];

HRESULT STDMETHODCALLTYPE proxy_QueryInterface(void *pointer, REFIID iid, void **object);
ULONG STDMETHODCALLTYPE proxy_AddRef(void *pointer);
ULONG STDMETHODCALLTYPE proxy_Release(void *pointer);
/* Blocks. One method; arguments[i] points to the i-th argument, as libffi has it. */
HRESULT proxy_call(void *pointer, const struct marshal_method *method, void **arguments);

/* The same on an import whose path leads to the object, or to the result that it is; the error is
 * the thread's, and not published. */
HRESULT proxy_call_typed(struct face *face, const struct marshal_method *method, void **arguments);

/* The whole vtable of an interface, or NULL when memory is short. */
const void *const *proxy_vtable(const struct marshal_interface *itf);

/* QueryInterface on a proxy. Blocks when the object has to be asked. */
HRESULT proxy_query(struct import *import, const GUID *iid, void **object);

#endif
