/*
 * The table of the streams of stream.c, with paths as addresses.
 */
#include "plugins/unixsock/stream.h"

const struct via_transport unixsock_transport = {
    .size = sizeof unixsock_transport,
    .version = 1,
    .capabilities = VIA_TRANSPORT_HANDLES | VIA_TRANSPORT_DESCRIPTORS | VIA_TRANSPORT_WATCHES,
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
    .refuse_handles = stream_refuse_handles,
    .expect_handles = stream_expect_handles,
    .finish = stream_finish,
    .is_over = stream_is_over,
};
