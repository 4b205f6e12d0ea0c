/*
 * The process that holds the far ends of a conformance run, as the suite sees it. One at a time,
 * since the operations of a transport carry no context.
 */
#ifndef CORE_PLUGIN_CONFORMANCE_PEER_H
#define CORE_PLUGIN_CONFORMANCE_PEER_H

#include "core/plugin/conformance_end.h"

struct conformance_peer;

/* `command`, NULL at its end, is started by the first conformance_peer_ensure, and told this
 * process's runtime directory. All must stay valid. */
HRESULT conformance_peer_new(const char *const *command, const char *directory, const char *scheme,
                             struct conformance_peer **peer);
/* Starts it, if it does not run. The error says what is wrong with it. */
HRESULT conformance_peer_ensure(struct conformance_peer *peer);
const struct conformance_side *conformance_peer_side(struct conformance_peer *peer);
/* Makes it die without closing anything, and waits until it has. What it held is gone; the ends of
 * it can only be closed. */
HRESULT conformance_peer_kill(struct conformance_peer *peer);
/* Lets it end by itself, and waits for that. */
void conformance_peer_free(struct conformance_peer *peer);

#endif
