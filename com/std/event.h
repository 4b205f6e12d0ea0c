/*
 * One event: a call of a source interface's method, copied, so that it can be made later, on
 * another thread, and once for each sink. Immutable.
 */
#ifndef COM_STD_EVENT_H
#define COM_STD_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <viaduct/com.h>

struct event;
struct marshal_method;

/* Copies the arguments, as a proxy's slot gets them; keeps a reference to each object among them.
 * With one reference. E_POINTER, E_OUTOFMEMORY, VIA_E_LIMIT ... name the argument. */
HRESULT event_new(const struct marshal_method *method, void **arguments, struct event **event);
struct event *event_ref(struct event *event);
/* May release objects: no lock is held. */
void event_unref(struct event *event);
/* What it takes in a queue, in bytes. */
size_t event_size(const struct event *event);
/* Blocks, for as long as the method does. Calls the method of `target`, a pointer to the source
 * interface; `is_late`: an IDispatch, whose Invoke gets the method's id. */
HRESULT event_call(const struct event *event, void *target, bool is_late);

#endif
