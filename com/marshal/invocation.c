#include "com/marshal/invocation.h"
#include "com/marshal/decode.h"
#include "com/marshal/encode.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

/* The most that [out] arrays of one call may take: what a message can carry, by the default limit.
 */
#define MAX_BUFFER_BYTES (16u << 20)

struct marshal_invocation *invocation_new(const struct marshal_method *method)
{
    size_t n = method->n_params;
    size_t header = (sizeof(struct marshal_invocation) + 15u) & ~(size_t)15;
    size_t lists = ((2 * n + 1) * sizeof(void *) + n * sizeof(int64_t) + 15u) & ~(size_t)15;
    char *block = calloc(1, header + lists + method->storage_size);
    if (!block) {
        error_set(E_OUTOFMEMORY, "no memory for the arguments of %s.%s", method->owner->name,
                  method->method->name);
        return NULL;
    }
    struct marshal_invocation *self = (struct marshal_invocation *)(void *)block;
    self->method = method;
    self->values = (void **)(void *)(block + header);
    self->pointers = self->values + n + 1;
    self->entry_values = (int64_t *)(void *)(self->pointers + n);
    self->storage = block + header + lists;
    self->values[0] = &self->self;
    for (uint16_t i = 0; i < n; i++) {
        void *value = invocation_value(self, i);
        self->pointers[i] = value;
        self->values[i + 1] = method->params[i].is_by_ref ? (void *)&self->pointers[i] : value;
    }
    return self;
}

struct native_scope invocation_scope(const struct marshal_invocation *self, uint16_t i)
{
    struct native_scope scope = {.method = self->method, .arguments = invocation_arguments(self)};
    /* What came by value is still as long as it was; what the method replaced is as long as it
     * says. */
    bool is_replaced = self->method->params[i].is_by_ref && self->method->params[i].is_out;
    scope.entry_values = is_replaced ? NULL : self->entry_values;
    return scope;
}

void invocation_note_sizes(struct marshal_invocation *self)
{
    const struct marshal_method *method = self->method;
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        bool is_integer = plan->type->kind >= VIA_TYPE_I8 && plan->type->kind <= VIA_TYPE_U64;
        bool is_there = !plan->is_by_ref || self->pointers[i];
        self->entry_values[i] =
            is_integer && is_there
                ? native_integer(method->lib, plan->param->type, invocation_value(self, i))
                : -1;
    }
}

static HRESULT make_buffer(struct marshal_invocation *self, uint16_t i)
{
    const struct marshal_method *method = self->method;
    const struct plan_param *plan = &method->params[i];
    const struct via_type *element = &method->lib->types[plan->type->element];
    struct native_scope scope = {.method = method, .entry_values = self->entry_values};
    int64_t n = native_count(&scope, method->lib, plan->type);
    uint32_t size = plan_native_size(method->lib, element);
    void **array = invocation_value(self, i);
    if (*array)
        return S_OK; /* [in, out]: it has come with the call */
    if (n < 0 || n > MAX_BUFFER_BYTES / size)
        return error_set(E_INVALIDARG,
                         "%s.%s: argument %s: an array of %lld elements is more than a reply "
                         "can carry",
                         method->owner->name, method->method->name, plan->param->name,
                         (long long)n);
    if (plan->is_in && (plan->type->flags & VIA_TYPE_NULLABLE))
        return S_OK;
    *array = CoTaskMemAlloc((size_t)n * size);
    if (!*array)
        return error_set(E_OUTOFMEMORY, "no memory for an array of %lld elements", (long long)n);
    memset(*array, 0, (size_t)n * size);
    return S_OK;
}

HRESULT invocation_prepare_results(struct marshal_invocation *self)
{
    HRESULT hr = S_OK;
    invocation_note_sizes(self);
    for (uint16_t i = 0; i < self->method->n_params && SUCCEEDED(hr); i++)
        if (self->method->params[i].is_buffer)
            hr = make_buffer(self, i);
    return hr;
}

/* --- the object's side
 * ---------------------------------------------------------------------------- */

/* A pointer that may be NULL says so in front. */
static void decode_param(struct decoder *decoder, struct marshal_invocation *self, uint16_t i)
{
    const struct plan_param *plan = &self->method->params[i];
    decoder->param = plan->param->name;
    if (plan->param->flags & VIA_PARAM_NULLABLE) {
        if (!decode_marker(decoder)) {
            self->pointers[i] = NULL;
            return;
        }
    }
    decode_value(decoder, self->method->lib, plan->type, invocation_value(self, i));
}

