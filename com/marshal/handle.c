#include "com/marshal/handle.h"
#include "com/typelib/kinds.h"
#include "core/os/handle.h"
#include "core/util/error.h"

#include <string.h>
#include <viaduct/handle.h>

_Static_assert((int)OS_HANDLE_FILE == (int)VIA_HANDLE_FILE &&
                   (int)OS_HANDLE_EVENT == (int)VIA_HANDLE_EVENT,
               "kinds have one number in tables and below");

static intptr_t load(const void *value)
{
    VIA_HANDLE handle;
    memcpy(&handle, value, sizeof(handle));
    return (intptr_t)handle;
}

static void store(void *value, intptr_t number)
{
    VIA_HANDLE handle = (VIA_HANDLE)number;
    memcpy(value, &handle, sizeof(handle));
}

void handle_set_none(void *value)
{
    store(value, OS_NO_HANDLE);
}

bool handle_is_none(const void *value)
{
    return os_handle_is_none(load(value));
}

void handle_clear(void *value)
{
    os_handle_close(load(value));
    handle_set_none(value);
}

void handle_init_params(const struct marshal_method *method, char *storage)
{
    for (uint16_t i = 0; i < method->n_params; i++)
        if (method->params[i].type->kind == VIA_TYPE_HANDLE)
            handle_set_none(storage + method->params[i].storage);
}

void handle_encode(struct encoder *encoder, const struct plan_type *type, const void *value)
{
    const struct marshal_pointers *pointers = encoder->pointers;
    intptr_t handle = load(value);
    uint32_t index = MARSHAL_NULL_POINTER;
    HRESULT hr = S_OK;
    if (!os_handle_is_none(handle) && pointers->add_handle)
        hr = pointers->add_handle(pointers->context, handle, type->count, &index);
    else if (!os_handle_is_none(handle))
        encode_fail(encoder, E_NOTIMPL, "an OS handle cannot be passed here");
    if (FAILED(hr) && SUCCEEDED(encoder->result))
        encoder->result = error_wrap(hr, "%s.%s: argument %s", encoder->method->owner->name,
                                     encoder->method->method->name, encoder->param);
    encode_u32(encoder, index);
}

void handle_decode(struct decoder *decoder, const struct plan_type *type, void *value)
{
    const struct marshal_pointers *pointers = decoder->pointers;
    uint32_t index = decode_u32(decoder);
    intptr_t handle = OS_NO_HANDLE;
    handle_set_none(value);
    if (FAILED(decoder->result) || index == MARSHAL_NULL_POINTER)
        return;
    if (!pointers->take_handle) {
        decode_fail(decoder, "an OS handle cannot be passed here");
        return;
    }
    HRESULT hr = pointers->take_handle(pointers->context, index, type->count, &handle);
    if (FAILED(hr))
        decoder->result = error_wrap(hr, "%s.%s: argument %s", decoder->method->owner->name,
                                     decoder->method->method->name, decoder->param);
    else if (decode_note_handle(decoder, handle))
        store(value, handle);
}
