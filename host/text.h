/*
 * The border between this program's own text and errors, and the runtime's.
 *
 * The program is linked with the lower layers and uses the runtime as a shared library, so that
 * there are two error records for each thread: this program's (core/util/error.h), and the
 * runtime's, which COM's error information stands for. These functions carry one over to the other.
 */
#ifndef HOST_TEXT_H
#define HOST_TEXT_H

#include <viaduct/com.h>

/* NULL without memory. */
BSTR text_to_bstr(const char *text);
/* UTF-8 for free(); NULL without memory. A NULL string is empty. */
char *text_from_bstr(BSTR string);

/* After a failed call into the runtime: its message becomes this program's record. Returns `hr`. */
HRESULT text_take_error(HRESULT hr);
/* At the end of a method: a failure's record becomes the error information that goes to the caller.
 * Returns `hr`. */
HRESULT text_publish_error(HRESULT hr);

#endif
