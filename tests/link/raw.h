/* A peer whose frames are written past core/link, into a stream of the pair's transport. */
#ifndef TESTS_LINK_RAW_H
#define TESTS_LINK_RAW_H

#include "tests/link/fixture.h"

struct raw {
    const struct via_transport *transport;
    struct via_stream *stream;
};

bool raw_open(struct raw *raw, struct pair *pair);
void raw_send(struct raw *raw, const void *bytes, size_t size);
void raw_send_with(struct raw *raw, const void *bytes, size_t size, const via_os_handle *handles,
                   uint32_t n_handles);
void raw_frame(struct raw *raw, uint8_t kind, uint8_t flags, uint64_t call_id, const void *body,
               size_t size);
/* `node`: what it says it is; NULL: a new one. */
void raw_hello(struct raw *raw, uint16_t version, const struct link_id *node);
/* The same with optional features. */
void raw_hello_with(struct raw *raw, uint16_t version, const struct link_id *node,
                    uint64_t features);
/* The next frame's kind; 0 at the end of the stream. */
uint8_t raw_receive(struct raw *raw, char *text, size_t text_size);
/* The peer is told why it has to go, in time, and the node still works. Closes the stream. */
void raw_expect_end(struct raw *raw, struct pair *pair, const char *reason);
/* Opened, and hello has been answered. */
bool raw_joined(struct raw *raw, struct pair *pair);

#endif
