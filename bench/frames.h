/*
 * The few frames of the protocol by which a load generator is a client: hello, the name of IBench,
 * and its two-int call. All are appended to a buffer.
 */
#ifndef BENCH_FRAMES_H
#define BENCH_FRAMES_H

#include "core/util/buffer.h"

#include <stdint.h>

/* What its clients announce: no frame that they get is larger. */
#define FRAMES_MAX_FRAME 4096u

void frames_hello(struct buffer *buffer);
/* What a call on IBench needs once before it. */
void frames_interface(struct buffer *buffer);
/* `chain`: any that is this client's own. */
void frames_call(struct buffer *buffer, uint64_t call_id, uint64_t chain);
/* The kind of the frame that begins at `data`, and its size; 0: it is not there in whole. -1: it is
 * none of the protocol, or a refusal. */
int frames_read(const uint8_t *data, size_t size, size_t *frame_size);

#endif
