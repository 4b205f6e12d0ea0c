/*
 * Windows' answers: its version, Toolhelp's process list, the registry. Everything is UTF-16
 * already.
 */
#include "platform.h"

#include "fail.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>
#include <tlhelp32.h>

/* Names in messages: UTF-8, cut to what fits. */
struct name {
    char text[512];
};

static struct name utf8(const WCHAR *text)
{
    struct name name;
    int size = WideCharToMultiByte(CP_UTF8, 0, text, -1, name.text, sizeof(name.text), NULL, NULL);

    if (size <= 0)
        strcpy(name.text, "(a long name)");
    return name;
}

static HRESULT fail_code(DWORD code, const char *what, const WCHAR *name)
{
    return fail(VIA_WIN32(code), "%s %s: Windows error %lu", what, utf8(name).text,
                (unsigned long)code);
}

static HRESULT fail_windows(const char *what, const WCHAR *name)
{
    return fail_code(GetLastError(), what, name);
}

static HRESULT to_bstr(const WCHAR *text, BSTR *out)
{
    *out = SysAllocString(text);
    return *out ? S_OK : fail(E_OUTOFMEMORY, "no memory for a string");
}

/* GetVersionEx answers for the version that a program's manifest claims; ntdll tells the truth. */
static void read_version(RTL_OSVERSIONINFOW *version)
{
    typedef LONG(WINAPI * get_version)(RTL_OSVERSIONINFOW *);
    HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
    get_version get = (get_version)(void (*)(void))GetProcAddress(ntdll, "RtlGetVersion");

    ZeroMemory(version, sizeof(*version));
    version->dwOSVersionInfoSize = sizeof(*version);
    if (get)
        get(version);
}

static HRESULT describe_texts(struct SystemDescription *system)
{
    RTL_OSVERSIONINFOW version;
    WCHAR text[MAX_PATH];
    DWORD size = MAX_PATH;
    HRESULT hr;

    read_version(&version);
    _snwprintf(text, MAX_PATH, L"Windows %lu.%lu", version.dwMajorVersion, version.dwMinorVersion);
    hr = to_bstr(text, &system->name);
    if (SUCCEEDED(hr)) {
        _snwprintf(text, MAX_PATH, L"%lu.%lu.%lu", version.dwMajorVersion, version.dwMinorVersion,
                   version.dwBuildNumber);
        hr = to_bstr(text, &system->version);
    }
    if (SUCCEEDED(hr))
        hr = GetComputerNameExW(ComputerNamePhysicalDnsHostname, text, &size)
                 ? to_bstr(text, &system->hostName)
                 : fail_windows("cannot read", L"the computer's name");
    size = MAX_PATH;
    if (SUCCEEDED(hr))
        hr = GetUserNameW(text, &size) ? to_bstr(text, &system->user)
                                       : fail_windows("cannot read", L"the user's name");
    if (SUCCEEDED(hr))
        hr = GetCurrentDirectoryW(MAX_PATH, text)
                 ? to_bstr(text, &system->directory)
                 : fail_windows("cannot read", L"the current directory");
    return hr;
}

HRESULT platform_describe(struct SystemDescription *system)
{
    MEMORYSTATUSEX memory = {.dwLength = sizeof(memory)};
    SYSTEM_INFO info;

    if (!GlobalMemoryStatusEx(&memory))
        return fail_windows("cannot read", L"the system's memory");
    GetNativeSystemInfo(&info);
    system->kind = SYSTEM_WINDOWS;
    system->processorCount = info.dwNumberOfProcessors;
    system->processId = GetCurrentProcessId();
    system->totalMemory = (LONGLONG)memory.ullTotalPhys;
    system->freeMemory = (LONGLONG)memory.ullAvailPhys;
    return describe_texts(system);
}

HRESULT platform_list_processes(ULONG *count, struct ProcessDescription **processes)
{
    struct ProcessDescription *list = NULL;
    PROCESSENTRY32W entry = {.dwSize = sizeof(entry)};
    HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    ULONG used = 0, size = 0;
    HRESULT hr = S_OK;
    BOOL more;

    if (snapshot == INVALID_HANDLE_VALUE)
        return fail_windows("cannot read", L"the list of processes");
    for (more = Process32FirstW(snapshot, &entry); SUCCEEDED(hr) && more;
         more = Process32NextW(snapshot, &entry)) {
        if (used == size) {
            struct ProcessDescription *larger;

            size = size ? size * 2 : 64;
            larger = CoTaskMemRealloc(list, size * sizeof(*list));
            if (!larger) {
                hr = fail(E_OUTOFMEMORY, "no memory for the list of processes");
                break;
            }
            list = larger;
        }
        list[used].processId = entry.th32ProcessID;
        list[used].parentId = entry.th32ParentProcessID;
        hr = to_bstr(entry.szExeFile, &list[used].name);
        used += SUCCEEDED(hr);
    }
    CloseHandle(snapshot);
    if (FAILED(hr)) {
        while (used)
            SysFreeString(list[--used].name);
        CoTaskMemFree(list);
        return hr;
    }
    *count = used;
    *processes = list;
    return S_OK;
}

