/*
 * What sysinfo asks of its operating system; platform_posix.c and platform_windows.c answer.
 *
 * All functions may be called from any thread. Results belong to the caller: strings for
 * SysFreeString(), the process list for CoTaskMemFree() after its strings. A failure leaves its
 * text in the thread's error information.
 */
#ifndef SYSINFO_PLATFORM_H
#define SYSINFO_PLATFORM_H

#include "sysinfo.h"

HRESULT platform_describe(struct SystemDescription *system);
HRESULT platform_list_processes(ULONG *count, struct ProcessDescription **processes);
/* `bytes` receives what the system says is free, `count` how many processes there are. */
HRESULT platform_sample(LONGLONG *bytes, ULONG *count);
HRESULT platform_read_variable(BSTR name, BSTR *value);
HRESULT platform_read_text_file(BSTR path, BSTR *text);
HRESULT platform_read_registry(BSTR key, BSTR name, BSTR *value);
ULONG platform_process_id(void);
void platform_sleep_ms(ULONG milliseconds);

/* The largest file that ReadTextFile answers. */
#define PLATFORM_MAX_TEXT 0x100000u

#endif
