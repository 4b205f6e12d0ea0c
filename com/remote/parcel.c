#include "com/remote/parcel.h"

#include <stdlib.h>

#include "com/abi/error_border.h"
#include "core/util/error.h"
#include "core/wire/frame.h"

void parcel_init(struct parcel *parcel)
{
    *parcel = (struct parcel){0};
    buffer_init(&parcel->payload, WIRE_MAX_MESSAGE);
}

void parcel_deinit(struct parcel *parcel)
{
    for (uint32_t i = 0; i < parcel->n_objects; i++)
        parcel->objects[i]->lpVtbl->Release(parcel->objects[i]);
    free(parcel->objects);
    buffer_deinit(&parcel->payload);
    parcel_init(parcel);
}

static HRESULT add(void *context, IUnknown *object, uint32_t *index)
{
    struct parcel *parcel = context;
    if (parcel->n_objects == parcel->max_objects) {
        uint32_t max = parcel->max_objects * 2 + 4;
        IUnknown **more = realloc(parcel->objects, max * sizeof *more);
        if (more == NULL)
            return error_set(E_OUTOFMEMORY, "no memory for the objects of a call");
        parcel->objects = more;
        parcel->max_objects = max;
    }
    object->lpVtbl->AddRef(object);
    *index = parcel->n_objects;
    parcel->objects[parcel->n_objects++] = object;
    return S_OK;
}

static HRESULT get(void *context, uint32_t index, const GUID *iid, void **pointer)
{
    struct parcel *parcel = context;
    *pointer = NULL;
    if (index == MARSHAL_NULL_POINTER)
        return S_OK;
    return parcel->objects[index]->lpVtbl->QueryInterface(parcel->objects[index], iid, pointer);
}

struct marshal_pointers parcel_pointers(struct parcel *parcel)
{
    return (struct marshal_pointers){.context = parcel, .add = add, .get = get};
}

HRESULT parcel_invoke(const struct marshal_method *method, void *object, struct parcel *arguments,
                      struct parcel *results)
{
    struct marshal_pointers in = parcel_pointers(arguments);
    struct marshal_pointers out = parcel_pointers(results);
    struct marshal_scratch scratch;
    struct marshal_invocation *invocation = NULL;
    HRESULT hr = marshal_decode_arguments(method, arguments->payload.data, arguments->payload.size,
                                          &in, &scratch, &invocation);
    if (FAILED(hr))
        return hr;
    error_border_clear();
    hr = marshal_invoke(invocation, object);
    if (FAILED(hr))
        error_border_capture(hr);
    HRESULT encoded =
        SUCCEEDED(hr) ? marshal_encode_results(invocation, &out, &results->payload) : hr;
    marshal_invocation_free(invocation);
    return FAILED(encoded) ? encoded : hr;
}
