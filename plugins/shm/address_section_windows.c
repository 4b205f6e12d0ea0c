/*
 * Addresses of sections: "shm:NAME", whose carrier is the pipe NAME.shm.
 */
#include "plugins/shm/section_windows.h"

#include "plugins/namedpipe/pipe_handle_windows.h"

#include <stdio.h>

#define SUFFIX ".shm"
_Static_assert(NAMEDPIPE_MAX_NAME + sizeof SUFFIX <= PIPE_NAME_SIZE, "a pipe's name has room");

static HRESULT pipe_of(const char *text, char name[PIPE_NAME_SIZE], char address[PIPE_ADDRESS_SIZE])
{
    HRESULT hr = text[0] == '/' ? socket_fail(VIA_E_ADDRESS,
                                              "shm:%.80s is an address of Linux, which this "
                                              "program does not reach; write shm:NAME",
                                              text)
                                : shm_check_name(text);
    if (FAILED(hr))
        return hr;
    snprintf(name, PIPE_NAME_SIZE, "%s" SUFFIX, text);
    snprintf(address, PIPE_ADDRESS_SIZE, "shm:%s", text);
    return S_OK;
}

HRESULT section_listen(const char *text, const struct via_listen_options *options,
                       void (*ready)(void *token, uint32_t events), void *token,
                       struct via_listener **listener)
{
    char name[PIPE_NAME_SIZE];
    char address[PIPE_ADDRESS_SIZE];
    HRESULT hr = pipe_of(text, name, address);
    return FAILED(hr) ? hr : pipe_listener_new(name, address, options, ready, token, listener);
}

HRESULT section_accept(struct via_listener *listener, struct via_stream **stream)
{
    HANDLE pipe;
    struct carrier_line line;
    HRESULT hr = overlapped_listener_take(listener, &pipe);
    if (hr == S_OK)
        hr = carrier_pipe_line(pipe, true, SECTION_SETUP_SIZE, &line);
    if (hr == S_OK)
        hr = shm_new(&line, stream);
    if (hr == S_OK)
        setup_finish(*stream); /* it has mostly come by now; else reading says so */
    return hr;
}

HRESULT section_connect(const char *text, const struct via_connect_options *options,
                        struct via_stream **stream)
{
    char name[PIPE_NAME_SIZE];
    char address[PIPE_ADDRESS_SIZE];
    HANDLE pipe;
    struct carrier_line line;
    struct via_stream *self;
    HRESULT hr = pipe_of(text, name, address);
    if (SUCCEEDED(hr))
        hr = pipe_open(name, address, options, &pipe);
    if (hr == S_OK)
        hr = carrier_pipe_line(pipe, false, sizeof(struct record), &line);
    if (hr == S_OK)
        hr = shm_new(&line, &self);
    if (hr != S_OK)
        return hr;
    hr = section_setup_start(self);
    if (FAILED(hr)) {
        shm_close(self);
        return hr;
    }
    *stream = self;
    return S_OK;
}
