/*
 * Whole pages from the system, beside malloc's pools: what is large and comes and goes there leaves
 * holes between what is small and stays, and the pools grow with them.
 */
#ifndef CORE_OS_PAGES_H
#define CORE_OS_PAGES_H

#include <stddef.h>

/* Readable, writable, all zero; NULL: there are none. */
void *os_pages_new(size_t size);
void os_pages_free(void *pages, size_t size);

#endif
