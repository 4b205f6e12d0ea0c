/*
 * Between the files of the conformance suite: the run's state, the assertions, and what most tests
 * start with (a listener, two connected streams, bytes sent and compared).
 */
#ifndef CORE_PLUGIN_CONFORMANCE_PARTS_H
#define CORE_PLUGIN_CONFORMANCE_PARTS_H

#include "core/plugin/conformance.h"
#include "core/plugin/conformance_end.h"

#include "core/os/thread.h"
#include "core/util/printf.h"

#include <stdbool.h>
#include <stdint.h>

#define CONFORMANCE_MS 1000000ull /* nanoseconds */
/* How long anything that must happen may take before it counts as never. Generous: machines are
 * busy. */
#define CONFORMANCE_PATIENCE_NS (10000 * CONFORMANCE_MS)
/* How long is watched for what must not happen. */
#define CONFORMANCE_QUIET_NS (60 * CONFORMANCE_MS)

struct conformance_peer;

struct conformance {
    const struct conformance_side *client; /* who connects */
    const struct conformance_side *server; /* who listens */
    const struct conformance_side *local;
    struct conformance_peer *peer; /* one of the two, or NULL: both are this process */
    const struct via_plugin *plugin;
    const struct via_plugin_host *host;
    const char *prefix;
    unsigned n_addresses; /* given out in this run */
    uint64_t random;
    unsigned seed;
    bool failed; /* the running test; written by its own thread only */
    bool skipped;
    char message[512];
};

/* Where a test has something to show. */
enum conformance_reach {
    CONFORMANCE_ANYWHERE = 0,
    CONFORMANCE_ALONE, /* it is about one process; with a peer it is counted apart */
    CONFORMANCE_PEER   /* it needs another process */
};

struct conformance_test {
    const char *name;
    void (*run)(struct conformance *c);
    enum conformance_reach reach;
};

/* One table for each file, ended by a NULL name. */
extern const struct conformance_test conformance_bytes_tests[];
extern const struct conformance_test conformance_handles_tests[];
extern const struct conformance_test conformance_ready_tests[];
extern const struct conformance_test conformance_wait_tests[];
extern const struct conformance_test conformance_closed_tests[];
extern const struct conformance_test conformance_address_tests[];
extern const struct conformance_test conformance_connect_tests[];

/* Marks the running test as failed or skipped; the first message stays. */
void conformance_fail(struct conformance *c, const char *format, ...) PRINTF_LIKE(2, 3);
void conformance_skip(struct conformance *c, const char *reason);
/* "what: 0x80045601 and the thread's error text". */
void conformance_fail_result(struct conformance *c, const char *what, HRESULT hr);

/* In a function that returns void; `goto out` style clean-up uses CONF_CHECK and the value. */
#define CONF_CHECK(c, condition, ...) \
    ((condition) ? true : (conformance_fail((c), __VA_ARGS__), false))
#define CONF_RESULT(c, expression, expected) \
    conformance_result((c), (expression), (expected), #expression " should give " #expected)
bool conformance_result(struct conformance *c, HRESULT actual, HRESULT expected, const char *what);

uint32_t conformance_random(struct conformance *c, uint32_t below);
uint64_t conformance_now(struct conformance *c);
uint64_t conformance_deadline(struct conformance *c); /* now + CONFORMANCE_PATIENCE_NS */
void conformance_sleep(uint64_t ns);                  /* coarsely */
/* A name of this transport that nobody has used, without the scheme. */
void conformance_address(struct conformance *c, char *address, size_t size);

void conformance_on_ready(void *token, uint32_t events);
/* Waits until the counter reaches `n`; false: it did not in time. */
bool conformance_await(struct conformance *c, _Atomic uint32_t *counter, uint32_t n);

/* Watches for a while that it stays at `n`; `what`: the state of which more would be wrong. */
bool conformance_quiet(struct conformance *c, _Atomic uint32_t *counter, uint32_t n,
                       const char *what);

/* A listener and two ends that are connected through it. */
struct conformance_pair {
    char address[256];
    struct via_listener *listener; /* the server side's */
    struct conformance_ready listening;
    struct conformance_end client;
    struct conformance_end server;
};

/* False: the test has failed, nothing is open. */
bool conformance_listen(struct conformance *c, struct conformance_pair *pair);
bool conformance_connect(struct conformance *c, struct conformance_pair *pair);
bool conformance_open(struct conformance *c, struct conformance_pair *pair);  /* both */
void conformance_close(struct conformance *c, struct conformance_pair *pair); /* what is open */
/* Connects, by polling, as long as all places are taken and until it is decided; the result. */
HRESULT conformance_connect_to(struct conformance *c, const char *address,
                               uint32_t check_server_owner, struct conformance_end *end);
bool conformance_set_ready(struct conformance *c, struct conformance_end *end);
/* Accepts one waiting client, by polling (no readiness). */
bool conformance_accept(struct conformance *c, struct via_listener *listener,
                        struct conformance_end *end);
/* False, and the test is skipped, where a stream ends only as a whole, on one side at least. */
bool conformance_can_finish(struct conformance *c);
/* All has been received and the peer has closed, or finished. */
bool conformance_await_end(struct conformance *c, struct conformance_end *end);
/* The side that the peer holds, in a test that needs one. */
const struct conformance_side *conformance_far(const struct conformance *c);
/* Kills the peer in the middle of what it does; false: the test has failed. */
bool conformance_kill_peer(struct conformance *c);
/* Of both sides. */
unsigned conformance_buffers_lent(const struct conformance *c);

/* The byte at `position` of the stream that `seed` makes; never the same twice in a row. */
uint8_t conformance_byte(uint32_t seed, uint64_t position);

/* Sends exactly bytes [position, position+n) of the stream `seed`, with one reserve and commit;
 * false when the transport took less or said anything but S_OK. */
bool conformance_send(struct conformance *c, struct conformance_end *end, uint32_t seed,
                      uint64_t position, size_t n);
/* Receives n bytes by single-byte peeks and polling, compares and consumes them. */
bool conformance_receive(struct conformance *c, struct conformance_end *end, uint32_t seed,
                         uint64_t position, size_t n);

/* An IPv4 address of this machine that is not its loopback; false: it has none. */
bool conformance_own_host(char *host, size_t size);
/* Ends this process as if it was killed: nothing is closed or said. */
void conformance_die(void);

#endif
