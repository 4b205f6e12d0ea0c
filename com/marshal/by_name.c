#include "com/marshal/by_name.h"
#include "com/marshal/automation.h"
#include "core/util/buffer.h"
#include "core/util/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void by_name_init(struct by_name *self, const struct marshal_method *method)
{
    memset(self, 0, sizeof(*self));
    self->method = method;
    self->lib = method->lib;
    self->scope.method = method;
    self->slack = NATIVE_MAX_SLACK;
    for (uint16_t i = 0; i < method->n_params; i++)
        self->seen[i] = -1;
}

void by_name_init_record(struct by_name *self, const struct plan_struct *record)
{
    memset(self, 0, sizeof(*self));
    self->lib = record->lib;
    self->slack = NATIVE_MAX_SLACK;
    snprintf(self->path, sizeof(self->path), "%s", record->name);
}

void by_name_enter_param(struct by_name *self, uint16_t i)
{
    snprintf(self->path, sizeof(self->path), "%s", self->method->params[i].param->name);
}

void by_name_set_sizes(const struct by_name *self, struct marshal_invocation *invocation)
{
    const struct marshal_method *method = self->method;
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_type *type = method->params[i].type;
        void *value = invocation_value(invocation, i);
        if (self->seen[i] < 0)
            continue;
        memset(value, 0, type->size);
        by_name_set_integer(type, value, self->seen[i]); /* it fits: note_count() saw to that */
    }
    invocation_note_sizes(invocation);
    invocation->is_decoded = true;
}

HRESULT by_name_wrong_count(const struct marshal_method *method, uint32_t n, const char *what)
{
    struct buffer text;
    buffer_init(&text, ERROR_TEXT_SIZE);
    typelib_print_method(method->lib, method->method, &text);
    char *signature = buffer_take_text(&text);
    HRESULT hr = error_set(DISP_E_BADPARAMCOUNT, "%s.%s: %u %s do not fit %s", method->owner->name,
                           method->method->name, n, what, signature ? signature : "the method");
    free(signature);
    buffer_deinit(&text);
    return hr;
}

void by_name_fail(struct by_name *self, HRESULT code, const char *what)
{
    if (FAILED(self->result))
        return;
    if (self->method)
        self->result = error_set(code, "%s.%s: argument %s: %s", self->method->owner->name,
                                 self->method->method->name, self->path, what);
    else
        self->result = error_set(code, "%s: %s", self->path, what);
}

/* Extends the path for a message; the old length, to cut it back to. */
static size_t enter_index(struct by_name *self, uint64_t index)
{
    size_t n = strlen(self->path);
    snprintf(self->path + n, sizeof(self->path) - n, "[%llu]", (unsigned long long)index);
    return n;
}

size_t by_name_enter_field(struct by_name *self, const char *name)
{
    size_t n = strlen(self->path);
    snprintf(self->path + n, sizeof(self->path) - n, ".%s", name);
    return n;
}

void by_name_set_elements(struct by_name *self, const struct plan_type *element,
                          const struct via_value *list, char *native)
{
    uint32_t size = element->size;
    for (uint32_t i = 0; i < list->n && SUCCEEDED(self->result); i++) {
        size_t n = enter_index(self, i);
        by_name_to_native(self, element, &list->as.items[i], native + (size_t)i * size);
        self->path[n] = 0;
    }
}

/* Lists that one parameter counts have the same number of items, and it can hold that: otherwise
 * what is made of them could not be walked, nor freed. */
static bool note_count(struct by_name *self, uint16_t size_index, uint32_t n)
{
    uint64_t room;
    int64_t *seen = &self->seen[size_index];
    if (*seen >= 0 && *seen != n)
        by_name_fail(self, DISP_E_TYPEMISMATCH,
                     "lists of one size have different numbers of items");
    else if (!by_name_set_integer(self->method->params[size_index].type, &room, n))
        by_name_fail(self, DISP_E_OVERFLOW, "the list is longer than its size can say");
    else
        *seen = n;
    return SUCCEEDED(self->result);
}

/* The items of a list are as many as those that count. */
static bool check_length(struct by_name *self, const struct plan_type *type, uint32_t n)
{
    if (type->length_from == VIA_SIZE_PARAM)
        return note_count(self, type->length_index, n);
    if (native_length(&self->scope, type) == (int64_t)n)
        return true;
    by_name_fail(self, DISP_E_TYPEMISMATCH, "the list has another number of items than is said");
    return false;
}

