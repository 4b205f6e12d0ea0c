#include "com/remote/handles.h"

#include "core/util/error.h"

HRESULT handles_out_add(struct handles_out *out, intptr_t handle, uint32_t kind, uint32_t *index)
{
    if (out->n == LINK_MAX_HANDLES)
        return error_set(VIA_E_LIMIT, "more than %u OS handles in one message", LINK_MAX_HANDLES);
    HRESULT hr =
        link_handle_out(out->connection, handle, (enum os_handle_kind)kind, &out->carried[out->n]);
    if (SUCCEEDED(hr))
        *index = out->n++;
    return hr;
}

void handles_out_deinit(struct handles_out *out)
{
    for (uint16_t i = 0; i < out->n; i++)
        link_handle_close(out->connection, out->carried[i]);
}
