/* UTF-8 outside, UTF-16 where Windows wants it, and the system's reasons in words. */
#ifndef CORE_OS_WINDOWS_TEXT_H
#define CORE_OS_WINDOWS_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <viaduct/hresult.h>
#include <wchar.h>

/* For free(); NULL without memory or when the text is not valid. */
wchar_t *wide_from_text(const char *text);
char *text_from_wide(const wchar_t *wide);

/* "File not found": what Windows says of an error code, without a full stop; returns `buffer`. */
char *windows_reason(uint32_t error, char *buffer, size_t size);

/* Sets the error "SUBJECT: cannot WHAT: REASON" with the code that fits `error`. */
HRESULT windows_fail(uint32_t error, const char *subject, const char *what);

#endif
