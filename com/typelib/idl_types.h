/* IDL of types: what idl_write.c needs of declarations, structs, unions and enums. */
#ifndef COM_TYPELIB_IDL_TYPES_H
#define COM_TYPELIB_IDL_TYPES_H

#include "com/typelib/typelib.h"

struct buffer;

struct idl_writer {
    const struct via_typelib *lib;
    struct buffer *out;
    HRESULT result; /* sticky */
};

/* Everything that the library's methods may name, in an order in which what is held in place comes
 * first. */
void idl_write_types(struct idl_writer *self);
/* A parameter, behind its own attributes, of which `lead` is the text: "in, out". Its type has no
 * form: the writer fails. */
void idl_write_param(struct idl_writer *self, const struct via_method *method,
                     const struct via_param *param, const char *lead);
/* The type of what a member of a dispinterface returns: "LONG", "IFoo *". */
void idl_write_result(struct idl_writer *self, const struct via_method *method,
                      const struct via_param *param);

#endif
