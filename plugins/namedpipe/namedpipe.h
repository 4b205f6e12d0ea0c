/*
 * Between the files of the plugin `namedpipe`: what is common to both systems, and what each system
 * makes of it (namedpipe_posix.c: Unix sockets in a private directory; namedpipe_windows.c: pipes).
 */
#ifndef NAMEDPIPE_NAMEDPIPE_H
#define NAMEDPIPE_NAMEDPIPE_H

#include <viaduct/plugin/plugin.h>

/* A name without its terminator; with the longest runtime directory that is usual it fits a
 * socket's path. */
#define NAMEDPIPE_MAX_NAME 64

/* The system's side of the plugin. */
extern const struct via_transport namedpipe_transport;
HRESULT namedpipe_init(const struct via_plugin_host *host);
void namedpipe_deinit(void);

/* Letters, digits, '-', '_' and '.', not starting with '.'. Writes the name in lower case, as names
 * of pipes do not distinguish case. VIA_E_ADDRESS through `host`. */
HRESULT namedpipe_check_name(const struct via_plugin_host *host, const char *address,
                             char name[NAMEDPIPE_MAX_NAME + 1]);

#endif
