/*
 * Asynchronous calls: begun here, finished later, and calls on objects that are still to come.
 *
 * viaduct-idl writes two functions for each method of an interface, IFoo_Add_begin() and
 * IFoo_Add_finish(), which are made of what is declared here:
 *
 *     struct via_call *call;
 *     hr = IFoo_Add_begin(foo, 1, 2, &call);     the [in] arguments
 *     ...
 *     hr = IFoo_Add_finish(call, &sum);          the [out] ones; what the method returned
 *     via_call_release(call);
 *
 * Arguments are copied at begin; [out] memory is needed at finish only, and an [in, out] argument
 * at both. The failure of a call, with its error information, is finish's; begin fails only where
 * nothing was begun. The deadline is that of a call that is made at begin. A call that has been
 * begun leaves when the thread next waits in the runtime or calls the same process, and within
 * about a millisecond in any case.
 *
 * On an object of this process, which is no proxy, the method runs within begin, on the calling
 * thread, as COM has it for every call through a pointer; only its results wait.
 *
 * All functions may be called from any thread, several at once on one call, but each call is
 * released once, by the last that uses it.
 */
#ifndef VIADUCT_ASYNC_H
#define VIADUCT_ASYNC_H

#include <stdint.h>
#include <viaduct/com.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A call that has been begun. */
struct via_call;

/* Blocks until it is answered, failed, or `timeout_ms` (VIA_NO_DEADLINE: the call's own deadline)
 * is over; 0 only looks. S_OK: via_call_finish() will not wait for an answer; S_FALSE: not yet.
 * RPC_E_CALL_CANCELED: via_cancel() has ended the wait. */
VIA_API HRESULT via_call_wait(struct via_call *call, uint32_t timeout_ms);
/* Ends it with RPC_E_CALL_CANCELED for whoever waits, at once, and tells the object's side, whose
 * method goes on until it asks via_call_is_cancelled(). S_FALSE: it was over already. Never blocks.
 */
VIA_API HRESULT via_call_cancel(struct via_call *call);
/* Calls `done(context, call)` once when the call is over, also when it is already, on a worker
 * thread of the runtime, never within this function; there via_call_finish() does not wait for an
 * answer. Keeps the call until then: it may be released right away. E_UNEXPECTED: one was set
 * before. */
typedef void (*via_call_done)(void *context, struct via_call *call);
VIA_API HRESULT via_call_on_done(struct via_call *call, via_call_done done, void *context);
/* Gives the call up. One that is not over goes on, and what it returns is given back when it comes,
 * unless an object was promised by it. NULL is allowed. */
VIA_API void via_call_release(struct via_call *call);

/* --- objects that are still to come --- */

/* An object that the call returns: `result` counts those of its [out] parameters that are interface
 * pointers, from 0. Before the call is over this is a proxy whose target is that result. Its
 * methods may be called at once: the call and the calls on its result leave together and take one
 * round trip. Failures of the call are theirs, and a call that returns NULL makes them E_POINTER.
 * What needs to know the object waits for it: QueryInterface for another interface than `iid`,
 * IUnknown above all, one-way methods, passing the object on. Then the proxy passes everything on
 * to the object itself, and QueryInterface gives what any other reference to it is. E_INVALIDARG:
 * the method has no such result; REGDB_E_IIDNOTREG: `iid` is not described in this process. Of a
 * call that is over: the object itself, or the call's failure. Never blocks before that. */
VIA_API HRESULT via_call_object(struct via_call *call, unsigned result, REFIID iid, void **object);

/* --- what generated headers use --- */

/* `slot`: in the vtable of `iid`; `arguments[i]` points to the i-th [in] argument. E_POINTER,
 * E_INVALIDARG and what else is wrong with them; VIA_E_LIMIT: too many calls to the object's
 * process have not been answered. *call is NULL on failure. Blocks only while the connection's
 * queue is full. */
VIA_API HRESULT via_call_begin(void *object, REFIID iid, unsigned slot, void **arguments,
                               struct via_call **call);
/* Blocks until the call is over. `results[i]` points to the i-th [out] argument. What the method
 * returned, or why it was not called; the results are NULL then. May be repeated, and gives the
 * results again. E_INVALIDARG: it is a call of another method. */
VIA_API HRESULT via_call_finish(struct via_call *call, REFIID iid, unsigned slot, void **results);

#ifdef __cplusplus
}
#endif

#endif
