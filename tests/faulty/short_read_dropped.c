/* Fault: a bulk read that the system cuts short loses its last byte. */
#include "tests/faulty/base.h"

static HRESULT read_into(struct via_stream *stream, void *buffer, size_t size, size_t *n)
{
    HRESULT hr = stream_read_into(stream, buffer, size, n);
    if (hr == S_OK && *n<size && * n> 1)
        --*n;
    return hr;
}

FAULTY_PLUGIN(plugin_lifetime_init, .read_into = read_into)
