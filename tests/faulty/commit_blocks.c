/* Fault: the first commit that finds the stream full waits for room. */
#include "tests/faulty/base.h"

static HRESULT commit(struct via_stream *stream, size_t n, const via_os_handle *handles,
                      uint32_t n_handles, uint32_t flags)
{
    HRESULT hr = stream_commit(stream, n, handles, n_handles, flags);
    if (hr == VIA_S_WOULD_BLOCK && n > 0 && faulty_record(stream)->count++ == 0) {
        faulty_sleep_ms(2500);
        hr = stream_commit(stream, 0, NULL, 0, VIA_COMMIT_FLUSH);
    }
    return hr;
}

FAULTY_PLUGIN(plugin_lifetime_init, .commit = commit)
