/* What a program's main function needs of the system: its arguments in UTF-8, and to be told to
 * end. */
#ifndef CORE_OS_PROGRAM_H
#define CORE_OS_PROGRAM_H

#include <viaduct/hresult.h>

/* First of all. The arguments in UTF-8, whatever the system has made of them, with NULL behind the
 * last; they stay as long as the process. Standard output and error take UTF-8 from then on. A
 * standard descriptor that is closed is filled, or a socket would get its number and what is
 * printed; exceeding a limit on file sizes is an error and no death. Ends the process without
 * memory. */
char **os_program_start(int argc, char **argv);
/* Last of all. `code`, or 1 instead of 0 when the standard output could not be written (a full
 * disk), which `program` then says on standard error. */
int os_program_end(const char *program, int code);

/* From now on writing to a pipe that nobody reads any more is an error and no death. */
void os_program_outlive_readers(void);

/* Before any other thread is started, in a program that runs for months: its threads share few
 * pools of memory. glibc gives up to eight for each processor, and each keeps what it has once
 * needed. */
void os_program_share_memory(void);

/* From now on a request to end (SIGTERM, SIGINT, SIGHUP; on Windows Ctrl+C, the console's closing,
 * the user's leaving) waits for os_program_wait_stop() instead of ending the process. Before any
 * other thread is started. */
HRESULT os_program_catch_stop(void);
/* Blocks. The request's name: "SIGTERM", "Ctrl+C". */
const char *os_program_wait_stop(void);
/* The same request, by this process itself: wakes who waits for one. After os_program_catch_stop().
 */
void os_program_ask_stop(void);

#endif
