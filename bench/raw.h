/*
 * The raw contender's primitives: a byte stream and nothing else, per system.
 */
#ifndef BENCH_RAW_H
#define BENCH_RAW_H

#include <stddef.h>
#include <stdint.h>

/* `address` is "unix:PATH" (blocking), "ring:NAME" (shared memory; spins before it sleeps on a
 * futex, unless VIADUCT_BENCH_NO_SPIN is set; Linux only, one client), or "pipe:NAME" on Windows.
 * Each ends the process with a message on failure. */
struct raw_stream;
/* Waits for a client and returns it; prints "ready" once clients may connect, the first time. */
struct raw_stream *raw_serve(const char *address);
struct raw_stream *raw_connect(const char *address);
/* Sends all; returns 0 when the peer is gone. */
int raw_send(struct raw_stream *stream, const void *data, size_t size);
/* Waits until something is there; at most `size` bytes of it. 0 or less: the peer is gone. */
int64_t raw_receive_some(struct raw_stream *stream, void *data, size_t size);
void raw_close(struct raw_stream *stream);

#endif
