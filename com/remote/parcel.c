#include "com/remote/parcel.h"

#include <stdlib.h>

#include "com/abi/error_border.h"
#include "core/os/handle.h"
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
    for (uint32_t i = 0; i < parcel->n_handles; i++)
        os_handle_close(parcel->handles[i]);
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

static HRESULT add_handle(void *context, intptr_t handle, uint32_t kind, uint32_t *index)
{
    struct parcel *parcel = context;
    if (parcel->n_handles == LINK_MAX_HANDLES)
        return error_set(VIA_E_LIMIT, "more than %u OS handles in one call", LINK_MAX_HANDLES);
    if (!os_handle_is(handle, (enum os_handle_kind)kind))
        return error_set(E_HANDLE, "handle %lld is not open, or is no %s", (long long)handle,
                         os_handle_kind_name((enum os_handle_kind)kind));
    HRESULT hr = os_handle_duplicate(handle, &parcel->handles[parcel->n_handles]);
    if (SUCCEEDED(hr))
        *index = parcel->n_handles++;
    return hr;
}

static HRESULT take_handle(void *context, uint32_t index, uint32_t kind, intptr_t *handle)
{
    struct parcel *parcel = context;
    (void)kind; /* as it was put in */
    return os_handle_duplicate(parcel->handles[index], handle);
}

struct marshal_pointers parcel_pointers(struct parcel *parcel)
{
    return (struct marshal_pointers){.context = parcel,
                                     .add = add,
                                     .get = get,
                                     .add_handle = add_handle,
                                     .take_handle = take_handle};
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
