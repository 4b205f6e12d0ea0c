#include "core/os/program.h"
#include "core/util/error.h"

#include <signal.h>
#include <string.h>

static const int stop_signals[] = {SIGTERM, SIGINT, SIGHUP};

char **os_program_arguments(int argc, char **argv)
{
    (void)argc;
    return argv;
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
