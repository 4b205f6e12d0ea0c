/*
 * What the faulty plugins are made of: `unixsock` as it is, but for the one operation that a plugin
 * replaces.
 *
 *     static HRESULT my_wait(...) { ... }
 *     FAULTY_PLUGIN(my_init, .wait = my_wait)
 *
 * A fault that has to remember something about a stream keeps it in a record.
 */
#ifndef TESTS_FAULTY_BASE_H
#define TESTS_FAULTY_BASE_H

#include "plugins/unixsock/stream.h"

struct faulty_record {
    struct faulty_record *next;
    const struct via_stream *stream;
    void (*ready)(void *token, uint32_t events);
    void *token;
    _Atomic uint32_t count;
};

/* The stream's record, made at its first use. */
struct faulty_record *faulty_record(const struct via_stream *stream);
/* stream_close that also drops the record; the `close` of every faulty plugin. */
void faulty_close(struct via_stream *stream);
void faulty_sleep_ms(unsigned ms);

/* A later initializer of the same member is the one that counts, which is the point here. */
#define FAULTY_PLUGIN(init_function, ...)                                                   \
    _Pragma("GCC diagnostic ignored \"-Woverride-init\"") static const struct via_transport \
        transport = {.size = sizeof transport,                                              \
                     .version = 1,                                                          \
                     .capabilities = VIA_TRANSPORT_HANDLES,                                 \
                     .max_span = STREAM_MAX_SPAN,                                           \
                     .max_handles = STREAM_MAX_HANDLES,                                     \
                     .listen = unixsock_listen,                                             \
                     .listener_accept = listener_accept,                                    \
                     .listener_arm = listener_arm,                                          \
                     .listener_close = listener_close,                                      \
                     .connect = unixsock_connect,                                           \
                     .set_ready = stream_set_ready,                                         \
                     .reserve = stream_reserve,                                             \
                     .commit = stream_commit,                                               \
                     .peek = stream_peek,                                                   \
                     .consume = stream_consume,                                             \
                     .read_into = stream_read_into,                                         \
                     .take_handles = stream_take_handles,                                   \
                     .wait = stream_wait,                                                   \
                     .interrupt = stream_interrupt,                                         \
                     .arm = stream_arm,                                                     \
                     .disarm = stream_disarm,                                               \
                     .park = stream_park,                                                   \
                     .peer_identity = stream_peer_identity,                                 \
                     .shutdown = stream_shutdown,                                           \
                     .finish = stream_finish,                                               \
                     .is_over = stream_is_over,                                             \
                     .close = faulty_close,                                                 \
                     __VA_ARGS__};                                                          \
    static const char *const schemes[] = {"unix", NULL};                                    \
    VIADUCT_PLUGIN_EXPORT const struct via_plugin viaduct_plugin = {                        \
        .abi = VIA_PLUGIN_ABI,                                                              \
        .size = sizeof viaduct_plugin,                                                      \
        .name = "faulty",                                                                   \
        .version = "1.0.0",                                                                 \
        .schemes = schemes,                                                                 \
        .init = init_function,                                                              \
        .deinit = plugin_lifetime_deinit,                                                   \
        .transport = &transport,                                                            \
    };

#endif
