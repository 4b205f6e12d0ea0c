/*
 * A Unix socket as the carrier.
 */
#include "plugins/shm/stream.h"

#include "plugins/shm/system.h"

static HRESULT send_message(struct carrier_line *line, const void *data, size_t size,
                            const int32_t *descriptors, uint32_t n)
{
    size_t sent = 0;
    HRESULT hr = socket_send(line->descriptor, data, size, descriptors, n, &sent);
    if (hr == S_OK && sent != size)
        return socket_fail(E_UNEXPECTED, "the system took a part of a message");
    return hr;
}

static HRESULT receive_message(struct carrier_line *line, void *data, size_t size, size_t *n,
                               struct socket_received *received)
{
    return socket_receive(line->descriptor, data, size, n, received);
}

static void shut(struct carrier_line *line)
{
    socket_shutdown(line->descriptor);
}

static void close_line(struct carrier_line *line)
{
    socket_close(line->descriptor);
}

const struct carrier_kind carrier_socket = {
    .max_handles = SHM_MAX_HANDLES,
    .ends_with_process = false, /* a child may keep the socket */
    .send = send_message,
    .receive = receive_message,
    .take_setup = setup_receive,
    .shutdown = shut,
    .close = close_line,
};

void carrier_socket_line(int32_t descriptor, const struct socket_peer *peer, int32_t life,
                         struct carrier_line *line)
{
    *line = (struct carrier_line){
        .kind = &carrier_socket,
        .descriptor = descriptor,
        .life = life,
        .peer = {.flags = VIA_PEER_HAS_UNIX | (peer->pid != 0 ? VIA_PEER_HAS_PID : 0),
                 .uid = peer->uid,
                 .gid = peer->gid,
                 .pid = peer->pid},
        .is_same_user = peer->uid == system_user(),
    };
}
