/*
 * The harness on Windows. Open handles are found by asking for each possible one:
 * GetProcessHandleCount is a stub in Wine 8, and reading the system's handle table ends its server
 * now and then. A crash is seen by the unhandled-exception filter, which ends the process itself:
 * under Wine the default debugger would end it with status 0.
 */
#include "tests/harness/internal.h"

#include <windows.h>

#include <stdio.h>
#include <string.h>
#include <winternl.h>

static const char *(*crash_test_name)(void);

/* Slots that are looked at beyond the last open one. */
#define FREE_SLOTS_IN_A_ROW 512u

void system_descriptors(struct system_descriptors *now)
{
    unsigned slot, n_free = 0;

    memset(now, 0, sizeof(*now));
    for (slot = 1; slot < SYSTEM_DESCRIPTORS_MAX && n_free < FREE_SLOTS_IN_A_ROW; slot++) {
        DWORD flags;

        if (!GetHandleInformation((HANDLE)(uintptr_t)(slot * 4), &flags)) {
            n_free++;
            continue;
        }
        n_free = 0;
        now->count++;
        now->open[slot / 8] |= (uint8_t)(1u << (slot % 8));
    }
}

void system_descriptors_report(const struct system_descriptors *before)
{
    struct system_descriptors now;
    unsigned slot;

    system_descriptors(&now);
    for (slot = 0; slot < SYSTEM_DESCRIPTORS_MAX; slot++) {
        union {
            PUBLIC_OBJECT_TYPE_INFORMATION type;
            char space[512];
        } object;

        if (!((now.open[slot / 8] & ~before->open[slot / 8]) >> (slot % 8) & 1))
            continue;
        memset(&object, 0, sizeof(object));
        if (NtQueryObject((HANDLE)(uintptr_t)(slot * 4), ObjectTypeInformation, &object,
                          sizeof(object), NULL) != 0 ||
            !object.type.TypeName.Buffer)
            object.type.TypeName.Buffer = (wchar_t[]){L"?"};
        printf("  handle 0x%x: %ls\n", slot * 4, object.type.TypeName.Buffer);
    }
}

uint64_t system_now_ms(void)
{
    return GetTickCount64();
}

/* The thread pool (Wine's) has an event for each queue of waits, until 5 s after the last of them.
 */
const unsigned system_lingers_ms = 6000;

void system_sleep_ms(unsigned ms)
{
    Sleep(ms);
}

void system_yield(void)
{
    SwitchToThread();
}

static DWORD WINAPI thread_main(void *argument)
{
    void (*run)(void) = NULL;

    memcpy(&run, argument, sizeof(run));
    run();
    return 0;
}

void system_thread(void (*run)(void))
{
    static void (*kept)(void); /* the thread reads it after this returns */
    HANDLE thread;

    kept = run;
    thread = CreateThread(NULL, 0, thread_main, &kept, 0, NULL);
    if (thread)
        CloseHandle(thread);
}

void system_print_threads(void)
{
}

static LONG WINAPI on_crash(EXCEPTION_POINTERS *exception)
{
    char place[256];

    system_describe_address(exception->ExceptionRecord->ExceptionAddress, place, sizeof(place));
    fprintf(stderr, "FAIL %s: crashed with exception 0x%08lx at %s\n", crash_test_name(),
            exception->ExceptionRecord->ExceptionCode, place);
    fflush(stderr);
    TerminateProcess(GetCurrentProcess(), 5);
    return EXCEPTION_EXECUTE_HANDLER;
}

void system_catch_crashes(const char *(*current_test)(void))
{
    crash_test_name = current_test;
    SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
    SetUnhandledExceptionFilter(on_crash);
}

void system_abort(void)
{
    fflush(stdout);
    TerminateProcess(GetCurrentProcess(), 3);
    for (;;)
        Sleep(INFINITE);
}

void system_describe_address(const void *address, char *buffer, size_t size)
{
    HMODULE module = NULL;
    char path[MAX_PATH] = "";
    const char *slash;

    GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                           GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                       (const char *)address, &module);
    if (!module || !GetModuleFileNameA(module, path, sizeof(path))) {
        snprintf(buffer, size, "%p", address);
        return;
    }
    slash = strrchr(path, '\\');
    snprintf(buffer, size, "%s+0x%llx", slash ? slash + 1 : path,
             (unsigned long long)((uintptr_t)address - (uintptr_t)module));
}

bool system_program_directory(char *buffer, size_t size)
{
    wchar_t path[MAX_PATH];
    wchar_t *slash;
    DWORD length = GetModuleFileNameW(NULL, path, MAX_PATH);

    if (length == 0 || length >= MAX_PATH)
        return false;
    slash = wcsrchr(path, L'\\');
    if (!slash)
        return false;
    *slash = L'\0';
    return WideCharToMultiByte(CP_UTF8, 0, path, -1, buffer, (int)size, NULL, NULL) > 0;
}

bool system_make_temporary_directory(char *buffer, size_t size)
{
    static unsigned n_made;
    wchar_t parent[MAX_PATH], path[MAX_PATH];

    if (!GetTempPathW(MAX_PATH - 40, parent))
        return false;
    swprintf(path, MAX_PATH, L"%lsviaduct-%lu-%u", parent, GetCurrentProcessId(), n_made++);
    if (!CreateDirectoryW(path, NULL))
        return false;
    return WideCharToMultiByte(CP_UTF8, 0, path, -1, buffer, (int)size, NULL, NULL) > 0;
}

static void remove_tree(const wchar_t *path)
{
    wchar_t child[MAX_PATH];
    WIN32_FIND_DATAW entry;
    HANDLE search;

    if (swprintf(child, MAX_PATH, L"%ls\\*", path) < 0)
        return;
    search = FindFirstFileW(child, &entry);
    if (search != INVALID_HANDLE_VALUE) {
        do {
            if (wcscmp(entry.cFileName, L".") == 0 || wcscmp(entry.cFileName, L"..") == 0 ||
                swprintf(child, MAX_PATH, L"%ls\\%ls", path, entry.cFileName) < 0)
                continue;
            if ((entry.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) &&
                !(entry.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT))
                remove_tree(child);
            else
                DeleteFileW(child);
        } while (FindNextFileW(search, &entry));
        FindClose(search);
    }
    RemoveDirectoryW(path);
}

void system_remove_tree(const char *path)
{
    wchar_t wide[MAX_PATH];

    if (MultiByteToWideChar(CP_UTF8, 0, path, -1, wide, MAX_PATH) > 0)
        remove_tree(wide);
}
