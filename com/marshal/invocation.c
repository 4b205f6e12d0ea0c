#include "com/marshal/invocation.h"
#include "com/marshal/automation.h"
#include "com/marshal/decode.h"
#include "com/marshal/encode.h"
#include "com/marshal/fixed.h"
#include "com/marshal/handle.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

/* The most that the [out] arrays of one call may take together: what a message can carry, by the
 * default limit. */
#define MAX_BUFFER_BYTES (16u << 20)

uint32_t invocation_storage_at(uint16_t n_params)
{
    size_t lists = (2 * (size_t)n_params + 1) * sizeof(void *) + n_params * sizeof(int64_t);
    return (uint32_t)((sizeof(struct marshal_invocation) + lists + 15u) & ~(size_t)15);
}

struct marshal_invocation *invocation_new(const struct marshal_method *method,
                                          struct marshal_scratch *scratch)
{
    size_t n = method->n_params;
    size_t size = (size_t)method->storage_at + method->storage_size;
    bool is_on_heap = !scratch || size > sizeof(scratch->bytes);
    char *block = is_on_heap ? malloc(size) : scratch->bytes;
    if (!block) {
        error_set(E_OUTOFMEMORY, "no memory for the arguments of %s.%s", method->owner->name,
                  method->method->name);
        return NULL;
    }
    struct marshal_invocation *self = (struct marshal_invocation *)(void *)block;
    self->method = method;
    self->is_decoded = false;
    self->references = NULL;
    self->lent = 0;
    self->is_on_heap = is_on_heap;
    self->entry_values = (int64_t *)(void *)(self + 1);
    self->values = (void **)(void *)(self->entry_values + n);
    self->pointers = self->values + n + 1;
    self->storage = block + method->storage_at;
    self->values[0] = &self->self;
    memset(self->storage, 0, method->storage_size);
    if (!method->is_plain)
        handle_init_params(method, self->storage);
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
    const struct plan_param *plan = &self->method->params[i];
    scope.entry_values = plan->is_by_ref && plan->is_out ? NULL : self->entry_values;
    scope.entry_choices = plan->is_out ? NULL : self->entry_values;
    return scope;
}

void invocation_note_sizes(struct marshal_invocation *self)
{
    const struct marshal_method *method = self->method;
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        bool is_there = !plan->is_by_ref || self->pointers[i];
        self->entry_values[i] = native_is_integer(plan->type) && is_there
                                    ? native_integer(plan->type, invocation_value(self, i))
                                    : -1;
    }
}

/* `left`: what the call's arrays may still take. */
static HRESULT make_buffer(struct marshal_invocation *self, uint16_t i, size_t *left)
{
    const struct marshal_method *method = self->method;
    const struct plan_param *plan = &method->params[i];
    struct native_scope scope = {.method = method, .entry_values = self->entry_values};
    int64_t n = native_count(&scope, plan->type);
    uint32_t size = plan->type->element->size;
    void **array = invocation_value(self, i);
    if (*array)
        return S_OK; /* [in, out]: it has come with the call */
    if (n < 0 || (uint64_t)n > *left / size)
        return error_set(E_INVALIDARG,
                         "%s.%s: argument %s: an array of %lld elements, with those before it, is "
                         "more than a reply can carry",
                         method->owner->name, method->method->name, plan->param->name,
                         (long long)n);
    if (plan->is_in && plan->type->is_nullable)
        return S_OK;
    *left -= (size_t)n * size;
    *array = CoTaskMemAlloc((size_t)n * size);
    if (!*array)
        return error_set(E_OUTOFMEMORY, "no memory for an array of %lld elements", (long long)n);
    memset(*array, 0, (size_t)n * size);
    return S_OK;
}

HRESULT invocation_prepare_results(struct marshal_invocation *self)
{
    HRESULT hr = S_OK;
    size_t left = MAX_BUFFER_BYTES;
    if (self->method->is_plain)
        return S_OK; /* nothing is counted */
    invocation_note_sizes(self);
    for (uint16_t i = 0; i < self->method->n_params && SUCCEEDED(hr); i++)
        if (self->method->params[i].is_buffer)
            hr = make_buffer(self, i, &left);
    return hr;
}

