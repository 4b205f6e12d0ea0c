/* Fault: asking for more handles than have arrived throws away those that have. */
#include "tests/faulty/base.h"

static HRESULT take_handles(struct via_stream *stream, via_os_handle *handles, uint32_t n)
{
    HRESULT hr = stream_take_handles(stream, handles, n);
    via_os_handle one;
    while (hr == VIA_E_PROTOCOL && stream_take_handles(stream, &one, 1) == S_OK)
        socket_close((int32_t)one);
    return hr;
}

FAULTY_PLUGIN(plugin_lifetime_init, .take_handles = take_handles)
