/*
 * Linux' answers: uname, sysinfo, /proc and /etc/os-release. Text is UTF-8 here and UTF-16 in the
 * interface.
 */
#include "platform.h"

#include "fail.h"

#include <ctype.h>
#include <stdbool.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <fcntl.h>

static HRESULT fail_errno(const char *what, const char *name)
{
    int code = errno;

    return fail(code == EACCES || code == EPERM ? E_ACCESSDENIED : VIA_WIN32(2), "%s %s: %s", what,
                name, strerror(code));
}

static HRESULT to_bstr(const char *text, BSTR *out)
{
    *out = text_to_bstr(text);
    return *out ? S_OK : fail(E_OUTOFMEMORY, "no memory for a string");
}

/* PRETTY_NAME of /etc/os-release, or the kernel's name where there is none. */
static void read_system_name(const struct utsname *kernel, char *name, size_t size)
{
    char line[256];
    FILE *file = fopen("/etc/os-release", "re");

    snprintf(name, size, "%s", kernel->sysname);
    while (file && fgets(line, sizeof(line), file)) {
        char *value = line + strlen("PRETTY_NAME=");

        if (strncmp(line, "PRETTY_NAME=", strlen("PRETTY_NAME=")) != 0)
            continue;
        value += *value == '"';
        value[strcspn(value, "\"\n")] = 0;
        snprintf(name, size, "%s", value);
    }
    if (file)
        fclose(file);
}

/* MemAvailable, which counts what caches would give back; sysinfo(2) does not know it. */
static LONGLONG available_memory(void)
{
    char line[128];
    long long kilobytes = 0;
    FILE *file = fopen("/proc/meminfo", "re");

    while (file && fgets(line, sizeof(line), file)) {
        if (sscanf(line, "MemAvailable: %lld kB", &kilobytes) == 1)
            break;
    }
    if (file)
        fclose(file);
    return (LONGLONG)kilobytes * 1024;
}

static HRESULT describe_texts(struct SystemDescription *system)
{
    struct utsname kernel;
    char name[256], directory[PATH_MAX], user[64];
    struct passwd entry, *found = NULL;
    char storage[2048];
    HRESULT hr;

    if (uname(&kernel) != 0)
        return fail_errno("cannot read", "the system's name");
    read_system_name(&kernel, name, sizeof(name));
    if (!getcwd(directory, sizeof(directory)))
        return fail_errno("cannot read", "the current directory");
    snprintf(user, sizeof(user), "%u", (unsigned)geteuid());
    if (getpwuid_r(geteuid(), &entry, storage, sizeof(storage), &found) == 0 && found)
        snprintf(user, sizeof(user), "%s", found->pw_name);
    hr = to_bstr(name, &system->name);
    if (SUCCEEDED(hr))
        hr = to_bstr(kernel.release, &system->version);
    if (SUCCEEDED(hr))
        hr = to_bstr(kernel.nodename, &system->hostName);
    if (SUCCEEDED(hr))
        hr = to_bstr(user, &system->user);
    if (SUCCEEDED(hr))
        hr = to_bstr(directory, &system->directory);
    return hr;
}

HRESULT platform_describe(struct SystemDescription *system)
{
    struct sysinfo numbers;

    if (sysinfo(&numbers) != 0)
        return fail_errno("cannot read", "the system's memory");
    system->kind = SYSTEM_LINUX;
    system->processorCount = (ULONG)sysconf(_SC_NPROCESSORS_ONLN);
    system->processId = (ULONG)getpid();
    system->totalMemory = (LONGLONG)numbers.totalram * numbers.mem_unit;
    system->freeMemory = available_memory();
    return describe_texts(system);
}

/* Name and parent from /proc/PID/stat; false when the process has ended meanwhile. The name stands
 * in parentheses and may hold any character, so that the last closing one counts. */
static bool read_process(const char *pid, char *name, size_t size, ULONG *parent)
{
    char path[300], line[512];
    char *open, *close;
    unsigned parent_id = 0;
    FILE *file;
    bool read;

    snprintf(path, sizeof(path), "/proc/%s/stat", pid);
    file = fopen(path, "re");
    if (!file)
        return false;
    read = fgets(line, sizeof(line), file) != NULL;
    fclose(file);
    open = read ? strchr(line, '(') : NULL;
    close = read ? strrchr(line, ')') : NULL;
    if (!open || !close || sscanf(close + 1, " %*c %u", &parent_id) != 1)
        return false;
    *close = 0;
    snprintf(name, size, "%s", open + 1);
    *parent = parent_id;
    return true;
}