/* --- the object's side --- */

static bool can_lend(const struct marshal_pointers *pointers)
{
    return pointers->borrow != NULL || pointers->keeps_payload;
}

/* A pointer that may be NULL says so in front. */
static void decode_param(struct decoder *decoder, struct marshal_invocation *self, uint16_t i)
{
    const struct plan_param *plan = &self->method->params[i];
    decoder->param = plan->param->name;
    if (plan->is_nullable && !decode_marker(decoder)) {
        self->pointers[i] = NULL;
        return;
    }
    decoder->lendable = plan->is_lendable && can_lend(decoder->pointers) ? plan : NULL;
    decoder->is_lent = false;
    decode_value(decoder, plan->type, invocation_value(self, i));
    if (decoder->is_lent)
        self->lent |= UINT64_C(1) << i;
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
        if (!target || native_integer(plan->type, target) != decoder->seen[i])
            decode_fail(decoder, "the arrays that it counts have another number of elements");
    }
}

static HRESULT decode_generally(struct marshal_invocation *self, const uint8_t *payload,
                                size_t size, const struct marshal_pointers *pointers)
{
    const struct marshal_method *method = self->method;
    struct decoder decoder;
    decode_init(&decoder, method, pointers, payload, size);
    for (uint16_t i = 0; i < method->n_params; i++)
        if (method->params[i].is_in)
            decode_param(&decoder, self, i);
    check_sizes(&decoder, method, invocation_arguments(self));
    decode_check_claims(&decoder, invocation_arguments(self));
    HRESULT hr = decode_finish(&decoder);
    if (SUCCEEDED(hr))
        self->references = decoder.references;
    return hr;
}

HRESULT marshal_decode_arguments(const struct marshal_method *method, const uint8_t *payload,
                                 size_t size, const struct marshal_pointers *pointers,
                                 struct marshal_scratch *scratch,
                                 struct marshal_invocation **invocation)
{
    struct marshal_invocation *self = invocation_new(method, scratch);
    if (!self)
        return E_OUTOFMEMORY;
    HRESULT hr = S_OK;
    if (!method->in.is_fixed || !fixed_decode(&method->in, payload, size, self->storage))
        hr = decode_generally(self, payload, size, pointers);
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

bool marshal_results_size(const struct marshal_method *method, size_t *size)
{
    *size = method->out.size;
    return method->out.is_fixed;
}

void marshal_encode_results_into(const struct marshal_invocation *invocation, uint8_t *payload)
{
    fixed_encode_storage(&invocation->method->out, invocation->storage, payload);
}

HRESULT marshal_encode_results(struct marshal_invocation *invocation,
                               const struct marshal_pointers *pointers, struct buffer *payload)
{
    const struct marshal_method *method = invocation->method;
    if (method->out.is_fixed) {
        uint8_t *bytes = buffer_extend(payload, method->out.size);
        if (bytes)
            marshal_encode_results_into(invocation, bytes);
        return buffer_result(payload);
    }
    struct encoder encoder = {
        .method = method, .pointers = pointers, .out = payload, .is_result = true};
    for (uint16_t i = 0; i < method->n_params; i++) {
        if (!method->params[i].is_out)
            continue;
        struct native_scope scope = invocation_scope(invocation, i);
        encoder.param = method->params[i].param->name;
        encode_value(&encoder, method->params[i].type, invocation_value(invocation, i), &scope);
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
        if (!method->params[i].type->is_plain && !(invocation->lent & UINT64_C(1) << i))
            native_clear(method->params[i].type, invocation_value(invocation, i), &scope);
    }
    if (invocation->references)
        automation_free_references(invocation->references);
    if (invocation->is_on_heap)
        free(invocation);
}

/* --- the caller's side --- */

static HRESULT check_pointers(const struct marshal_method *method, void **arguments)
{
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        if (plan->is_by_ref && !plan->is_nullable && !*(void **)arguments[i])
            return error_set(E_POINTER, "%s.%s: argument %s is NULL", method->owner->name,
                             method->method->name, plan->param->name);
    }
    return S_OK;
}

