#include "com/dispatch/arguments.h"

#include <string.h>
#include <strings.h>

#include "com/dispatch/members.h"
#include "com/dispatch/missing.h"
#include "com/marshal/plan.h"
#include "core/util/buffer.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

/* --- which argument is for which parameter --- */

bool argument_is_result(const struct via_argument *argument)
{
    return argument->kind >= VIA_RESULT_I8 && argument->kind <= VIA_RESULT_IGNORED;
}

static HRESULT wrong_count(const struct arguments *self, const char *what)
{
    struct buffer text;
    const struct marshal_method *method = self->method;
    buffer_init(&text, ERROR_TEXT_SIZE);
    typelib_print_method(method->lib, method->method, &text);
    CLEANUP(cleanup_free) char *signature = buffer_take_text(&text);
    buffer_deinit(&text);
    return error_set(DISP_E_BADPARAMCOUNT, "%s.%s: %s for %s", method->owner->name,
                     method->method->name, what, signature != NULL ? signature : "the method");
}

static HRESULT place_named(struct arguments *self, const struct via_argument *argument)
{
    const struct marshal_method *method = self->method;
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        if (strcasecmp(plan->param->name, argument->name))
            continue;
        bool fits = argument_is_result(argument) ? plan->is_out : !plan->is_out;
        if (self->given[i] != NULL || !fits)
            return error_set(DISP_E_PARAMNOTFOUND, "%s.%s: parameter %s %s", method->owner->name,
                             method->method->name, argument->name,
                             fits           ? "is given twice"
                             : plan->is_out ? "takes a pointer to what it receives"
                                            : "goes in, and takes no pointer");
        self->given[i] = argument;
        return S_OK;
    }
    return error_set(DISP_E_PARAMNOTFOUND, "%s.%s has no parameter %s", method->owner->name,
                     method->method->name, argument->name);
}

/* What is given beyond the others. */
static bool place_rest(struct arguments *self, const struct via_argument *argument)
{
    if (self->n_rest == ARGUMENTS_MAX_REST)
        return false;
    self->rest[self->n_rest++] = argument;
    return true;
}

/* The next parameter for a pointer, or for a value, from *i on. */
static bool place_next(struct arguments *self, const struct via_argument *argument, uint16_t *i)
{
    for (; *i < self->method->n_params; (*i)++) {
        const struct plan_param *plan = &self->method->params[*i];
        bool is_its = plan->is_out == argument_is_result(argument);
        bool is_left = self->leaves_sizes && plan->is_size_of_in && plan->is_in;
        if (*i == (uint16_t)members_rest(self->method) && !argument_is_result(argument))
            return place_rest(self, argument);
        if (!is_its || is_left || self->given[*i] != NULL)
            continue;
        self->given[(*i)++] = argument;
        return true;
    }
    return false;
}

/* What counts arrays is left out when so many values are missing as it would be. */
static void decide_about_sizes(struct arguments *self, const struct via_argument *list, size_t n)
{
    size_t n_values = 0, n_in = 0, n_sizes = 0;
    for (size_t i = 0; i < n; i++)
        n_values += !argument_is_result(&list[i]);
    for (uint16_t i = 0; i < self->method->n_params; i++) {
        const struct plan_param *plan = &self->method->params[i];
        n_in += !plan->is_out;
        n_sizes += !plan->is_out && plan->is_size_of_in;
    }
    self->leaves_sizes = n_sizes > 0 && n_values == n_in - n_sizes;
}

/* What is not given has to be something that may be left out. */
static HRESULT check_missing(const struct arguments *self)
{
    const struct marshal_method *method = self->method;
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        bool may_be_missing = (plan->param->flags & VIA_PARAM_OPTIONAL) ||
                              i == (uint16_t)members_rest(method) ||
                              (self->leaves_sizes && plan->is_size_of_in);
        if (self->given[i] != NULL || !plan->is_in || may_be_missing)
            continue;
        if (plan->is_out)
            return wrong_count(self, "too few pointers");
        return wrong_count(self, "too few values");
    }
    return S_OK;
}

HRESULT arguments_match(struct arguments *self, const struct marshal_method *method,
                        const struct via_argument *list, size_t n)
{
    uint16_t next_value = 0, next_result = 0;
    HRESULT hr = S_OK;
    memset(self, 0, sizeof *self);
    self->method = method;
    decide_about_sizes(self, list, n);
    for (size_t i = 0; i < n && SUCCEEDED(hr); i++) {
        bool is_result = argument_is_result(&list[i]);
        if (list[i].name == NULL &&
            !place_next(self, &list[i], is_result ? &next_result : &next_value))
            hr = wrong_count(self, is_result ? "too many pointers" : "too many values");
    }
    for (size_t i = 0; i < n && SUCCEEDED(hr); i++)
        if (list[i].name != NULL)
            hr = place_named(self, &list[i]);
    return FAILED(hr) ? hr : check_missing(self);
}

