/*
 * Between the Windows files of `namedpipe`: what of a stream (pipe_stream) and of a listener
 * (pipe_listener) is a pipe's own. The rest is in plugins/unixsock/overlapped_windows.h.
 */
#ifndef NAMEDPIPE_PIPE_WINDOWS_H
#define NAMEDPIPE_PIPE_WINDOWS_H

#include "plugins/namedpipe/namedpipe.h"
#include "plugins/unixsock/overlapped_windows.h"

/* What the system keeps for each direction before a write pends. */
#define PIPE_QUOTA (64u * 1024u)

extern const struct overlapped_kind pipe_kind;

HRESULT pipe_listen(const char *address, const struct via_listen_options *options,
                    void (*ready)(void *token, uint32_t events), void *token,
                    struct via_listener **listener);
HRESULT pipe_connect(const char *address, const struct via_connect_options *options,
                     struct via_stream **stream);

#endif