/* Room for more items than there are. */
static bool take_slack(struct by_name *self, const struct plan_type *type, uint64_t n)
{
    if (n * type->element->size > self->slack) {
        by_name_fail(self, VIA_E_LIMIT, "it has more room than a call can make");
        return false;
    }
    self->slack -= (size_t)(n * type->element->size);
    return true;
}

/* How many elements a list gets: its own number, or, where only the first count, what is said. */
static bool take_room(struct by_name *self, const struct plan_type *type, uint32_t n,
                      uint32_t *room)
{
    int64_t count = native_count(&self->scope, type);
    bool is_varying = type->length_from != VIA_SIZE_NONE;
    bool is_open = type->size_from == VIA_SIZE_PARAM;
    *room = n;
    if (is_varying && count > (int64_t)n && count <= (int64_t)UINT32_MAX) {
        *room = (uint32_t)count;
        return take_slack(self, type, (uint64_t)count - n) && check_length(self, type, n);
    }
    if (is_open ? !note_count(self, type->size_index, n) : count != (int64_t)n) {
        by_name_fail(self, DISP_E_TYPEMISMATCH, "the list has another number of items");
        return false;
    }
    return !is_varying || check_length(self, type, n);
}

static void set_sized(struct by_name *self, const struct plan_type *type,
                      const struct via_value *value, void **native)
{
    const struct plan_type *element = type->element;
    if (value->kind == VIA_VALUE_NULL && type->is_nullable)
        return;
    if (value->kind != VIA_VALUE_LIST) {
        by_name_fail(self, DISP_E_TYPEMISMATCH, "a list is expected");
        return;
    }
    uint32_t room;
    if (!take_room(self, type, value->n, &room))
        return;
    size_t size = (size_t)room * element->size;
    *native = CoTaskMemAlloc(size);
    if (!*native) {
        by_name_fail(self, E_OUTOFMEMORY, "no memory");
        return;
    }
    memset(*native, 0, size);
    by_name_set_elements(self, element, value, *native);
}

static void put_count(struct by_name *self, const struct plan_struct *record, uint16_t index,
                      uint32_t n, char *native)
{
    const struct plan_field *size = &record->fields[index];
    if (!by_name_set_integer(size->type, native + size->offset, n))
        by_name_fail(self, DISP_E_OVERFLOW, "the list is longer than its size field can say");
}

/* The field that an array of the struct is counted by takes the list's length, whatever the value
 * says. Before the array is made: one that cannot be counted could not be freed. */
static void set_field_size(struct by_name *self, const struct plan_struct *record,
                           const struct plan_type *type, const struct via_value *list, char *native)
{
    bool is_varying = type->length_from != VIA_SIZE_NONE;
    if (list->kind != VIA_VALUE_LIST)
        return;
    if (type->length_from == VIA_SIZE_FIELD)
        put_count(self, record, type->length_index, list->n, native);
    if (type->kind != VIA_TYPE_SIZED || type->size_from != VIA_SIZE_FIELD)
        return;
    /* There may be more room than the list needs. */
    if (is_varying && native_count(&self->scope, type) >= (int64_t)list->n)
        return;
    put_count(self, record, type->size_index, list->n, native);
}

static void set_field(struct by_name *self, const struct plan_struct *record,
                      const struct plan_field *field, const struct via_value *value, char *native)
{
    const struct via_value *given = via_value_field(value, field->name);
    size_t n = by_name_enter_field(self, field->name);
    if (given) {
        set_field_size(self, record, field->type, given, native);
        by_name_to_native(self, field->type, given, native + field->offset);
    } else if (!field->is_size) {
        by_name_fail(self, DISP_E_PARAMNOTFOUND, "the field is missing");
    }
    if (SUCCEEDED(self->result))
        self->path[n] = 0;
}

