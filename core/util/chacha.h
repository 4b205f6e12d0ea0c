/*
 * ChaCha with eight rounds, as a source of random words: nobody who does not know the key can tell
 * what comes next from what came before. Four blocks are made at a time, since that is how
 * processors are fastest at it, and are left interleaved: word `i` of block `b` is words[4 * i +
 * b].
 */
#ifndef CORE_UTIL_CHACHA_H
#define CORE_UTIL_CHACHA_H

#include <stdint.h>

#define CHACHA_KEY_WORDS 8u
#define CHACHA_WORDS     64u

/* The blocks from `counter` on; `words` may overlap the key. */
void chacha_fill(const uint32_t key[CHACHA_KEY_WORDS], uint64_t counter,
                 uint32_t words[CHACHA_WORDS]);

#endif
