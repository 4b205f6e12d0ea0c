/*
 * viaduct-com-server, kept running by this host ("com": {"serve": true}): COM clients that ask for
 * a local server find it there, instead of waiting for COM to start one.
 *
 * One thread starts the program, logs what it says, and starts it again when it has ended, after a
 * pause that grows while it fails. The program ends with its standard input, so with this host.
 */
#ifndef HOST_COM_SERVER_H
#define HOST_COM_SERVER_H

#include <stdint.h>
#include <viaduct/hresult.h>

struct com_server;

/* VIA_E_CONFIG where there is no COM. */
HRESULT com_server_start(uint32_t back_off_max_ms, struct com_server **server);
/* Blocks until the program has ended. Takes NULL. */
void com_server_stop(struct com_server *server);

#endif
