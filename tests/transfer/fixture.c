#include "tests/transfer/fixture.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/path.h"
#include "core/os/process.h"
#include "core/os/program.h"
#include "core/util/cleanup.h"
#include "tests/harness/harness.h"

bool transfer_begin(void)
{
    return CHECK_OK(via_initialize(NULL)) && CHECK_OK(via_register_typelib(&transfer_typelib));
}

void transfer_end(void)
{
    fixture_end();
}

const char *transfer_scheme(void)
{
    static char scheme[16];
    CLEANUP(cleanup_free) char *chosen = os_environment("VIADUCT_TEST_SCHEME");
    snprintf(scheme, sizeof scheme, "%s",
             chosen != NULL              ? chosen
             : os_path_separator == '\\' ? "shm"
                                         : "unix");
    return scheme;
}

/* Names are the host's: two suites run at once. */
static void new_address(const char *scheme, char *address, size_t size)
{
    static atomic_uint n;
    unsigned number = atomic_fetch_add(&n, 1);
    if (strcmp(scheme, "unix") == 0 && os_path_separator != '\\')
        fresh_address(address, size, "transfer");
    else if (strcmp(scheme, "unix") == 0)
        snprintf(address, size, "unix:/tmp/viaduct-transfer-%u-%u.sock", (unsigned)os_process_id(),
                 number);
    else
        snprintf(address, size, "%s:viaduct-transfer-%u-%u", scheme, (unsigned)os_process_id(),
                 number);
}

bool transfer_start_by(struct transfer_peer *peer, const char *scheme)
{
    char address[sizeof peer->peer.address];
    memset(peer, 0, sizeof *peer);
    new_address(scheme, address, sizeof address);
    return peer_launch_at(&peer->peer, "transfer_peer", address, "transfer") &&
           peer_connect(&peer->peer, &IID_ITransfer, (void **)&peer->root);
}

bool transfer_start(struct transfer_peer *peer)
{
    return transfer_start_by(peer, transfer_scheme());
}

void transfer_stop(struct transfer_peer *peer)
{
    if (peer->root != NULL)
        ITransfer_Release(peer->root);
    peer_end(&peer->peer);
}

bool transfer_peer_is_windows(const struct transfer_peer *peer)
{
    struct via_peer_info info = {.size = sizeof info};
    via_get_peer((IUnknown *)peer->root, &info);
    return info.is_windows;
}
