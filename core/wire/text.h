/*
 * Texts that come from peers and go on into errors, logs and terminals: addresses, the name of a
 * program.
 */
#ifndef CORE_WIRE_TEXT_H
#define CORE_WIRE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool wire_is_control(char c)
{
    return (uint8_t)c < 0x20 || c == 0x7F;
}

/* Whether the bytes are `n` texts, each zero-terminated, without control characters. */
static inline bool wire_texts_are_good(const char *texts, size_t size, size_t n)
{
    size_t n_ends = 0;
    for (size_t i = 0; i < size; i++) {
        n_ends += texts[i] == '\0';
        if (texts[i] != '\0' && wire_is_control(texts[i]))
            return false;
    }
    return n_ends == n && (size == 0 || texts[size - 1] == '\0');
}

#endif
