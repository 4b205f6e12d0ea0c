#include "tests/transfer/fixture.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/os/program.h"
#include "core/os/unix_calls.h"
#include "core/util/cleanup.h"
#include "tests/harness/harness.h"
#include "tests/transfer/system.h"

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

/* Names are the machine's, and processes of two Wine prefixes can have one number. */
static void new_address(const char *scheme, char *address, size_t size)
{
    static atomic_uint n;
    char name[64];
    snprintf(name, sizeof name, "viaduct-transfer-%u-%llx-%u", (unsigned)os_process_id(),
             (unsigned long long)os_now_ns(), atomic_fetch_add(&n, 1));
    if (strcmp(scheme, "unix") == 0 && os_path_separator != '\\')
        fresh_address(address, size, "transfer");
    else if (strcmp(scheme, "unix") == 0)
        snprintf(address, size, "unix:/tmp/%s.sock", name);
    else
        snprintf(address, size, "%s:%s", scheme, name);
}

static bool start(struct transfer_peer *peer, const char *scheme, const char *name)
{
    char address[sizeof peer->peer.address];
    memset(peer, 0, sizeof *peer);
    new_address(scheme, address, sizeof address);
    return peer_launch_at(&peer->peer, "transfer_peer", address, name) &&
           peer_connect(&peer->peer, &IID_ITransfer, (void **)&peer->root);
}

bool transfer_start_by(struct transfer_peer *peer, const char *scheme)
{
    return start(peer, scheme, "transfer");
}

bool transfer_start_locked(struct transfer_peer *peer)
{
    return start(peer, transfer_scheme(), "locked");
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

bool transfer_setup_begin(struct transfer_setup *self)
{
    *self = (struct transfer_setup){.first = VIA_NO_HANDLE, .second = VIA_NO_HANDLE};
    bool is_there = transfer_begin() && transfer_start(&self->peer);
    self->root = self->peer.root;
    return is_there;
}

void transfer_setup_end(struct transfer_setup *self)
{
    via_handle_close(self->first);
    via_handle_close(self->second);
    transfer_stop(&self->peer);
    transfer_end();
}

bool transfer_holds(VIA_HANDLE handle, const char *expected)
{
    char bytes[64] = "";
    long n = system_read(handle, bytes, sizeof bytes - 1);
    return n == (long)strlen(expected) && memcmp(bytes, expected, (size_t)n) == 0;
}

HRESULT transfer_write(ITransfer *object, VIA_HANDLE file, const char *ascii)
{
    BSTR text = transfer_text(ascii);
    HRESULT hr = ITransfer_Write(object, file, text);
    SysFreeString(text);
    return hr;
}

bool transfer_is_border(void)
{
    CLEANUP(cleanup_free) char *windows = os_environment("VIADUCT_TEST_WINDOWS");
    bool has_descriptors = os_unix_calls() != NULL && strcmp(transfer_scheme(), "pipe") != 0;
    return windows != NULL || (os_path_separator == '\\' && has_descriptors);
}