bool marshal_arguments_size(const struct marshal_method *method, size_t *size)
{
    *size = method->in.size;
    return method->in.is_fixed;
}

HRESULT marshal_encode_arguments_into(const struct marshal_method *method, void **arguments,
                                      uint8_t *payload)
{
    HRESULT hr = check_pointers(method, arguments);
    if (SUCCEEDED(hr))
        fixed_encode_arguments(method, arguments, payload);
    return hr;
}

HRESULT marshal_encode_arguments(const struct marshal_method *method, void **arguments,
                                 const struct marshal_pointers *pointers, struct buffer *payload)
{
    if (method->in.is_fixed) {
        uint8_t *bytes = buffer_extend(payload, method->in.size);
        return bytes ? marshal_encode_arguments_into(method, arguments, bytes)
                     : buffer_result(payload);
    }
    struct encoder encoder = {.method = method, .pointers = pointers, .out = payload};
    struct native_scope scope = {.method = method, .arguments = arguments};
    encoder.result = check_pointers(method, arguments);
    for (uint16_t i = 0; i < method->n_params && SUCCEEDED(encoder.result); i++) {
        const struct plan_param *plan = &method->params[i];
        if (!plan->is_in)
            continue;
        void *target = native_target(plan, arguments[i]);
        encoder.param = plan->param->name;
        encoder.lends = plan->is_lendable && pointers->lend != NULL;
        if (plan->is_nullable)
            encode_marker(&encoder, target != NULL);
        if (target)
            encode_value(&encoder, plan->type, target, &scope);
    }
    return encode_result(&encoder);
}

/* The results in storage of their own, until all of them are right. */
struct results {
    char *storage;
    _Alignas(16) char few[512];
};

static void *result_value(struct results *results, const struct plan_param *plan)
{
    return results->storage + plan->storage;
}

int64_t invocation_entry_count(const struct marshal_method *method, uint16_t i,
                               void *const *arguments)
{
    struct native_scope scope = {.method = method, .arguments = arguments};
    return native_count(&scope, method->params[i].type);
}

static void decode_one(struct decoder *decoder, const struct marshal_method *method, uint16_t i,
                       void **arguments, struct results *results)
{
    const struct plan_param *plan = &method->params[i];
    void *value = result_value(results, plan);
    decoder->param = plan->param->name;
    if (!plan->is_buffer) {
        decode_value(decoder, plan->type, value);
        return;
    }
    /* A copy of the caller's array: the caller's is written only when everything is right. */
    int64_t n = invocation_entry_count(method, i, arguments);
    size_t size = plan->type->element->size;
    void *callers = *(void **)arguments[i];
    void *copy = callers && n > 0 ? calloc((size_t)n, size) : NULL;
    *(void **)value = copy;
    if (callers && n > 0 && !copy) {
        decoder->result = error_set(E_OUTOFMEMORY, "no memory for argument %s", decoder->param);
        return;
    }
    decode_buffer(decoder, plan->type, callers && n == 0 ? callers : copy, n);
}

static void clear_old(const struct marshal_method *method, uint16_t i, void **arguments)
{
    const struct plan_param *plan = &method->params[i];
    struct native_scope scope = {.method = method, .arguments = arguments};
    if (!plan->is_in || plan->type->is_plain || plan->type->kind == VIA_TYPE_VARIANT)
        return; /* a VARIANT is replaced as a whole, or what it refers to */
    if (!plan->is_buffer) {
        native_clear(plan->type, native_target(plan, arguments[i]), &scope);
        return;
    }
    const struct plan_type *element = plan->type->element;
    int64_t n = native_length(&scope, plan->type);
    for (int64_t j = 0; j < n && *(char **)arguments[i]; j++)
        native_clear(element, *(char **)arguments[i] + (size_t)j * element->size, &scope);
}

