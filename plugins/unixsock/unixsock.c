/*
 * The plugin `unixsock`: streams over Unix-domain sockets, addressed by the socket file's absolute
 * path.
 */
#include "plugins/unixsock/stream.h"

static const struct via_transport transport = {
    .size = sizeof transport,
    .version = 1,
    .capabilities = VIA_TRANSPORT_HANDLES,
    .max_span = STREAM_MAX_SPAN,
    .max_handles = STREAM_MAX_HANDLES,
    .listen = unixsock_listen,
    .listener_accept = listener_accept,
    .listener_arm = listener_arm,
    .listener_close = listener_close,
    .connect = unixsock_connect,
    .set_ready = stream_set_ready,
    .reserve = stream_reserve,
    .commit = stream_commit,
    .peek = stream_peek,
    .consume = stream_consume,
    .read_into = stream_read_into,
    .take_handles = stream_take_handles,
    .wait = stream_wait,
    .interrupt = stream_interrupt,
    .arm = stream_arm,
    .disarm = stream_disarm,
    .park = stream_park,
    .peer_identity = stream_peer_identity,
    .shutdown = stream_shutdown,
    .close = stream_close,
};

static const char *const schemes[] = {"unix", NULL};

VIADUCT_PLUGIN_EXPORT const struct via_plugin viaduct_plugin = {
    .abi = VIA_PLUGIN_ABI,
    .size = sizeof viaduct_plugin,
    .name = "unixsock",
    .version = "1.0.0",
    .schemes = schemes,
    .init = plugin_lifetime_init,
    .deinit = plugin_lifetime_deinit,
    .transport = &transport,
};
