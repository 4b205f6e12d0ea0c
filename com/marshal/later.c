/*
 * Calls whose results are taken later, when the arguments are gone: what has to be kept of them,
 * and lists of arguments that have only those that go one way.
 */
#include "com/marshal/decode.h"
#include "com/marshal/invocation.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <string.h>

/* In the place of a size: the argument was a pointer, and NULL. */
#define NO_SIZE INT64_MIN

_Static_assert(MARSHAL_MAX_PARAMS == TYPELIB_MAX_PARAMS, "a place for each");

uint16_t marshal_method_n_params(const struct marshal_method *method)
{
    return method->n_params;
}

void marshal_join_arguments(const struct marshal_method *method, void **in, void **joined)
{
    static const void *const none = &none; /* a pointer that is not NULL, and not followed */
    for (uint16_t i = 0; i < method->n_params; i++)
        joined[i] = method->params[i].is_in ? *in++ : (void *)&none;
}

void marshal_note_sizes(const struct marshal_method *method, void **joined, int64_t *sizes)
{
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        const void *target = plan->is_in ? native_target(plan, joined[i]) : NULL;
        int64_t *kept = &sizes[(size_t)i * MARSHAL_KEPT_WORDS];
        *kept = target == NULL ? NO_SIZE : 0;
        if (target != NULL && native_is_integer(plan->type))
            *kept = native_integer(plan->type, target);
        else if (target != NULL && plan->type->kind == VIA_TYPE_GUID)
            memcpy(kept, target, sizeof(GUID));
    }
}

HRESULT marshal_join_results(const struct marshal_method *method, void **out, int64_t *sizes,
                             struct marshal_joined *joined)
{
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        int64_t *kept = &sizes[(size_t)i * MARSHAL_KEPT_WORDS];
        joined->pointers[i] = *kept == NO_SIZE ? NULL : kept;
        joined->arguments[i] = plan->is_by_ref ? (void *)&joined->pointers[i] : kept;
        if (!plan->is_out)
            continue;
        joined->arguments[i] = *out++;
        if (plan->is_by_ref && !plan->is_nullable && *(void **)joined->arguments[i] == NULL)
            return error_set(E_POINTER, "%s.%s: argument %s is NULL", method->owner->name,
                             method->method->name, plan->param->name);
    }
    return S_OK;
}

/* --- objects among the results --- */

/* The parameter that is the `index`th [out] one that is an interface pointer; n_params: there is
 * none. */
static uint16_t object_param(const struct marshal_method *method, unsigned index)
{
    uint16_t i = 0;
    for (; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        if (plan->is_out && plan->type->kind == VIA_TYPE_INTERFACE && index-- == 0)
            break;
    }
    return i;
}

bool marshal_method_has_object(const struct marshal_method *method, unsigned index)
{
    return object_param(method, index) < method->n_params;
}

bool marshal_result_object(const struct marshal_invocation *invocation, unsigned index,
                           IUnknown **object)
{
    const struct marshal_method *method = invocation->method;
    uint16_t i = object_param(method, index);
    if (i < method->n_params)
        *object = *(IUnknown **)invocation_value(invocation, i);
    return i < method->n_params;
}

HRESULT marshal_decode_object(const struct marshal_method *method, unsigned index,
                              const struct marshal_pointers *pointers, const uint8_t *payload,
                              size_t size, IUnknown **object)
{
    struct decoder decoder;
    uint16_t wanted = object_param(method, index);
    char *storage = calloc(1, method->storage_size);
    *object = NULL;
    if (!storage)
        return error_set(E_OUTOFMEMORY, "no memory for the results of %s", method->full_name);
    decode_init(&decoder, method, pointers, payload, size);
    decoder.is_result = true;
    for (uint16_t i = 0; i < method->n_params; i++) {
        const struct plan_param *plan = &method->params[i];
        if (!plan->is_out)
            continue;
        decoder.param = plan->param->name;
        decode_value(&decoder, plan->type, storage + plan->storage);
    }
    bool is_right = SUCCEEDED(decoder.result) && decode_left(&decoder) == 0;
    if (is_right && wanted < method->n_params)
        *object = *(IUnknown **)(void *)(storage + method->params[wanted].storage);
    if (*object)
        IUnknown_AddRef(*object);
    /* What has been decoded is not wanted: as after a failure. */
    if (is_right)
        decoder.result = E_ABORT;
    HRESULT hr = decode_finish(&decoder);
    free(storage);
    return is_right ? S_OK : hr;
}
