/*
 * Calls by name: values become native arguments in an invocation, and go the way of a typed call
 * from there.
 */
#include "com/marshal/by_name.h"
#include "com/marshal/decode.h"
#include "com/marshal/invocation.h"
#include "core/util/buffer.h"
#include "core/util/error.h"

#include <string.h>

/* Whether sizes of arrays are among the arguments, or left to be filled in. */
static HRESULT match_count(const struct marshal_method *method, uint32_t n, bool *with_sizes)
{
    uint32_t n_in = 0;
    uint32_t n_sizes = 0;
    for (uint16_t i = 0; i < method->n_params; i++) {
        n_in += method->params[i].is_in;
        n_sizes += method->params[i].is_in && method->params[i].is_size_of_in;
    }
    *with_sizes = n == n_in;
    return n == n_in || n == n_in - n_sizes ? S_OK : by_name_wrong_count(method, n, "arguments");
}

/* Sizes that were given are what their lists have. */
static void check_sizes(struct by_name *self, struct marshal_invocation *invocation)
{
    const struct marshal_method *method = self->method;
    for (uint16_t i = 0; i < method->n_params && SUCCEEDED(self->result); i++) {
        const struct plan_param *plan = &method->params[i];
        by_name_enter_param(self, i);
        if (plan->is_in && self->seen[i] >= 0 &&
            native_integer(plan->type, invocation_value(invocation, i)) != self->seen[i])
            by_name_fail(self, DISP_E_TYPEMISMATCH,
                         "the array that it counts has another number of items");
    }
}

static void fill_argument(struct by_name *self, struct marshal_invocation *invocation, uint16_t i,
                          const struct via_value *value)
{
    const struct plan_param *plan = &self->method->params[i];
    by_name_enter_param(self, i);
    if (value->kind == VIA_VALUE_NULL && (plan->param->flags & VIA_PARAM_NULLABLE))
        invocation->pointers[i] = NULL;
    else
        by_name_to_native(self, plan->type, value, invocation_value(invocation, i));
}

/* Sizes, discriminants and the like first: others are made by them. */
static void fill_arguments(struct by_name *self, struct marshal_invocation *invocation,
                           const struct via_value *in, bool with_sizes, bool needed_only)
{
    const struct marshal_method *method = self->method;
    for (int pass = 0; pass < (needed_only ? 1 : 2); pass++) {
        uint32_t next = 0;
        for (uint16_t i = 0; i < method->n_params && SUCCEEDED(self->result); i++) {
            const struct plan_param *plan = &method->params[i];
            bool is_given = plan->is_in && (with_sizes || !plan->is_size_of_in);
            if (is_given && plan->is_needed == (pass == 0))
                fill_argument(self, invocation, i, &in->as.items[next]);
            next += is_given;
        }
    }
}

HRESULT marshal_values_to_invocation(const struct marshal_method *method,
                                     const struct via_value *in,
                                     struct marshal_invocation **invocation)
{
    struct by_name by_name;
    bool with_sizes;
    if (in->kind != VIA_VALUE_LIST && in->kind != VIA_VALUE_NULL)
        return error_set(E_INVALIDARG, "arguments by name are a list");
    HRESULT hr = match_count(method, in->n, &with_sizes);
    if (FAILED(hr))
        return hr;
    struct marshal_invocation *self = invocation_new(method, NULL);
    if (!self)
        return E_OUTOFMEMORY;
    by_name_init(&by_name, method);
    by_name.scope.arguments = invocation_arguments(self);
    by_name.references = &self->references;
    fill_arguments(&by_name, self, in, with_sizes, false);
    if (with_sizes)
        check_sizes(&by_name, self);
    by_name_set_sizes(&by_name, self);
    if (FAILED(by_name.result)) {
        marshal_invocation_free(self);
        return by_name.result;
    }
    *invocation = self;
    return S_OK;
}

HRESULT marshal_invocation_to_values(struct marshal_invocation *invocation, bool is_result,
                                     struct via_value *values)
{
    const struct marshal_method *method = invocation->method;
    struct by_name by_name;
    struct via_value list = {0};
    by_name_init(&by_name, method);
    HRESULT hr = via_value_set_list(&list, 0);
    for (uint16_t i = 0; i < method->n_params && SUCCEEDED(hr) && SUCCEEDED(by_name.result); i++) {
        struct via_value *item;
        const struct plan_param *plan = &method->params[i];
        if (is_result ? !plan->is_out : !plan->is_in)
            continue;
        struct native_scope scope = invocation_scope(invocation, i);
        bool is_null = plan->is_nullable && !invocation->pointers[i];
        by_name_enter_param(&by_name, i);
        hr = via_value_append(&list, &item);
        if (SUCCEEDED(hr) && !is_null)
            by_name_from_native(&by_name, method->params[i].type, invocation_value(invocation, i),
                                &scope, item);
    }
    if (FAILED(hr))
        error_set(hr, "no memory for the arguments of %s", method->method->name);
    else
        hr = by_name.result;
    if (FAILED(hr)) {
        via_value_clear(&list);
        return hr;
    }
    via_value_clear(values);
    *values = list;
    return S_OK;
}

