/* Fault: that the peer is gone is reported before what it had sent. */
#include "tests/faulty/base.h"

static HRESULT peek(struct via_stream *stream, size_t want, const uint8_t **span, size_t *size)
{
    HRESULT hr = stream_peek(stream, want, span, size);
    if (hr == S_OK && *size < STREAM_MAX_SPAN) {
        hr = stream_peek(stream, *size + 1, span, size);
        if (hr != RPC_E_DISCONNECTED || stream_is_over(stream) != S_OK)
            hr = stream_peek(stream, want, span, size);
    }
    return hr;
}

FAULTY_PLUGIN(plugin_lifetime_init, .peek = peek)
