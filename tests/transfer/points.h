/* An enumerator of a program's own interface, written as any is. */
#ifndef TESTS_TRANSFER_POINTS_H
#define TESTS_TRANSFER_POINTS_H

#include "transfer.h"

/* Over `n` points, from number `at`; NULL without memory. */
IEnumPoint *points_new(ULONG n, ULONG at);
/* How often Next was called, of all of them. */
LONG points_count_next(void);

#endif
