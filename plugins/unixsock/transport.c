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
    STREAM_OPERATIONS,
};
