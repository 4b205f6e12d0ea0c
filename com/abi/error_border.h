/*
 * The border between the library's error records and COM's error information of a thread.
 */
#ifndef COM_ABI_ERROR_BORDER_H
#define COM_ABI_ERROR_BORDER_H

#include <viaduct/hresult.h>

/* Makes the thread's record its error information: the full text, causes included, and the
 * outermost source. The record stays. Without a record the error information is cleared. */
void error_border_publish(HRESULT code);

/* Takes the thread's error information, which a method that failed with `code` has left, and makes
 * it the thread's record; without any, a record that names the code. Source stays empty where none
 * was given. */
void error_border_capture(HRESULT code);

/* Clears both: what a call that succeeds does. */
void error_border_clear(void);

#endif