void invocation_deliver(const struct marshal_method *method, void **arguments, const char *storage)
{
    /* First everything that is replaced goes, by its old sizes; then everything new comes. */
    for (uint16_t i = 0; i < method->n_params; i++)
        if (method->params[i].is_out)
            clear_old(method, i, arguments);
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        if (!plan->is_buffer)
            continue;
        int64_t n = invocation_entry_count(method, i, arguments);
        const void *copy = *(void *const *)(const void *)(storage + plan->storage);
        if (copy && n > 0)
            memcpy(*(void **)arguments[i], copy, (size_t)n * plan->type->element->size);
    }
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        if (!plan->is_out || plan->is_buffer)
            continue;
        void *target = native_target(plan, arguments[i]);
        if (plan->is_in && plan->type->kind == VIA_TYPE_VARIANT)
            automation_replace(target, (const VARIANT *)(const void *)(storage + plan->storage));
        else
            memcpy(target, storage + plan->storage, plan->type->size);
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
        if (native_integer(plan->type, value) != decoder->seen[i])
            decode_fail(decoder, "the arrays that it counts have another number of elements");
    }
}

void invocation_mix(const struct marshal_method *method, void *const *arguments, char *storage,
                    struct mixed_arguments *mixed)
{
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        mixed->pointers[i] = storage + plan->storage;
        mixed->values[i] = arguments[i];
        if (plan->is_out)
            mixed->values[i] = plan->is_by_ref ? (void *)&mixed->pointers[i] : mixed->pointers[i];
    }
}

static void check_result_claims(struct decoder *decoder, const struct marshal_method *method,
                                void **arguments, struct results *results)
{
    struct mixed_arguments mixed;
    if (decoder->n_claims == 0 || FAILED(decoder->result))
        return;
    invocation_mix(method, arguments, results->storage, &mixed);
    decode_check_claims(decoder, mixed.values);
}

static HRESULT decode_results_generally(const struct marshal_method *method, void **arguments,
                                        const struct marshal_pointers *pointers,
                                        const uint8_t *payload, size_t size,
                                        struct results *results)
{
    struct decoder decoder;
    memset(results->storage, 0, method->storage_size);
    handle_init_params(method, results->storage);
    decode_init(&decoder, method, pointers, payload, size);
    decoder.is_result = true;
    for (uint16_t i = 0; i < method->n_params; i++)
        if (method->params[i].is_out)
            decode_one(&decoder, method, i, arguments, results);
    if (SUCCEEDED(decoder.result))
        check_result_sizes(&decoder, method, arguments, results);
    check_result_claims(&decoder, method, arguments, results);
    HRESULT hr = decode_finish(&decoder);
    if (SUCCEEDED(hr))
        invocation_deliver(method, arguments, results->storage);
    for (uint16_t i = 0; i < method->n_params; i++)
        if (method->params[i].is_buffer)
            free(*(void **)result_value(results, &method->params[i]));
    return hr;
}

HRESULT marshal_decode_results(const struct marshal_method *method, void **arguments,
                               const struct marshal_pointers *pointers, const uint8_t *payload,
                               size_t size)
{
    struct results results;
    HRESULT hr = S_OK;
    results.storage =
        method->storage_size <= sizeof(results.few) ? results.few : malloc(method->storage_size);
    if (!results.storage)
        return error_set(E_OUTOFMEMORY, "no memory for the results of %s.%s", method->owner->name,
                         method->method->name);
    if (method->out.is_fixed && fixed_decode(&method->out, payload, size, results.storage))
        fixed_deliver(method, results.storage, arguments);
    else
        hr = decode_results_generally(method, arguments, pointers, payload, size, &results);
    if (results.storage != results.few)
        free(results.storage);
    return hr;
}

/* An array in the caller's memory that only goes out. */
static void clear_buffer(const struct marshal_method *method, uint16_t i, void **arguments)
{
    const struct plan_type *element = method->params[i].type->element;
    int64_t n = invocation_entry_count(method, i, arguments);
    void *elements = *(void **)arguments[i];
    if (elements && n > 0 && !element->is_plain)
        memset(elements, 0, (size_t)n * element->size);
}

void marshal_clear_results(const struct marshal_method *method, void **arguments)
{
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        if (!plan->is_out || plan->is_in)
            continue;
        void *target = native_target(plan, arguments[i]);
        if (plan->is_buffer)
            clear_buffer(method, i, arguments);
        else if (target && plan->type->kind == VIA_TYPE_HANDLE)
            handle_set_none(target);
        else if (target)
            memset(target, 0, plan->type->size);
    }
}
