/* Where a node listens. */
#ifndef CORE_LINK_LISTENER_H
#define CORE_LINK_LISTENER_H

#include "core/link/node.h"

/* Arms those again that ran out of descriptors; `*waits` when one still does. Reactor thread. */
void listener_resume_locked(struct link_node *node, uint64_t now_ns, bool *waits);
void listener_close_all(struct link_node *node);
/* The addresses that peers may know, each zero-terminated, for hello; returns their number. */
struct buffer;
uint16_t listener_write_addresses(struct link_node *node, struct buffer *buffer);

#endif