static bool is_number(const char *text)
{
    while (isdigit((unsigned char)*text))
        text++;
    return !*text;
}

HRESULT platform_list_processes(ULONG *count, struct ProcessDescription **processes)
{
    struct ProcessDescription *list = NULL;
    ULONG used = 0, size = 0;
    DIR *directory = opendir("/proc");
    struct dirent *entry;
    HRESULT hr = S_OK;

    if (!directory)
        return fail_errno("cannot read", "/proc");
    while (SUCCEEDED(hr) && (entry = readdir(directory))) {
        char name[64];
        ULONG parent;

        if (!is_number(entry->d_name) || !read_process(entry->d_name, name, sizeof(name), &parent))
            continue;
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
        list[used].processId = (ULONG)strtoul(entry->d_name, NULL, 10);
        list[used].parentId = parent;
        hr = to_bstr(name, &list[used].name);
        used += SUCCEEDED(hr);
    }
    closedir(directory);
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
    struct dirent *entry;
    DIR *directory = opendir("/proc");

    if (!directory)
        return fail_errno("cannot read", "/proc");
    *count = 0;
    while ((entry = readdir(directory)))
        *count += is_number(entry->d_name);
    closedir(directory);
    *bytes = available_memory();
    return S_OK;
}

HRESULT platform_read_variable(BSTR name, BSTR *value)
{
    char *utf8 = text_from_bstr(name);
    const char *text;
    HRESULT hr;

    if (!utf8)
        return fail(E_OUTOFMEMORY, "no memory for a name");
    text = getenv(utf8);
    hr = text ? to_bstr(text, value)
              : fail(VIA_WIN32(203), "the environment of process %d has no variable %s",
                     (int)getpid(), utf8);
    free(utf8);
    return hr;
}

static HRESULT read_all(int descriptor, const char *path, BSTR *text)
{
    struct stat info;
    size_t used = 0;
    ssize_t got = 1;
    char *bytes;
    HRESULT hr;

    if (fstat(descriptor, &info) != 0)
        return fail_errno("cannot read", path);
    if (!S_ISREG(info.st_mode))
        return fail(E_INVALIDARG, "%s is not a file", path);
    /* Files of /proc say that they are empty, so that the limit and not the size decides. */
    bytes = malloc(PLATFORM_MAX_TEXT + 2);
    if (!bytes)
        return fail(E_OUTOFMEMORY, "no memory for %s", path);
    while (got > 0 && used <= PLATFORM_MAX_TEXT) {
        got = read(descriptor, bytes + used, PLATFORM_MAX_TEXT + 1 - used);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            used += (size_t)got;
    }
    if (got < 0)
        hr = fail_errno("cannot read", path);
    else if (used > PLATFORM_MAX_TEXT)
        hr = fail(VIA_E_LIMIT, "%s has more than %u bytes", path, PLATFORM_MAX_TEXT);
    else
        hr = S_OK;
    bytes[used] = 0;
    if (SUCCEEDED(hr))
        hr = to_bstr(bytes, text);
    free(bytes);
    return hr;
}

HRESULT platform_read_text_file(BSTR path, BSTR *text)
{
    char *utf8 = text_from_bstr(path);
    int descriptor;
    HRESULT hr;

    if (!utf8)
        return fail(E_OUTOFMEMORY, "no memory for a path");
    /* O_NONBLOCK, so that a FIFO is refused and not waited for. */
    descriptor = open(utf8, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    hr = descriptor < 0 ? fail_errno("cannot open", utf8) : read_all(descriptor, utf8, text);
    if (descriptor >= 0)
        close(descriptor);
    free(utf8);
    return hr;
}

HRESULT platform_read_registry(BSTR key, BSTR name, BSTR *value)
{
    (void)key;
    (void)name;
    (void)value;
    return fail(E_NOTIMPL, "Linux has no registry; ask the SysInfo of a Windows host");
}

ULONG platform_process_id(void)
{
    return (ULONG)getpid();
}

void platform_sleep_ms(ULONG milliseconds)
{
    struct timespec left = {milliseconds / 1000, (long)(milliseconds % 1000) * 1000000};

    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}
