/*
 * An apartment: a thread of its own, on which all calls on its objects run, and a context (gate.h),
 * which all of them share. On Windows the thread is a single-threaded apartment of COM, and goes on
 * answering COM calls and window messages while it sleeps.
 *
 * What the context has let in is queued for the thread, in that order. While a method there waits
 * in a call of its own only calls of its chain come in, and these find the thread where it waits.
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
/* Blocks until all that is queued has run: no node may have objects of the apartment any more.
 * Takes NULL. */
void apartment_free(struct apartment *apartment);

/* Borrowed; a reference to it may be kept longer than the apartment, but nothing enters it then. */
struct context *apartment_context(struct apartment *apartment);
/* Whether the calling thread is the apartment's. */
bool apartment_is_current(const struct apartment *apartment);
/* Runs the job on the apartment's thread. */
void apartment_submit(struct apartment *apartment, struct link_job *job);

#endif
