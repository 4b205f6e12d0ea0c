/* The JSON form (com/typelib) of what a Windows type library says of types. */
#ifndef COM_GATEWAY_TYPES_H
#define COM_GATEWAY_TYPES_H

#include <jansson.h>
#include <stdbool.h>
#include <viaduct/com.h>

/* What is being made: the library, and the interfaces of others that it has named so far. */
struct conversion {
    ITypeLib *library;
    json_t *enums;
    json_t *structs;
    json_t *interfaces; /* those of other libraries first */
    json_t *coclasses;
};

/* The name of a type, as a C identifier, for free(); NULL without memory. */
char *types_name(ITypeInfo *info);
/* An identifier of any text, for free(). */
char *types_identifier(const WCHAR *text);
json_t *types_guid(const GUID *guid);
/* The entry of that name; NULL: there is none. */
json_t *types_find(json_t *list, const char *name);

/* The vtable interface that a type is: of a dispinterface with a vtable that one; others, and what
 * is no interface, have none. With a reference; NULL: none. */
ITypeInfo *types_vtable_interface(ITypeInfo *info);
/* The name of an interface that types or bases refer to, which the conversion then knows. NULL: the
 * type is no interface that has a vtable. */
const char *types_use_interface(struct conversion *self, ITypeInfo *info);

/* A parameter's "type" and flags in `json`. False: what it is cannot be said for certain.
 * `is_automation`: the interface's types have the one meaning that they have there. */
bool types_param(struct conversion *self, ITypeInfo *info, const ELEMDESC *param,
                 bool is_automation, json_t *json);
/* A struct's field; NULL: it cannot be said. */
json_t *types_field(struct conversion *self, ITypeInfo *info, const TYPEDESC *type);

#endif
