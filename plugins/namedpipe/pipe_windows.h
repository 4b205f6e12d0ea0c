/*
 * Between the Windows files of `namedpipe`: what of a stream (pipe_stream) is a pipe's own. The
 * rest is in plugins/unixsock/overlapped_stream_windows.h, listening and connecting in
 * pipe_handle_windows.h.
 */
#ifndef NAMEDPIPE_PIPE_WINDOWS_H
#define NAMEDPIPE_PIPE_WINDOWS_H

#include "plugins/unixsock/overlapped_stream_windows.h"

extern const struct overlapped_kind pipe_kind;

/* Makes a stream of a connected pipe, and owns it from then on, also when it fails.
 * `keeps_messages`: it is in message mode, and bound with packets. */
HRESULT pipe_stream_new(HANDLE pipe, bool is_server, bool keeps_messages,
                        struct via_stream **stream);

#endif
