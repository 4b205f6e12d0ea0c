/* Processes: this one, and children that we start. */
#ifndef CORE_OS_PROCESS_H
#define CORE_OS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <viaduct/hresult.h>

struct os_process;

uint32_t os_process_id(void);

struct os_spawn_options {
    const char *const
        *arguments; /* UTF-8, NULL at the end; the first is the program, an absolute path */
    const char *const *environment; /* additions "NAME=value", NULL at the end; may be NULL */
    const char *stderr_path; /* the child's standard error is appended there; NULL: inherited */
    bool inherit_stdout;     /* else the null device */
    /* Both or none: its standard input and output are pipes, and these are set to this process's
     * ends of them, binary, for fclose(). See os_program_outlive_readers(). */
    FILE **to_stdin, **from_stdout;
};

/* Starts a program with no inherited descriptors but the standard ones; its standard input is the
 * null device, or a pipe. The error names the program. */
HRESULT os_process_spawn(const struct os_spawn_options *options, struct os_process **process);
uint32_t os_process_pid(const struct os_process *process);

struct os_exit_status {
    bool by_signal; /* POSIX only */
    int32_t code;   /* exit code, or the signal's number */
};
/* Blocks until the child has ended. S_OK; RPC_E_TIMEOUT at the deadline (0: just looks). Can be
 * repeated. */
HRESULT os_process_wait(struct os_process *process, uint64_t deadline_ns,
                        struct os_exit_status *status);
/* Asks it to end (SIGTERM; on Windows nothing reaches a windowless program, so this kills). */
void os_process_terminate(struct os_process *process);
void os_process_kill(struct os_process *process);
/* Frees the record. A child that still runs goes on; on POSIX its end is then collected by nobody.
 */
void os_process_free(struct os_process *process);

/* "exited with status 3", "was killed by signal 9 (SIGKILL)"; returns `buffer`. */
char *os_exit_status_format(const struct os_exit_status *status, char *buffer, size_t size);

#endif
