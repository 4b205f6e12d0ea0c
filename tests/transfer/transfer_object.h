/* The object that the tests of handles, streams and enumerators call, in their own process or in
 * another one. */
#ifndef TESTS_TRANSFER_TRANSFER_OBJECT_H
#define TESTS_TRANSFER_TRANSFER_OBJECT_H

#include "transfer.h"

/* With one reference; NULL without memory. */
ITransfer *transfer_new(void);
/* Of those, how many there are. */
LONG transfer_count(void);
BSTR transfer_text(const char *ascii);

#endif
