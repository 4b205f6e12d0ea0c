#include "com/std/event.h"

#include <stdlib.h>
#include <viaduct/value.h>

#include "com/dispatch/invoke.h"
#include "com/marshal/marshal.h"
#include "com/remote/gate.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "core/util/ref.h"

/* One event's arguments, and the objects among them: what one message may carry, by default. */
#define MAX_PAYLOAD (16u << 20)
#define MAX_OBJECTS 1024u

/* Read-only but for the count. */
struct event {
    struct ref refs;
    const struct marshal_method *method;
    /* Of the call that has fired it: objects that it hands out share the context (gate.h). */
    struct context *context;
    struct buffer payload;
    IUnknown **objects; /* references */
    uint32_t n_objects;
    uint32_t max_objects;
};

static HRESULT add_object(void *argument, IUnknown *object, uint32_t *index)
{
    struct event *event = argument;

    if (event->n_objects == MAX_OBJECTS)
        return error_set(VIA_E_LIMIT, "more than %u objects in one event", MAX_OBJECTS);
    if (event->n_objects == event->max_objects) {
        uint32_t max = event->max_objects * 2 + 4;
        IUnknown **more = realloc(event->objects, max * sizeof(*more));

        if (!more)
            return error_set(E_OUTOFMEMORY, "no memory for the objects of an event");
        event->objects = more;
        event->max_objects = max;
    }
    IUnknown_AddRef(object);
    event->objects[event->n_objects] = object;
    *index = event->n_objects++;
    return S_OK;
}

static HRESULT get_object(void *argument, uint32_t index, const GUID *iid, void **pointer)
{
    const struct event *event = argument;

    *pointer = NULL;
    if (index == MARSHAL_NULL_POINTER)
        return S_OK;
    return IUnknown_QueryInterface(event->objects[index], iid, pointer);
}

HRESULT event_new(const struct marshal_method *method, void **arguments, struct event **result)
{
    struct event *event = calloc(1, sizeof(*event));
    const struct marshal_pointers pointers = {.context = event, .add = add_object};
    HRESULT hr;

    if (!event)
        return error_set(E_OUTOFMEMORY, "no memory for an event");
    ref_init(&event->refs);
    event->method = method;
    event->context = context_ref(context_running());
    buffer_init(&event->payload, MAX_PAYLOAD);
    hr = marshal_encode_arguments(method, arguments, &pointers, &event->payload);
    if (FAILED(hr)) {
        event_unref(event);
        return hr;
    }
    *result = event;
    return S_OK;
}

struct event *event_ref(struct event *event)
{
    ref_inc(&event->refs);
    return event;
}

void event_unref(struct event *event)
{
    if (ref_dec(&event->refs) > 0)
        return;
    for (uint32_t i = 0; i < event->n_objects; i++)
        IUnknown_Release(event->objects[i]);
    free(event->objects);
    buffer_deinit(&event->payload);
    context_unref(event->context);
    free(event);
}

size_t event_size(const struct event *event)
{
    return sizeof(*event) + event->payload.size + event->n_objects * sizeof(*event->objects);
}

static HRESULT notify(const struct event *event, struct marshal_invocation *invocation,
                      IDispatch *target)
{
    struct via_value in = {.kind = VIA_VALUE_NULL};
    HRESULT hr = marshal_invocation_to_values(invocation, false, &in);

    if (SUCCEEDED(hr))
        hr = dispatch_notify(target, event->method, &in);
    via_value_clear(&in);
    return hr;
}

HRESULT event_call(const struct event *event, void *target, bool is_late)
{
    const struct marshal_pointers pointers = {.context = (void *)event, .get = get_object};
    struct marshal_invocation *invocation = NULL;
    struct marshal_scratch scratch;
    struct context *previous;
    HRESULT hr = marshal_decode_arguments(event->method, event->payload.data, event->payload.size,
                                          &pointers, &scratch, &invocation);

    if (FAILED(hr))
        return hr;
    previous = context_set_running(event->context);
    hr = is_late ? notify(event, invocation, target) : marshal_invoke(invocation, target);
    context_set_running(previous);
    marshal_invocation_free(invocation);
    return hr;
}
