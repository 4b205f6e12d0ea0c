/* <viaduct/relay.h> over core/relay: a `struct via_relay` is a `struct relay`. */
#include <viaduct/relay.h>

#include <stdio.h>
#include <string.h>

#include "com/remote/node.h"
#include "com/remote/relay.h"
#include "com/remote/runtime.h"
#include "core/link/link.h"
#include "core/relay/relay.h"
#include "core/util/error.h"

/* What the options and the status had from the first version on. */
#define FIRST_OPTIONS_SIZE (offsetof(struct via_relay_options, max_clients) + sizeof(uint32_t))
#define FIRST_STATUS_SIZE  (offsetof(struct via_relay_status, failure) + 512)

static struct relay_set *the_relays; /* read-only while there is a node */

HRESULT runtime_relays_begin(struct os_poller *poller, const struct plugin_set *plugins)
{
    return relay_set_new(poller, plugins, &the_relays);
}

void runtime_relays_end(void)
{
    relay_set_free(the_relays);
    the_relays = NULL;
}

static HRESULT start(const struct via_relay_options *given, struct via_relay **relay)
{
    struct relay_settings settings;
    struct node *node = runtime_node();
    if (node == NULL)
        return error_get()->code;
    if (given->size < FIRST_OPTIONS_SIZE)
        return error_set(E_INVALIDARG, "via_relay_options.size is %u, not what it should be",
                         given->size);
    if (given->listen == NULL || given->connect == NULL)
        return error_set(E_INVALIDARG, "a relay listens at an address and connects to one");
    relay_settings_default(&settings);
    settings.listen = given->listen;
    settings.connect = given->connect;
    settings.access = given->access;
    settings.trust = given->trust;
    settings.idle_ms = given->idle_timeout_ms;
    settings.network = given->flags & VIA_RELAY_NETWORK;
    settings.messages = given->flags & VIA_RELAY_MESSAGES;
    if (given->connect_timeout_ms != 0)
        settings.patience_ms = given->connect_timeout_ms;
    if (given->max_clients != 0)
        settings.max_clients = given->max_clients;
    HRESULT hr = link_node_need_reactor(node->link);
    return SUCCEEDED(hr) ? relay_start(the_relays, &settings, (struct relay **)relay) : hr;
}

HRESULT via_relay_start(const struct via_relay_options *options, struct via_relay **relay)
{
    *relay = NULL;
    return runtime_publish(start(options, relay));
}

void via_relay_stop(struct via_relay *relay)
{
    if (relay != NULL)
        relay_stop((struct relay *)relay);
}

void via_relay_get_status(struct via_relay *relay, struct via_relay_status *out)
{
    struct relay_status status;
    if (out->size < FIRST_STATUS_SIZE)
        return;
    relay_get_status((struct relay *)relay, &status);
    out->is_down = status.is_down;
    out->clients = status.n_clients;
    out->total = status.n_total;
    out->refused = status.n_refused;
    out->unreachable = status.n_unreachable;
    out->bytes_to_target = status.bytes_to_target;
    out->bytes_to_client = status.bytes_to_client;
    snprintf(out->failure, sizeof out->failure, "%s", status.failure);
}
