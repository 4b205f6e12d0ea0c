/* What sizes, lengths, discriminants and iids refer to, as text: a parameter, a field, or what is
 * computed of them. */
#ifndef COM_TYPELIB_SCOPE_H
#define COM_TYPELIB_SCOPE_H

#include "com/typelib/typelib.h"

struct buffer;

/* Where the names are that are referred to; neither: the canonical form, which has their numbers.
 */
struct scope {
    const struct via_method *method;
    const struct via_struct *record;
    bool is_idl; /* a parameter that is passed by reference is written "*n" */
};

/* A GUID that goes in by reference: REFGUID. */
bool scope_is_refguid(const struct via_typelib *lib, const struct via_param *param);

/* `from` is an enum via_size_from, of a name or an expression. */
void scope_print(const struct via_typelib *lib, struct scope scope, uint8_t from, uint16_t index,
                 struct buffer *text);

#endif
