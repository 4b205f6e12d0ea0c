/*
 * Moving a connection to shared memory while it is hot, and back when it is idle.
 *
 * A connection has two paths: the one that it was made by, and, for a while, one through memory
 * that the `shm` plugin makes for two who are connected already. Each direction is on one of them.
 * It changes with a frame of kind switch, which is the last one of its direction on the path that
 * it leaves, so that no frame is lost or overtaken:
 *
 *   connecting side                          listening side
 *   hot: makes the memory, OFFER ------->    joins it, or REFUSE
 *                              <-------      SHARED: what follows comes through memory
 *   reads memory; SHARED       ------->      reads memory
 *
 * Either side ends it after a while without frames, by BASE as its last frame in memory; the other
 * answers with its own, and both give the memory back when they neither read nor write it.
 */
#ifndef CORE_LINK_SWITCH_H
#define CORE_LINK_SWITCH_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/hresult.h>

#include "core/link/connection.h"

/* Counts a call, or its large payload, that this side makes. True: the connection is hot, and
 * switch_offer() is due. With connection->lock. */
bool switch_is_due_locked(struct link_connection *connection, size_t payload_size);
/* Makes the memory and offers it. Never blocks; a failure is logged once and leaves the connection
 * where it is. A use of the connection, no locks held. */
void switch_offer(struct link_connection *connection);
/* A frame of kind switch; by the holder of the right. A failure ends the connection. */
HRESULT switch_received(struct link_connection *connection, struct link_message *message);
/* Whether this side can: there is such a transport, and nobody has forbidden it. */
bool switch_can(const struct link_connection *connection);
/* Handles that a frame of the peer's may have: of a message, or of an offer where those may come,
 * which the connecting side makes. */
uint16_t switch_max_handles(const struct link_connection *connection, bool is_possible);
/* Goes back to the first path, if the connection is in memory. A use of it, no locks held. */
HRESULT switch_leave(struct link_connection *connection);
/* From now on the tick looks whether the connection is idle, and then gives back what it has of
 * memory. No locks held. */
void switch_watch(struct link_connection *connection);
/* The tick's: adds jobs that take idle connections back to their first path, and returns when to
 * come again. With node->lock. */
uint64_t switch_take_cold_locked(struct link_node *node, uint64_t now_ns, struct list *jobs);
/* The sending direction is on another path now. No locks held. */
void switch_out_changed(struct link_connection *connection);
/* What is left of the shared path, when the connection ends. */
void switch_close(struct link_connection *connection);

#endif
