/*
 * Between the files of the plugin `tcp`: addresses, which are the same everywhere, and what each
 * system makes of them.
 */
#ifndef TCP_TCP_H
#define TCP_TCP_H

#include "plugins/unixsock/stream.h"

struct tcp_address {
    bool is_v6;
    bool is_loopback;
    uint8_t host[16]; /* the first four of IPv4; in network order */
    uint16_t port;
    char text[80]; /* "tcp:127.0.0.1:80", for messages */
};

/* "127.0.0.1:80", "[::1]:80"; no names. VIA_E_ADDRESS: malformed, or not a loopback address and the
 * flags lack VIA_OPEN_NETWORK. */
HRESULT tcp_address_parse(const char *address, uint32_t flags, struct tcp_address *parsed);

/* --- the system's side --- */

/* Whether `text` is a numeric host of that family. */
bool tcp_parse_host(const char *text, bool is_v6, uint8_t host[16]);

extern const struct via_transport tcp_transport;
HRESULT tcp_init(const struct via_plugin_host *host);
void tcp_deinit(void);

#endif