/* --- values that go in --- */

static void set_i64(struct via_value *value, int64_t number)
{
    value->kind = VIA_VALUE_I64;
    value->as.i64 = number;
}

static void set_f64(struct via_value *value, double number)
{
    value->kind = VIA_VALUE_F64;
    value->as.f64 = number;
}

static void set_u64(struct via_value *value, uint64_t number)
{
    value->kind = number > INT64_MAX ? VIA_VALUE_U64 : VIA_VALUE_I64;
    value->as.u64 = number;
}

static HRESULT set_wide(struct via_value *value, const WCHAR *wide, size_t n)
{
    size_t size = 0;
    CLEANUP(cleanup_free) char *text = utf_from_wide_counted(wide, n, &size);
    return text != NULL ? via_value_set_string(value, text, size) : E_OUTOFMEMORY;
}

static HRESULT copy_value(const struct via_value *from, struct via_value *to);

static HRESULT copy_items(const struct via_value *from, struct via_value *to)
{
    HRESULT hr = via_value_set_list(to, from->n);
    for (uint32_t i = 0; i < from->n && SUCCEEDED(hr); i++)
        hr = copy_value(&from->as.items[i], &to->as.items[i]);
    return hr;
}

static HRESULT copy_fields(const struct via_value *from, struct via_value *to)
{
    HRESULT hr = S_OK;
    for (uint32_t i = 0; i < from->n && SUCCEEDED(hr); i++) {
        struct via_value *field;
        hr = via_value_add_field(to, from->as.fields[i].name, &field);
        if (SUCCEEDED(hr))
            hr = copy_value(&from->as.fields[i].value, field);
    }
    return hr;
}

static HRESULT copy_value(const struct via_value *from, struct via_value *to)
{
    switch (from->kind) {
    case VIA_VALUE_STRING:
        return via_value_set_string(to, from->as.string, from->n);
    case VIA_VALUE_LIST:
        return copy_items(from, to);
    case VIA_VALUE_STRUCT:
        return copy_fields(from, to);
    case VIA_VALUE_OBJECT:
        via_value_set_object(to, from->as.object);
        return S_OK;
    default:
        *to = *from;
        return S_OK;
    }
}

/* What an [in, out] pointer points to. */
static HRESULT result_to_value(const struct via_argument *argument, struct via_value *value)
{
    void *at = argument->as.result;
    switch (argument->kind) {
    case VIA_RESULT_I8:
        set_i64(value, *(signed char *)at);
        break;
    case VIA_RESULT_U8:
        set_i64(value, *(unsigned char *)at);
        break;
    case VIA_RESULT_I16:
        set_i64(value, *(int16_t *)at);
        break;
    case VIA_RESULT_I32:
        set_i64(value, *(int32_t *)at);
        break;
    case VIA_RESULT_U32:
        set_i64(value, *(uint32_t *)at);
        break;
    case VIA_RESULT_I64:
        set_i64(value, *(int64_t *)at);
        break;
    case VIA_RESULT_U64:
        set_u64(value, *(uint64_t *)at);
        break;
    case VIA_RESULT_F32:
        set_f64(value, (double)*(float *)at);
        break;
    case VIA_RESULT_F64:
        set_f64(value, *(double *)at);
        break;
    case VIA_RESULT_BOOL:
        value->kind = VIA_VALUE_BOOL;
        value->as.boolean = *(_Bool *)at;
        break;
    case VIA_RESULT_TEXT: {
        const char *text = *(char **)at;
        return text != NULL ? via_value_set_string(value, text, strlen(text)) : S_OK;
    }
    case VIA_RESULT_WIDE: {
        BSTR text = *(BSTR *)at;
        return text != NULL ? set_wide(value, text, SysStringLen(text)) : S_OK;
    }
    case VIA_RESULT_GUID:
        value->kind = VIA_VALUE_GUID;
        value->as.guid = *(GUID *)at;
        break;
    case VIA_RESULT_OBJECT:
    case VIA_RESULT_DISPATCH:
        via_value_set_object(value, *(IUnknown **)at);
        break;
    case VIA_RESULT_VALUE:
        return copy_value(at, value);
    case VIA_RESULT_JSON: {
        const char *text = *(char **)at;
        return text != NULL ? via_value_from_json(text, value) : S_OK;
    }
    default:
        return error_set(E_INVALIDARG, "what goes in and comes out cannot be ignored");
    }
    return S_OK;
}

