/* Prints what sysinfo answers. */
#ifndef CLIENT_PRINT_H
#define CLIENT_PRINT_H

#include "sysinfo.h"

/* Both free what the answer holds. */
void print_system(struct SystemDescription *system);
void print_processes(ULONG count, struct ProcessDescription *processes);

#endif
