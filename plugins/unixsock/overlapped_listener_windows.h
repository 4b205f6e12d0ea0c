/*
 * Listeners over overlapped I/O: places that wait for clients, on the model of
 * overlapped_windows.h.
 */
#ifndef UNIXSOCK_OVERLAPPED_LISTENER_WINDOWS_H
#define UNIXSOCK_OVERLAPPED_LISTENER_WINDOWS_H

#include "plugins/unixsock/overlapped_windows.h"

/* Room for what a kind's operation writes: for AcceptEx two addresses of any family, each with the
 * 16 bytes more that it asks for. */
#define OVERLAPPED_SCRATCH_SIZE (2 * (sizeof(SOCKADDR_STORAGE) + 16))

/* One place for a client: a handle that waits for it, or that it has connected to. */
struct overlapped_instance {
    struct via_plugin_overlapped waiting;
    struct via_listener *listener;
    HANDLE handle;
    struct overlapped_instance *next; /* in `listening` or `connected` */
    uint8_t scratch[OVERLAPPED_SCRATCH_SIZE];
};

struct overlapped_listener_kind {
    /* [listener's lock] Makes instance->handle and lets it wait by instance->waiting. S_OK: a
     * packet will come; S_FALSE: a client is there already; else nothing is left open. */
    HRESULT (*start)(struct via_listener *listener, struct overlapped_instance *instance);
    /* Makes a stream of an instance's handle that a client has connected to, and owns the handle
     * from then on, also when it fails. */
    HRESULT (*open)(struct via_listener *listener, HANDLE handle, struct via_stream **stream);
    /* Closes an instance's handle; a wait under way ends with a packet. */
    void (*drop)(HANDLE handle);
    /* [listener's lock] Gives up the name, after which nobody can connect any more. */
    void (*end)(struct via_listener *listener);
    void (*free)(struct via_listener *listener);
};

/* The first member of each kind's own. */
struct via_listener {
    const struct overlapped_listener_kind *kind; /* read-only, with the next three */
    uint32_t backlog;
    void (*ready)(void *token, uint32_t events);
    void *token;
    _Atomic uint32_t n_references; /* its owner, instances that wait, a post */
    SRWLOCK lock;                  /* all that follows */
    CONDITION_VARIABLE wake;
    struct overlapped_instance *listening;
    struct overlapped_instance *connected; /* in the order of their coming */
    uint32_t n_listening;
    uint32_t n_connected;
    bool armed;
    bool posted;
    bool reporting;
    bool closing;
};

void overlapped_listener_init(struct via_listener *listener,
                              const struct overlapped_listener_kind *kind,
                              const struct via_listen_options *options,
                              void (*ready)(void *token, uint32_t events), void *token);
/* Makes the first places wait; fails if there is not even one. */
HRESULT overlapped_listener_start(struct via_listener *listener);
/* Drops one reference; the last calls kind->free. */
void overlapped_listener_unref(struct via_listener *listener);

/* Takes one client as the handle that it has connected to, which the caller owns then;
 * VIA_S_WOULD_BLOCK. */
HRESULT overlapped_listener_take(struct via_listener *listener, HANDLE *handle);

/* The operations of struct via_transport. */
HRESULT overlapped_listener_accept(struct via_listener *listener, struct via_stream **stream);
HRESULT overlapped_listener_arm(struct via_listener *listener);
void overlapped_listener_close(struct via_listener *listener);
/* The members of a transport's table that are these. */
#define OVERLAPPED_LISTENER_OPERATIONS                                                      \
    .listener_accept = overlapped_listener_accept, .listener_arm = overlapped_listener_arm, \
    .listener_close = overlapped_listener_close

#endif
