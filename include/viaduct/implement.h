/*
 * Objects by name: an object that implements an interface of which the program has a description
 * only, such as a callback interface that a peer described. via_invoke() (<viaduct/late.h>) is
 * the other direction.
 *
 * What comes of it is an ordinary COM object: it has the interface's vtable, may be called by
 * whoever holds it, in this process or in another, and ends with its last reference.
 */
#ifndef VIADUCT_IMPLEMENT_H
#define VIADUCT_IMPLEMENT_H

#include <viaduct/com.h>
#include <viaduct/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Answers one call of an object. May come on any thread, and on several at a time (but see
 * via_object_set_serial() in <viaduct/runtime.h>); the object lives while it runs. May block, and
 * may call whatever it likes.
 *
 * `method`: the method's name as C headers have it, so "get_Level" for the getter of property
 * Level. `in`: a list of the [in] arguments in order, those that count arrays included. It is the
 * object's; who wants to keep an object in it takes a reference.
 * `out`: a list with a null for each [out] argument, in order, to be filled. The number of items
 * must stay. What counts an [out] array may stay null: it becomes what the array has. [in,out]
 * arguments are in both lists. The values belong to `out` and are cleared behind the call.
 *
 * Returns what the method returns. With a failure `out` is not looked at, and error information
 * that the handler has set (SetErrorInfo; every failed function of the runtime sets it) goes to the
 * caller, remote ones included. When the results do not fit the method's description the caller
 * gets a failure that names the argument: DISP_E_BADPARAMCOUNT, DISP_E_TYPEMISMATCH,
 * DISP_E_OVERFLOW ...
 */
typedef HRESULT (*via_method_handler)(void *context, const char *method, const struct via_value *in,
                                      struct via_value *out);

/*
 * Makes an object that implements the interface `iid`, its bases, and nothing else.
 *
 * `described_by`: a proxy whose owner is asked for the description when this process has none; then
 * the function blocks. NULL, or an object of this process, when the interface is known
 * (via_register_typelib(), or described before).
 * `released(context)`, which may be NULL, is called once, behind the last release, on the thread
 * that made it; a runtime thread when a peer held the last reference.
 * `object` receives the interface pointer `iid`, with a reference.
 *
 * REGDB_E_IIDNOTREG when nobody describes the interface, VIA_E_TYPE when the description is wrong,
 * E_OUTOFMEMORY also when the system allows no closures. After a failure `context` is still the
 * caller's: `released` is not called.
 */
VIA_API HRESULT via_implement(REFIID iid, IUnknown *described_by, via_method_handler handler,
                              void *context, void (*released)(void *context), void **object);

#ifdef __cplusplus
}
#endif

#endif
