/*
 * Between the files of the loopback transport: streams (loopback_stream.c), and names and the table
 * (loopback.c).
 */
#ifndef CORE_PLUGIN_LOOPBACK_PARTS_H
#define CORE_PLUGIN_LOOPBACK_PARTS_H

#include "core/os/thread.h"
#include "core/plugin/loopback.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOOPBACK_MAX_SPAN    (64u * 1024u)
#define LOOPBACK_MAX_HANDLES 64u

extern const struct via_plugin_host *loopback_host;

/* Posts to the reactor that have not run; deinit waits for none. */
extern _Atomic uint32_t loopback_n_posts;

HRESULT loopback_fail(HRESULT code, const char *message);

/* Two streams that are each other's peer. */
HRESULT loopback_pair_new(struct via_stream *ends[2]);

HRESULT loopback_set_ready(struct via_stream *stream, void (*ready)(void *token, uint32_t events),
                           void *token);
HRESULT loopback_reserve(struct via_stream *stream, size_t min, uint8_t **span, size_t *size);
HRESULT loopback_commit(struct via_stream *stream, size_t n, const via_os_handle *handles,
                        uint32_t n_handles, uint32_t flags);
HRESULT loopback_peek(struct via_stream *stream, size_t want, const uint8_t **span, size_t *size);
void loopback_consume(struct via_stream *stream, size_t n);
HRESULT loopback_read_into(struct via_stream *stream, void *buffer, size_t size, size_t *n);
HRESULT loopback_take_handles(struct via_stream *stream, via_os_handle *handles, uint32_t n);
HRESULT loopback_wait(struct via_stream *stream, uint64_t deadline_ns);
void loopback_interrupt(struct via_stream *stream);
HRESULT loopback_arm(struct via_stream *stream, uint32_t events);
void loopback_disarm(struct via_stream *stream, uint32_t events);
void loopback_park(struct via_stream *stream);
HRESULT loopback_peer_identity(struct via_stream *stream, struct via_peer_identity *identity);
void loopback_shutdown(struct via_stream *stream);
void loopback_close(struct via_stream *stream);

/* The system's handles (loopback_posix.c, loopback_windows.c). */
HRESULT loopback_handle_duplicate(via_os_handle handle, via_os_handle *duplicate);
void loopback_handle_close(via_os_handle handle);

#endif
