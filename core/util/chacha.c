#include "core/util/chacha.h"

#include <string.h>

/* One word of each of the four blocks. */
typedef uint32_t lanes __attribute__((vector_size(16)));

#define ROTATE(x, n) (((x) << (n)) | ((x) >> (32 - (n))))

static inline void quarter(lanes *a, lanes *b, lanes *c, lanes *d)
{
    *a += *b, *d ^= *a, *d = ROTATE(*d, 16);
    *c += *d, *b ^= *c, *b = ROTATE(*b, 12);
    *a += *b, *d ^= *a, *d = ROTATE(*d, 8);
    *c += *d, *b ^= *c, *b = ROTATE(*b, 7);
}

static inline lanes all(uint32_t word)
{
    return (lanes){word, word, word, word};
}

void chacha_fill(const uint32_t key[CHACHA_KEY_WORDS], uint64_t counter,
                 uint32_t words[CHACHA_WORDS])
{
    static const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    lanes start[16];
    lanes x[16];
    for (int i = 0; i < 4; i++)
        start[i] = all(constants[i]);
    for (unsigned i = 0; i < CHACHA_KEY_WORDS; i++)
        start[4 + i] = all(key[i]);
    for (unsigned i = 0; i < 4; i++) {
        start[12][i] = (uint32_t)(counter + i);
        start[13][i] = (uint32_t)((counter + i) >> 32);
    }
    start[14] = start[15] = all(0);
    memcpy(x, start, sizeof x);
    for (int i = 0; i < 4; i++) {
        quarter(&x[0], &x[4], &x[8], &x[12]);
        quarter(&x[1], &x[5], &x[9], &x[13]);
        quarter(&x[2], &x[6], &x[10], &x[14]);
        quarter(&x[3], &x[7], &x[11], &x[15]);
        quarter(&x[0], &x[5], &x[10], &x[15]);
        quarter(&x[1], &x[6], &x[11], &x[12]);
        quarter(&x[2], &x[7], &x[8], &x[13]);
        quarter(&x[3], &x[4], &x[9], &x[14]);
    }
    for (int i = 0; i < 16; i++)
        x[i] += start[i];
    memcpy(words, x, sizeof x);
}
