/* What a client does with the object of a server process. Each returns the program's status: 0 if
 * all was right. */
#ifndef TESTS_CALL_PATH_CASES_H
#define TESTS_CALL_PATH_CASES_H

#include "call_path.h"

#include <stdint.h>

/* Prints what failed, with the error's text; 1. */
int path_fail(const char *what, HRESULT code);

/* `factor`: slow builds take so many times longer. */
int path_cancel(ICallPath *path, uint32_t factor);

#endif
