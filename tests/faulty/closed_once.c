/* Fault: what is armed for the end when the peer is gone already is never reported. */
#include "tests/faulty/base.h"

static HRESULT arm(struct via_stream *stream, uint32_t events)
{
    if ((events & VIA_READY_CLOSED) && stream_is_over(stream) == S_OK)
        return S_OK;
    return stream_arm(stream, events);
}

FAULTY_PLUGIN(plugin_lifetime_init, .arm = arm)
