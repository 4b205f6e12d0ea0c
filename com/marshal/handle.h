/*
 * OS handles as arguments. In a payload a handle is an index into those that travel beside it;
 * what is behind the index, struct marshal_pointers says. Here they are looked at and owned.
 */
#ifndef COM_MARSHAL_HANDLE_H
#define COM_MARSHAL_HANDLE_H

#include "com/marshal/decode.h"
#include "com/marshal/encode.h"

/* `value` is a VIA_HANDLE, as everywhere below. */
void handle_encode(struct encoder *encoder, const struct plan_type *type, const void *value);
void handle_decode(struct decoder *decoder, const struct plan_type *type, void *value);
/* No handle, which is not zeroed memory: descriptor 0 is one. */
void handle_set_none(void *value);
bool handle_is_none(const void *value);
/* Closes it, and sets none. */
void handle_clear(void *value);
/* Sets none in the storage of all parameters that are handles. */
void handle_init_params(const struct marshal_method *method, char *storage);

#endif
