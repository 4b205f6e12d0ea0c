/*
 * Relays in this process, for tests: a set with a reactor of its own, between the raw names "in"
 * and "out" (raw.h), and a server that sends back what comes.
 */
#ifndef TESTS_RELAY_RELAYS_H
#define TESTS_RELAY_RELAYS_H

#include <viaduct/hresult.h>

#include "core/relay/relay.h"
#include "tests/relay/raw.h"

struct os_poller;

/* Both count as checks of the test. */
bool relays_open(void);
void relays_close(void);
struct os_poller *relays_poller(void);

/* In the set, with settings of the test's own. */
HRESULT relays_start_with(const struct relay_settings *settings, struct relay **relay);
HRESULT relays_start(const char *listen, const char *connect, bool messages, struct relay **relay);
HRESULT relays_start_between(bool messages, struct relay **relay);

/* RAW_NONE: it has not become possible. */
intptr_t relays_connect(const char *name);

/* Keeps the reactor from everything else until it is let go. */
struct relays_block {
    _Atomic bool is_held;
    _Atomic bool is_over;
};
void relays_hold(struct relays_block *block);
void relays_let_go(struct relays_block *block);

struct echo_client;

struct echo {
    struct raw_server server;
    struct os_thread *thread;
    _Atomic bool is_over;
    struct echo_client *clients; /* the thread's */
};
/* At "out", with a thread for each client. */
bool echo_start(struct echo *echo, bool messages);
void echo_stop(struct echo *echo);

/* Sends bytes and gets the same back. */
bool echo_ask(intptr_t end, size_t size);
/* A new client of "in" does. */
void echo_check(size_t size);

#endif
