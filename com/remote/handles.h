/* OS handles that go with a call or a reply: ours until it has been sent. */
#ifndef COM_REMOTE_HANDLES_H
#define COM_REMOTE_HANDLES_H

#include "core/link/link.h"

struct handles_out {
    struct link_connection *connection;
    uint16_t n;
    via_os_handle
        carried[LINK_MAX_HANDLES]; /* the first n: duplicates, as the transport has them */
};

static inline void handles_out_init(struct handles_out *out, struct link_connection *connection)
{
    out->connection = connection;
    out->n = 0;
}

/* `kind`: enum via_handle_kind. The handle stays the caller's. */
HRESULT handles_out_add(struct handles_out *out, intptr_t handle, uint32_t kind, uint32_t *index);
void handles_out_deinit(struct handles_out *out);

#endif
