/* Fault: a commit that waits for a flush forgets its handles. */
#include "tests/faulty/base.h"

static HRESULT commit(struct via_stream *stream, size_t n, const via_os_handle *handles,
                      uint32_t n_handles, uint32_t flags)
{
    if (!(flags & VIA_COMMIT_FLUSH))
        n_handles = 0;
    return stream_commit(stream, n, handles, n_handles, flags);
}

FAULTY_PLUGIN(plugin_lifetime_init, .commit = commit)
