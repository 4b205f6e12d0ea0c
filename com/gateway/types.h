/* The JSON form (com/typelib) of what a Windows type library says of types. */
#ifndef COM_GATEWAY_TYPES_H
#define COM_GATEWAY_TYPES_H

#include <jansson.h>
#include <stdbool.h>
#include <viaduct/com.h>

struct annotation;

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
/* The same of a member's. */
char *types_member_name(ITypeInfo *info, MEMBERID id);
/* An identifier of any text, for free(). */
char *types_identifier(const WCHAR *text);
json_t *types_guid(const GUID *guid);
/* The entry of that name; NULL: there is none. */
json_t *types_find(json_t *list, const char *name);
/* The same of an interface. */
json_t *types_find_iid(json_t *list, const GUID *iid);

/* What a type is described as: a dispinterface with a vtable as that vtable, other interfaces as
 * themselves. With a reference; NULL: it is no interface. */
ITypeInfo *types_described(ITypeInfo *info);
/* The name of an interface that types or bases refer to, which the conversion then knows. NULL: the
 * type is no interface. */
const char *types_use_interface(struct conversion *self, ITypeInfo *info);
const char *types_use_unknown(struct conversion *self);
const char *types_use_dispatch(struct conversion *self);
bool types_attributes(ITypeInfo *info, TYPEATTR *copy);
bool types_is_of(ITypeInfo *info, ITypeLib *library);

/* A parameter's "type" and flags in `json`. False: what it is cannot be said for certain.
 * `is_automation`: the interface's types have the one meaning that they have there. */
bool types_param(struct conversion *self, ITypeInfo *info, const ELEMDESC *param,
                 bool is_automation, json_t *json);
/* The same of one that a side file says more of. False: that does not fit the type. */
bool types_annotated_param(struct conversion *self, ITypeInfo *info, const ELEMDESC *param,
                           const struct annotation *annotation, json_t *json);
/* The same of a member of a dispinterface, whose arguments are what a VARIANT holds; "variant"
 * where the type itself is nothing that one could hold. */
void types_member_param(struct conversion *self, ITypeInfo *info, const ELEMDESC *param,
                        json_t *json);
json_t *types_in_variant(struct conversion *self, ITypeInfo *info, const TYPEDESC *type);
/* A struct's field; NULL: it cannot be said. */
json_t *types_field(struct conversion *self, ITypeInfo *info, const TYPEDESC *type);

#endif
