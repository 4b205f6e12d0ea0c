/*
 * What regsvr32 calls: all classes of the host at once, or with /i:CLASS one of them. It shows no
 * more than that something has failed; `viaduct com register` says what.
 */
#include <windows.h>

#include <ole2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/host.h>
#include <viaduct/runtime.h>

#include "com/abi/guid.h"
#include "com/inproc/register.h"
#include "core/os/path.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

HRESULT WINAPI DllRegisterServer(void);
HRESULT WINAPI DllUnregisterServer(void);
HRESULT WINAPI DllInstall(BOOL install, LPCWSTR argument);

/* For free(). */
static char *own_directory(void)
{
    WCHAR path[MAX_PATH];
    HMODULE module;
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                            (LPCWSTR)(void *)own_directory, &module))
        return NULL;
    DWORD n = GetModuleFileNameW(module, path, MAX_PATH);
    CLEANUP(cleanup_free) char *text = n > 0 && n < MAX_PATH ? utf_from_wide(path, n) : NULL;
    return text != NULL ? os_path_directory(text) : NULL;
}

/* Joins the runtime and finds the host. After S_OK comes leave(). The program is another's: the
 * transports lie beside this DLL. */
static HRESULT join(IViaductHost **host)
{
    CLEANUP(cleanup_free) char *directory = own_directory();
    CLEANUP(cleanup_free)
    char *plugins = directory != NULL ? os_path_join(directory, "plugins") : NULL;
    const char *const directories[] = {plugins, NULL};
    struct via_options options = {.size = sizeof options, .agent = "regsvr32"};
    bool is_told = GetEnvironmentVariableW(L"VIADUCT_PLUGIN_PATH", NULL, 0) != 0;
    if (plugins == NULL)
        return E_OUTOFMEMORY;
    if (!is_told)
        options.plugin_directories = directories;
    HRESULT hr = via_initialize(&options);
    if (FAILED(hr))
        return hr;
    hr = via_host(&IID_IViaductHost, (void **)host);
    if (FAILED(hr))
        via_uninitialize();
    return hr;
}

static void leave(IViaductHost *host)
{
    IViaductHost_Release(host);
    via_uninitialize();
}

static HRESULT register_one(IViaductHost *host, const WCHAR *name)
{
    CLEANUP(cleanup_free) char *directory = own_directory();
    CLEANUP(cleanup_free) char *text = utf_from_wide(name, utf16_length(name));
    struct register_options options = {.directory = directory};
    return directory != NULL && text != NULL ? register_class(host, text, &options, NULL)
                                             : E_OUTOFMEMORY;
}

/* --- all classes --- */

/* A class of Windows' own, which a host exposes, is one already. */
static bool is_exposed(const struct ClassInfo *info)
{
    CLEANUP(cleanup_free)
    char *component = utf_from_wide(info->component, SysStringLen(info->component));
    return component != NULL && _stricmp(os_path_name(component), "viaduct-com.exe") == 0;
}

static HRESULT register_listed(IViaductHost *host, const struct ClassInfo *info)
{
    WCHAR name[CLASS_NAME_PROGID_SIZE + CLASS_NAME_HOST_SIZE];
    bool is_elsewhere = info->host != NULL && info->host[0] != 0;
    if (is_exposed(info))
        return S_OK;
    _snwprintf(name, sizeof name / sizeof *name, L"%ls%ls%ls", info->progid,
               is_elsewhere ? L"@" : L"", is_elsewhere ? info->host : L"");
    name[sizeof name / sizeof *name - 1] = 0;
    return register_one(host, name);
}

static void free_info(struct ClassInfo *info)
{
    SysFreeString(info->progid);
    SysFreeString(info->description);
    SysFreeString(info->host);
    SysFreeString(info->component);
    SysFreeString(info->manifest);
}

/* One that cannot be registered does not keep the others from it; the first failure is told. */
static HRESULT register_all(IViaductHost *host)
{
    BSTR next = SysAllocString(L"");
    HRESULT hr = S_OK, first = S_OK;
    bool is_more = true;
    while (SUCCEEDED(hr) && is_more) {
        struct ClassInfo *classes = NULL;
        BSTR after = next;
        ULONG n = 0;
        next = NULL;
        hr = IViaductHost_ListClasses(host, VARIANT_TRUE, after, 0, &next, &n, &classes);
        SysFreeString(after);
        for (ULONG i = 0; SUCCEEDED(hr) && i < n; i++) {
            HRESULT one = register_listed(host, &classes[i]);
            first = SUCCEEDED(first) ? one : first;
            free_info(&classes[i]);
        }
        CoTaskMemFree(classes);
        is_more = next != NULL && next[0] != 0;
    }
    SysFreeString(next);
    return FAILED(hr) ? hr : first;
}

__declspec(dllexport) HRESULT WINAPI DllRegisterServer(void)
{
    IViaductHost *host;
    HRESULT hr = join(&host);
    if (FAILED(hr))
        return hr;
    hr = register_all(host);
    leave(host);
    return hr;
}

static bool take_first(void *context, const struct registered *class)
{
    *(CLSID *)context = class->clsid;
    return false;
}

__declspec(dllexport) HRESULT WINAPI DllUnregisterServer(void)
{
    HRESULT hr = S_OK;
    while (SUCCEEDED(hr)) {
        CLSID clsid = GUID_NULL;
        char text[GUID_TEXT_SIZE];
        hr = registered_each(false, take_first, &clsid);
        if (FAILED(hr) || IsEqualGUID(&clsid, &GUID_NULL))
            break;
        hr = register_remove(guid_format(&clsid, text), false, NULL);
    }
    return hr;
}

/* --- one class --- */

__declspec(dllexport) HRESULT WINAPI DllInstall(BOOL install, LPCWSTR argument)
{
    IViaductHost *host;
    if (argument == NULL || argument[0] == 0)
        return install ? DllRegisterServer() : DllUnregisterServer();
    if (!install) {
        CLEANUP(cleanup_free) char *text = utf_from_wide(argument, utf16_length(argument));
        return text != NULL ? register_remove(text, false, NULL) : E_OUTOFMEMORY;
    }
    HRESULT hr = join(&host);
    if (FAILED(hr))
        return hr;
    hr = register_one(host, argument);
    leave(host);
    return hr;
}
