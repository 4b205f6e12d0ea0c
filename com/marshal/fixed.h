/*
 * The short way for payloads of a fixed form: plain numbers, booleans, enums, GUIDs, structs and
 * fixed arrays of them. Everything is at an offset that is known when the method is prepared, so
 * that a payload is checked by its size and copied.
 *
 * It takes what is right and refuses everything else without saying why: the general walkers then
 * go over it again and name the argument.
 */
#ifndef COM_MARSHAL_FIXED_H
#define COM_MARSHAL_FIXED_H

#include "com/marshal/plan.h"

/* Works out the form of the [in] or the [out] parameters, if they have one. E_OUTOFMEMORY. */
HRESULT fixed_prepare(struct plan_form *form, const struct marshal_method *method, bool is_out);

/* From arguments as libffi has them, none of which is NULL; `payload` has room for form->size. */
void fixed_encode_arguments(const struct marshal_method *method, void *const *arguments,
                            uint8_t *payload);
/* From an invocation's storage. */
void fixed_encode_storage(const struct plan_form *form, const char *storage, uint8_t *payload);
/* Into an invocation's storage. False: not a payload of that form. Each byte is loaded once. */
bool fixed_decode(const struct plan_form *form, const uint8_t *payload, size_t size, char *storage);
/* What has been decoded so, to where the arguments point. */
void fixed_deliver(const struct marshal_method *method, const char *storage,
                   void *const *arguments);

#endif
