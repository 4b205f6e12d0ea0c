/* Descriptors to watch: a connected pair of sockets, of Linux's on both systems. */
#ifndef TESTS_OS_DESCRIPTORS_H
#define TESTS_OS_DESCRIPTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two ends of a connection; false where descriptors cannot be watched. */
bool descriptors_pair(intptr_t ends[2]);
void descriptors_close(intptr_t descriptor);
/* Without blocking: what was transferred, 0 at the end, -1 when it would block. */
int descriptors_write(intptr_t descriptor, const void *data, size_t size);
int descriptors_read(intptr_t descriptor, void *data, size_t size);

/* A descriptor (a handle on Windows) that a child would inherit, as a library may leave one. */
struct descriptors_leak {
    intptr_t value;
    char name[24]; /* for the child's command line */
};
bool descriptors_leak_open(struct descriptors_leak *leak);
void descriptors_leak_close(const struct descriptors_leak *leak);
/* In the child. */
bool descriptors_leak_is_open(const char *name);

#endif
