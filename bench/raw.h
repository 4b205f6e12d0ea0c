/*
 * The raw contender's primitives: a blocking byte stream and nothing else, per system.
 */
#ifndef BENCH_RAW_H
#define BENCH_RAW_H

#include <stddef.h>
#include <stdint.h>

/* `address` is "unix:PATH", or "pipe:NAME" on Windows. Each ends the process with a message on
 * failure. */
struct raw_stream;
/* Waits for one client and returns it. Prints "ready" once clients may connect. */
struct raw_stream *raw_serve(const char *address);
struct raw_stream *raw_connect(const char *address);
/* Sends all; returns 0 when the peer is gone. */
int raw_send(struct raw_stream *stream, const void *data, size_t size);
/* Receives exactly `size` bytes; returns 0 when the peer is gone. */
int raw_receive(struct raw_stream *stream, void *data, size_t size);
void raw_close(struct raw_stream *stream);

#endif
