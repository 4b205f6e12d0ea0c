/*
 * Between the files of the conformance suite: the run's state, the assertions, and what most tests
 * start with (a listener, two connected streams, bytes sent and compared).
 */
#ifndef CORE_PLUGIN_CONFORMANCE_PARTS_H
#define CORE_PLUGIN_CONFORMANCE_PARTS_H

#include "core/plugin/conformance.h"

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

struct conformance {
    const struct via_transport *t;
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

struct conformance_test {
    const char *name;
    void (*run)(struct conformance *c);
};

/* One table for each file, ended by a NULL name. */
extern const struct conformance_test conformance_bytes_tests[];
extern const struct conformance_test conformance_handles_tests[];
extern const struct conformance_test conformance_ready_tests[];
extern const struct conformance_test conformance_wait_tests[];
extern const struct conformance_test conformance_address_tests[];

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

/* Counts ready calls, from any thread. */
struct conformance_ready {
    _Atomic uint32_t n_read;
    _Atomic uint32_t n_write;
    _Atomic uint32_t n_calls;
};
void conformance_on_ready(void *token, uint32_t events);
/* Waits until the counter reaches `n`; false: it did not in time. */
bool conformance_await(struct conformance *c, _Atomic uint32_t *counter, uint32_t n);

/* A listener and two ends that are connected through it. */
struct conformance_pair {
    char address[256];
    struct via_listener *listener;
    struct conformance_ready listening;
    struct via_stream *client;
    struct via_stream *server;
    struct conformance_ready client_ready;
    struct conformance_ready server_ready;
};

/* False: the test has failed, nothing is open. */
bool conformance_listen(struct conformance *c, struct conformance_pair *pair);
bool conformance_connect(struct conformance *c, struct conformance_pair *pair);
bool conformance_open(struct conformance *c, struct conformance_pair *pair);  /* both */
void conformance_close(struct conformance *c, struct conformance_pair *pair); /* what is open */
/* Accepts one waiting client, by polling (no readiness). */
bool conformance_accept(struct conformance *c, struct via_listener *listener,
                        struct via_stream **stream);

/* The byte at `position` of the stream that `seed` makes; never the same twice in a row. */
uint8_t conformance_byte(uint32_t seed, uint64_t position);

/* Sends exactly bytes [position, position+n) of the stream `seed`, with one reserve and commit;
 * false when the transport took less or said anything but S_OK. */
bool conformance_send(struct conformance *c, struct via_stream *stream, uint32_t seed,
                      uint64_t position, size_t n);
/* Receives n bytes by single-byte peeks and polling, compares and consumes them. */
bool conformance_receive(struct conformance *c, struct via_stream *stream, uint32_t seed,
                         uint64_t position, size_t n);

/* A handle that can be told from others: made, and recognised after its way through the transport.
 */
struct conformance_handle {
    via_os_handle handle; /* what is sent */
    via_os_handle other;  /* what recognises it */
};
bool conformance_handle_make(struct conformance *c, struct conformance_handle *handle);
/* Whether `received` is a duplicate of the handle. */
bool conformance_handle_same(struct conformance *c, const struct conformance_handle *handle,
                             via_os_handle received);
/* Whether no duplicate of the handle is left anywhere, once the handle itself is closed. */
bool conformance_handle_alone(struct conformance *c, const struct conformance_handle *handle);
void conformance_handle_close(struct conformance *c, via_os_handle handle);
void conformance_handle_free(struct conformance *c, struct conformance_handle *handle);
/* An empty one, if it is there. */
void conformance_remove_directory(const char *path);
/* This process as a transport with such flags should name it. */
void conformance_own_identity(struct conformance *c, uint32_t flags,
                              struct via_peer_identity *identity);

#endif