/* Arrays are as long as the parameters that count them say. */
static void check_sizes(struct decoder *decoder, const struct marshal_method *method,
                        void *const *arguments)
{
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        if (decoder->seen[i] == DECODE_UNSEEN || FAILED(decoder->result))
            continue;
        void *target = native_target(plan, arguments[i]);
        decoder->param = plan->param->name;
        if (!target || native_integer(method->lib, plan->param->type, target) != decoder->seen[i])
            decode_fail(decoder, "the arrays that it counts have another number of elements");
    }
}

HRESULT marshal_decode_arguments(const struct marshal_method *method, const uint8_t *payload,
                                 size_t size, const struct marshal_pointers *pointers,
                                 struct marshal_invocation **invocation)
{
    struct decoder decoder;
    struct marshal_invocation *self = invocation_new(method);
    if (!self)
        return E_OUTOFMEMORY;
    decode_init(&decoder, method, pointers, payload, size);
    for (uint16_t i = 0; i < method->n_params; i++)
        if (method->params[i].is_in)
            decode_param(&decoder, self, i);
    check_sizes(&decoder, method, invocation_arguments(self));
    HRESULT hr = decode_finish(&decoder);
    self->is_decoded = SUCCEEDED(hr);
    if (SUCCEEDED(hr))
        hr = invocation_prepare_results(self);
    if (FAILED(hr)) {
        marshal_invocation_free(self);
        return hr;
    }
    *invocation = self;
    return S_OK;
}

HRESULT marshal_invoke(struct marshal_invocation *invocation, void *pointer)
{
    const struct marshal_method *method = invocation->method;
    const void *const *vtable = *(const void *const *const *)pointer;
    ffi_sarg result = 0;
    invocation->self = pointer;
    ffi_call((ffi_cif *)&method->cif, FFI_FN((uintptr_t)vtable[method->slot]), &result,
             invocation->values);
    return (HRESULT)result;
}

HRESULT marshal_encode_results(struct marshal_invocation *invocation,
                               const struct marshal_pointers *pointers, struct buffer *payload)
{
    const struct marshal_method *method = invocation->method;
    struct encoder encoder = {.method = method, .pointers = pointers, .out = payload};
    for (uint16_t i = 0; i < method->n_params; i++) {
        if (!method->params[i].is_out)
            continue;
        struct native_scope scope = invocation_scope(invocation, i);
        encoder.param = method->params[i].param->name;
        encode_value(&encoder, method->lib, method->params[i].type, invocation_value(invocation, i),
                     &scope);
    }
    return encode_result(&encoder);
}

void marshal_invocation_free(struct marshal_invocation *invocation)
{
    if (!invocation)
        return;
    const struct marshal_method *method = invocation->method;
    for (uint16_t i = 0; i < method->n_params && invocation->is_decoded && !method->is_plain; i++) {
        struct native_scope scope = invocation_scope(invocation, i);
        if (!method->params[i].is_plain)
            native_clear(method->lib, method->params[i].type, invocation_value(invocation, i),
                         &scope);
    }
    free(invocation);
}

/* --- the caller's side
 * ---------------------------------------------------------------------------- */

HRESULT marshal_encode_arguments(const struct marshal_method *method, void **arguments,
                                 const struct marshal_pointers *pointers, struct buffer *payload)
{
    struct encoder encoder = {.method = method, .pointers = pointers, .out = payload};
    struct native_scope scope = {.method = method, .arguments = arguments};
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        encoder.param = plan->param->name;
        void *target = native_target(plan, arguments[i]);
        if (!target && !(plan->param->flags & VIA_PARAM_NULLABLE))
            return error_set(E_POINTER, "%s.%s: argument %s is NULL", method->owner->name,
                             method->method->name, plan->param->name);
        if (!plan->is_in)
            continue;
        if (plan->param->flags & VIA_PARAM_NULLABLE)
            encode_marker(&encoder, target != NULL);
        if (target)
            encode_value(&encoder, method->lib, plan->type, target, &scope);
    }
    return encode_result(&encoder);
}

/* The results in storage of their own, until all of them are right. */
struct results {
    char *storage;
    char few[512];
};

static void *result_value(struct results *results, const struct plan_param *plan)
{
    return results->storage + plan->storage;
}

static int64_t entry_count(const struct marshal_method *method, const struct plan_param *plan,
                           void **arguments)
{
    struct native_scope scope = {.method = method, .arguments = arguments};
    return native_count(&scope, method->lib, plan->type);
}

