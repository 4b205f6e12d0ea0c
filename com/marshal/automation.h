/*
 * VARIANTs and SAFEARRAYs: what they hold is told by themselves, not by the interface's
 * description, and becomes types as the walkers know them here.
 *
 * A VARIANT that refers to a value (VT_BYREF) takes the value along. At the object it refers to a
 * copy, which belongs to the call; what the method leaves in an [in, out] one comes back as a value
 * and goes to where the caller's VARIANT refers.
 */
#ifndef COM_MARSHAL_AUTOMATION_H
#define COM_MARSHAL_AUTOMATION_H

#include "com/marshal/types.h"

#include <viaduct/automation.h>

struct by_name;
struct decoder;
struct encoder;
struct via_value;

/* The VARTYPE of a type that may be an element of a SAFEARRAY. */
VARTYPE automation_vartype(const struct plan_type *type);
/* What a VARIANT of that type holds, or an array's elements are; NULL: nothing that can be sent.
 * Interfaces are IUnknown and IDispatch. VT_RECORD is a struct without a `record`: which one, the
 * VARIANT or the array itself says (records.h). */
const struct plan_type *automation_type(VARTYPE vt);

/* Elements of the array; 0 too when they are more than can be. */
uint32_t automation_count(const SAFEARRAY *array);
/* Why it is no array of such elements; NULL: it is. */
const char *automation_check_array(const SAFEARRAY *array, const struct plan_type *element);
/* An array of zeroes, its dimensions from the left; NULL without memory. `iid` of interfaces. */
SAFEARRAY *automation_make_array(const struct plan_type *element, UINT n_dims,
                                 SAFEARRAYBOUND *bounds, const GUID *iid);

/* Where a VARIANT that is no reference has its value. */
static inline void *automation_place(const VARIANT *variant)
{
    return V_VT(variant) == VT_DECIMAL ? (void *)&V_DECIMAL(variant) : (void *)&V_I8(variant);
}

/* Frees what it holds, whatever a method has left in it, and makes it VT_EMPTY. */
void automation_clear(VARIANT *variant);
/* Locks notwithstanding. NULL is allowed. */
void automation_destroy(SAFEARRAY *array);
/* Frees the array alone, as if its elements held nothing. */
void automation_drop_array(SAFEARRAY *array);
/* Moves `from`, which is no reference, to `to`, or to where that refers when the type is the same.
 */
void automation_replace(VARIANT *to, const VARIANT *from);

/* What a VARIANT of a call refers to. */
struct automation_reference {
    struct automation_reference *next;
    VARTYPE vt;    /* without VT_BYREF */
    VARIANT value; /* room for a value of any type */
};
void automation_free_references(struct automation_reference *first);

void automation_encode_variant(struct encoder *encoder, const VARIANT *variant);
void automation_encode_array(struct encoder *encoder, const struct plan_type *element,
                             SAFEARRAY *array);
void automation_encode_decimal(struct encoder *encoder, const DECIMAL *decimal);
void automation_decode_variant(struct decoder *decoder, VARIANT *variant);
void automation_decode_array(struct decoder *decoder, const struct plan_type *element,
                             SAFEARRAY **array);
void automation_decode_decimal(struct decoder *decoder, DECIMAL *decimal);

/* The types of this file to and from values: by_name_to_native() and by_name_from_native() of them.
 */
void automation_to_native(struct by_name *by_name, const struct plan_type *type,
                          const struct via_value *value, void *native);
void automation_from_native(struct by_name *by_name, const struct plan_type *type,
                            const void *native, struct via_value *value);

/* Dimensions of an array that is sent. */
#define AUTOMATION_MAX_DIMS 60

/* Whether the payload says which interface the elements are. */
static inline bool automation_has_iid(const struct plan_type *element)
{
    return element->kind == VIA_TYPE_INTERFACE && element->is_any;
}
/* Or which struct. */
static inline bool automation_is_any_record(const struct plan_type *element)
{
    return element->kind == VIA_TYPE_STRUCT && !element->record;
}
bool automation_decimal_is_valid(const DECIMAL *decimal);

#endif
