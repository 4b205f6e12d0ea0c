/*
 * Calls that are answered by name: native arguments become values, a handler makes values of them,
 * and those become the native results. The results are made in an invocation's storage first;
 * nothing of the caller's is written, or freed, before all of them are right.
 */
#include "com/abi/error_border.h"
#include "com/marshal/by_name.h"
#include "core/util/error.h"

/* --- in --- */

/* An [out] array in the caller's memory is there, unless it may be NULL and is. */
static bool is_missing(const struct marshal_method *method, uint16_t i, void **arguments)
{
    const struct plan_param *plan = &method->params[i];
    if (!native_target(plan, arguments[i]))
        return !plan->is_nullable;
    bool may_be_null = plan->is_in && plan->type->is_nullable;
    return plan->is_buffer && !may_be_null && !*(void **)arguments[i] &&
           invocation_entry_count(method, i, arguments) != 0;
}

static HRESULT take_arguments(const struct marshal_method *method, void **arguments,
                              struct via_value *list)
{
    struct by_name by_name;
    struct native_scope scope = {.method = method, .arguments = arguments};
    by_name_init(&by_name, method);
    by_name_check(&by_name, via_value_set_list(list, 0));
    for (uint16_t i = 0; i < method->n_params && SUCCEEDED(by_name.result); i++) {
        const struct plan_param *plan = &method->params[i];
        struct via_value *item;
        by_name_enter_param(&by_name, i);
        if (is_missing(method, i, arguments))
            by_name_fail(&by_name, E_POINTER, "it is NULL, which it may not be");
        if (!plan->is_in || FAILED(by_name.result))
            continue;
        void *target = native_target(plan, arguments[i]);
        by_name_check(&by_name, via_value_append(list, &item));
        if (target && SUCCEEDED(by_name.result))
            by_name_from_native(&by_name, plan->type, target, &scope, item);
    }
    return by_name.result;
}

/* --- out --- */

static uint32_t count_results(const struct marshal_method *method)
{
    uint32_t n = 0;
    for (uint16_t i = 0; i < method->n_params; i++)
        n += method->params[i].is_out;
    return n;
}

/* Arrays that the caller has counted, by an argument that the method cannot change, or by giving
 * the memory for them. */
static bool is_counted_by_caller(const struct marshal_method *method, const struct plan_param *plan)
{
    return plan->type->kind == VIA_TYPE_SIZED && plan->type->size_from == VIA_SIZE_PARAM &&
           (plan->is_buffer || !method->params[plan->type->size_index].is_out);
}

static void check_room(struct by_name *self, uint16_t i, void **arguments,
                       const struct via_value *value)
{
    const struct plan_param *plan = &self->method->params[i];
    if (!is_counted_by_caller(self->method, plan))
        return;
    int64_t n = invocation_entry_count(self->method, i, arguments);
    bool is_there = !plan->is_buffer || *(void **)arguments[i];
    bool is_varying = plan->type->length_from != VIA_SIZE_NONE;
    if (value->kind == VIA_VALUE_LIST && (is_varying ? value->n > n : value->n != n))
        by_name_fail(self, DISP_E_TYPEMISMATCH,
                     "the list has another number of items than the caller asks for");
    else if (value->kind == VIA_VALUE_LIST && n > 0 && !is_there)
        by_name_fail(self, DISP_E_TYPEMISMATCH, "null is expected, since the caller's array is");
    else if (value->kind == VIA_VALUE_NULL && n > 0 && plan->is_buffer && is_there)
        by_name_fail(self, DISP_E_TYPEMISMATCH,
                     "a list is expected, since the caller has an array");
}

/* What counts arrays is what they have: the caller will walk and free them by it. */
static void check_count(struct by_name *self, uint16_t i, const struct marshal_invocation *results,
                        void **arguments, const struct via_value *value)
{
    const struct plan_param *plan = &self->method->params[i];
    if (self->seen[i] < 0 || (plan->is_out && value->kind == VIA_VALUE_NULL))
        return;
    const void *count =
        plan->is_out ? invocation_value(results, i) : native_target(plan, arguments[i]);
    by_name_enter_param(self, i);
    if (native_integer(plan->type, count) != self->seen[i])
        by_name_fail(self, DISP_E_TYPEMISMATCH,
                     "the arrays that it counts have another number of items");
}

