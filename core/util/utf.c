#include "core/util/utf.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT 0xFFFDu
#define INVALID     0xFFFFFFFFu

/* The code point at the front of `size` > 0 bytes and how many it takes; INVALID takes one byte. */
static uint32_t decode_utf8(const uint8_t *text, size_t size, size_t *taken)
{
    static const uint32_t smallest[] = {0, 0x80, 0x800, 0x10000};
    uint32_t lead = text[0];
    size_t n_more = lead < 0x80 ? 0 : lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    *taken = 1;
    if (lead < 0x80)
        return lead;
    if (lead < 0xC2 || lead > 0xF4 || n_more >= size)
        return INVALID;
    uint32_t point = lead & (0x3Fu >> n_more);
    for (size_t i = 1; i <= n_more; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return INVALID;
        point = point << 6 | (text[i] & 0x3Fu);
    }
    if (point < smallest[n_more] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF))
        return INVALID;
    *taken = n_more + 1;
    return point;
}

bool utf8_is_valid(const char *text, size_t size)
{
    const uint8_t *next = (const uint8_t *)text;
    while (size > 0) {
        size_t taken;
        if (decode_utf8(next, size, &taken) == INVALID)
            return false;
        next += taken;
        size -= taken;
    }
    return true;
}

size_t utf16_length(const WCHAR *text)
{
    size_t n = 0;
    while (text[n])
        n++;
    return n;
}

WCHAR *utf_to_wide(const char *text)
{
    size_t n_units;
    return utf_to_wide_counted(text, strlen(text), &n_units);
}

WCHAR *utf_to_wide_counted(const char *text, size_t size, size_t *n_units)
{
    const uint8_t *next = (const uint8_t *)text;
    /* A byte gives at most one unit. */
    WCHAR *wide = malloc((size + 1) * sizeof(*wide));
    WCHAR *end = wide;
    while (wide && size > 0) {
        size_t taken;
        uint32_t point = decode_utf8(next, size, &taken);
        if (point == INVALID)
            point = REPLACEMENT;
        if (point >= 0x10000) {
            *end++ = (WCHAR)(0xD800 + ((point - 0x10000) >> 10));
            *end++ = (WCHAR)(0xDC00 + ((point - 0x10000) & 0x3FF));
        } else {
            *end++ = (WCHAR)point;
        }
        next += taken;
        size -= taken;
    }
    if (wide)
        *end = 0;
    *n_units = (size_t)(end - wide);
    return wide;
}

static char *encode_utf8(char *end, uint32_t point)
{
    if (point < 0x80) {
        *end++ = (char)point;
        return end;
    }
    int n_more = point >= 0x10000 ? 3 : point >= 0x800 ? 2 : 1;
    static const uint8_t leads[] = {0, 0xC0, 0xE0, 0xF0};
    *end++ = (char)(leads[n_more] | point >> (6 * n_more));
    for (int i = n_more - 1; i >= 0; i--)
        *end++ = (char)(0x80 | ((point >> (6 * i)) & 0x3F));
    return end;
}

char *utf_from_wide(const WCHAR *text, size_t n_units)
{
    size_t size;
    return utf_from_wide_counted(text, n_units, &size);
}

char *utf_from_wide_counted(const WCHAR *text, size_t n_units, size_t *size)
{
    /* A unit gives at most three bytes; a pair four. */
    char *utf8 = malloc(n_units * 3 + 1);
    char *end = utf8;
    for (size_t i = 0; utf8 && i < n_units; i++) {
        uint32_t point = text[i];
        bool is_high = point >= 0xD800 && point <= 0xDBFF;
        if (is_high && i + 1 < n_units && text[i + 1] >= 0xDC00 && text[i + 1] <= 0xDFFF)
            point = 0x10000 + ((point - 0xD800) << 10) + (text[++i] - 0xDC00u);
        else if (point >= 0xD800 && point <= 0xDFFF)
            point = REPLACEMENT;
        end = encode_utf8(end, point);
    }
    if (utf8)
        *end = 0;
    *size = (size_t)(end - utf8);
    return utf8;
}
