/* What a program's main function needs of the system: its arguments in UTF-8, and to be told to
 * end. */
#ifndef CORE_OS_PROGRAM_H
#define CORE_OS_PROGRAM_H

#include <viaduct/hresult.h>

/* The arguments in UTF-8, whatever the system has made of them, with NULL behind the last; they
 * stay as long as the process. Standard output and error take UTF-8 from then on. Ends the process
 * without memory. */
char **os_program_arguments(int argc, char **argv);

/* From now on a request to end (SIGTERM, SIGINT, SIGHUP; on Windows Ctrl+C, the console's closing,
 * the user's leaving) waits for os_program_wait_stop() instead of ending the process. Before any
 * other thread is started. */
HRESULT os_program_catch_stop(void);
/* Blocks. The request's name: "SIGTERM", "Ctrl+C". */
const char *os_program_wait_stop(void);

#endif
