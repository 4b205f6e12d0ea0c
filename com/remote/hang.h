/*
 * Code of objects that does not come back: methods, QueryInterface, and the Release that ends an
 * object. A caller that has given up is told at once, and nobody else is held up by one method of a
 * free-threaded object; but an apartment is, and a class of somebody else's may hang for ever. Who
 * has asked for it by via_set_hang_limit() has its process ended then. What takes long, and is
 * still waited for, is left alone. For a last Release nobody waits, and it may have much to do: it
 * has a longer time.
 */
#ifndef COM_REMOTE_HANG_H
#define COM_REMOTE_HANG_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/com.h>

#include "core/util/list.h"

struct link_current;
struct marshal_method;

/* Code that runs; on its thread's stack. */
struct hang_entry {
    struct list link;                    /* the watch's lock */
    const struct link_current *current;  /* read-only; NULL: a last release, whose caller is gone */
    const struct marshal_method *method; /* read-only; or NULL */
    const GUID *iid;                     /* read-only; that is asked for, or NULL */
    uint64_t given_up_ns;                /* the watch's; 0: its caller waits */
};

/* Around it, on the thread that runs it. False: nobody watches, or no call is the reason for it,
 * and there is nothing to end. */
bool hang_begin_method(struct hang_entry *entry, const struct marshal_method *method);
bool hang_begin_query(struct hang_entry *entry, const GUID *iid);
bool hang_begin_last_release(struct hang_entry *entry);
void hang_end(struct hang_entry *entry);

#endif
