/*
 * Relays: whoever connects to one address is joined to another, byte by byte, whatever the two
 * transports are. No objects are involved; docs/relays.md is the description for users.
 *
 * A set belongs to a poller, whose reactor somebody else runs: all bytes are moved on that thread,
 * by callbacks that do a bounded piece of work each. Beside it a set has one thread for times, made
 * when first needed, which sleeps. What is written here may be called from any thread but the
 * reactor's.
 */
#ifndef CORE_RELAY_RELAY_H
#define CORE_RELAY_RELAY_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/hresult.h>

struct os_poller;
struct plugin_set;
struct relay;
struct relay_set;

/* Addresses to connect to that one relay may name. */
#define RELAY_MAX_TARGETS 16u

/* Everything is copied. */
struct relay_settings {
    const char *listen;
    const char *const *connect; /* tried in this order; NULL behind the last, one at least */
    /* Who may connect, and who may serve at `connect`, besides this user and privileged ones: words
     * of access.h, NULL behind the last. NULL: nobody else. */
    const char *const *access;
    const char *const *trust;
    uint32_t idle_ms;     /* a client without a byte for so long is disconnected; 0: never */
    uint32_t patience_ms; /* how long a client waits for a target that is not there */
    uint32_t max_clients; /* at once */
    bool network;         /* addresses that other machines reach are allowed */
    bool messages;        /* at `listen` there is a pipe in message mode */
};
/* Two seconds of patience, 1024 clients. */
void relay_settings_default(struct relay_settings *settings);

struct relay_status {
    uint64_t n_clients;       /* now */
    uint64_t n_total;         /* that were let in */
    uint64_t n_refused;       /* that the rules or the limit kept out */
    uint64_t n_unreachable;   /* that found no target */
    uint64_t bytes_to_target; /* taken from clients and passed on */
    uint64_t bytes_to_client;
    bool is_down;      /* the last client found no target */
    char failure[512]; /* why; what it was last time where it is not down; "" */
};

/* Both are borrowed and outlive the set. */
HRESULT relay_set_new(struct os_poller *poller, const struct plugin_set *plugins,
                      struct relay_set **set);
/* Blocks. Stops what is left. The reactor still runs. Takes NULL. */
void relay_set_free(struct relay_set *set);

/* Listens from then on. VIA_E_ADDRESS says what is wrong with an address, or that the relay would
 * lead to itself; VIA_E_ADDRESS_IN_USE; E_INVALIDARG for the other settings. */
HRESULT relay_start(struct relay_set *set, const struct relay_settings *settings,
                    struct relay **relay);
/* Blocks. Gives the name up, disconnects everybody and frees the relay. */
void relay_stop(struct relay *relay);
void relay_get_status(struct relay *relay, struct relay_status *status);

#endif
