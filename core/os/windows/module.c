/*
 * DLLs. Neither the file nor its directory may be writable for users whom this process has no
 * reason to trust.
 */
#include "core/os/module.h"
#include "core/os/path.h"
#include "core/os/windows/access.h"
#include "core/os/windows/text.h"
#include "core/util/error.h"

#include <stdlib.h>
#include <windows.h>

const char os_module_suffix[] = ".dll";

struct os_module {
    HMODULE handle;
};

/* The file and its directory. */
static HRESULT check_path(const char *path)
{
    HRESULT hr = access_check(path, ACCESS_TO_CHANGE, "can be written by");
    if (FAILED(hr))
        return hr;
    char *directory = os_path_directory(path);
    if (!directory)
        return error_set(E_OUTOFMEMORY, "no memory to check %s", path);
    hr = access_check(directory, ACCESS_TO_CHANGE, "can be written by");
    free(directory);
    return hr;
}

HRESULT os_module_open(const char *path, struct os_module **module)
{
    if (!os_path_is_absolute(path))
        return error_set(E_INVALIDARG, "module %s: give its absolute path", path);
    wchar_t *wide = wide_from_text(path);
    struct os_module *self = malloc(sizeof(*self));
    HRESULT hr = wide && self ? S_OK : error_set(E_OUTOFMEMORY, "no memory to load %s", path);
    if (SUCCEEDED(hr)) {
        hr = check_path(path);
        if (FAILED(hr))
            hr = error_wrap(hr, "module %s is not loaded", path);
    }
    if (SUCCEEDED(hr)) {
        self->handle = LoadLibraryExW(
            wide, NULL, LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_DEFAULT_DIRS);
        if (!self->handle) {
            char reason[256];
            windows_reason(GetLastError(), reason, sizeof(reason));
            hr = error_set(CO_E_DLLNOTFOUND, "module %s: %s", path, reason);
        }
    }
    free(wide);
    if (FAILED(hr)) {
        free(self);
        return hr;
    }
    *module = self;
    return S_OK;
}

void *os_module_symbol(struct os_module *module, const char *name)
{
    return (void *)(uintptr_t)GetProcAddress(module->handle, name);
}

void os_module_close(struct os_module *module)
{
    if (!module)
        return;
    FreeLibrary(module->handle);
    free(module);
}
