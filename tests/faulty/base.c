/* Records of streams, few and short-lived: a list behind a spin lock. */
#include "tests/faulty/base.h"

#include <stdlib.h>

static atomic_flag busy = ATOMIC_FLAG_INIT;
static struct faulty_record *records; /* while `busy` is set */

static void enter(void)
{
    while (atomic_flag_test_and_set_explicit(&busy, memory_order_acquire))
        socket_yield();
}

static void leave(void)
{
    atomic_flag_clear_explicit(&busy, memory_order_release);
}

struct faulty_record *faulty_record(const struct via_stream *stream)
{
    enter();
    struct faulty_record *record = records;
    while (record != NULL && record->stream != stream)
        record = record->next;
    if (record == NULL) {
        record = calloc(1, sizeof *record);
        if (record == NULL)
            abort();
        record->stream = stream;
        record->next = records;
        records = record;
    }
    leave();
    return record;
}

void faulty_close(struct via_stream *stream)
{
    stream_close(stream);
    enter();
    struct faulty_record **at = &records;
    while (*at != NULL && (*at)->stream != stream)
        at = &(*at)->next;
    struct faulty_record *record = *at;
    if (record != NULL)
        *at = record->next;
    leave();
    free(record);
}

void faulty_sleep_ms(unsigned ms)
{
    uint64_t end = socket_host->now_ns() + ms * 1000000ull;
    while (socket_host->now_ns() < end)
        socket_yield();
}
