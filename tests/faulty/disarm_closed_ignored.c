/* Fault: the end of a peer is reported though that was disarmed. */
#include "tests/faulty/base.h"

static void disarm(struct via_stream *stream, uint32_t events)
{
    stream_disarm(stream, events & ~VIA_READY_CLOSED);
}

FAULTY_PLUGIN(plugin_lifetime_init, .disarm = disarm)
