#include "core/util/buffer.h"
#include "core/util/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_ROOM 256

void buffer_init(struct buffer *buffer, size_t limit)
{
    *buffer = (struct buffer){.limit = limit};
}

void buffer_init_in(struct buffer *buffer, size_t limit, void *memory, size_t room)
{
    *buffer = (struct buffer){.limit = limit, .data = memory, .room = room, .is_borrowed = true};
}

void buffer_deinit(struct buffer *buffer)
{
    if (!buffer->is_borrowed)
        free(buffer->data);
    *buffer = (struct buffer){0};
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->result = S_OK;
}

void buffer_fail(struct buffer *buffer, HRESULT code)
{
    if (SUCCEEDED(buffer->result))
        buffer->result = code;
}

static int grow(struct buffer *buffer, size_t size)
{
    size_t room = buffer->room ? buffer->room : FIRST_ROOM;
    while (room - buffer->size < size)
        room *= 2;
    uint8_t *larger = realloc(buffer->is_borrowed ? NULL : buffer->data, room);
    if (!larger) {
        buffer_fail(buffer, E_OUTOFMEMORY);
        return 0;
    }
    if (buffer->is_borrowed && buffer->size > 0)
        memcpy(larger, buffer->data, buffer->size);
    buffer->data = larger;
    buffer->room = room;
    buffer->is_borrowed = false;
    return 1;
}

uint8_t *buffer_extend(struct buffer *buffer, size_t size)
{
    if (FAILED(buffer->result))
        return NULL;
    if (size > buffer->limit - buffer->size) {
        buffer_fail(buffer, VIA_E_LIMIT);
        return NULL;
    }
    if (size > buffer->room - buffer->size && !grow(buffer, size))
        return NULL;
    /* Nothing of nothing: an empty buffer has no memory yet. */
    uint8_t *end = buffer->data ? buffer->data + buffer->size : NULL;
    buffer->size += size;
    return end;
}

void buffer_append(struct buffer *buffer, const void *data, size_t size)
{
    if (size == 0)
        return;
    uint8_t *end = buffer_extend(buffer, size);
    if (end)
        memcpy(end, data, size);
}

void buffer_align(struct buffer *buffer, size_t alignment)
{
    size_t missing = (alignment - buffer->size % alignment) % alignment;
    if (missing == 0)
        return;
    uint8_t *end = buffer_extend(buffer, missing);
    if (end)
        memset(end, 0, missing);
}

void buffer_print(struct buffer *buffer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    va_list again;
    va_copy(again, arguments);
    int n = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    /* One byte more for the terminator, which is taken back. */
    uint8_t *end = n < 0 ? NULL : buffer_extend(buffer, (size_t)n + 1);
    if (end) {
        vsnprintf((char *)end, (size_t)n + 1, format, again);
        buffer->size--;
    }
    va_end(again);
}

HRESULT buffer_result(const struct buffer *buffer)
{
    if (buffer->result == E_OUTOFMEMORY)
        return error_set(E_OUTOFMEMORY, "no memory for a message of more than %zu bytes",
                         buffer->size);
    if (buffer->result == VIA_E_LIMIT)
        return error_set(VIA_E_LIMIT, "a message would be larger than the limit of %zu bytes",
                         buffer->limit);
    return buffer->result;
}

char *buffer_take_text(struct buffer *buffer)
{
    buffer_append(buffer, "", 1);
    if (FAILED(buffer->result))
        return NULL;
    if (buffer->is_borrowed && !grow(buffer, 0))
        return NULL;
    char *text = (char *)buffer->data;
    buffer->data = NULL;
    buffer->size = 0;
    buffer->room = 0;
    return text;
}
