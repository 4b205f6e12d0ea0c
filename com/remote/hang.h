/*
 * Methods that do not come back. A caller that has given up is told at once, and nobody else is
 * held up by one method of a free-threaded object; but an apartment is, and a class of somebody
 * else's may hang for ever. Who has asked for it by via_set_hang_limit() has its process ended
 * then. A method that takes long, and is still waited for, is left alone.
 */
#ifndef COM_REMOTE_HANG_H
#define COM_REMOTE_HANG_H

#include <stdbool.h>
#include <stdint.h>

#include "core/util/list.h"

struct link_current;
struct marshal_invocation;

/* A method that runs; on its thread's stack. */
struct hang_entry {
    struct list link;                            /* the watch's lock */
    const struct link_current *current;          /* read-only */
    const struct marshal_invocation *invocation; /* read-only */
    uint64_t given_up_ns;                        /* the watch's; 0: its caller waits */
};

/* Around a method, on the thread that runs it. False: nobody watches, and there is nothing to end.
 */
bool hang_begin(struct hang_entry *entry, const struct marshal_invocation *invocation);
void hang_end(struct hang_entry *entry);

#endif
