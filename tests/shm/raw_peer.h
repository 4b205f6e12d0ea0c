/*
 * A peer of the plugin `shm` that keeps no rule: it has the memory, the carrier and the events in
 * its hands. For tests and for the fuzz target, on Linux.
 */
#ifndef TESTS_SHM_RAW_PEER_H
#define TESTS_SHM_RAW_PEER_H

#include "plugins/shm/segment.h"
#include "plugins/shm/setup.h"
#include "plugins/shm/stream.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct raw_peer {
    uint32_t capacity;
    int memory;
    int events[2]; /* SETUP_MAKER_EVENT, SETUP_OTHER_EVENT */
    int carrier;   /* -1: none yet */
    uint8_t *base; /* the whole segment, mapped once */
    size_t size;
    struct ring_control *out; /* what the victim reads */
    struct ring_control *in;  /* what the victim writes */
};

/* Good memory and good events; false: there are none. */
bool raw_peer_init(struct raw_peer *peer, uint32_t capacity);
void raw_peer_deinit(struct raw_peer *peer);
struct setup raw_peer_setup(const struct raw_peer *peer);

/* A memfd with `seals`, with `size` bytes. */
int raw_memory(uint64_t size, unsigned seals, unsigned flags);
/* Connects the carrier, and sends nothing. */
bool raw_connect(struct raw_peer *peer, const char *path);
/* Sends bytes and descriptors as they are; false: the socket did not take them. */
bool raw_send(int socket, const void *data, size_t size, const int *descriptors, size_t n);
/* Takes away pages of the memory, which everybody has mapped. */
void raw_punch(const struct raw_peer *peer, uint64_t offset, uint64_t size);

/* Pseudo-random numbers, from a state that is not 0. */
uint32_t raw_random(uint64_t *state);

#endif
