#include "core/os/program.h"
#include "core/util/error.h"

#include <errno.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int stop_signals[] = {SIGTERM, SIGINT, SIGHUP};

char **os_program_start(int argc, char **argv)
{
    (void)argc;
    for (int i = 0; i < 3; i++) {
        bool is_closed = fcntl(i, F_GETFD) < 0 && errno == EBADF;
        /* Whoever uses it gets an error, as with the closed one. */
        if (is_closed && open("/dev/null", i == 0 ? O_WRONLY : O_RDONLY) != i)
            exit(70);
    }
    signal(SIGXFSZ, SIG_IGN);
    return argv;
}

void os_program_outlive_readers(void)
{
    signal(SIGPIPE, SIG_IGN);
}

void os_program_share_memory(void)
{
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, 2);
#endif
}

int os_program_end(const char *program, int code)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "%s: the output cannot be written%s%s\n", program, errno ? ": " : "",
            errno ? strerror(errno) : "");
    return code ? code : 1;
}

static void stop_set(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < sizeof(stop_signals) / sizeof(stop_signals[0]); i++)
        sigaddset(set, stop_signals[i]);
}

HRESULT os_program_catch_stop(void)
{
    sigset_t set;
    stop_set(&set);
    /* Blocked in every thread, since threads inherit this; one thread takes them by sigwait(). */
    int failure = pthread_sigmask(SIG_BLOCK, &set, NULL);
    if (failure)
        return error_set(E_FAIL, "cannot block signals: %s", strerror(failure));
    return S_OK;
}

const char *os_program_wait_stop(void)
{
    sigset_t set;
    int number = 0;
    stop_set(&set);
    while (sigwait(&set, &number) != 0)
        continue;
    return number == SIGTERM ? "SIGTERM" : number == SIGINT ? "SIGINT" : "SIGHUP";
}

void os_program_ask_stop(void)
{
    kill(getpid(), SIGTERM);
}
