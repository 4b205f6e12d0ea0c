/* Fault: who asks a connection that was refused a second time hears that it is there. Its stream is
 * that to a listener of its own, which nobody serves. */
#include "tests/faulty/base.h"

#include <stdio.h>

static void nobody_is_told(void *token, uint32_t events)
{
    (void)token;
    (void)events;
}

static HRESULT connect(const char *address, const struct via_connect_options *options,
                       struct via_stream **stream)
{
    static _Atomic uint32_t n;
    const struct via_listen_options listening = {sizeof listening, VIA_ACCESS_SAME_USER, 1, 0};
    struct via_listener *listener;
    char own[SOCKET_PATH_SIZE];
    HRESULT hr = unixsock_connect(address, options, stream);
    snprintf(own, sizeof own, "%.90s.%u", address, n++);
    if (hr != VIA_WIN32(2) ||
        FAILED(unixsock_listen(own, &listening, nobody_is_told, NULL, &listener)))
        return hr;
    hr = unixsock_connect(own, options, stream);
    if (SUCCEEDED(hr))
        faulty_record(*stream)->count = 1;
    listener_close(listener);
    return hr;
}

static HRESULT is_connected(struct via_stream *stream)
{
    struct faulty_record *record = faulty_record(stream);
    if (record->count != 1)
        return S_OK;
    record->count = 2;
    return socket_fail(VIA_WIN32(2), "nobody listens there");
}

FAULTY_PLUGIN(plugin_lifetime_init, .connect = connect, .is_connected = is_connected)
