/* The object of the soak tests, and the traffic that a process makes with others' ones. */
#ifndef TESTS_SOAK_SOAK_OBJECT_H
#define TESTS_SOAK_SOAK_OBJECT_H

#include "soak.h"

/* Calls are made with this deadline, times the factor for slow builds. */
#define SOAK_DEADLINE_MS 3000u
/* And may never take longer than so much more: what an error's explanation may take. */
#define SOAK_LATE_MS (SOAK_DEADLINE_MS + 3000u)

/* So long an object waits for whom it was handed to. */
#define SOAK_HANDOFF_MS 8000u
/* The same where processes are killed: who has died does not come, and a call whose object has
 * lapsed has a cause to fail. */
#define SOAK_MORTAL_HANDOFF_MS 3000u
/* Helper programs are told by their name which of the two it is. */
#define SOAK_MORTAL "mortal"

ISoak *soak_object_new(void);
/* Objects that live in this process. */
long soak_object_count(void);

#endif
