/*
 * An apartment: a thread of its own, on which all calls on its objects run, and a context (gate.h),
 * which all of them share. On Windows the thread is a single-threaded apartment of COM, and goes on
 * answering COM calls and window messages while it sleeps.
 *
 * A thread of the program's own that is a single-threaded apartment of COM may be one, too, for as
 * long as other processes have objects that it has handed out (apartment_adopt()). There calls are
 * let in as COM lets its own in: whenever the thread waits, also while others are under way.
 *
 * What the context has let in is queued for the thread, in that order. While a method there waits
 * in a call of its own only calls of its chain come in, and questions for interfaces, which the
 * context does not hold up; these find the thread where it waits.
 */
#ifndef COM_REMOTE_APARTMENT_H
#define COM_REMOTE_APARTMENT_H

#include <stdbool.h>
#include <viaduct/hresult.h>

struct apartment;
struct context;
struct link_job;

/* Starts the thread. It ends by apartment_free(). */
HRESULT apartment_new(struct apartment **apartment);
/* Blocks until all that is queued has run. Objects of the apartment that a node still has may not
 * be touched any more. Takes NULL. */
void apartment_free(struct apartment *apartment);

/* The calling thread's, where that is an apartment of COM's and none of ours; a context of it, with
 * a reference. E_NOTIMPL: it is no apartment's thread. The apartment lasts until nobody has a
 * reference to the context, and the thread comes by; or until the thread leaves COM. */
HRESULT apartment_adopt(struct context **context);
/* Whether threads are adopted though there is no guest (via_adopt_apartments()). */
bool apartment_adopts(void);
/* Whether it is such a thread's, where calls may be let in while others are under way. */
bool apartment_is_adopted(const struct apartment *apartment);
/* Its thread has left: nothing of it may be called, or released, any more. */
bool apartment_is_over(struct apartment *apartment);
/* Its context is freed, and it with that. */
void apartment_context_freed(struct apartment *apartment);

/* Borrowed; a reference to it may be kept longer than the thread is there, but nothing enters it
 * then. */
struct context *apartment_context(struct apartment *apartment);
/* Whether the calling thread is the apartment's. */
bool apartment_is_current(const struct apartment *apartment);
/* Runs the job on the apartment's thread; false: that has left, and it does not. On a thread that
 * was adopted, and is the calling one, behind the job that runs, or at once where none does. */
bool apartment_submit(struct apartment *apartment, struct link_job *job);

#endif
