/*
 * viaduct-com-server: Viaduct's classes as COM classes for clients that ask for a local server.
 *
 *     viaduct-com-server -Embedding      as COM starts it: ends when nobody has asked for anything
 *                                        for a while, and no client has locked it
 *     viaduct-com-server --serve         as viaductd starts it: ends when its standard input does
 *
 * It reaches no host and holds no objects: those are made in the client's process (order.h). COM's
 * calls come on threads of its own, to the process' multithreaded apartment; this one waits for the
 * end, and for changes of the registry.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <windows.h>

#include "com/inproc/registered.h"
#include "com/inproc/server_classes.h"
#include "com/inproc/server_locks.h"
#include "core/os/program.h"
#include "core/util/error.h"

#define IDLE_MS   10000u
#define LOOK_MS   1000u
#define SETTLE_MS 200u /* registering a class writes several keys */
#define LEAVE_MS  500u /* for a client that has the class object, and has not asked it yet */

enum { STOP, MACHINE, USER, N_EVENTS };

struct server {
    bool is_hosts;
    HANDLE events[N_EVENTS];
    HKEY keys[N_EVENTS]; /* that are watched; NULL: there is no such key */
    uint64_t activity;
    uint64_t active_ms; /* when it last changed */
};

static void complain(HRESULT hr)
{
    char text[ERROR_TEXT_SIZE];
    fprintf(stderr, "viaduct-com-server: %s\n", error_format(error_get(), hr, text, sizeof text));
    error_clear();
}

/* --- what it waits for --- */

static DWORD WINAPI wait_for_host(void *event)
{
    char bytes[64];
    DWORD n;
    while (ReadFile(GetStdHandle(STD_INPUT_HANDLE), bytes, sizeof bytes, &n, NULL) && n > 0)
        ;
    SetEvent(event);
    return 0;
}

/* One change is told once. */
static void watch(struct server *self, int which)
{
    if (self->keys[which] == NULL &&
        RegOpenKeyExW(registered_hive(which == USER), L"Software\\Classes\\CLSID", 0, KEY_NOTIFY,
                      &self->keys[which]) != ERROR_SUCCESS) {
        self->keys[which] = NULL;
        return;
    }
    RegNotifyChangeKeyValue(self->keys[which], TRUE,
                            REG_NOTIFY_CHANGE_NAME | REG_NOTIFY_CHANGE_LAST_SET,
                            self->events[which], TRUE);
}

static HRESULT prepare(struct server *self)
{
    for (int i = 0; i < N_EVENTS; i++)
        if ((self->events[i] = CreateEventW(NULL, i == STOP, FALSE, NULL)) == NULL)
            return error_set(HRESULT_FROM_WIN32(GetLastError()), "no memory for an event");
    watch(self, MACHINE);
    watch(self, USER);
    if (!self->is_hosts)
        return S_OK;
    HANDLE thread = CreateThread(NULL, 0, wait_for_host, self->events[STOP], 0, NULL);
    if (thread == NULL)
        return error_set(HRESULT_FROM_WIN32(GetLastError()), "no memory for a thread");
    CloseHandle(thread);
    return S_OK;
}

/* --- its life --- */

static bool is_idle(struct server *self)
{
    uint64_t activity = classes_activity();
    if (activity != self->activity || locks_are_held()) {
        self->activity = activity;
        self->active_ms = GetTickCount64();
    }
    return GetTickCount64() - self->active_ms >= IDLE_MS;
}

/* Whoever comes from now on gets a new server; he who came before that is waited for. False:
 * somebody has. */
static bool leave(struct server *self)
{
    if (self->is_hosts || !is_idle(self))
        return false;
    CoSuspendClassObjects();
    Sleep(LEAVE_MS);
    if (is_idle(self))
        return true;
    CoResumeClassObjects();
    return false;
}

static void refresh(unsigned *n)
{
    HRESULT hr = classes_refresh(n);
    if (FAILED(hr))
        complain(hr);
}

static HRESULT serve(struct server *self)
{
    unsigned n;
    HRESULT hr = prepare(self);
    if (FAILED(hr))
        return hr;
    refresh(&n);
    if (n == 0 && !self->is_hosts)
        return error_set(REGDB_E_CLASSNOTREG,
                         "no class is registered with a local server here: 'viaduct com register "
                         "CLASS --local-server' does that");
    printf("serves %u COM classes\n", n);
    fflush(stdout);
    self->active_ms = GetTickCount64();
    for (;;) {
        DWORD what = WaitForMultipleObjects(N_EVENTS, self->events, FALSE, LOOK_MS);
        if (what == WAIT_OBJECT_0 + STOP || (what == WAIT_TIMEOUT && leave(self)))
            break;
        if (what == WAIT_TIMEOUT)
            continue;
        Sleep(SETTLE_MS);
        watch(self, (int)(what - WAIT_OBJECT_0));
        refresh(&n);
    }
    classes_revoke();
    return S_OK;
}

static int run(bool is_hosts)
{
    struct server server = {.is_hosts = is_hosts};
    HRESULT hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    if (FAILED(hr)) {
        complain(error_set(hr, "COM cannot be initialized"));
        return 1;
    }
    hr = CoInitializeSecurity(NULL, -1, NULL, NULL, RPC_C_AUTHN_LEVEL_DEFAULT,
                              RPC_C_IMP_LEVEL_IDENTIFY, NULL, EOAC_NONE, NULL);
    if (FAILED(hr))
        error_set(hr, "COM's security cannot be initialized");
    else
        hr = serve(&server);
    if (FAILED(hr))
        complain(hr);
    CoUninitialize();
    return FAILED(hr);
}

int main(int argc, char **argv)
{
    char **arguments = os_program_start(argc, argv);
    bool is_hosts = argc == 2 && strcmp(arguments[1], "--serve") == 0;
    bool is_coms = argc == 2 && _stricmp(arguments[1] + 1, "Embedding") == 0 &&
                   strchr("-/", arguments[1][0]) != NULL;
    if (is_hosts || is_coms)
        return os_program_end("viaduct-com-server", run(is_hosts));
    fprintf(stderr, "viaduct-com-server is started by COM, for classes that are registered with "
                    "--local-server, or by viaductd (\"com\": {\"serve\": true})\n");
    return os_program_end("viaduct-com-server", 2);
}
