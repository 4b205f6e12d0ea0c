/*
 * An object as script engines have them: an IDispatch of properties, or a function, without type
 * information. One thread's.
 */
#ifndef TESTS_REMOTE_ENGINE_OBJECT_H
#define TESTS_REMOTE_ENGINE_OBJECT_H

#include <stdbool.h>
#include <viaduct/com.h>

#define ENGINE_MAX_MEMBERS 16

struct engine_object;
/* A call of a method, or of the object itself ("" is its name). */
typedef HRESULT (*engine_function)(void *context, const char *name, const DISPPARAMS *params,
                                   VARIANT *result);

/* With one reference; NULL without memory. `by_ex`: it knows names by IDispatchEx only, as objects
 * of Wine's VBScript do. */
struct engine_object *engine_object_new(bool by_ex);
IDispatch *engine_object_dispatch(struct engine_object *self);
void engine_object_release(struct engine_object *self);
unsigned engine_object_refs(const struct engine_object *self);
/* Takes the value over. */
void engine_object_put(struct engine_object *self, const char *name, VARIANT value);
void engine_object_put_number(struct engine_object *self, const char *name, LONG number);
void engine_object_put_text(struct engine_object *self, const char *name, const char *text);
/* A property that is an object, whose reference it takes. */
void engine_object_put_object(struct engine_object *self, const char *name,
                              struct engine_object *object);
/* The same of one that it has no reference to. */
void engine_object_put_weak(struct engine_object *self, const char *name,
                            struct engine_object *object);
/* A method of that name; "": the object is a function. */
void engine_object_put_method(struct engine_object *self, const char *name);
void engine_object_set_function(struct engine_object *self, engine_function function,
                                void *context);
/* It says that it has that interface, too, which nobody may call. */
void engine_object_claim(struct engine_object *self, const IID *iid);
/* Every Invoke fails with it. */
void engine_object_fail(struct engine_object *self, HRESULT hr);

#endif
