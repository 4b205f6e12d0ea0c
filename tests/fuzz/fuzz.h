/*
 * A fuzz target is one function that takes bytes; the driver runs it over a corpus and mutations of
 * it. The bytes end where an unreadable page begins, so that a read too far ends the program in
 * every build. The same function can be given to a coverage-guided fuzzer, under the name that
 * libFuzzer calls.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ends the program when a promise is broken. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Set by the target when the input was accepted: a run that accepts nothing tests nothing. */
extern bool fuzz_accepted;

/* Writes the corpus: a file for each kind of input. */
void fuzz_write_corpus(const char *directory);
void fuzz_write_file(const char *directory, const char *name, const void *data, size_t size);

/* Prints where and ends the program. */
void fuzz_fail(const char *what) __attribute__((noreturn));

#endif
