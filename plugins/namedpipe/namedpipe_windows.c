/*
 * Named pipes on Windows: the plugin's life, its addresses, and its table.
 */
#include "plugins/namedpipe/pipe_handle_windows.h"
#include "plugins/namedpipe/pipe_windows.h"

#include <stdio.h>

HRESULT namedpipe_init(const struct via_plugin_host *host)
{
    return overlapped_init(host, NULL);
}

void namedpipe_deinit(void)
{
    overlapped_deinit(NULL);
}

static HRESULT check_address(const char *text, char name[NAMEDPIPE_MAX_NAME + 1],
                             char address[PIPE_ADDRESS_SIZE])
{
    HRESULT hr = namedpipe_check_name(socket_host, text, name);
    if (SUCCEEDED(hr))
        snprintf(address, PIPE_ADDRESS_SIZE, "pipe:%s", name);
    return hr;
}

static HRESULT pipe_listen(const char *text, const struct via_listen_options *options,
                           void (*ready)(void *token, uint32_t events), void *token,
                           struct via_listener **listener)
{
    char name[NAMEDPIPE_MAX_NAME + 1];
    char address[PIPE_ADDRESS_SIZE];
    HRESULT hr = check_address(text, name, address);
    return FAILED(hr) ? hr : pipe_listener_new(name, address, options, ready, token, listener);
}

static HRESULT pipe_connect(const char *text, const struct via_connect_options *options,
                            struct via_stream **stream)
{
    char name[NAMEDPIPE_MAX_NAME + 1];
    char address[PIPE_ADDRESS_SIZE];
    HANDLE pipe;
    HRESULT hr = check_address(text, name, address);
    if (SUCCEEDED(hr))
        hr = pipe_open(name, address, options, &pipe);
    if (hr != S_OK)
        return hr;
    bool keeps_messages = pipe_is_in_message_mode(pipe);
    hr = keeps_messages ? overlapped_bind_with_packets(pipe) : overlapped_bind(pipe);
    if (FAILED(hr)) {
        CloseHandle(pipe);
        return hr;
    }
    return pipe_stream_new(pipe, false, keeps_messages, stream);
}

const struct via_transport namedpipe_transport = {
    .size = sizeof namedpipe_transport,
    .version = 1,
    .capabilities = VIA_TRANSPORT_MESSAGES,
    .max_span = STREAM_MAX_SPAN,
    .max_handles = 0,
    .listen = pipe_listen,
    OVERLAPPED_LISTENER_OPERATIONS,
    .connect = pipe_connect,
    OVERLAPPED_OPERATIONS,
    .keeps_messages = overlapped_keeps_messages,
    .read_message = overlapped_read_message,
};
