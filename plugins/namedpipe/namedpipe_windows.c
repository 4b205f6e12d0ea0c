/*
 * Named pipes on Windows: the plugin's life and its table.
 */
#include "plugins/namedpipe/pipe_windows.h"

HRESULT namedpipe_init(const struct via_plugin_host *host)
{
    return overlapped_init(host, NULL);
}

void namedpipe_deinit(void)
{
    overlapped_deinit(NULL);
}

const struct via_transport namedpipe_transport = {
    .size = sizeof namedpipe_transport,
    .version = 1,
    .capabilities = 0,
    .max_span = STREAM_MAX_SPAN,
    .max_handles = 0,
    .listen = pipe_listen,
    .listener_accept = overlapped_listener_accept,
    .listener_arm = overlapped_listener_arm,
    .listener_close = overlapped_listener_close,
    .connect = pipe_connect,
    .set_ready = overlapped_set_ready,
    .reserve = overlapped_reserve,
    .commit = overlapped_commit,
    .peek = overlapped_peek,
    .consume = overlapped_consume,
    .read_into = overlapped_read_into,
    .take_handles = overlapped_take_handles,
    .wait = overlapped_wait,
    .interrupt = overlapped_interrupt,
    .arm = overlapped_arm,
    .disarm = overlapped_disarm,
    .park = overlapped_park,
    .peer_identity = overlapped_peer_identity,
    .shutdown = overlapped_shutdown,
    .close = overlapped_close,
};
