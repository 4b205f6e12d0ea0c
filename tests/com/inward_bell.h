/* The part of inward_early.c about a class of two libraries. */
#ifndef TESTS_COM_INWARD_BELL_H
#define TESTS_COM_INWARD_BELL_H

#include <stdbool.h>

void check(bool good, const char *what);
/* In a single-threaded apartment, which it enters and leaves. */
void use_bells(void);

#endif
