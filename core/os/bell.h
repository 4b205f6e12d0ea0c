/*
 * A bell: how other threads reach a thread of a single-threaded apartment of COM that is not one of
 * ours, and that does nothing for us but to wait for messages, or in COM.
 *
 * Made on that thread, which then hears it: at each ring `rung` is called there once, from whatever
 * loop the thread has or wait it is in, as COM's own calls to the apartment are; so calls of `rung`
 * may be nested. Where there are no such threads there are no bells.
 */
#ifndef CORE_OS_BELL_H
#define CORE_OS_BELL_H

#include <stdbool.h>
#include <viaduct/hresult.h>

struct os_bell;

/* `closing` is called on the thread when it is about to leave COM, with the last of its
 * CoUninitialize(). E_NOTIMPL: the thread is no apartment's. */
HRESULT os_bell_new(void (*rung)(void *context), void (*closing)(void *context), void *context,
                    struct os_bell **bell);
/* On its thread; also from `rung` and `closing`. Nobody rings any more. Takes NULL. */
void os_bell_free(struct os_bell *bell);
/* Any thread; does not wait. False: the thread has ended. */
bool os_bell_ring(struct os_bell *bell);

#endif
