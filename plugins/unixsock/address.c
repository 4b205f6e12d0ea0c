/*
 * Addresses of Unix-domain sockets: the socket file's absolute path.
 */
#include "plugins/unixsock/stream.h"

#include <string.h>

static HRESULT check_path(const char *address)
{
    size_t length = strlen(address);
    if (address[0] != '/')
        return socket_fail(VIA_E_ADDRESS,
                           "unix:%.400s is not an absolute path; write unix:/directory/name.sock",
                           address);
    if (length >= SOCKET_PATH_SIZE)
        return socket_fail(VIA_E_ADDRESS,
                           "unix:%.200s... has %u bytes; a socket's path has %d at most", address,
                           (unsigned)length, SOCKET_PATH_SIZE - 1);
    if (address[length - 1] == '/')
        return socket_fail(VIA_E_ADDRESS, "unix:%.400s is a directory", address);
    return S_OK;
}

HRESULT unixsock_listen(const char *address, const struct via_listen_options *options,
                        void (*ready)(void *token, uint32_t events), void *token,
                        struct via_listener **listener)
{
    HRESULT hr = check_path(address);
    return FAILED(hr) ? hr : listener_new(address, options, ready, token, listener);
}

HRESULT unixsock_connect(const char *address, const struct via_connect_options *options,
                         struct via_stream **stream)
{
    HRESULT hr = check_path(address);
    return FAILED(hr) ? hr : stream_connect(address, options, stream);
}
