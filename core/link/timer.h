/* Timers of a node. */
#ifndef CORE_LINK_TIMER_H
#define CORE_LINK_TIMER_H

#include <stdint.h>

#include "core/link/link.h"
#include "core/util/list.h"

/* Moves the jobs of what is due to `due`; returns when the next one is. */
uint64_t timer_take_due_locked(struct link_node *node, uint64_t now_ns, struct list *due);

#endif
