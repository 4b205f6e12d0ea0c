/* Fault: the peer's process id is another one. */
#include "tests/faulty/base.h"

static HRESULT peer_identity(struct via_stream *stream, struct via_peer_identity *identity)
{
    HRESULT hr = stream_peer_identity(stream, identity);
    identity->pid++;
    return hr;
}

FAULTY_PLUGIN(plugin_lifetime_init, .peer_identity = peer_identity)
