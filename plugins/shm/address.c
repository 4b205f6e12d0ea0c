/*
 * Addresses, listening and connecting. "shm:/absolute/path" and "shm:NAME" name the socket of the
 * carrier; a name's socket is RUNTIME_DIRECTORY/NAME.shm.
 */
#include "plugins/shm/stream.h"

#include "plugins/unixsock/stream.h"

#include <stdio.h>
#include <string.h>

#define MAX_NAME 64

static HRESULT fail_name(const char *address, const char *problem)
{
    return socket_fail(VIA_E_ADDRESS,
                       "shm:%.80s is no address: %s; write shm:NAME or shm:/directory/name.sock",
                       address, problem);
}

HRESULT shm_check_name(const char *name)
{
    size_t length = strnlen(name, MAX_NAME + 1);
    if (length > MAX_NAME)
        return fail_name(name, "the name has more than 64 bytes");
    if (length == 0 || name[0] == '.')
        return fail_name(name, "the name is empty or starts with a full stop");
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.'))
            return fail_name(name, "a name has only lower-case letters, digits, '-', '_' and '.'");
    }
    return S_OK;
}

static HRESULT path_of(const char *address, char path[SOCKET_PATH_SIZE])
{
    int n;
    if (address[0] == '/') {
        size_t length = strlen(address);
        if (address[length - 1] == '/')
            return fail_name(address, "that is a directory");
        n = snprintf(path, SOCKET_PATH_SIZE, "%s", address);
    } else {
        HRESULT hr = shm_check_name(address);
        if (FAILED(hr))
            return hr;
        if (socket_host->runtime_directory == NULL)
            return socket_fail(E_UNEXPECTED, "shm:%s: this program has no runtime directory",
                               address);
        n = snprintf(path, SOCKET_PATH_SIZE, "%s/%s.shm", socket_host->runtime_directory, address);
    }
    if (n >= SOCKET_PATH_SIZE)
        return socket_fail(VIA_E_ADDRESS,
                           "shm:%.200s: its socket's path has %d bytes; %d is the most", address, n,
                           SOCKET_PATH_SIZE - 1);
    return S_OK;
}

HRESULT shm_listen(const char *address, const struct via_listen_options *options,
                   void (*ready)(void *token, uint32_t events), void *token,
                   struct via_listener **listener)
{
    char path[SOCKET_PATH_SIZE];
    HRESULT hr = path_of(address, path);
    if (SUCCEEDED(hr) && address[0] != '/')
        hr = socket_make_private(socket_host->runtime_directory);
    return FAILED(hr) ? hr : listener_new(path, options, ready, token, listener);
}

/* Of a connected socket, which is closed on failure. */
static HRESULT new_stream(int32_t descriptor, struct via_stream **stream)
{
    struct socket_peer peer;
    HRESULT hr = socket_peer_of(descriptor, &peer);
    if (FAILED(hr)) {
        socket_close(descriptor);
        return hr;
    }
    struct carrier_line line;
    carrier_socket_line(descriptor, &peer, socket_peer_life(descriptor, &peer), &line);
    return shm_new(&line, stream);
}

HRESULT shm_accept(struct via_listener *listener, struct via_stream **stream)
{
    int32_t descriptor;
    HRESULT hr = listener_accept_socket(listener, &descriptor);
    if (hr == S_OK)
        hr = new_stream(descriptor, stream);
    if (hr == S_OK)
        setup_finish(
            *stream); /* it has mostly come by now; else, or if it is bad, reading says so */
    return hr;
}

HRESULT shm_connect(const char *address, const struct via_connect_options *options,
                    struct via_stream **stream)
{
    char path[SOCKET_PATH_SIZE];
    int32_t descriptor;
    struct via_stream *self;
    HRESULT hr = path_of(address, path);
    if (SUCCEEDED(hr))
        hr = socket_connect_checked(path, options, &descriptor);
    if (hr == S_OK)
        hr = new_stream(descriptor, &self);
    if (hr != S_OK)
        return hr;
    hr = setup_start(self);
    if (FAILED(hr)) {
        shm_close(self);
        return hr;
    }
    *stream = self;
    return S_OK;
}
