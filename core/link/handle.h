/* OS handles that travel with frames: closing what nobody took, keeping what waits in a queue. */
#ifndef CORE_LINK_HANDLE_H
#define CORE_LINK_HANDLE_H

#include <viaduct/plugin/transport.h>

/* `transport`: which carries them, and so knows what kind they are. */
HRESULT handle_duplicate(const struct via_transport *transport, via_os_handle handle,
                         via_os_handle *duplicate);
/* -1: nothing to close. */
void handle_close(const struct via_transport *transport, via_os_handle handle);

#endif
