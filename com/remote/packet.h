/*
 * Packets: a proxy as bytes that go to another process of this machine by other means than Viaduct,
 * as when COM marshals it. Who reads one connects to the object's owner and has a proxy of its own.
 *
 *     0  u32 "VIAP"   4  u16 version (1)   6  u16 0   8  u32 size of what follows   12  u32 0
 *    16  one entry of a reference table, of a third party's object (core/wire/reference.h)
 *
 * A packet is a hand-off (handoff.h) to whoever shows it, once, of the same user: the recipient's
 * node is not known. It ends when it is read, is released, lapses after handoff_timeout_ms, or the
 * process that made it ends. Until then that process keeps the proxy: it has nobody to tell it that
 * the packet was read, so a proxy that was let go earlier lives on for that long.
 */
#ifndef COM_REMOTE_PACKET_H
#define COM_REMOTE_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <viaduct/com.h>

struct import;
struct node;

/* Whether a packet can name the object at all: its owner is another process, and listens. Always
 * the same for an import. */
bool packet_is_possible(const struct import *import);
/* Of the packet that via_write_packet() would write. */
size_t packet_size(const struct import *import);
/* The node stops: no packet keeps a proxy any more. */
void packet_stop(struct node *node);

#endif
