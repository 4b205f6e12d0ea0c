/*
 * Two nodes in one process, for the tests of core/link: the handler of both answers the methods
 * below, and counts what it sees.
 */
#ifndef TESTS_LINK_FIXTURE_H
#define TESTS_LINK_FIXTURE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/link/link.h"
#include "tests/harness/harness.h"

/* For calls that come back in any case: on a machine that does something else as well they may take
 * long, and an answer may lie behind a flood. A test that hangs is ended by its own limit. */
#define LINK_PATIENCE_MS (20000u * harness_time_factor())

enum method {
    METHOD_ADD,        /* two u32 -> their sum */
    METHOD_ECHO,       /* bytes -> the same */
    METHOD_NEST,       /* u32 n -> n + what the caller answers to nest(n - 1) */
    METHOD_SLEEP,      /* u32 ms -> u32 1 when it was cancelled */
    METHOD_FAIL,       /* -> an error with a cause */
    METHOD_COUNT,      /* one-way; u32: its number, from 0 on */
    METHOD_REPLY_LATE, /* answered by another thread, as a queued call */
    METHOD_DROP,       /* ends the connection instead of an answer */
    METHOD_FLOOD, /* u32 n, u32 size -> n, once the caller has been sent so many METHOD_COUNT */
    METHOD_TAKE,  /* bytes and handles -> u32 number of handles, u32 size */
    METHOD_BLOCKS /* u32 in place, u32 ms -> u32 number of blocks, u32 sum of their bytes, u32 the
                     same after so many ms */
};

/* What belongs to a connection; lasts as long as its side, since calls may run after its end. */
struct tally {
    struct tally *next;
    atomic_uint n_running;
};

struct side {
    struct link_node *node;
    atomic_uint n_opened, n_closed, n_counted, n_dropped, n_released, n_running, n_sleeping;
    atomic_uint n_closed_early; /* closed while something ran */
    atomic_uint n_flooded;      /* what METHOD_FLOOD has sent */
    atomic_uint n_read;         /* how often METHOD_BLOCKS has read for the first time */
    atomic_bool reads_slowly;   /* its second time waits for as long as this is set */
    struct tally *_Atomic tallies;
    uint32_t next_number; /* the reader's: of the next METHOD_COUNT */
    atomic_uint n_out_of_order;
    bool refuses;
    atomic_bool opens_slowly; /* a connection that is opened waits for as long as this is set */
    /* What METHOD_COUNT does; set after `context`, which is its own. Atomic, since a sanitizer does
     * not see that memory carries the calls from one thread to another. */
    void (*_Atomic on_count)(struct side *side, struct link_message *call);
    void (*_Atomic on_release)(struct side *side, struct link_message *frame); /* likewise */
    void *_Atomic context;
    struct link_connection *_Atomic last; /* the connection that was opened last; not counted */
};

struct pair {
    struct os_poller *poller;
    struct plugin_set *plugins;
    struct side server;
    struct side client;
    char address[300];
    struct link_connection *connection; /* of the client */
};

/* What the scheme "loop" is: the loopback plugin, or a test's own. */
extern const struct via_plugin *pair_loopback;

/* The defaults, but who is slow is not taken for stuck. */
void patient_settings(struct link_settings *settings);

/* `scheme`: "loop" or "unix". False: a check has failed, and the pair is closed. */
bool pair_open(struct pair *pair, const char *scheme, const struct link_settings *server_settings);
bool pair_open_with(struct pair *pair, const char *scheme,
                    const struct link_settings *server_settings,
                    const struct link_settings *client_settings);
void pair_close(struct pair *pair);
bool side_open(struct side *side, struct pair *pair, const struct link_settings *settings);
void side_close(struct side *side);

HRESULT call_method(struct link_connection *connection, enum method method, const void *payload,
                    size_t size, uint32_t limit_ms, struct link_message *reply);
/* METHOD_BLOCKS; the blocks are the call's. */
HRESULT call_with_blocks(struct link_connection *connection, struct link_blocks *blocks,
                         bool in_place, uint32_t ms, uint32_t limit_ms, uint32_t answer[3]);
HRESULT call_add(struct link_connection *connection, uint32_t a, uint32_t b, uint32_t *sum);
HRESULT call_number(struct link_connection *connection, enum method method, uint32_t number,
                    uint32_t limit_ms, uint32_t *result);
/* Waits until the counter is `value`; a check. */
bool wait_for(atomic_uint *counter, unsigned value);

#endif
