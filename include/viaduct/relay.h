/*
 * Relays: whoever connects to one address is joined to another, whatever the two are: a named pipe,
 * a Unix socket, TCP on this machine. No objects are involved, and the programs on both sides need
 * not know of Viaduct. docs/relays.md says what a relay does and does not.
 *
 *     const char *const targets[] = {"unix:/run/docker.sock", NULL};
 *     struct via_relay_options options = {.size = sizeof options, .listen = "pipe:docker_engine",
 *                                         .connect = targets};
 *     hr = via_relay_start(&options, &relay);
 *
 * Relays work on a thread of the runtime, between via_initialize() and the last via_uninitialize(),
 * which ends those that are left. All functions may be called from any thread but from callbacks.
 */
#ifndef VIADUCT_RELAY_H
#define VIADUCT_RELAY_H

#include <stdint.h>
#include <viaduct/com.h>

#ifdef __cplusplus
extern "C" {
#endif

struct via_relay; /* the runtime's */

/* tcp: addresses that other machines can reach are allowed. */
#define VIA_RELAY_NETWORK 0x1u
/* The pipe at `listen` is one of messages. (One at `connect` is what its server has made it.) */
#define VIA_RELAY_MESSAGES 0x2u

/* Everything is copied. What is 0 or NULL is the default. */
struct via_relay_options {
    uint32_t size;  /* sizeof(struct via_relay_options) */
    uint32_t flags; /* VIA_RELAY_... */
    const char *listen;
    /* Where to connect for each client; tried in this order, NULL behind the last. "{runtime_dir}"
     * and "{uid}" stand for the connecting user's. */
    const char *const *connect;
    /* Who may connect besides this user and privileged ones: "everyone", "user:alice",
     * "group:docker", "uid:1000", "gid:100", "sid:S-1-...", NULL behind the last. */
    const char *const *access;
    /* Who may be the server at `connect`, likewise. */
    const char *const *trust;
    uint32_t idle_timeout_ms;    /* a client without a byte for so long is disconnected; 0: never */
    uint32_t connect_timeout_ms; /* how long a client waits for a target that is missing; 2000 */
    uint32_t max_clients;        /* at once; 1024 */
};

/* Listens from then on. VIA_E_ADDRESS, VIA_E_ADDRESS_IN_USE, E_INVALIDARG say what is wrong. */
VIA_API HRESULT via_relay_start(const struct via_relay_options *options, struct via_relay **relay);
/* Blocks. Gives the name up and disconnects everybody. NULL is allowed. */
VIA_API void via_relay_stop(struct via_relay *relay);

struct via_relay_status {
    uint32_t size;        /* set by the caller: sizeof(struct via_relay_status) */
    uint32_t is_down;     /* the last client found no target */
    uint64_t clients;     /* now */
    uint64_t total;       /* that were let in */
    uint64_t refused;     /* by the rules of access, or for being too many */
    uint64_t unreachable; /* that found no target */
    uint64_t bytes_to_target;
    uint64_t bytes_to_client;
    char failure[512]; /* why no target was found, the last time; "" */
};
VIA_API void via_relay_get_status(struct via_relay *relay, struct via_relay_status *status);

#ifdef __cplusplus
}
#endif

#endif
