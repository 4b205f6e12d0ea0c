/*
 * A growing byte buffer. After a failure (no memory, over the limit) it is broken: appending does
 * nothing and buffer_result() says why, so that a writer checks once at its end.
 */
#ifndef CORE_UTIL_BUFFER_H
#define CORE_UTIL_BUFFER_H

#include "core/util/printf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/hresult.h>

struct buffer {
    uint8_t *data;
    size_t size;
    size_t room;
    size_t limit;
    HRESULT result;
    bool is_borrowed; /* `data` is the caller's */
};

/* `limit`: the most bytes it may hold. */
void buffer_init(struct buffer *buffer, size_t limit);
/* The same, in the caller's memory as long as that has room. It is the caller's on and on, and must
 * outlive the buffer. */
void buffer_init_in(struct buffer *buffer, size_t limit, void *memory, size_t room);
void buffer_deinit(struct buffer *buffer);
/* Empties it and mends it; keeps the memory. */
void buffer_clear(struct buffer *buffer);

/* Room for `size` more bytes, not set, or NULL when it is broken. */
uint8_t *buffer_extend(struct buffer *buffer, size_t size);
void buffer_append(struct buffer *buffer, const void *data, size_t size);
/* Appends zeroes until the size is a multiple of `alignment`, a power of two. */
void buffer_align(struct buffer *buffer, size_t alignment);
void buffer_print(struct buffer *buffer, const char *format, ...) PRINTF_LIKE(2, 3);
/* Breaks it with this code. */
void buffer_fail(struct buffer *buffer, HRESULT code);
/* S_OK, E_OUTOFMEMORY, VIA_E_LIMIT, or what buffer_fail said; sets the error's text. */
HRESULT buffer_result(const struct buffer *buffer);
/* The bytes with a zero behind them, for free(); the buffer is empty then. NULL when it is broken.
 */
char *buffer_take_text(struct buffer *buffer);

#endif
