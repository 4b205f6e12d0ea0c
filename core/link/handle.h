/* OS handles that travel with frames: closing what nobody took, keeping what waits in a queue. */
#ifndef CORE_LINK_HANDLE_H
#define CORE_LINK_HANDLE_H

#include <viaduct/plugin/transport.h>

HRESULT handle_duplicate(via_os_handle handle, via_os_handle *duplicate);
/* -1: nothing to close. */
void handle_close(via_os_handle handle);

#endif
