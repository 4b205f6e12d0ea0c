/*
 * SHA-1, for names: UUIDs of version 5 and the hashes by which two sides notice that they describe
 * an interface differently. It protects against mistakes, not against attackers.
 */
#ifndef CORE_UTIL_SHA1_H
#define CORE_UTIL_SHA1_H

#include <stddef.h>
#include <stdint.h>

#define SHA1_SIZE 20

struct sha1 {
    uint32_t state[5];
    uint64_t n_bytes;
    uint8_t block[64];
};

void sha1_init(struct sha1 *sha1);
void sha1_update(struct sha1 *sha1, const void *data, size_t size);
void sha1_finish(struct sha1 *sha1, uint8_t digest[SHA1_SIZE]);

#endif
