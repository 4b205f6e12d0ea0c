/*
 * How the conformance suite and its peer talk: lines of text over the peer's standard input and
 * output.
 *
 *   suite to peer   NUMBER VERB ARGUMENT...
 *   peer to suite   NUMBER RESULT VALUE...      what became of it; RESULT is an HRESULT in hex, and
 *                                               behind a failure stands its text
 *                   ! OBJECT EVENTS             a report of readiness, at any time
 *
 * The suite numbers streams and listeners. Bytes are written in hex, as the last word; an address
 * or a directory is the rest of its line. A wait answers when it is over, everything else at once.
 */
#ifndef CORE_PLUGIN_CONFORMANCE_LINES_H
#define CORE_PLUGIN_CONFORMANCE_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct conformance_line {
    char *text; /* without the end of the line */
    size_t size;
};

/* Reads the next line; false: there is none any more. */
bool conformance_line_read(FILE *from, struct conformance_line *line);
void conformance_line_free(struct conformance_line *line);

/* The next number in `*at`, which moves on; 0 where there is none. */
uint64_t conformance_line_number(char **at);
int64_t conformance_line_signed(char **at);
uint32_t conformance_line_hex(char **at);
/* The next word, which is ended with a zero; "" where there is none. */
char *conformance_line_word(char **at);

void conformance_line_put_bytes(FILE *to, const void *bytes, size_t n);
/* Bytes from the next word, `size` at most; how many there were. */
size_t conformance_line_bytes(char **at, void *bytes, size_t size);

#endif
