/*
 * The plugin `tcp`: streams over TCP, for relays only. Nobody can say who is at the other end of
 * one, so objects do not travel by it. Addresses of this machine alone, unless the flags of who
 * listens or connects say that others are meant.
 */
#include "plugins/tcp/tcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_port(const char *text, uint16_t *port)
{
    size_t length = strlen(text);
    if (length == 0 || length > 5 || strspn(text, "0123456789") != length)
        return false;
    unsigned long value = strtoul(text, NULL, 10);
    *port = (uint16_t)value;
    return value >= 1 && value <= UINT16_MAX;
}

static bool parse(const char *address, struct tcp_address *parsed)
{
    char host[64];
    const char *colon = strrchr(address, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - address);
    parsed->is_v6 = address[0] == '[';
    if (parsed->is_v6) {
        address++;
        length = length >= 2 && colon[-1] == ']' ? length - 2 : 0;
    }
    if (length == 0 || length >= sizeof host || !parse_port(colon + 1, &parsed->port))
        return false;
    memcpy(host, address, length);
    host[length] = '\0';
    return tcp_parse_host(host, parsed->is_v6, parsed->host);
}

static bool is_loopback(const struct tcp_address *address)
{
    static const uint8_t loopback_v6[16] = {[15] = 1};
    return address->is_v6 ? memcmp(address->host, loopback_v6, sizeof loopback_v6) == 0
                          : address->host[0] == 127;
}

HRESULT tcp_address_parse(const char *address, uint32_t flags, struct tcp_address *parsed)
{
    memset(parsed, 0, sizeof *parsed);
    snprintf(parsed->text, sizeof parsed->text, "tcp:%.70s", address);
    if (!parse(address, parsed))
        return socket_fail(VIA_E_ADDRESS,
                           "%s is no address; write tcp:127.0.0.1:PORT or tcp:[::1]:PORT",
                           parsed->text);
    parsed->is_loopback = is_loopback(parsed);
    if (!parsed->is_loopback && !(flags & VIA_OPEN_NETWORK))
        return socket_fail(VIA_E_ADDRESS,
                           "%s is not of this machine alone (127.0.0.1, [::1]); a relay to other "
                           "machines says so (\"network\": true, --network)",
                           parsed->text);
    return S_OK;
}

static const char *const schemes[] = {"tcp", NULL};

VIADUCT_PLUGIN_EXPORT const struct via_plugin viaduct_plugin = {
    .abi = VIA_PLUGIN_ABI,
    .size = sizeof viaduct_plugin,
    .name = "tcp",
    .version = "1.0.0",
    .schemes = schemes,
    .init = tcp_init,
    .deinit = tcp_deinit,
    .transport = &tcp_transport,
};
