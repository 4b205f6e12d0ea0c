/*
 * The server's side of a question for an interface: from a frame to an object, and back. It is
 * asked at once, past all calls; an apartment's object on its thread.
 */
#ifndef COM_REMOTE_STUB_QUERY_H
#define COM_REMOTE_STUB_QUERY_H

#include "core/link/link.h"

struct peer;

enum link_route stub_route_query(struct peer *peer, struct link_message *message);
void stub_run_query(struct link_message *message);

#endif
