/* Fault: a wait gives up before its deadline. */
#include "tests/faulty/base.h"

static HRESULT wait(struct via_stream *stream, uint64_t deadline_ns)
{
    uint64_t now = socket_host->now_ns();
    if (deadline_ns != UINT64_MAX && deadline_ns > now)
        deadline_ns = now + (deadline_ns - now) / 2;
    return stream_wait(stream, deadline_ns);
}

FAULTY_PLUGIN(plugin_lifetime_init, .wait = wait)
