/* Fault: a name that is in use is taken from who has it. */
#include "tests/faulty/base.h"

#include <stdio.h>

static HRESULT listen(const char *address, const struct via_listen_options *options,
                      void (*ready)(void *token, uint32_t events), void *token,
                      struct via_listener **listener)
{
    HRESULT hr = unixsock_listen(address, options, ready, token, listener);
    if (hr == VIA_E_ADDRESS_IN_USE) {
        char lock[SOCKET_PATH_SIZE + 8];
        snprintf(lock, sizeof lock, "%s.lock", address);
        socket_remove_name(address);
        socket_remove_name(lock);
        hr = unixsock_listen(address, options, ready, token, listener);
    }
    return hr;
}

FAULTY_PLUGIN(plugin_lifetime_init, .listen = listen)
