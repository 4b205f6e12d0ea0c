/*
 * Peered hosts: other hosts that this one knows under a name. To those with an address it connects,
 * and goes on trying with back-off; those without one are expected to connect and to join
 * (IViaductHost::Join).
 */
#ifndef HOST_PEERS_H
#define HOST_PEERS_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/com.h>
#include <viaduct/host.h>

struct peers;

struct peer_settings {
    char *name;
    char *address; /* NULL: it connects to us */
};

/* The settings are borrowed and outlive the peers; `own_name` is what this host calls itself. */
HRESULT peers_new(const struct peer_settings *settings, size_t n_settings, const char *own_name,
                  struct peers **peers);
/* From now on connects; `own` is given to the peers. */
HRESULT peers_start(struct peers *peers, IViaductHost *own);
/* Blocks until nothing connects any more. */
void peers_stop(struct peers *peers);
void peers_free(struct peers *peers);

/* How long to wait before a peer is tried again: `before_ms` was waited last time (0: this is the
 * first), and then it was connected for `connected_ns` (0: it was not). */
uint32_t peers_retry_ms(uint32_t before_ms, uint64_t connected_ns);

size_t peers_count(const struct peers *peers);
const char *peers_name(const struct peers *peers, size_t index);
/* The peer's host, with a reference. VIA_E_UNREACHABLE says why it is not connected. */
HRESULT peers_get(struct peers *peers, size_t index, IViaductHost **host);
/* By name; REGDB_E_CLASSNOTREG lists the names that there are. */
HRESULT peers_find(struct peers *peers, const char *name, IViaductHost **host);
/* An object of this node came from the peer `host`: it is the one to ask about the node's end. */
void peers_note_node(struct peers *peers, IViaductHost *host, const GUID *node);
/* The order in which to ask the peers about a node, in `indexes`, which has room for peers_count().
 * True: the first is the one that an object of the node came from. */
bool peers_order_by_node(struct peers *peers, const GUID *node, size_t *indexes);
/* E_ACCESSDENIED: no peer of that name is expected. */
HRESULT peers_join(struct peers *peers, const char *name, IViaductHost *host);

struct peer_status {
    const char *name;
    const char *address; /* "" for one that connects to us */
    bool connected;
    char failure[512]; /* why it is not */
};
void peers_status(struct peers *peers, size_t index, struct peer_status *status);

#endif