static void decode_one(struct decoder *decoder, const struct marshal_method *method, uint16_t i,
                       void **arguments, struct results *results)
{
    const struct plan_param *plan = &method->params[i];
    void *value = result_value(results, plan);
    decoder->param = plan->param->name;
    if (!plan->is_buffer) {
        decode_value(decoder, method->lib, plan->type, value);
        return;
    }
    /* A copy of the caller's array: the caller's is written only when everything is right. */
    int64_t n = entry_count(method, plan, arguments);
    size_t size = plan_native_size(method->lib, &method->lib->types[plan->type->element]);
    void *callers = *(void **)arguments[i];
    void *copy = callers && n > 0 ? calloc((size_t)n, size) : NULL;
    *(void **)value = copy;
    if (callers && n > 0 && !copy) {
        decoder->result = error_set(E_OUTOFMEMORY, "no memory for argument %s", decoder->param);
        return;
    }
    decode_buffer(decoder, method->lib, plan->type, callers && n == 0 ? callers : copy, n);
}

static void clear_old(const struct marshal_method *method, uint16_t i, void **arguments)
{
    const struct plan_param *plan = &method->params[i];
    struct native_scope scope = {.method = method, .arguments = arguments};
    if (!plan->is_in || plan->is_plain)
        return;
    if (!plan->is_buffer) {
        native_clear(method->lib, plan->type, native_target(plan, arguments[i]), &scope);
        return;
    }
    const struct via_type *element = &method->lib->types[plan->type->element];
    size_t size = plan_native_size(method->lib, element);
    int64_t n = entry_count(method, plan, arguments);
    for (int64_t j = 0; j < n && *(char **)arguments[i]; j++)
        native_clear(method->lib, element, *(char **)arguments[i] + (size_t)j * size, &scope);
}

/* First everything that is replaced goes, by its old sizes; then everything new comes. */
static void deliver(const struct marshal_method *method, void **arguments, struct results *results)
{
    for (uint16_t i = 0; i < method->n_params; i++)
        if (method->params[i].is_out)
            clear_old(method, i, arguments);
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        if (!plan->is_buffer)
            continue;
        int64_t n = entry_count(method, plan, arguments);
        void *copy = *(void **)result_value(results, plan);
        size_t size = plan_native_size(method->lib, &method->lib->types[plan->type->element]);
        if (copy && n > 0)
            memcpy(*(void **)arguments[i], copy, (size_t)n * size);
    }
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        if (plan->is_out && !plan->is_buffer)
            memcpy(native_target(plan, arguments[i]), result_value(results, plan), plan->size);
    }
}

/* The caller will free arrays by these sizes. */
static void check_result_sizes(struct decoder *decoder, const struct marshal_method *method,
                               void **arguments, struct results *results)
{
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        if (decoder->seen[i] == DECODE_UNSEEN || FAILED(decoder->result))
            continue;
        const void *value =
            plan->is_out ? result_value(results, plan) : native_target(plan, arguments[i]);
        decoder->param = plan->param->name;
        if (native_integer(method->lib, plan->param->type, value) != decoder->seen[i])
            decode_fail(decoder, "the arrays that it counts have another number of elements");
    }
}

HRESULT marshal_decode_results(const struct marshal_method *method, void **arguments,
                               const struct marshal_pointers *pointers, const uint8_t *payload,
                               size_t size)
{
    struct decoder decoder;
    struct results results;
    results.storage =
        method->storage_size <= sizeof(results.few) ? results.few : malloc(method->storage_size);
    if (!results.storage)
        return error_set(E_OUTOFMEMORY, "no memory for the results of %s.%s", method->owner->name,
                         method->method->name);
    memset(results.storage, 0, method->storage_size);
    decode_init(&decoder, method, pointers, payload, size);
    for (uint16_t i = 0; i < method->n_params; i++)
        if (method->params[i].is_out)
            decode_one(&decoder, method, i, arguments, &results);
    if (SUCCEEDED(decoder.result))
        check_result_sizes(&decoder, method, arguments, &results);
    HRESULT hr = decode_finish(&decoder);
    if (SUCCEEDED(hr))
        deliver(method, arguments, &results);
    for (uint16_t i = 0; i < method->n_params; i++)
        if (method->params[i].is_buffer)
            free(*(void **)result_value(&results, &method->params[i]));
    if (results.storage != results.few)
        free(results.storage);
    return hr;
}

void marshal_clear_results(const struct marshal_method *method, void **arguments)
{
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        if (!plan->is_out || plan->is_in || plan->is_buffer)
            continue;
        void *target = native_target(plan, arguments[i]);
        if (target)
            memset(target, 0, plan->size);
    }
}
