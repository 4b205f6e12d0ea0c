/*
 * Finds the winelib module, once, unless the environment forbids it (VIADUCT_UNIX_CALLS=0: the
 * program behaves as on Windows itself, for tests above all). Real Windows never looks: only Wine's
 * ntdll exports wine_get_version. The module is loaded by its full path, from the directory of the
 * file that this code is in.
 */
#include "core/os/unix_calls.h"
#include "core/os/path.h"
#include "core/os/windows/text.h"
#include "core/os/windows/unix_module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define MODULE_FILE L"viaduct-unix.dll.so"

static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static struct unix_module table; /* written once, under `once` */
static bool is_usable;           /* likewise */
static char reason[512];         /* likewise */

bool os_is_wine(void)
{
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    return ntdll && GetProcAddress(ntdll, "wine_get_version");
}

static bool is_forbidden(void)
{
    wchar_t value[4];
    return GetEnvironmentVariableW(L"VIADUCT_UNIX_CALLS", value, 4) == 1 && value[0] == L'0';
}

static HMODULE load_module(void)
{
    wchar_t path[MAX_PATH + 32];
    HMODULE self;
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                            (const wchar_t *)&once, &self))
        return NULL;
    DWORD n = GetModuleFileNameW(self, path, MAX_PATH);
    wchar_t *last = n > 0 && n < MAX_PATH ? wcsrchr(path, L'\\') : NULL;
    if (!last)
        return NULL;
    wcscpy(last + 1, MODULE_FILE);
    return LoadLibraryW(path);
}

/* Passes a descriptor through a socket pair: what the module is for. */
static bool passes_descriptors(const struct via_plugin_unix_calls *calls)
{
    int32_t pair[2], received = -1;
    uint32_t n_received = 1;
    char byte = 'x';
    if (calls->socket_pair(pair) < 0)
        return false;
    bool passed = calls->send(pair[0], &byte, 1, &pair[0], 1) == 1 &&
                  calls->receive(pair[1], &byte, 1, &received, &n_received) == 1 &&
                  n_received == 1 && byte == 'x';
    if (passed) {
        /* What is sent through the received descriptor arrives at the other end. */
        uint32_t none = 0;
        byte = 'y';
        passed = calls->send(received, &byte, 1, NULL, 0) == 1 &&
                 calls->receive(pair[1], &byte, 1, NULL, &none) == 1 && byte == 'y';
        calls->close(received);
    }
    calls->close(pair[0]);
    calls->close(pair[1]);
    return passed;
}

static BOOL CALLBACK find_module(INIT_ONCE *unused, void *parameter, void **context)
{
    (void)unused;
    (void)parameter;
    (void)context;
    if (!os_is_wine()) {
        snprintf(reason, sizeof(reason), "this is Windows itself");
        return TRUE;
    }
    if (is_forbidden()) {
        snprintf(reason, sizeof(reason), "VIADUCT_UNIX_CALLS is 0");
        return TRUE;
    }
    HMODULE module = load_module();
    if (!module) {
        char why[256];
        snprintf(reason, sizeof(reason), "viaduct-unix.dll.so cannot be loaded: %s",
                 windows_reason(GetLastError(), why, sizeof(why)));
        return TRUE;
    }
    unix_module_entry entry =
        (unix_module_entry)(uintptr_t)GetProcAddress(module, UNIX_MODULE_ENTRY);
    table.version = UNIX_MODULE_VERSION;
    table.size = sizeof(table);
    table.calls.size = sizeof(table.calls);
    if (!entry || entry(&table) != 0)
        snprintf(reason, sizeof(reason), "viaduct-unix.dll.so is of another version");
    else if (!passes_descriptors(&table.calls))
        snprintf(reason, sizeof(reason),
                 "viaduct-unix.dll.so does not pass a descriptor through a socket");
    else
        is_usable = true;
    return TRUE;
}

const struct unix_module *unix_module(void)
{
    InitOnceExecuteOnce(&once, find_module, NULL, NULL);
    return is_usable ? &table : NULL;
}

const struct via_plugin_unix_calls *os_unix_calls(void)
{
    const struct unix_module *module = unix_module();
    return module ? &module->calls : NULL;
}

const char *os_unix_calls_reason(void)
{
    unix_module();
    return reason;
}
