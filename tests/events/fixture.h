/* The helper process of the tests of events, on top of tests/remote/fixture.h. */
#ifndef TESTS_EVENTS_FIXTURE_H
#define TESTS_EVENTS_FIXTURE_H

#include <stdbool.h>

#include "tests/events/source_object.h"
#include "tests/remote/fixture.h"

struct events_peer {
    struct peer_process process;
    ITestSource *root; /* NULL when it could not be started */
};

/* Joins the runtime. */
bool events_begin(void);
bool events_peer_start(struct events_peer *peer, const char *name);
/* Releases the root and kills the process. */
void events_peer_end(struct events_peer *peer);

struct SourceCounters source_counters(ITestSource *source);
LONG remote_object_count(ITestSource *root);

#endif
