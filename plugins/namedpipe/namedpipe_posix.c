/*
 * Named pipes on POSIX: the same names, as Unix sockets in the directory "pipes" of the runtime
 * directory.
 *
 * The directory is the user's alone (0700), whatever access a listener asks for: a pipe that every
 * user may open has no place there, and `unixsock` serves that case.
 */
#include "plugins/namedpipe/namedpipe.h"

#include "plugins/unixsock/stream.h"

#include <stdio.h>

/* "pipe:NAME" in messages leads to the socket's own path. */
static HRESULT path_of(const char *address, char path[SOCKET_PATH_SIZE])
{
    char name[NAMEDPIPE_MAX_NAME + 1];
    HRESULT hr = namedpipe_check_name(socket_host, address, name);
    if (FAILED(hr))
        return hr;
    if (socket_host->runtime_directory == NULL)
        return socket_fail(E_UNEXPECTED, "pipe:%s: this program has no runtime directory", name);
    int n = snprintf(path, SOCKET_PATH_SIZE, "%s/pipes/%s", socket_host->runtime_directory, name);
    if (n >= SOCKET_PATH_SIZE)
        return socket_fail(
            VIA_E_ADDRESS,
            "pipe:%s: its socket %s/pipes/%s has %d bytes; a socket's path has %d at "
            "most",
            name, socket_host->runtime_directory, name, n, SOCKET_PATH_SIZE - 1);
    return S_OK;
}

static HRESULT make_directories(void)
{
    char path[SOCKET_PATH_SIZE];
    HRESULT hr = socket_make_private(socket_host->runtime_directory);
    if (FAILED(hr))
        return hr;
    snprintf(path, sizeof path, "%s/pipes", socket_host->runtime_directory);
    return socket_make_private(path);
}

static HRESULT pipe_listen(const char *address, const struct via_listen_options *options,
                           void (*ready)(void *token, uint32_t events), void *token,
                           struct via_listener **listener)
{
    char path[SOCKET_PATH_SIZE];
    HRESULT hr = path_of(address, path);
    if (SUCCEEDED(hr))
        hr = make_directories();
    return FAILED(hr) ? hr : listener_new(path, options, ready, token, listener);
}

static HRESULT pipe_connect(const char *address, const struct via_connect_options *options,
                            struct via_stream **stream)
{
    char path[SOCKET_PATH_SIZE];
    HRESULT hr = path_of(address, path);
    return FAILED(hr) ? hr : stream_connect(path, options, stream);
}

const struct via_transport namedpipe_transport = {
    .size = sizeof namedpipe_transport,
    .version = 1,
    .capabilities = VIA_TRANSPORT_HANDLES | VIA_TRANSPORT_DESCRIPTORS,
    .max_span = STREAM_MAX_SPAN,
    .max_handles = STREAM_MAX_HANDLES,
    .listen = pipe_listen,
    .listener_accept = listener_accept,
    .listener_arm = listener_arm,
    .listener_close = listener_close,
    .connect = pipe_connect,
    STREAM_OPERATIONS,
};

HRESULT namedpipe_init(const struct via_plugin_host *host)
{
    return plugin_lifetime_init(host);
}

void namedpipe_deinit(void)
{
    plugin_lifetime_deinit();
}