void **marshal_invocation_arguments(struct marshal_invocation *invocation)
{
    return invocation->values + 1;
}

HRESULT marshal_encode_values(const struct marshal_method *method, const struct via_value *in,
                              const struct marshal_pointers *pointers, struct buffer *payload)
{
    struct marshal_invocation *invocation;
    HRESULT hr = marshal_values_to_invocation(method, in, &invocation);
    if (FAILED(hr))
        return hr;
    hr = marshal_encode_arguments(method, invocation->values + 1, pointers, payload);
    marshal_invocation_free(invocation);
    return hr;
}

/* Arrays whose size was an argument of the call: what came says how many there are. */
static void take_sizes(struct decoder *decoder, struct marshal_invocation *self)
{
    const struct marshal_method *method = self->method;
    for (uint16_t i = 0; i < method->n_params && SUCCEEDED(decoder->result); i++) {
        const struct plan_param *plan = &method->params[i];
        void *value = invocation_value(self, i);
        if (decoder->seen[i] == DECODE_UNSEEN)
            continue;
        decoder->param = plan->param->name;
        if (plan->is_out && native_integer(plan->type, value) != decoder->seen[i])
            decode_fail(decoder, "the arrays that it counts have another number of elements");
        else if (!by_name_set_integer(plan->type, value, decoder->seen[i]))
            decode_fail(decoder, "the arrays that it counts are longer than it can say");
    }
}

/* What the arguments said that results are read by. They have been arguments of the call. */
static HRESULT take_needed(struct marshal_invocation *self, const struct via_value *in)
{
    struct by_name by_name;
    bool with_sizes;
    if (!in)
        return S_OK;
    HRESULT hr = match_count(self->method, in->n, &with_sizes);
    if (FAILED(hr))
        return hr;
    by_name_init(&by_name, self->method);
    by_name.scope.arguments = invocation_arguments(self);
    fill_arguments(&by_name, self, in, with_sizes, true);
    return by_name.result;
}

HRESULT marshal_decode_values(const struct marshal_method *method, const struct via_value *in,
                              const struct marshal_pointers *pointers, const uint8_t *payload,
                              size_t size, struct via_value *out)
{
    struct decoder decoder;
    struct marshal_invocation *self = invocation_new(method, NULL);
    if (!self)
        return E_OUTOFMEMORY;
    decode_init(&decoder, method, pointers, payload, size);
    decoder.is_result = true;
    decoder.result = take_needed(self, in);
    for (uint16_t i = 0; i < method->n_params; i++) {
        if (!method->params[i].is_out)
            continue;
        memset(invocation_value(self, i), 0, method->params[i].type->size);
        decoder.param = method->params[i].param->name;
        decode_value(&decoder, method->params[i].type, invocation_value(self, i));
    }
    take_sizes(&decoder, self);
    decode_check_claims(&decoder, invocation_arguments(self));
    HRESULT hr = decode_finish(&decoder);
    self->is_decoded = SUCCEEDED(hr);
    invocation_note_sizes(self);
    if (SUCCEEDED(hr))
        hr = marshal_invocation_to_values(self, true, out);
    marshal_invocation_free(self);
    return hr;
}

HRESULT marshal_run_values(struct marshal_invocation *invocation, void *pointer,
                           struct via_value *out)
{
    HRESULT hr = invocation_prepare_results(invocation);
    if (FAILED(hr))
        return hr;
    HRESULT result = marshal_invoke(invocation, pointer);
    hr = FAILED(result) ? result : marshal_invocation_to_values(invocation, true, out);
    return FAILED(hr) ? hr : result;
}

HRESULT marshal_invoke_values(const struct marshal_method *method, void *pointer,
                              const struct via_value *in, struct via_value *out)
{
    struct marshal_invocation *invocation;
    HRESULT hr = marshal_values_to_invocation(method, in, &invocation);
    if (FAILED(hr))
        return hr;
    hr = marshal_run_values(invocation, pointer, out);
    marshal_invocation_free(invocation);
    return hr;
}