static void set_struct(struct by_name *self, const struct plan_type *type,
                       const struct via_value *value, char *native)
{
    const struct plan_struct *record = type->record;
    if (value->kind != VIA_VALUE_STRUCT) {
        by_name_fail(self, DISP_E_TYPEMISMATCH, "a struct is expected");
        return;
    }
    for (uint32_t i = 0; i < value->n; i++) {
        bool is_known = false;
        for (uint16_t j = 0; j < record->n_fields; j++)
            is_known |= !strcmp(record->fields[j].name, value->as.fields[i].name);
        if (!is_known) {
            by_name_enter_field(self, value->as.fields[i].name);
            by_name_fail(self, DISP_E_UNKNOWNNAME, "the struct has no such field");
            return;
        }
    }
    struct native_scope outer = self->scope;
    self->scope.record = record;
    self->scope.base = native;
    /* Sizes and discriminants come first: an array then sets its size to what it really has,
     * whatever the value said. */
    for (int pass = 0; pass < 2; pass++)
        for (uint16_t i = 0; i < record->n_fields && SUCCEEDED(self->result); i++)
            if (record->fields[i].is_needed == (pass == 0))
                set_field(self, record, &record->fields[i], value, native);
    self->scope = outer;
}

/* An object with the one field that is the arm's name; null where the arm is empty. */
static void set_union(struct by_name *self, const struct plan_type *type,
                      const struct via_value *value, void *native)
{
    int64_t which;
    const struct plan_arm *arm =
        native_choice(&self->scope, type, &which) ? plan_arm(type->choice, which) : NULL;
    if (!arm) {
        by_name_fail(self, E_INVALIDARG, "the union has no arm for its discriminant");
        return;
    }
    bool is_empty = value->kind == VIA_VALUE_NULL || (value->kind == VIA_VALUE_STRUCT && !value->n);
    if (!arm->type && is_empty)
        return;
    bool is_arm = arm->type && value->kind == VIA_VALUE_STRUCT && value->n == 1 &&
                  !strcmp(value->as.fields[0].name, arm->name);
    if (!is_arm) {
        by_name_fail(self, DISP_E_TYPEMISMATCH,
                     arm->type ? "an object with the one field that the discriminant selects is "
                                 "expected"
                               : "null is expected: the discriminant selects nothing");
        return;
    }
    size_t n = by_name_enter_field(self, arm->name);
    by_name_to_native(self, arm->type, &value->as.fields[0].value, native);
    if (SUCCEEDED(self->result))
        self->path[n] = 0;
}

static void set_pointer(struct by_name *self, const struct plan_type *type,
                        const struct via_value *value, void **native)
{
    const struct plan_type *element = type->element;
    if (value->kind == VIA_VALUE_NULL && type->is_nullable)
        return;
    size_t size = element->size;
    *native = CoTaskMemAlloc(size);
    if (!*native) {
        by_name_fail(self, E_OUTOFMEMORY, "no memory");
        return;
    }
    memset(*native, 0, size);
    by_name_to_native(self, element, value, *native);
}

static void set_array(struct by_name *self, const struct plan_type *type,
                      const struct via_value *value, void *native)
{
    bool is_varying = type->length_from != VIA_SIZE_NONE;
    bool is_list = value->kind == VIA_VALUE_LIST;
    if (is_varying && is_list && value->n <= type->count) {
        if (check_length(self, type, value->n))
            by_name_set_elements(self, type->element, value, native);
    } else if (!is_list || value->n != type->count)
        by_name_fail(self, DISP_E_TYPEMISMATCH,
                     "a list with as many items as the array has is expected");
    else
        by_name_set_elements(self, type->element, value, native);
}

void by_name_to_native(struct by_name *self, const struct plan_type *type,
                       const struct via_value *value, void *native)
{
    if (FAILED(self->result))
        return;
    if (++self->depth > TYPELIB_MAX_NESTING) {
        by_name_fail(self, VIA_E_LIMIT, "it is nested too deeply");
        return;
    }
    if (by_name_set_plain(self, type, value, native))
        ; /* that is all */
    else if (type->kind == VIA_TYPE_STRUCT)
        set_struct(self, type, value, native);
    else if (type->kind == VIA_TYPE_UNION)
        set_union(self, type, value, native);
    else if (type->kind == VIA_TYPE_ARRAY)
        set_array(self, type, value, native);
    else if (type->kind == VIA_TYPE_SIZED)
        set_sized(self, type, value, native);
    else if (type->kind == VIA_TYPE_POINTER)
        set_pointer(self, type, value, native);
    else
        automation_to_native(self, type, value, native);
    self->depth--;
}
