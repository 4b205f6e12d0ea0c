/*
 * Paths on Windows. A path that starts with '/' is a Unix path: under Wine the directory of Unix
 * sockets is one, and joining keeps it one.
 */
#include "core/os/path.h"
#include "core/os/unix_calls.h"
#include "core/os/windows/text.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

const char os_path_separator = '\\';
const char os_path_list_separator = ';';

static bool is_separator(char character)
{
    return character == '\\' || character == '/';
}

bool os_path_is_absolute(const char *path)
{
    if (isalpha((unsigned char)path[0]) && path[1] == ':' && is_separator(path[2]))
        return true;
    return is_separator(path[0]) && is_separator(path[1]);
}

char *os_path_join(const char *directory, const char *name)
{
    size_t size = strlen(directory);
    size_t name_size = strlen(name);
    bool has_separator = size > 0 && is_separator(directory[size - 1]);
    char *path = malloc(size + name_size + 2);
    if (!path)
        return NULL;
    memcpy(path, directory, size);
    if (!has_separator)
        path[size++] = directory[0] == '/' ? '/' : '\\';
    memcpy(path + size, name, name_size + 1);
    return path;
}

static const char *last_separator(const char *path)
{
    const char *last = NULL;
    for (const char *at = path; *at; at++)
        if (is_separator(*at))
            last = at;
    return last;
}

char *os_path_directory(const char *path)
{
    const char *last = last_separator(path);
    if (!last)
        return strdup(".");
    /* The separator belongs to a root: "\", "C:\". */
    size_t size = (size_t)(last - path);
    if (size == 0 || (size == 2 && path[1] == ':'))
        size++;
    char *directory = malloc(size + 1);
    if (directory) {
        memcpy(directory, path, size);
        directory[size] = '\0';
    }
    return directory;
}

const char *os_path_name(const char *path)
{
    const char *last = last_separator(path);
    return last ? last + 1 : path;
}

char *os_path_absolute(const char *path)
{
    wchar_t *wide = wide_from_text(path);
    DWORD n = wide ? GetFullPathNameW(wide, 0, NULL, NULL) : 0;
    wchar_t *full = n ? malloc(n * sizeof(*full)) : NULL;
    char *text = NULL;
    if (full && GetFullPathNameW(wide, n, full, NULL) < n)
        text = text_from_wide(full);
    free(full);
    free(wide);
    return text;
}

static char *module_path(HMODULE module)
{
    wchar_t path[32768];
    DWORD n = GetModuleFileNameW(module, path, sizeof(path) / sizeof(path[0]));
    return n > 0 && n < sizeof(path) / sizeof(path[0]) ? text_from_wide(path) : NULL;
}

char *os_path_program(void)
{
    return module_path(NULL);
}

char *os_path_program_directory(void)
{
    char *program = os_path_program();
    char *directory = program ? os_path_directory(program) : NULL;
    free(program);
    return directory;
}

char *os_path_module_directory(void)
{
    HMODULE self = NULL; /* the program */
    GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                           GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                       (LPCWSTR)(uintptr_t)os_path_module_directory, &self);
    char *path = module_path(self);
    char *directory = path ? os_path_directory(path) : NULL;
    free(path);
    return directory;
}

static char *below_environment(const char *name, const char *otherwise, const char *below)
{
    char *base = os_environment(name);
    char *path = os_path_join(base && *base ? base : otherwise, below);
    free(base);
    return path;
}

char *os_path_configuration(bool system)
{
    return system ? below_environment("ProgramData", "C:\\ProgramData", "Viaduct")
                  : below_environment("APPDATA", "C:\\", "Viaduct");
}

char *os_path_cache(bool system)
{
    return system ? below_environment("ProgramData", "C:\\ProgramData", "Viaduct\\cache")
                  : below_environment("LOCALAPPDATA", "C:\\", "Viaduct\\cache");
}

/* As a Linux program of the same user finds it. */
static char *unix_runtime(bool system, const struct via_plugin_unix_calls *calls)
{
    if (system)
        return strdup("/run/viaduct");
    char *base = os_environment("XDG_RUNTIME_DIR");
    char *path = NULL;
    if (base && base[0] == '/') {
        path = os_path_join(base, "viaduct");
    } else {
        char fallback[64];
        snprintf(fallback, sizeof(fallback), "/tmp/viaduct-%u", calls->user_id());
        path = strdup(fallback);
    }
    free(base);
    return path;
}

char *os_path_runtime(bool system)
{
    const struct via_plugin_unix_calls *calls = os_unix_calls();
    char *chosen = os_environment("VIADUCT_RUNTIME_DIR");
    if (chosen && *chosen)
        return chosen;
    free(chosen);
    if (calls)
        return unix_runtime(system, calls);
    return system ? below_environment("ProgramData", "C:\\ProgramData", "Viaduct\\run")
                  : below_environment("LOCALAPPDATA", "C:\\", "Viaduct\\run");
}

char *os_path_temporary(void)
{
    wchar_t path[MAX_PATH + 2];
    DWORD n = GetTempPathW(sizeof(path) / sizeof(path[0]), path);
    if (n == 0 || n >= sizeof(path) / sizeof(path[0]))
        return strdup("C:\\");
    if (n > 3 && path[n - 1] == L'\\')
        path[n - 1] = L'\0';
    return text_from_wide(path);
}

char *os_environment(const char *name)
{
    wchar_t *wide = wide_from_text(name);
    DWORD n = wide ? GetEnvironmentVariableW(wide, NULL, 0) : 0;
    wchar_t *value = n ? malloc(n * sizeof(*value)) : NULL;
    char *text = NULL;
    if (value && GetEnvironmentVariableW(wide, value, n) < n)
        text = text_from_wide(value);
    free(value);
    free(wide);
    return text;
}
