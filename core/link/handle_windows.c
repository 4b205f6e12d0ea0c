#include "core/link/handle.h"

#include "core/os/unix_calls.h"
#include "core/util/error.h"

/* Under Wine there are two kinds. */
static bool is_descriptor(const struct via_transport *transport)
{
    return (transport->capabilities & VIA_TRANSPORT_DESCRIPTORS) && os_unix_calls() != NULL;
}

HRESULT handle_duplicate(const struct via_transport *transport, via_os_handle handle,
                         via_os_handle *duplicate)
{
    if (!is_descriptor(transport))
        return os_handle_duplicate(handle, duplicate);
    int32_t descriptor = os_unix_calls()->duplicate((int32_t)handle);
    if (descriptor < 0)
        return error_set(E_HANDLE, "cannot duplicate descriptor %d: Linux error %d", (int)handle,
                         -descriptor);
    *duplicate = descriptor;
    return S_OK;
}

void handle_close(const struct via_transport *transport, via_os_handle handle)
{
    if (handle == OS_NO_HANDLE)
        return;
    if (is_descriptor(transport))
        os_unix_calls()->close((int32_t)handle);
    else
        os_handle_close(handle);
}

HRESULT handle_to_carried(const struct via_transport *transport, intptr_t handle,
                          enum os_handle_kind kind, via_os_handle *carried)
{
    if (!is_descriptor(transport))
        return os_handle_duplicate(handle, carried);
    int32_t descriptor;
    HRESULT hr = os_handle_to_descriptor(handle, kind, &descriptor);
    if (SUCCEEDED(hr))
        *carried = descriptor;
    return hr;
}

HRESULT handle_from_carried(const struct via_transport *transport, via_os_handle carried,
                            enum os_handle_kind kind, intptr_t *handle)
{
    if (is_descriptor(transport))
        return os_handle_from_descriptor((int32_t)carried, kind, handle);
    *handle = carried;
    return S_OK;
}
