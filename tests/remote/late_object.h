/* The objects of late.idl. */
#ifndef TESTS_REMOTE_LATE_OBJECT_H
#define TESTS_REMOTE_LATE_OBJECT_H

#include "late.h"

/* With one reference each; NULL without memory. */
ILate *late_object_new(void);
ILateDual *late_dual_new(void);
IUnknown *late_nothing_new(void);
/* How many of them live. */
unsigned late_objects(void);

#endif
