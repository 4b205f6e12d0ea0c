/*
 * Objects that are still to come: proxies for a result of a call that has not been answered.
 *
 * Such a proxy has an import of its own, in no table, whose target on the wire is the result of
 * the call. Until the call is answered calls go there at once, when the peer takes them so;
 * everything else waits for the answer: one-way calls, whose failure nobody would see, a
 * QueryInterface for another interface than was promised, IUnknown above all, and passing it
 * on. From then on the proxy holds what the call has returned, an ordinary proxy or an object of
 * this process, and passes on to that; so identity is that object's. The memory of the promise
 * stays until its own last reference is released.
 */
#ifndef COM_REMOTE_PROMISE_H
#define COM_REMOTE_PROMISE_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/async.h>

struct face;
struct import;
struct marshal_method;
struct promise;

/* A proxy for result `index` of the call, which takes a handle of it. */
HRESULT promise_new(struct via_call *call, unsigned index, const GUID *iid, void **object);
void promise_free(struct promise *promise);

/* A method of a promised object. Blocks. */
HRESULT promise_call(struct face *face, const struct marshal_method *method, void **arguments);
/* QueryInterface. Blocks unless it is for an interface that was promised. */
HRESULT promise_query(struct import *import, const GUID *iid, void **object);
/* Blocks until the call is answered: what it has returned, with a reference; else its failure, and
 * E_POINTER where it has returned none. */
HRESULT promise_object(struct import *import, IUnknown **object);
/* The import behind an interface pointer that is no promise: a promised one's object's, once it is
 * there. With a reference to `*object`, which has it; NULL: no proxy. */
HRESULT promise_unwrap(IUnknown *pointer, IUnknown **object, struct import **import);

/* Between these two the call is not finished: frames may name its results. False: it is answered
 * (or its results are not kept), and promise_object() does not wait long. */
bool promise_enter(struct promise *promise, struct via_call **call);
/* Makes the result the target of a call's body. */
void promise_aim(const struct promise *promise, uint8_t *body);

#endif
