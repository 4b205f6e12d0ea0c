/*
 * Unix system calls for Windows programs that run under Wine, through the winelib module
 * `viaduct-unix.dll.so` beside the executable. Looked for once, and only where ntdll says that it
 * is Wine's.
 */
#ifndef CORE_OS_UNIX_CALLS_H
#define CORE_OS_UNIX_CALLS_H

#include <stdbool.h>
#include <viaduct/hresult.h>
#include <viaduct/plugin/unix_calls.h>

#include "core/os/handle.h"

/* The calls, or NULL: not under Wine, no module, or its self-test failed. */
const struct via_plugin_unix_calls *os_unix_calls(void);
/* Why there are none; "" when there are. */
const char *os_unix_calls_reason(void);
/* True in a Windows program that runs under Wine. */
bool os_is_wine(void);

/* Where there are calls: a HANDLE for what a descriptor stands for, which is closed then; and a
 * descriptor for what a HANDLE stands for. VIA_E_NO_HANDLES: Wine has none for it;
 * RPC_E_INVALID_DATA: it is of another kind. */
HRESULT os_handle_from_descriptor(int32_t descriptor, enum os_handle_kind kind, intptr_t *handle);
HRESULT os_handle_to_descriptor(intptr_t handle, enum os_handle_kind kind, int32_t *descriptor);

#endif
