/* Prints what components answer. */
#ifndef CLIENT_PRINT_H
#define CLIENT_PRINT_H

#include "sysinfo.h"

/* In UTF-8. */
void print_text(BSTR text);

/* Both free what the answer holds. */
void print_system(struct SystemDescription *system);
void print_processes(ULONG count, struct ProcessDescription *processes);

#endif
