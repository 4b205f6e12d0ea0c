#include "com/inproc/module.h"

#include <string.h>
#include <viaduct/proxies.h>
#include <viaduct/runtime.h>

#include <windows.h>

#include "com/inproc/sides.h"
#include "com/inproc/unmarshal.h"

static struct {
    SRWLOCK lock;
    CONDITION_VARIABLE is_over; /* an end */
    unsigned n_inside;          /* lock; between enter and leave */
    unsigned n_held;            /* lock */
    bool runs;                  /* lock; the runtime is ours */
    bool ends;                  /* lock; a thread ends it */
} the_module = {.lock = SRWLOCK_INIT, .is_over = CONDITION_VARIABLE_INIT};

static void end_runtime(void)
{
    via_uninitialize();
    AcquireSRWLockExclusive(&the_module.lock);
    via_set_proxy_guest(NULL);
    the_module.runs = the_module.ends = false;
    WakeAllConditionVariable(&the_module.is_over);
    ReleaseSRWLockExclusive(&the_module.lock);
}

static DWORD WINAPI end_aside(void *module)
{
    end_runtime();
    FreeLibraryAndExitThread(module, 0);
}

/* The runtime's threads cannot wait for themselves. */
static bool start_aside(void)
{
    HMODULE module;
    if (!GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (LPCWSTR)(void *)end_aside,
                            &module))
        return false;
    HANDLE thread = CreateThread(NULL, 0, end_aside, module, 0, NULL);
    if (thread == NULL)
        FreeLibrary(module);
    else
        CloseHandle(thread);
    return thread != NULL;
}

/* True: this thread is to end the runtime. */
static bool claim_end(void)
{
    AcquireSRWLockExclusive(&the_module.lock);
    bool mine = the_module.runs && !the_module.ends && the_module.n_inside == 0 && via_is_idle();
    if (mine)
        the_module.ends = true;
    ReleaseSRWLockExclusive(&the_module.lock);
    return mine;
}

static void give_end_back(void)
{
    AcquireSRWLockExclusive(&the_module.lock);
    the_module.ends = false;
    WakeAllConditionVariable(&the_module.is_over);
    ReleaseSRWLockExclusive(&the_module.lock);
}

static void end_if_idle(void)
{
    if (!claim_end())
        return;
    if (!via_thread_is_busy())
        end_runtime();
    else if (!start_aside())
        give_end_back(); /* whoever leaves next, or asks whether the DLL may go, tries again */
}

static const struct via_proxy_guest *guest(void)
{
    static struct via_proxy_guest self = {.size = sizeof(self), .idle = end_if_idle};
    self.sides = sides_all(&self.n_sides);
    self.unmarshaler = unmarshal_is_registered() ? &unmarshal_clsid : NULL;
    return &self;
}

/* --- its beginning --- */

/* The program is anybody's: the transports lie beside this DLL. False: VIADUCT_PLUGIN_PATH says
 * where, or the path is too long. */
static bool find_plugins(char path[4 * MAX_PATH])
{
    WCHAR wide[MAX_PATH];
    HMODULE module;
    if (GetEnvironmentVariableW(L"VIADUCT_PLUGIN_PATH", NULL, 0) != 0 ||
        !GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                            (LPCWSTR)(void *)find_plugins, &module))
        return false;
    DWORD n = GetModuleFileNameW(module, wide, MAX_PATH);
    WCHAR *name = n > 0 && n < MAX_PATH ? wcsrchr(wide, L'\\') : NULL;
    static const WCHAR directory[] = L"\\plugins";
    if (name == NULL || (size_t)(name - wide) + sizeof directory / sizeof *directory > MAX_PATH)
        return false;
    memcpy(name, directory, sizeof directory);
    return WideCharToMultiByte(CP_UTF8, 0, wide, -1, path, 4 * MAX_PATH, NULL, NULL) > 0;
}

static HRESULT start_runtime(void)
{
    char path[4 * MAX_PATH];
    const char *const paths[] = {path, NULL};
    struct via_options options = {.size = sizeof(options)};
    HMODULE runtime;
    if (find_plugins(path))
        options.plugin_directories = paths;
    /* The runtime has values of threads that the program will end: its library stays, without
     * threads or handles, when this one goes. */
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN, L"viaduct.dll", &runtime);
    return via_initialize(&options);
}

HRESULT module_enter(void)
{
    HRESULT hr = S_OK;
    AcquireSRWLockExclusive(&the_module.lock);
    while (the_module.ends)
        SleepConditionVariableSRW(&the_module.is_over, &the_module.lock, INFINITE, 0);
    if (!the_module.runs) {
        via_set_proxy_guest(guest());
        hr = start_runtime();
        the_module.runs = SUCCEEDED(hr);
    }
    if (SUCCEEDED(hr))
        the_module.n_inside++;
    ReleaseSRWLockExclusive(&the_module.lock);
    return FAILED(hr) ? hr : S_OK;
}

void module_leave(void)
{
    AcquireSRWLockExclusive(&the_module.lock);
    the_module.n_inside--;
    ReleaseSRWLockExclusive(&the_module.lock);
    end_if_idle();
}

void module_hold(void)
{
    AcquireSRWLockExclusive(&the_module.lock);
    the_module.n_held++;
    ReleaseSRWLockExclusive(&the_module.lock);
}

void module_release(void)
{
    AcquireSRWLockExclusive(&the_module.lock);
    the_module.n_held--;
    ReleaseSRWLockExclusive(&the_module.lock);
}

bool module_is_unused(void)
{
    end_if_idle();
    AcquireSRWLockExclusive(&the_module.lock);
    bool unused = !the_module.runs && the_module.n_held == 0;
    ReleaseSRWLockExclusive(&the_module.lock);
    return unused;
}