/* The value of a parameter among those of all that come out; NULL: it does not. */
static const struct via_value *result_of(const struct marshal_method *method, uint16_t i,
                                         const struct via_value *list)
{
    uint32_t at = 0;
    for (uint16_t j = 0; j < i; j++)
        at += method->params[j].is_out;
    return method->params[i].is_out ? &list->as.items[at] : NULL;
}

static void fill_result(struct by_name *self, uint16_t i, void **arguments,
                        const struct via_value *value, struct marshal_invocation *results)
{
    const struct plan_param *plan = &self->method->params[i];
    bool is_left_out = plan->is_size_of_out && value->kind == VIA_VALUE_NULL;
    by_name_enter_param(self, i);
    if (is_left_out)
        return;
    check_room(self, i, arguments, value);
    by_name_to_native(self, plan->type, value, invocation_value(results, i));
}

/* Discriminants and the like first: others are made by them. */
static HRESULT fill_results(const struct marshal_method *method, void **arguments,
                            const struct via_value *list, struct marshal_invocation *results)
{
    static const struct via_value none = {0};
    struct by_name by_name;
    struct mixed_arguments mixed;
    by_name_init(&by_name, method);
    invocation_mix(method, arguments, results->storage, &mixed);
    by_name.scope.arguments = mixed.values;
    for (int pass = 0; pass < 2; pass++)
        for (uint16_t i = 0; i < method->n_params && SUCCEEDED(by_name.result); i++) {
            const struct via_value *value = result_of(method, i, list);
            if (value && method->params[i].is_needed == (pass == 0))
                fill_result(&by_name, i, arguments, value, results);
        }
    for (uint16_t i = 0; i < method->n_params && SUCCEEDED(by_name.result); i++) {
        const struct via_value *value = result_of(method, i, list);
        check_count(&by_name, i, results, arguments, value ? value : &none);
    }
    by_name_set_sizes(&by_name, results);
    return by_name.result;
}

/* The elements are the caller's now; the blocks that they were made in are not. */
static void disown_results(struct marshal_invocation *results)
{
    for (uint16_t i = 0; i < results->method->n_params; i++)
        if (results->method->params[i].is_buffer)
            CoTaskMemFree(*(void **)invocation_value(results, i));
    results->is_decoded = false;
}

static HRESULT give_results(const struct marshal_method *method, void **arguments,
                            const struct via_value *list)
{
    uint32_t n = list->kind == VIA_VALUE_LIST ? list->n : 0;
    if (n != count_results(method))
        return by_name_wrong_count(method, n, "results");
    struct marshal_invocation *results = invocation_new(method, NULL);
    if (!results)
        return E_OUTOFMEMORY;
    HRESULT hr = fill_results(method, arguments, list, results);
    if (SUCCEEDED(hr)) {
        invocation_deliver(method, arguments, results->storage);
        disown_results(results);
    }
    marshal_invocation_free(results);
    return hr;
}

/* --- both --- */

static HRESULT prepare(const struct marshal_method *method, void **arguments, struct via_value *in,
                       struct via_value *out)
{
    HRESULT hr = take_arguments(method, arguments, in);
    if (SUCCEEDED(hr) && FAILED(hr = via_value_set_list(out, count_results(method))))
        error_set(hr, "no memory for the results of %s", method->method->name);
    return hr;
}

static HRESULT publish(HRESULT hr)
{
    if (FAILED(hr))
        error_border_publish(hr);
    return hr;
}

HRESULT marshal_answer_values(const struct marshal_method *method, void **arguments,
                              via_method_handler handler, void *context)
{
    struct via_value in = {0}, out = {0};
    HRESULT hr = publish(prepare(method, arguments, &in, &out));
    if (SUCCEEDED(hr)) {
        /* What an earlier call has left would pass for this one's. */
        error_border_clear();
        hr = handler(context, method->full_name, &in, &out);
        HRESULT given = SUCCEEDED(hr) ? give_results(method, arguments, &out) : S_OK;
        if (FAILED(given))
            hr = publish(error_wrap(given, "what the handler of %s.%s gave does not fit",
                                    method->owner->name, method->method->name));
    }
    via_value_clear(&in);
    via_value_clear(&out);
    if (FAILED(hr))
        marshal_clear_results(method, arguments);
    return hr;
}
