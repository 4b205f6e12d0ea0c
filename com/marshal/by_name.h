/* Values to native memory and back, by a type's description. */
#ifndef COM_MARSHAL_BY_NAME_H
#define COM_MARSHAL_BY_NAME_H

#include "com/marshal/native.h"

#include <viaduct/value.h>

#define BY_NAME_PATH_SIZE 256

struct by_name {
    const struct marshal_method *method;
    char path[BY_NAME_PATH_SIZE]; /* "points[2].x", for messages */
    unsigned depth;
    HRESULT result; /* sticky */
    /* Elements of the arrays that each parameter counts; -1: none met. */
    int64_t seen[TYPELIB_MAX_PARAMS];
};

/* `native` is zeroed memory. After a failure it may be half made, and native_clear() may walk it.
 */
void by_name_to_native(struct by_name *self, const struct plan_type *type,
                       const struct via_value *value, void *native);
void by_name_from_native(struct by_name *self, const struct plan_type *type, const void *native,
                         const struct native_scope *scope, struct via_value *value);
/* DISP_E_TYPEMISMATCH, DISP_E_OVERFLOW ... with the method and the path. */
void by_name_fail(struct by_name *self, HRESULT code, const char *what);
/* Puts an integer into a size parameter or field; false when it does not fit. */
bool by_name_set_integer(const struct plan_type *type, void *native, int64_t number);

#endif
