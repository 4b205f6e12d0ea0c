/*
 * Overlapped named pipes, as a server on Windows must use them; and, under Wine, Unix sockets
 * through the same module that the unixsock plugin uses.
 */
#include "bench/raw.h"
#include "core/os/unix_calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

struct raw_stream {
    HANDLE pipe;  /* or NULL */
    HANDLE event; /* of the operation under way */
    int32_t descriptor;
    const struct via_plugin_unix_calls *calls;
};

static void fail(const char *what)
{
    fprintf(stderr, "bench-raw: %s: error %lu\n", what, GetLastError());
    exit(1);
}

static struct raw_stream *stream_new(void)
{
    struct raw_stream *stream = calloc(1, sizeof(*stream));
    if (!stream)
        fail("calloc");
    stream->event = CreateEventW(NULL, TRUE, FALSE, NULL);
    return stream;
}

static void pipe_path(const char *address, char *path, size_t size)
{
    if (strncmp(address, "pipe:", 5)) {
        fprintf(stderr, "bench-raw: %s: neither pipe:NAME nor unix:PATH\n", address);
        exit(2);
    }
    snprintf(path, size, "\\\\.\\pipe\\%s", address + 5);
}

static struct raw_stream *unix_stream(const char *address)
{
    struct raw_stream *stream = stream_new();
    stream->calls = os_unix_calls();
    if (!stream->calls)
        fail("the Unix module is not there");
    stream->descriptor = stream->calls->socket_stream();
    if (stream->descriptor < 0)
        fail(address);
    return stream;
}

struct raw_stream *raw_serve(const char *address)
{
    char path[256];
    pipe_path(address, path, sizeof(path));
    struct raw_stream *stream = stream_new();
    stream->pipe = CreateNamedPipeA(path, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                    PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS,
                                    PIPE_UNLIMITED_INSTANCES, 65536, 65536, 0, NULL);
    if (stream->pipe == INVALID_HANDLE_VALUE)
        fail(path);
    static BOOL is_ready; /* only the accepting thread comes here */
    if (!is_ready) {
        puts("ready");
        fflush(stdout);
    }
    is_ready = TRUE;
    OVERLAPPED operation = {.hEvent = stream->event};
    DWORD n;
    if (!ConnectNamedPipe(stream->pipe, &operation) && GetLastError() == ERROR_IO_PENDING &&
        !GetOverlappedResult(stream->pipe, &operation, &n, TRUE))
        fail(path);
    return stream;
}

struct raw_stream *raw_connect(const char *address)
{
    if (!strncmp(address, "unix:", 5)) {
        struct raw_stream *stream = unix_stream(address);
        if (stream->calls->connect_path(stream->descriptor, address + 5,
                                        (uint32_t)strlen(address + 5)) < 0)
            fail(address);
        return stream;
    }
    char path[256];
    pipe_path(address, path, sizeof(path));
    struct raw_stream *stream = stream_new();
    stream->pipe = CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                               FILE_FLAG_OVERLAPPED, NULL);
    if (stream->pipe == INVALID_HANDLE_VALUE)
        fail(path);
    return stream;
}

int raw_send(struct raw_stream *stream, const void *data, size_t size)
{
    if (!stream->pipe)
        return stream->calls->send(stream->descriptor, data, size, NULL, 0) == (int64_t)size;
    OVERLAPPED operation = {.hEvent = stream->event};
    DWORD n = 0;
    if (!WriteFile(stream->pipe, data, (DWORD)size, NULL, &operation) &&
        GetLastError() != ERROR_IO_PENDING)
        return 0;
    return GetOverlappedResult(stream->pipe, &operation, &n, TRUE) && n == size;
}

int64_t raw_receive_some(struct raw_stream *stream, void *data, size_t size)
{
    if (stream->pipe) {
        OVERLAPPED operation = {.hEvent = stream->event};
        DWORD n = 0;
        if (!ReadFile(stream->pipe, data, (DWORD)size, NULL, &operation) &&
            GetLastError() != ERROR_IO_PENDING)
            return -1;
        return GetOverlappedResult(stream->pipe, &operation, &n, TRUE) ? (int64_t)n : -1;
    }
    uint32_t n_descriptors = 0;
    stream->calls->wait_readable(stream->descriptor, -1, -1);
    return stream->calls->receive(stream->descriptor, data, size, NULL, &n_descriptors);
}

void raw_close(struct raw_stream *stream)
{
    if (stream->pipe)
        CloseHandle(stream->pipe);
    else
        stream->calls->close(stream->descriptor);
    CloseHandle(stream->event);
    free(stream);
}
