/* Fault: that a peer which had finished is gone is not reported. */
#include "tests/faulty/base.h"

static HRESULT arm(struct via_stream *stream, uint32_t events)
{
    events &= ~VIA_READY_CLOSED;
    return events != 0 ? stream_arm(stream, events) : S_OK;
}

FAULTY_PLUGIN(plugin_lifetime_init, .arm = arm)
