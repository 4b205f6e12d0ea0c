/* Values to native memory and back, by a type's description. */
#ifndef COM_MARSHAL_BY_NAME_H
#define COM_MARSHAL_BY_NAME_H

#include "com/marshal/invocation.h"

#include <viaduct/value.h>

#define BY_NAME_PATH_SIZE 256
#define BY_NAME_NO_HANDLES \
    "an OS handle has no value: call the method through its vtable, or pass null"

struct by_name {
    const struct marshal_method *method; /* NULL: a struct that is in no call */
    const struct via_typelib *lib;       /* whose structs are meant first */
    char path[BY_NAME_PATH_SIZE];        /* "points[2].x", for messages */
    unsigned depth;
    HRESULT result; /* sticky */
    /* Where what was set stands by which others are made; `arguments` are the user's to set. */
    struct native_scope scope;
    /* The call's, for what VARIANTs refer to; NULL: nothing may be referred to. */
    struct automation_reference **references;
    size_t slack; /* what arrays may still have in room beyond their items */
    /* Elements of the arrays that each parameter counts; -1: none met. */
    int64_t seen[TYPELIB_MAX_PARAMS];
};

void by_name_init(struct by_name *self, const struct marshal_method *method);
/* For a struct that is in no call. */
void by_name_init_record(struct by_name *self, const struct plan_struct *record);
/* Begins with a parameter: its name is in messages from now on. */
void by_name_enter_param(struct by_name *self, uint16_t i);
/* Extends the path by a field; its old length, to cut it back to. */
size_t by_name_enter_field(struct by_name *self, const char *name);
/* `native` is zeroed memory. After a failure it may be half made, and native_clear() may walk it.
 */
void by_name_to_native(struct by_name *self, const struct plan_type *type,
                       const struct via_value *value, void *native);
/* NULL where the type has none is E_POINTER. */
void by_name_from_native(struct by_name *self, const struct plan_type *type, const void *native,
                         const struct native_scope *scope, struct via_value *value);
/* The same of a value that holds no others; false: the type is one of those that do. */
bool by_name_set_plain(struct by_name *self, const struct plan_type *type,
                       const struct via_value *value, void *native);
/* The items of a list as elements that follow each other in memory, and back. */
void by_name_set_elements(struct by_name *self, const struct plan_type *element,
                          const struct via_value *list, char *native);
void by_name_get_elements(struct by_name *self, const struct plan_type *element, const void *native,
                          uint32_t n, const struct native_scope *scope, struct via_value *value);
/* Size parameters get what their arrays really have, whatever was given, so that the storage can be
 * walked and freed from now on, half made or not. */
void by_name_set_sizes(const struct by_name *self, struct marshal_invocation *invocation);
/* DISP_E_BADPARAMCOUNT: `n` arguments, or results, do not fit the method, which is shown. */
HRESULT by_name_wrong_count(const struct marshal_method *method, uint32_t n, const char *what);
/* DISP_E_TYPEMISMATCH, DISP_E_OVERFLOW ... with the method and the path. */
void by_name_fail(struct by_name *self, HRESULT code, const char *what);
/* For the functions of <viaduct/value.h>, which fail only when memory is short. */
static inline void by_name_check(struct by_name *self, HRESULT hr)
{
    if (FAILED(hr))
        by_name_fail(self, hr, "no memory");
}
/* Puts an integer into a size parameter or field; false when it does not fit. */
bool by_name_set_integer(const struct plan_type *type, void *native, int64_t number);

#endif
