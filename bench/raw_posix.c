#include "bench/raw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct raw_stream {
    int descriptor;
};

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

static struct sockaddr_un unix_address(const char *address)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (strncmp(address, "unix:", 5) || strlen(address + 5) >= sizeof(name.sun_path)) {
        fprintf(stderr, "bench-raw: %s: not unix:PATH, or too long\n", address);
        exit(2);
    }
    strcpy(name.sun_path, address + 5);
    return name;
}

static struct raw_stream *stream_new(int descriptor)
{
    struct raw_stream *stream = malloc(sizeof(*stream));
    if (!stream)
        fail("bench-raw: malloc");
    stream->descriptor = descriptor;
    return stream;
}

struct raw_stream *raw_serve(const char *address)
{
    struct sockaddr_un name = unix_address(address);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(name.sun_path);
    if (listener < 0 || bind(listener, (struct sockaddr *)&name, sizeof(name)) ||
        listen(listener, 1))
        fail(address);
    puts("ready");
    fflush(stdout);
    int descriptor = accept(listener, NULL, NULL);
    if (descriptor < 0)
        fail(address);
    close(listener);
    unlink(name.sun_path);
    return stream_new(descriptor);
}

struct raw_stream *raw_connect(const char *address)
{
    struct sockaddr_un name = unix_address(address);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&name, sizeof(name)))
        fail(address);
    return stream_new(descriptor);
}

int raw_send(struct raw_stream *stream, const void *data, size_t size)
{
    return send(stream->descriptor, data, size, MSG_NOSIGNAL) == (ssize_t)size;
}

int raw_receive(struct raw_stream *stream, void *data, size_t size)
{
    size_t have = 0;
    while (have < size) {
        ssize_t n = recv(stream->descriptor, (char *)data + have, size - have, 0);
        if (n <= 0)
            return 0;
        have += (size_t)n;
    }
    return 1;
}

void raw_close(struct raw_stream *stream)
{
    close(stream->descriptor);
    free(stream);
}
