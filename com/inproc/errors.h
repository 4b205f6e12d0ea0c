/* What COM's clients are told when something fails before there is an object that could. */
#ifndef COM_INPROC_ERRORS_H
#define COM_INPROC_ERRORS_H

#include <viaduct/com.h>

/* Puts a sentence in front of the thread's error information, or makes one. Returns `code`. */
HRESULT errors_explain(HRESULT code, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
