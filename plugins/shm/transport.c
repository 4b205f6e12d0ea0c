/*
 * The table of streams over Unix sockets.
 */
#include "plugins/shm/stream.h"

#include "plugins/shm/memory.h"
#include "plugins/unixsock/stream.h"

const struct via_transport shm_transport = {
    .size = sizeof shm_transport,
    .version = 1,
    .capabilities = VIA_TRANSPORT_HANDLES | VIA_TRANSPORT_SHARED | VIA_TRANSPORT_DESCRIPTORS,
    .max_span = SHM_MAX_SPAN,
    .max_handles = SHM_MAX_HANDLES,
    .listen = shm_listen,
    .listener_accept = shm_accept,
    .listener_arm = listener_arm,
    .listener_close = listener_close,
    .connect = shm_connect,
    .set_ready = shm_set_ready,
    .reserve = shm_reserve,
    .commit = shm_commit,
    .peek = shm_peek,
    .consume = shm_consume,
    .read_into = shm_read_into,
    .take_handles = shm_take_handles,
    .wait = shm_wait,
    .interrupt = shm_interrupt,
    .arm = shm_arm,
    .disarm = shm_disarm,
    .park = shm_park,
    .peer_identity = shm_peer_identity,
    .shutdown = shm_shutdown,
    .close = shm_close,
    .offer = shm_offer,
    .attach = shm_attach,
    .memory_new = shm_memory_new,
    .memory_map = shm_memory_map,
    .memory_unmap = shm_memory_unmap,
};
