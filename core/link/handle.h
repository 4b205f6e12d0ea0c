/*
 * OS handles that travel with frames: closing what nobody took, keeping what waits in a queue, and
 * making the process's own handles of what a transport carries. Under Wine that is a descriptor.
 */
#ifndef CORE_LINK_HANDLE_H
#define CORE_LINK_HANDLE_H

#include <viaduct/plugin/transport.h>

#include "core/os/handle.h"

/* `transport`: which carries them, and so knows what kind they are. */
HRESULT handle_duplicate(const struct via_transport *transport, via_os_handle handle,
                         via_os_handle *duplicate);
/* -1: nothing to close. */
void handle_close(const struct via_transport *transport, via_os_handle handle);
/* A handle of this process as the transport carries it, a new one; and the other way round, which
 * takes over what it is given when it succeeds. */
HRESULT handle_to_carried(const struct via_transport *transport, intptr_t handle,
                          enum os_handle_kind kind, via_os_handle *carried);
HRESULT handle_from_carried(const struct via_transport *transport, via_os_handle carried,
                            enum os_handle_kind kind, intptr_t *handle);

#endif
