/* Fault: a second interrupt before the wait takes the first one back, and the wait ignores both. */
#include "tests/faulty/base.h"

static void interrupt(struct via_stream *stream)
{
    faulty_record(stream)->count ^= 1;
    stream_interrupt(stream);
}

static HRESULT wait(struct via_stream *stream, uint64_t deadline_ns)
{
    struct faulty_record *record = faulty_record(stream);
    HRESULT hr;
    do
        hr = stream_wait(stream, deadline_ns);
    while (hr == VIA_S_INTERRUPTED && !atomic_exchange(&record->count, 0));
    return hr;
}

FAULTY_PLUGIN(plugin_lifetime_init, .interrupt = interrupt, .wait = wait)
