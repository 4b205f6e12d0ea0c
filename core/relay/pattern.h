/*
 * Addresses with places to fill in: "{uid}", the user's number, and "{runtime_dir}", where that
 * user's programs have their sockets: $XDG_RUNTIME_DIR of this user, /run/user/UID of another.
 */
#ifndef CORE_RELAY_PATTERN_H
#define CORE_RELAY_PATTERN_H

#include <viaduct/plugin/transport.h>

/* VIA_E_ADDRESS: there is another word in braces, or a brace alone. */
HRESULT pattern_check(const char *pattern);
/* For the user who is `identity`; one that has no Unix user's number (or NULL) counts as this user.
 * `address` is for free(). VIA_E_ADDRESS: this system has no such numbers. */
HRESULT pattern_expand(const char *pattern, const struct via_peer_identity *identity,
                       char **address);

#endif
