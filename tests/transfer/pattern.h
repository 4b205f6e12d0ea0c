/* Streams of bytes that are made when they are read, and looked at when they are written: as long
 * as a test likes, without memory. */
#ifndef TESTS_TRANSFER_PATTERN_H
#define TESTS_TRANSFER_PATTERN_H

#include <stdbool.h>
#include <viaduct/stream.h>

void pattern_fill(BYTE *bytes, LONGLONG offset, ULONG n);
bool pattern_is(const BYTE *bytes, LONGLONG offset, ULONG n);

/* Reads give `size` bytes; writes of other bytes than the pattern's fail with STG_E_WRITEFAULT.
 * Both fail behind `fails_at`, if that is not negative. */
ISequentialStream *pattern_new(LONGLONG size, LONGLONG fails_at);
/* Of one of these: how many bytes were read or written. */
LONGLONG pattern_position(ISequentialStream *stream);
/* While it is closed, writes wait. */
void pattern_set_gate(ISequentialStream *stream, bool is_open);
LONG pattern_count(void);

#endif
