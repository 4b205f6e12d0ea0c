/* EXCEPINFO and IErrorInfo: two forms of one thing. */
#ifndef COM_DISPATCH_EXCEPTION_H
#define COM_DISPATCH_EXCEPTION_H

#include <viaduct/com.h>

/* A method has failed with `code`: what Invoke returns for that, DISP_E_EXCEPTION or a code of the
 * transport's as it is. Moves the thread's error information into `exception`, which may be NULL;
 * then it stays the thread's. */
HRESULT exception_fill(HRESULT code, EXCEPINFO *exception);

/* What the Invoke of `object` has left to be filled in later. A proxy's cannot be: under Wine it
 * has the address of a function of the other process, and Windows has called that there. */
void exception_complete(IDispatch *object, EXCEPINFO *exception);

/* What Invoke returned, completed, as the method's own code: makes the exception, which is freed,
 * the thread's error information. */
HRESULT exception_raise(HRESULT code, EXCEPINFO *exception);
/* Frees its texts, and zeroes it. */
void exception_clear(EXCEPINFO *exception);

#endif
