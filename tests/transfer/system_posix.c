#include "tests/transfer/system.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

bool system_pipe(VIA_HANDLE *reader, VIA_HANDLE *writer)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    *reader = ends[0];
    *writer = ends[1];
    return true;
}

bool system_file(VIA_HANDLE *file)
{
    *file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return *file >= 0;
}

long system_write(VIA_HANDLE handle, const void *data, size_t size)
{
    return write(handle, data, size);
}

long system_read(VIA_HANDLE handle, void *data, size_t size)
{
    return read(handle, data, size);
}

bool system_rewind(VIA_HANDLE file)
{
    return lseek(file, 0, SEEK_SET) == 0;
}

bool system_section(size_t size, VIA_HANDLE *memory)
{
    *memory = memfd_create("viaduct-test", MFD_CLOEXEC);
    return *memory >= 0 && ftruncate(*memory, (off_t)size) == 0;
}

void *system_map(VIA_HANDLE memory, size_t size)
{
    void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    return at == MAP_FAILED ? NULL : at;
}

void system_unmap(void *at, size_t size)
{
    munmap(at, size);
}

bool system_event(VIA_HANDLE *event)
{
    *event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return *event >= 0;
}

bool system_event_set(VIA_HANDLE event)
{
    uint64_t one = 1;
    return write(event, &one, sizeof one) == sizeof one;
}

bool system_event_is_set(VIA_HANDLE event)
{
    struct pollfd poller = {.fd = event, .events = POLLIN};
    return poll(&poller, 1, 0) == 1;
}

bool system_socket_pair(VIA_HANDLE ends[2])
{
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0;
}

bool system_lock_process(void)
{
    return false;
}

int system_count_handles(void)
{
    int n = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (directory != NULL && readdir(directory) != NULL)
        n++;
    if (directory != NULL)
        closedir(directory);
    return n;
}

long long system_memory_in_use(void)
{
    long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file != NULL && fscanf(file, "%*s %lld", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}