HRESULT argument_to_value(const struct via_argument *argument, struct via_value *value)
{
    switch (argument->kind) {
    case VIA_ARGUMENT_NULL:
        return S_OK;
    case VIA_ARGUMENT_BOOL:
        value->kind = VIA_VALUE_BOOL;
        value->as.boolean = argument->as.boolean != 0;
        return S_OK;
    case VIA_ARGUMENT_I64:
        set_i64(value, argument->as.i64);
        return S_OK;
    case VIA_ARGUMENT_U64:
        set_u64(value, argument->as.u64);
        return S_OK;
    case VIA_ARGUMENT_F64:
        set_f64(value, argument->as.f64);
        return S_OK;
    case VIA_ARGUMENT_TEXT:
        return via_value_set_string(value, argument->as.text, strlen(argument->as.text));
    case VIA_ARGUMENT_WIDE:
        return set_wide(value, argument->as.wide, utf16_length(argument->as.wide));
    case VIA_ARGUMENT_GUID:
        value->kind = VIA_VALUE_GUID;
        value->as.guid = argument->as.guid;
        return S_OK;
    case VIA_ARGUMENT_OBJECT:
        via_value_set_object(value, argument->as.object);
        return S_OK;
    case VIA_ARGUMENT_VALUE:
        return copy_value(&argument->as.value, value);
    case VIA_ARGUMENT_JSON:
        return via_value_from_json(argument->as.text, value);
    case VIA_ARGUMENT_WRONG:
        return error_set(E_INVALIDARG, "a pointer to void may be anything: cast an object to "
                                       "IUnknown *, a text to char *");
    default:
        return error_set(E_INVALIDARG, "an argument is of no known kind: %u", argument->kind);
    }
}

/* C has no other `true` than 1, and Windows' BOOL is a number. */
static void adapt(const struct plan_param *plan, struct via_value *value)
{
    bool is_number = value->kind == VIA_VALUE_I64 || value->kind == VIA_VALUE_U64;
    if (plan->type->kind != VIA_TYPE_BOOL || !is_number)
        return;
    value->as.boolean = value->as.u64 != 0;
    value->kind = VIA_VALUE_BOOL;
}

/* Each as it would be in a VARIANT. */
static HRESULT take_rest(const struct arguments *self, uint16_t i, struct via_value *value)
{
    HRESULT hr = via_value_set_list(value, self->n_rest);
    for (uint32_t k = 0; k < self->n_rest && SUCCEEDED(hr); k++) {
        const struct via_argument *argument = self->rest[k];
        struct via_value *item = &value->as.items[k];
        hr = argument->kind == VIA_ARGUMENT_VARIANT
                 ? marshal_item_from_variant(self->method, i, &argument->as.variant, item)
                 : argument_to_value(argument, item);
    }
    return hr;
}

static HRESULT take(const struct arguments *self, uint16_t i, struct via_value *value)
{
    const struct via_argument *argument = self->given[i];
    bool is_variant = argument != NULL && argument->kind == VIA_ARGUMENT_VARIANT;
    HRESULT hr;
    if (argument == NULL && i == (uint16_t)members_rest(self->method))
        return take_rest(self, i, value);
    if (argument == NULL || (is_variant && missing_is(&argument->as.variant))) {
        hr = missing_value(self->method, i, value);
        if (hr != S_FALSE)
            return hr;
    }
    if (is_variant)
        return marshal_value_from_variant(self->method, i, &argument->as.variant, value);
    if (argument->kind == VIA_RESULT_VARIANT)
        return marshal_value_from_variant(self->method, i, argument->as.result, value);
    if (argument_is_result(argument))
        hr = result_to_value(argument, value);
    else
        hr = argument_to_value(argument, value);
    adapt(&self->method->params[i], value);
    return hr;
}

HRESULT arguments_to_values(const struct arguments *self, struct via_value *in)
{
    HRESULT hr = via_value_set_list(in, 0);
    for (uint16_t i = 0; i < self->method->n_params && SUCCEEDED(hr); i++) {
        const struct plan_param *plan = &self->method->params[i];
        struct via_value *item;
        if (!plan->is_in || (self->leaves_sizes && plan->is_size_of_in))
            continue;
        hr = via_value_append(in, &item);
        if (FAILED(hr))
            break;
        hr = take(self, i, item);
        if (FAILED(hr) && error_get() != NULL)
            hr = error_wrap(hr, "%s.%s: argument %s", self->method->owner->name,
                            self->method->method->name, plan->param->name);
    }
    return hr == E_OUTOFMEMORY && error_get() == NULL ? error_set(hr, "no memory for arguments")
                                                      : hr;
}
