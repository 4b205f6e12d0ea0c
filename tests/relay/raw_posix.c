#include "tests/relay/raw.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

const bool raw_has_messages = false;

const char *raw_address(const char *name, char address[RAW_ADDRESS_SIZE])
{
    snprintf(address, RAW_ADDRESS_SIZE, "unix:/tmp/viaduct-raw-%d-%s", (int)getpid(), name);
    return address;
}

const char *raw_long_address(bool fits, char address[RAW_ADDRESS_SIZE])
{
    size_t length = strlen(raw_address("long-", address));
    size_t size = strlen("unix:") + (fits ? 107 : 108);
    memset(address + length, 'x', size - length);
    address[size] = '\0';
    return address;
}

static struct sockaddr_un path_of(const char *name)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX};
    char address[RAW_ADDRESS_SIZE];
    snprintf(path.sun_path, sizeof path.sun_path, "%.107s",
             raw_address(name, address) + strlen("unix:"));
    return path;
}

bool raw_server_start(struct raw_server *server, const char *name, bool messages)
{
    struct sockaddr_un path = path_of(name);
    *server = (struct raw_server){.messages = messages};
    snprintf(server->name, sizeof server->name, "%s", name);
    unlink(path.sun_path);
    server->place = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return bind((int)server->place, (const struct sockaddr *)&path, sizeof path) == 0 &&
           listen((int)server->place, 512) == 0;
}

intptr_t raw_accept(struct raw_server *server)
{
    return accept((int)server->place, NULL, NULL);
}

void raw_server_stop(struct raw_server *server)
{
    struct sockaddr_un path = path_of(server->name);
    close((int)server->place);
    unlink(path.sun_path);
}

intptr_t raw_connect(const char *name)
{
    struct sockaddr_un path = path_of(name);
    int made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(made, (const struct sockaddr *)&path, sizeof path) == 0)
        return made;
    close(made);
    return RAW_NONE;
}

bool raw_send(intptr_t end, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t sent = send((int)end, at, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        at += sent;
        size -= (size_t)sent;
    }
    return true;
}

int64_t raw_receive(intptr_t end, void *data, size_t size)
{
    ssize_t n = recv((int)end, data, size, 0);
    return n > 0 ? n : -1;
}

bool raw_finish(intptr_t end)
{
    return shutdown((int)end, SHUT_WR) == 0;
}

bool raw_await_end(intptr_t end, unsigned limit_ms)
{
    struct pollfd state = {.fd = (int)end};
    return poll(&state, 1, (int)limit_ms) == 1 && (state.revents & POLLHUP);
}

void raw_close(intptr_t end)
{
    close((int)end);
}
