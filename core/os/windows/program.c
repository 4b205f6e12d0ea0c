#include "core/os/program.h"
#include "core/util/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <io.h>
#include <windows.h>
#include <shellapi.h>

static struct {
    HANDLE asked; /* manual reset */
    volatile LONG event;
} the_stop;

static char *narrow(const WCHAR *wide)
{
    int size = WideCharToMultiByte(CP_UTF8, 0, wide, -1, NULL, 0, NULL, NULL);
    char *text = malloc((size_t)size);
    if (text)
        WideCharToMultiByte(CP_UTF8, 0, wide, -1, text, size, NULL, NULL);
    return text;
}

char **os_program_start(int argc, char **argv)
{
    int n_wide = 0;
    WCHAR **wide = CommandLineToArgvW(GetCommandLineW(), &n_wide);
    char **all = calloc((size_t)n_wide + 1, sizeof(*all));
    (void)argc;
    (void)argv;
    /* Lines end as everywhere else, so that output can be compared and piped. */
    _setmode(_fileno(stdout), _O_BINARY);
    _setmode(_fileno(stderr), _O_BINARY);
    SetConsoleOutputCP(CP_UTF8);
    for (int i = 0; wide && all && i < n_wide; i++) {
        all[i] = narrow(wide[i]);
        if (!all[i])
            all = NULL;
    }
    LocalFree(wide);
    if (!wide || !all) {
        fputs("no memory for the arguments\n", stderr);
        exit(70);
    }
    return all;
}

void os_program_outlive_readers(void)
{
}

void os_program_share_memory(void)
{
    /* One heap for all threads is what Windows has. */
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

/* On a thread of the system's. When this returns from a closing console the process is ended, so
 * that it waits. */
static BOOL WINAPI stop_handler(DWORD event)
{
    InterlockedExchange(&the_stop.event, (LONG)event);
    SetEvent(the_stop.asked);
    if (event == CTRL_CLOSE_EVENT || event == CTRL_LOGOFF_EVENT || event == CTRL_SHUTDOWN_EVENT)
        Sleep(10000);
    return TRUE;
}

HRESULT os_program_catch_stop(void)
{
    the_stop.asked = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (!the_stop.asked || !SetConsoleCtrlHandler(stop_handler, TRUE))
        return error_set(E_FAIL, "cannot catch Ctrl+C: Windows error %lu",
                         (unsigned long)GetLastError());
    return S_OK;
}

const char *os_program_wait_stop(void)
{
    WaitForSingleObject(the_stop.asked, INFINITE);
    switch (the_stop.event) {
    case CTRL_C_EVENT:
        return "Ctrl+C";
    case CTRL_BREAK_EVENT:
        return "Ctrl+Break";
    default:
        return "the console's closing";
    }
}

void os_program_ask_stop(void)
{
    SetEvent(the_stop.asked);
}
