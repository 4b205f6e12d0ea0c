/* Fault: what was disarmed is reported. */
#include "tests/faulty/base.h"

static void disarm(struct via_stream *stream, uint32_t events)
{
    (void)stream;
    (void)events;
}

FAULTY_PLUGIN(plugin_lifetime_init, .disarm = disarm)
