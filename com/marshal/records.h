/*
 * Records that say what struct they are: in a VARIANT (VT_RECORD) nothing but the value itself
 * knows. In a payload the hash of the struct's description stands in front of it, as values by name
 * they have the struct's name. Each finds the struct among those of the libraries that this process
 * knows; whatever a peer says, the layout is always one that is described here.
 */
#ifndef COM_MARSHAL_RECORDS_H
#define COM_MARSHAL_RECORDS_H

#include "com/marshal/types.h"

#include <viaduct/com.h>

struct by_name;
struct decoder;
struct encoder;
struct via_value;

/* The struct that an IRecordInfo is of; NULL: it is not one of ours. */
const struct plan_struct *records_of_info(IRecordInfo *info);
/* The same of an array's. */
const struct plan_struct *records_of_array(SAFEARRAY *array);
/* typelib_struct_hash(). NULL without memory. */
const uint8_t *records_hash(const struct plan_struct *record);
/* Whether both are one struct, in whichever library. */
bool records_match(const struct plan_struct *left, const struct plan_struct *right);
/* NULL: no library that is known here has it. */
const struct plan_struct *records_find(const uint8_t hash[TYPELIB_HASH_SIZE]);
/* "Library.Struct", or "Struct", which is first looked for in `lib`. NULL: it is not known, or the
 * name means several structs that differ; *why says which. */
const struct plan_struct *records_named(const struct via_typelib *lib, const char *name,
                                        const char **why);

/* --- VARIANTs --- */

/* In a payload, behind the type: the struct, and the record's content. */
void records_encode(struct encoder *encoder, const VARIANT *variant);
/* `vt` may have VT_BYREF; then `reference` is room for the VARIANT that owns the record. */
void records_decode(struct decoder *decoder, VARTYPE vt, VARIANT *variant, VARIANT *reference);
/* The struct in front of a record, or of an array's elements. */
void records_encode_type(struct encoder *encoder, const struct plan_struct *record);
const struct plan_struct *records_decode_type(struct decoder *decoder);

/* Frees the record of a VARIANT that is no reference. */
void records_clear(VARIANT *variant);
/* Into an empty one. */
HRESULT records_copy(const VARIANT *from, VARIANT *to);
/* Whether both are of one struct. */
bool records_fit(const VARIANT *to, const VARIANT *from);
/* Moves the record of `from` to the place of that struct which `to` refers to. False: that is of
 * another struct. */
bool records_replace(VARIANT *to, const VARIANT *from);

/* A VARIANT of a record, from its value by name. Half made after a failure, as all values. */
void records_set(struct by_name *by_name, const struct plan_struct *record,
                 const struct via_value *value, VARIANT *variant);
/* Of values by name: the field "struct". */
const struct plan_struct *records_from_value(struct by_name *by_name,
                                             const struct via_value *value);
void records_to_value(struct by_name *by_name, const struct plan_struct *record,
                      struct via_value *value);

#endif
