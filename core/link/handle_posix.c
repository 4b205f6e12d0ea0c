#include "core/link/handle.h"

#include "core/util/error.h"

HRESULT handle_duplicate(const struct via_transport *transport, via_os_handle handle,
                         via_os_handle *duplicate)
{
    (void)transport;
    return os_handle_duplicate(handle, duplicate);
}

void handle_close(const struct via_transport *transport, via_os_handle handle)
{
    (void)transport;
    os_handle_close(handle);
}

HRESULT handle_to_carried(const struct via_transport *transport, intptr_t handle,
                          enum os_handle_kind kind, via_os_handle *carried)
{
    (void)transport, (void)kind;
    return os_handle_duplicate(handle, carried);
}

HRESULT handle_from_carried(const struct via_transport *transport, via_os_handle carried,
                            enum os_handle_kind kind, intptr_t *handle)
{
    (void)transport, (void)kind;
    *handle = carried;
    return S_OK;
}
