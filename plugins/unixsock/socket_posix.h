/*
 * What socket_posix.c and waiter_posix.c share: the raw receive and the translation of errno.
 */
#ifndef UNIXSOCK_SOCKET_POSIX_H
#define UNIXSOCK_SOCKET_POSIX_H

#include "plugins/unixsock/socket.h"

#include <sys/types.h>

HRESULT socket_fail_errno(const char *what, int error) __attribute__((cold));

/* Receives once; errno as it leaves it. `truncated`: descriptors were lost. `received` NULL: they
 * are to be. */
ssize_t socket_receive_raw(int32_t descriptor, void *data, size_t size,
                           struct socket_received *received, int flags, bool *truncated);
/* The result of a receive that did not fail. */
HRESULT socket_received_result(ssize_t n, bool truncated, size_t *received);

HRESULT waiter_system_init(void);
void waiter_system_deinit(void);

#endif
