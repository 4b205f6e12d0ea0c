#include "host/com_server.h"

#include <stddef.h>

#include "core/util/error.h"

HRESULT com_server_start(uint32_t back_off_max_ms, struct com_server **server)
{
    (void)back_off_max_ms;
    *server = NULL;
    return error_set(VIA_E_CONFIG, "\"com\" is for hosts that run on Windows, or under Wine: there "
                                   "is no COM here whose clients could be served");
}

void com_server_stop(struct com_server *server)
{
    (void)server;
}
