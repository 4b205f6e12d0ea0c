/* Failures with a text, and UTF-8 to and from the interface's UTF-16. */
#ifndef SYSINFO_FAIL_H
#define SYSINFO_FAIL_H

#include <viaduct/com.h>

/* Makes the text the thread's error information, which goes to the caller with the code. Returns
 * `code`. */
HRESULT fail(HRESULT code, const char *format, ...);

/* For SysFreeString(); NULL without memory. Bytes that are no UTF-8 become U+FFFD. */
BSTR text_to_bstr(const char *text);
/* For free(); NULL without memory. */
char *text_from_bstr(BSTR string);

#endif
