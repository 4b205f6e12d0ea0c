/*
 * Streams through sections, between two Windows programs: the carrier is a pipe
 * (carrier_pipe_windows.c), over which the maker says the numbers of its handles, and the other
 * side duplicates them out of the maker's process (setup_section_windows.c).
 */
#ifndef SHM_SECTION_WINDOWS_H
#define SHM_SECTION_WINDOWS_H

#include "plugins/shm/stream.h"

/* A line of a pipe, which becomes its own, also when it fails. The first message to come has
 * `first_size` bytes, the others are records. */
HRESULT carrier_pipe_line(void *pipe, bool is_server, size_t first_size, struct carrier_line *line);
/* A line without a pipe, to a process that is known otherwise; VIA_E_IDENTITY when there is no such
 * process, E_ACCESSDENIED when its end cannot be watched. */
HRESULT carrier_absent_line(const struct via_peer_identity *peer, struct carrier_line *line);

/* What a pipe's first message is. */
#define SECTION_SETUP_SIZE 40u
/* The pipe's take_setup. */
HRESULT section_setup_receive(struct via_stream *stream);
/* Makes the segment and says it over the pipe. */
HRESULT section_setup_start(struct via_stream *stream);
HRESULT section_offer(const struct via_peer_identity *peer, struct via_offer *offer,
                      struct via_stream **stream);
HRESULT section_attach(const struct via_peer_identity *peer, const struct via_offer *offer,
                       struct via_stream **stream);

/* Addresses: "shm:NAME" is the pipe NAME.shm. */
HRESULT section_listen(const char *address, const struct via_listen_options *options,
                       void (*ready)(void *token, uint32_t events), void *token,
                       struct via_listener **listener);
HRESULT section_accept(struct via_listener *listener, struct via_stream **stream);
HRESULT section_connect(const char *address, const struct via_connect_options *options,
                        struct via_stream **stream);

extern const struct via_transport section_transport;

#endif