HRESULT platform_sample(LONGLONG *bytes, ULONG *count)
{
    MEMORYSTATUSEX memory = {.dwLength = sizeof(memory)};
    PROCESSENTRY32W entry = {.dwSize = sizeof(entry)};
    HANDLE snapshot;
    BOOL more;

    if (!GlobalMemoryStatusEx(&memory))
        return fail_windows("cannot read", L"the system's memory");
    snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    if (snapshot == INVALID_HANDLE_VALUE)
        return fail_windows("cannot read", L"the list of processes");
    *count = 0;
    for (more = Process32FirstW(snapshot, &entry); more; more = Process32NextW(snapshot, &entry))
        ++*count;
    CloseHandle(snapshot);
    *bytes = (LONGLONG)memory.ullAvailPhys;
    return S_OK;
}

HRESULT platform_read_variable(BSTR name, BSTR *value)
{
    DWORD size = GetEnvironmentVariableW(name, NULL, 0);
    HRESULT hr = S_OK;

    if (!size)
        return fail_windows("cannot read the environment variable", name);
    *value = SysAllocStringLen(NULL, size - 1);
    if (!*value)
        return fail(E_OUTOFMEMORY, "no memory for a string");
    if (GetEnvironmentVariableW(name, *value, size) >= size) {
        hr = fail(E_UNEXPECTED, "the environment variable %s changed meanwhile", utf8(name).text);
        SysFreeString(*value);
        *value = NULL;
    }
    return hr;
}

static HRESULT read_all(HANDLE file, BSTR path, BSTR *text)
{
    DWORD got = 0, used = 0;
    char *bytes = malloc(PLATFORM_MAX_TEXT + 2);
    HRESULT hr = S_OK;

    if (!bytes)
        return fail(E_OUTOFMEMORY, "no memory for a file");
    do {
        if (!ReadFile(file, bytes + used, PLATFORM_MAX_TEXT + 1 - used, &got, NULL))
            hr = fail_windows("cannot read", path);
        used += got;
    } while (SUCCEEDED(hr) && got && used <= PLATFORM_MAX_TEXT);
    if (SUCCEEDED(hr) && used > PLATFORM_MAX_TEXT)
        hr = fail(VIA_E_LIMIT, "%s has more than %u bytes", utf8(path).text, PLATFORM_MAX_TEXT);
    bytes[used] = 0;
    if (SUCCEEDED(hr) && !(*text = text_to_bstr(bytes)))
        hr = fail(E_OUTOFMEMORY, "no memory for a file");
    free(bytes);
    return hr;
}

HRESULT platform_read_text_file(BSTR path, BSTR *text)
{
    HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                              OPEN_EXISTING, 0, NULL);
    HRESULT hr;

    if (file == INVALID_HANDLE_VALUE)
        return fail_windows("cannot open", path);
    hr = GetFileType(file) == FILE_TYPE_DISK
             ? read_all(file, path, text)
             : fail(E_INVALIDARG, "%s is not a file", utf8(path).text);
    CloseHandle(file);
    return hr;
}

/* "HKLM\Software" -> the root's handle and "Software". */
static HKEY split_key(const WCHAR *key, const WCHAR **rest)
{
    static const struct {
        const WCHAR *name;
        HKEY root;
    } roots[] = {{L"HKLM\\", HKEY_LOCAL_MACHINE}, {L"HKCU\\", HKEY_CURRENT_USER}};

    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        if (_wcsnicmp(key, roots[i].name, 5) == 0) {
            *rest = key + 5;
            return roots[i].root;
        }
    }
    return NULL;
}

HRESULT platform_read_registry(BSTR key, BSTR name, BSTR *value)
{
    const WCHAR *rest;
    HKEY root = split_key(key, &rest);
    WCHAR number[16];
    DWORD type = 0, size = 0, dword = 0;
    LSTATUS status;
    HRESULT hr = S_OK;
    WCHAR *text;

    if (!root)
        return fail(E_INVALIDARG, "the registry key %s does not begin with HKLM or HKCU",
                    utf8(key).text);
    /* A text with variables in it comes expanded, as RRF_RT_REG_SZ. */
    status = RegGetValueW(root, rest, name, RRF_RT_REG_SZ | RRF_RT_DWORD, &type, NULL, &size);
    if (status == ERROR_SUCCESS && type == REG_DWORD) {
        size = sizeof(dword);
        status = RegGetValueW(root, rest, name, RRF_RT_DWORD, NULL, &dword, &size);
        _snwprintf(number, 16, L"%lu", (unsigned long)dword);
        if (status == ERROR_SUCCESS)
            return to_bstr(number, value);
    }
    if (status != ERROR_SUCCESS)
        return fail_code((DWORD)status, "cannot read a value of the registry key", key);
    text = CoTaskMemAlloc(size);
    if (!text)
        return fail(E_OUTOFMEMORY, "no memory for a registry value");
    status = RegGetValueW(root, rest, name, RRF_RT_REG_SZ, NULL, text, &size);
    hr = status == ERROR_SUCCESS
             ? to_bstr(text, value)
             : fail_code((DWORD)status, "cannot read a value of the registry key", key);
    CoTaskMemFree(text);
    return hr;
}

ULONG platform_process_id(void)
{
    return GetCurrentProcessId();
}

void platform_sleep_ms(ULONG milliseconds)
{
    Sleep(milliseconds);
}
