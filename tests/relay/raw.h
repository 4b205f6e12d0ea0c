/*
 * Servers and clients as programs that know nothing of Viaduct have them, for tests of relays:
 * named pipes on Windows, Unix sockets on POSIX. Everything blocks.
 */
#ifndef TESTS_RELAY_RAW_H
#define TESTS_RELAY_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAW_NONE         ((intptr_t)-1)
#define RAW_ADDRESS_SIZE 160

/* The address of a name, which is this process's own. */
const char *raw_address(const char *name, char address[RAW_ADDRESS_SIZE]);
/* The shortest address that is too long; and, where `fits`, the longest one that is not. */
const char *raw_long_address(bool fits, char address[RAW_ADDRESS_SIZE]);
/* Whether there are pipes, with their messages. */
extern const bool raw_has_messages;

struct raw_server {
    char name[32];
    bool messages;
    intptr_t place;
};
bool raw_server_start(struct raw_server *server, const char *name, bool messages);
/* The next client. */
intptr_t raw_accept(struct raw_server *server);
void raw_server_stop(struct raw_server *server);

/* RAW_NONE: nobody is there, or all places are taken. A server's messages stay messages. */
intptr_t raw_connect(const char *name);
/* All of it, as one message where such are kept. */
bool raw_send(intptr_t end, const void *data, size_t size);
/* What has come, or one message; -1: the end. */
int64_t raw_receive(intptr_t end, void *data, size_t size);
/* No more comes from here, and what comes is received: an empty message where such are kept. */
bool raw_finish(intptr_t end);
/* Whether the other side is gone altogether within this time. Nothing is to be received. */
bool raw_await_end(intptr_t end, unsigned limit_ms);
void raw_close(intptr_t end);

#endif
