/* Fault: from the second arm for reading on, each is reported twice. */
#include "tests/faulty/base.h"

static void on_ready(void *token, uint32_t events)
{
    struct faulty_record *record = token;
    record->ready(record->token, events);
    if ((events & VIA_READY_READ) && record->count > 1)
        record->ready(record->token, events);
}

static HRESULT set_ready(struct via_stream *stream, void (*ready)(void *token, uint32_t events),
                         void *token)
{
    struct faulty_record *record = faulty_record(stream);
    record->ready = ready;
    record->token = token;
    return stream_set_ready(stream, on_ready, record);
}

static HRESULT arm(struct via_stream *stream, uint32_t events)
{
    if (events & VIA_READY_READ)
        faulty_record(stream)->count++;
    return stream_arm(stream, events);
}

FAULTY_PLUGIN(plugin_lifetime_init, .set_ready = set_ready, .arm = arm)
