#include "core/os/path.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char os_path_separator = '/';
const char os_path_list_separator = ':';

bool os_path_is_absolute(const char *path)
{
    return path[0] == '/';
}

char *os_path_join(const char *directory, const char *name)
{
    size_t size = strlen(directory);
    const char *separator = size > 0 && directory[size - 1] == '/' ? "" : "/";
    char *path;
    return asprintf(&path, "%s%s%s", directory, separator, name) < 0 ? NULL : path;
}

char *os_path_directory(const char *path)
{
    const char *last = strrchr(path, '/');
    if (!last)
        return strdup(".");
    return strndup(path, last == path ? 1 : (size_t)(last - path));
}

const char *os_path_name(const char *path)
{
    const char *last = strrchr(path, '/');
    return last ? last + 1 : path;
}

/* "a/link/.." is where the link leads, and not "a". */
static bool is_link(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}

/* Rewrites an absolute path in place: it only becomes shorter. */
static void normalise(char *path)
{
    char *end = path; /* behind what is kept; no separator there */
    for (const char *part = path + 1, *next; *part; part = next) {
        size_t size = strcspn(part, "/");
        next = part[size] ? part + size + 1 : part + size;
        bool is_up = size == 2 && part[0] == '.' && part[1] == '.';
        char separator = *end;
        if (size == 0 || (size == 1 && part[0] == '.'))
            continue;
        *end = '\0';
        const char *last = strrchr(path, '/');
        bool goes_up = is_up && (!last || (strcmp(last, "/..") != 0 && !is_link(path)));
        *end = separator;
        if (goes_up) {
            end = path + (last ? last - path : 0);
            continue;
        }
        *end++ = '/';
        memmove(end, part, size);
        end += size;
    }
    if (end == path)
        *end++ = '/';
    *end = '\0';
}

char *os_path_absolute(const char *path)
{
    char here[PATH_MAX];
    char *absolute = path[0] == '/'               ? strdup(path)
                     : getcwd(here, sizeof(here)) ? os_path_join(here, path)
                                                  : NULL;
    if (absolute)
        normalise(absolute);
    return absolute;
}

char *os_path_program(void)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    return n > 0 ? strndup(path, (size_t)n) : NULL;
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
    Dl_info info;
    char path[PATH_MAX];
    bool is_known = dladdr((void *)(uintptr_t)os_path_module_directory, &info) && info.dli_fname;
    return is_known && realpath(info.dli_fname, path) ? os_path_directory(path)
                                                      : os_path_program_directory();
}

/* `variable` of the XDG base directories, or `otherwise` in the home directory. */
static char *below_home(const char *variable, const char *otherwise)
{
    const char *base = getenv(variable);
    if (base && base[0] == '/')
        return os_path_join(base, "viaduct");
    const char *home = getenv("HOME");
    return os_path_join(home && *home ? home : "/", otherwise);
}

char *os_path_configuration(bool system)
{
    return system ? strdup("/etc/viaduct") : below_home("XDG_CONFIG_HOME", ".config/viaduct");
}

char *os_path_cache(bool system)
{
    return system ? strdup("/var/cache/viaduct") : below_home("XDG_CACHE_HOME", ".cache/viaduct");
}

char *os_path_runtime(bool system)
{
    const char *chosen = getenv("VIADUCT_RUNTIME_DIR");
    if (chosen && *chosen)
        return strdup(chosen);
    if (system)
        return strdup("/run/viaduct");
    const char *base = getenv("XDG_RUNTIME_DIR");
    if (base && base[0] == '/')
        return os_path_join(base, "viaduct");
    char *path;
    return asprintf(&path, "/tmp/viaduct-%u", (unsigned)geteuid()) < 0 ? NULL : path;
}

char *os_path_temporary(void)
{
    const char *chosen = getenv("TMPDIR");
    return strdup(chosen && chosen[0] == '/' ? chosen : "/tmp");
}

char *os_environment(const char *name)
{
    const char *value = getenv(name);
    return value ? strdup(value) : NULL;
}
