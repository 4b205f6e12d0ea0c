/*
 * The inside of asynchronous calls, shared by their files: the record and its end (async.c), the
 * beginning (async_begin.c), the answer (async_answer.c), completion callbacks (async_done.c).
 */
#ifndef COM_REMOTE_ASYNC_PARTS_H
#define COM_REMOTE_ASYNC_PARTS_H

#include "com/remote/async.h"

/* With one reference and one handle. `import` may be NULL; the record gets a reference of its own.
 * NULL: memory is short. */
struct via_call *async_new(struct import *import, const struct marshal_method *method);
void async_unref(struct via_call *call);
/* One handle less. */
void async_drop(struct via_call *call);
/* core/link's part is over: what link_begin() is given, with a reference. */
void async_link_ended(void *context);

/* What the call has returned lies in its parcel. */
void async_take_parcel(struct via_call *call);
/* Blocks until core/link's part is over, or until the deadline; the call's own ends it. */
HRESULT async_wait_for_answer(struct via_call *call, uint64_t deadline_ns);
/* Blocks. A failure: the wait was ended, or its time is over, before the call is. */
HRESULT async_wait_until_ready(struct via_call *call, uint64_t deadline_ns);

/* A job: calls the completion callback, and drops its handle. */
void async_run_done(void *argument);
/* The timer of the deadline, which may be NULL, and the reference that it has. Not under the call's
 * lock. */
void async_stop_timer(struct via_call *call, struct link_timer *timer);

#endif
