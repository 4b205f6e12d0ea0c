/*
 * UTF-8 and UTF-16, strictly: no overlong forms, no lone surrogates, nothing above U+10FFFF.
 *
 * Text that comes from Windows may hold lone surrogates; utf_from_wide replaces them by U+FFFD, and
 * so does utf_to_wide with bytes that are no UTF-8. Where that would hide a mistake, ask
 * utf8_is_valid first.
 */
#ifndef CORE_UTIL_UTF_H
#define CORE_UTIL_UTF_H

#include <stdbool.h>
#include <stddef.h>
#include <viaduct/base.h>

bool utf8_is_valid(const char *text, size_t size);
/* Units before the terminator. */
size_t utf16_length(const WCHAR *text);

/* Zero-terminated, for free(); NULL without memory. */
WCHAR *utf_to_wide(const char *text);
char *utf_from_wide(const WCHAR *text, size_t n_units);
/* The same for text that may hold zeroes: with how much came out. */
WCHAR *utf_to_wide_counted(const char *text, size_t size, size_t *n_units);
char *utf_from_wide_counted(const WCHAR *text, size_t n_units, size_t *size);

#endif
