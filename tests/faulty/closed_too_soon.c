/* Fault: whoever has bytes to read is told that the peer is gone. */
#include "tests/faulty/base.h"

static void on_ready(void *token, uint32_t events)
{
    struct faulty_record *record = token;
    record->ready(record->token, (events & VIA_READY_READ) ? events | VIA_READY_CLOSED : events);
}

static HRESULT set_ready(struct via_stream *stream, void (*ready)(void *token, uint32_t events),
                         void *token)
{
    struct faulty_record *record = faulty_record(stream);
    record->ready = ready;
    record->token = token;
    return stream_set_ready(stream, on_ready, record);
}

FAULTY_PLUGIN(plugin_lifetime_init, .set_ready = set_ready)
