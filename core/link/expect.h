/*
 * Handles that are announced before they come.
 *
 * Receiving costs more where a transport has to look for handles (unixsock: recvmsg instead of
 * recv), and those that come where it does not look are lost. Few connections ever carry one. So
 * each side tells its transport not to look, if that can be told to look later, and the other side
 * announces the first frame with handles of its direction:
 *
 *   sender                                    receiver
 *   a frame with handles: ANNOUNCE ------->   its transport looks from now on
 *                                  <-------   TAKE
 *   sends the frame, and those behind it
 *
 * Until the answer that frame waits in the out-queue, and so does all that is sent behind it, but
 * for the own answer to the peer's announcement: so order stays, nobody blocks for it, and two who
 * announce at once do not wait for each other. It happens once for each direction, on the path that
 * the connection was made by; shared memory has its own way for handles. With a peer that does not
 * announce, which hello says, the transport always looks.
 */
#ifndef CORE_LINK_EXPECT_H
#define CORE_LINK_EXPECT_H

#include <stdbool.h>
#include <viaduct/hresult.h>

#include "core/link/connection.h"

/* Hello has come, and own_limits say how many handles may. `both`: both sides announce. */
void expect_begin(struct link_connection *connection, bool both);
/* A frame of kind handles; by the holder of the right. A failure ends the connection. */
HRESULT expect_received(struct link_connection *connection, const struct link_message *message);

#endif
