/* The first frames of a connection. */
#ifndef CORE_LINK_HELLO_H
#define CORE_LINK_HELLO_H

#include "core/link/connection.h"

/* The connecting side. */
HRESULT hello_send(struct link_connection *connection);
/* A frame in STAGE_HELLO; opens the connection or fails. */
HRESULT hello_received(struct link_connection *connection, const struct link_message *message);
/* Whether the kernel's identity of the stream's other end may connect. */
HRESULT hello_admit(struct link_connection *connection);

#endif
