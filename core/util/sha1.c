/* After FIPS 180-4, section 6.1. */
#include "core/util/sha1.h"

#include <string.h>

static uint32_t rotate(uint32_t value, unsigned n)
{
    return value << n | value >> (32 - n);
}

static void schedule(const uint8_t block[64], uint32_t words[80])
{
    for (unsigned i = 0; i < 16; i++)
        words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                   (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (unsigned i = 16; i < 80; i++)
        words[i] = rotate(words[i - 3] ^ words[i - 8] ^ words[i - 14] ^ words[i - 16], 1);
}

static void compress(uint32_t state[5], const uint8_t block[64])
{
    static const uint32_t constants[] = {0x5A827999u, 0x6ED9EBA1u, 0x8F1BBCDCu, 0xCA62C1D6u};
    uint32_t words[80];
    schedule(block, words);
    uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
    for (unsigned i = 0; i < 80; i++) {
        uint32_t mixed;
        if (i < 20)
            mixed = (b & c) | (~b & d);
        else if (i >= 40 && i < 60)
            mixed = (b & c) | (b & d) | (c & d);
        else
            mixed = b ^ c ^ d;
        uint32_t next = rotate(a, 5) + mixed + e + constants[i / 20] + words[i];
        e = d;
        d = c;
        c = rotate(b, 30);
        b = a;
        a = next;
    }
    state[0] += a;
    state[1] += b;
    state[2] += c;
    state[3] += d;
    state[4] += e;
}

void sha1_init(struct sha1 *sha1)
{
    *sha1 =
        (struct sha1){.state = {0x67452301u, 0xEFCDAB89u, 0x98BADCFEu, 0x10325476u, 0xC3D2E1F0u}};
}

void sha1_update(struct sha1 *sha1, const void *data, size_t size)
{
    const uint8_t *next = data;
    while (size > 0) {
        size_t used = (size_t)(sha1->n_bytes % 64);
        size_t n = 64 - used < size ? 64 - used : size;
        memcpy(sha1->block + used, next, n);
        sha1->n_bytes += n;
        next += n;
        size -= n;
        if (used + n == 64)
            compress(sha1->state, sha1->block);
    }
}

void sha1_finish(struct sha1 *sha1, uint8_t digest[SHA1_SIZE])
{
    static const uint8_t padding[64] = {0x80};
    uint64_t n_bits = sha1->n_bytes * 8;
    size_t used = (size_t)(sha1->n_bytes % 64);
    sha1_update(sha1, padding, used < 56 ? 56 - used : 120 - used);
    uint8_t length[8];
    for (unsigned i = 0; i < 8; i++)
        length[i] = (uint8_t)(n_bits >> (56 - 8 * i));
    sha1_update(sha1, length, sizeof(length));
    for (unsigned i = 0; i < SHA1_SIZE; i++)
        digest[i] = (uint8_t)(sha1->state[i / 4] >> (24 - 8 * (i % 4)));
}
