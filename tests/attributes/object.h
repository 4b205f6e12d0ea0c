/* The object of attributes.idl, and the sink that it makes. */
#ifndef TESTS_ATTRIBUTES_OBJECT_H
#define TESTS_ATTRIBUTES_OBJECT_H

#include "attributes.h"

/* With one reference; NULL on failure. The process has joined the runtime and registered
 * attributes_typelib. */
IUnknown *attributes_object_new(void);
/* How many of them, and of their sinks, live. */
long attributes_object_count(void);

/* A sink that has an IDispatch and nothing else. `block_ms`: each event takes so long. */
struct late_sink;
struct late_sink *late_sink_new(unsigned block_ms);
IUnknown *late_sink_unknown(struct late_sink *self);
/* How many events it got, and the numbers that came first in them, one beside the other. */
void late_sink_heard(struct late_sink *self, LONG *n, LONG *levels);

#endif
