/*
 * See server.h. Each process has a watcher, a thread that waits for its end: the only one that
 * collects it, and that takes a server out of STARTING when the process dies before it checks in.
 * Servers live as long as the host.
 *
 * The lock is held for looking and changing only: a server that is `spawning` belongs to the thread
 * that starts its process without the lock, and everybody else, the watcher and the process that
 * checks in included, waits for that.
 */
#include "host/server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/os/random.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "host/exits.h"
#include "host/launch.h"
#include "host/text.h"

/* The first failure may be an accident: then the next start comes at once. */
#define BACK_OFF_FIRST_MS 500u
/* A process that ran for so long has recovered from what failed before. */
#define RECOVERED_MS 10000u
/* How long processes may take to end when the host stops: once when asked, once when told. */
#define STOP_MS 1000u

struct server {
    struct server *next;           /* servers->lock */
    struct servers *servers;       /* read-only */
    struct manifest *manifest;     /* servers->lock; of the latest start */
    enum ClassState state;         /* servers->lock */
    bool spawning;                 /* servers->lock; STARTING, and the process is just being made */
    struct launch launch;          /* the starting thread's, then the watcher's */
    char token[LAUNCH_TOKEN_SIZE]; /* servers->lock; "": nobody checks in */
    struct os_process *process;    /* servers->lock; NULL: none */
    struct os_thread *watcher;     /* servers->lock; of the latest process: ended ones are joined at
                                      the next start */
    bool watched;                  /* servers->lock; the watcher has not finished */
    IViaductSurrogate *surrogate;  /* servers->lock; while RUNNING */
    uint64_t started_ns;           /* servers->lock */
    uint64_t not_before_ns;        /* servers->lock; while BACKING_OFF */
    uint32_t pid;                  /* servers->lock; 0: none */
    uint32_t n_starts;             /* servers->lock */
    uint32_t n_failures;           /* servers->lock; in a row */
    char failure[512];             /* servers->lock */
};

struct servers {
    struct server_settings settings; /* read-only */
    struct os_mutex lock;
    struct os_cond changed; /* some server's state */
    struct server *first;   /* lock */
    bool stopping;          /* lock */
};

HRESULT servers_new(const struct server_settings *settings, struct servers **out)
{
    struct servers *servers = calloc(1, sizeof(*servers));

    if (!servers)
        return error_set(E_OUTOFMEMORY, "no memory for the host");
    servers->settings = *settings;
    os_mutex_init(&servers->lock);
    os_cond_init(&servers->changed);
    *out = servers;
    return S_OK;
}

static struct server *find_locked(struct servers *servers, const char *manifest_path)
{
    struct server *server = servers->first;

    while (server && strcmp(server->manifest->path, manifest_path) != 0)
        server = server->next;
    return server;
}

static struct server *find_or_add_locked(struct servers *servers, struct manifest *manifest)
{
    struct server *server = find_locked(servers, manifest->path);

    if (server)
        return server;
    server = calloc(1, sizeof(*server));
    if (server) {
        server->servers = servers;
        server->manifest = manifest_ref(manifest);
        server->state = CLASS_IDLE;
        server->next = servers->first;
        servers->first = server;
    }
    return server;
}

/* --- the end of a process --- */

static void back_off_locked(struct server *server)
{
    uint32_t wait_ms = 0, max_ms = server->servers->settings.back_off_max_ms;

    if (os_now_ns() - server->started_ns > RECOVERED_MS * 1000000ull)
        server->n_failures = 0;
    server->n_failures++;
    for (uint32_t i = 1; i < server->n_failures && wait_ms < max_ms; i++)
        wait_ms = wait_ms ? wait_ms * 2 : BACK_OFF_FIRST_MS;
    if (wait_ms > max_ms)
        wait_ms = max_ms;
    server->not_before_ns = os_now_ns() + wait_ms * 1000000ull;
    server->state = CLASS_BACKING_OFF;
}

/* `last`: what the process wrote last. */
static void explain_locked(struct server *server, const struct os_exit_status *status,
                           const char *last)
{
    char how[64];

    os_exit_status_format(status, how, sizeof(how));
    snprintf(server->failure, sizeof(server->failure), "process %u of %s %s%s%s%s", server->pid,
             server->manifest->component, how, *last ? "; it wrote last: \"" : "", last,
             *last ? "\"" : "");
}

/* Takes the process' record and interface from the server; the caller frees them without the lock.
 */
static void ended_locked(struct server *server, const struct os_exit_status *status,
                         const char *last, struct os_process **process,
                         IViaductSurrogate **surrogate)
{
    bool failed = server->state == CLASS_STARTING || status->by_signal || status->code != 0;

    if (failed && !server->servers->stopping) {
        explain_locked(server, status, last);
        back_off_locked(server);
    } else {
        server->failure[0] = 0;
        server->n_failures = 0;
        server->state = CLASS_IDLE;
    }
    *process = server->process;
    *surrogate = server->surrogate;
    server->process = NULL;
    server->surrogate = NULL;
    server->pid = 0;
    server->token[0] = 0;
}

static void watch(void *argument)
{
    struct server *server = argument;
    struct servers *servers = server->servers;
    struct os_process *process;
    IViaductSurrogate *surrogate;
    struct os_exit_status status = {0};
    char last[256];

    os_mutex_lock(&servers->lock);
    while (server->spawning)
        os_cond_wait(&servers->changed, &servers->lock, OS_NEVER);
    process = server->process;
    os_mutex_unlock(&servers->lock);
    while (os_process_wait(process, OS_NEVER, &status) != S_OK)
        os_sleep_ms(10);
    exits_ended(servers->settings.exits, os_process_pid(process), &status);
    launch_last_line(&server->launch, last, sizeof(last));
    launch_deinit(&server->launch);
    os_mutex_lock(&servers->lock);
    ended_locked(server, &status, last, &process, &surrogate);
    if (server->state == CLASS_BACKING_OFF)
        log_warning("host", "%s", server->failure);
    server->watched = false;
    os_cond_broadcast(&servers->changed);
    os_mutex_unlock(&servers->lock);
    os_process_free(process);
    if (surrogate)
        IViaductSurrogate_Release(surrogate);
}

/* --- the start --- */

/* A process that nobody watches. */
static void abandon(struct os_process *process)
{
    struct os_exit_status status;

    os_process_kill(process);
    os_process_wait(process, os_deadline_ms(STOP_MS), &status);
    os_process_free(process);
}

/* Without the lock, by the thread that has set `spawning`. */
static HRESULT spawn(struct server *server, const struct manifest *manifest,
                     struct os_process **process, struct os_thread **watcher)
{
    struct servers *servers = server->servers;
    const struct server_settings *settings = &servers->settings;
    HRESULT hr = launch_prepare(&server->launch, settings, manifest);

    if (SUCCEEDED(hr)) {
        os_mutex_lock(&servers->lock);
        memcpy(server->token, server->launch.token, sizeof(server->token));
        os_mutex_unlock(&servers->lock);
        hr = launch_spawn(&server->launch, settings, manifest, process);
    }
    if (SUCCEEDED(hr)) {
        exits_started(settings->exits, os_process_pid(*process), os_path_name(manifest->component));
        hr = os_thread_start(watch, server, "via-watch", watcher);
        if (FAILED(hr))
            abandon(*process);
    }
    if (FAILED(hr))
        launch_deinit(&server->launch);
    return hr;
}

/* Leaves the lock for as long as the process is being made. */
static HRESULT start_locked(struct server *server, struct manifest *manifest)
{
    struct servers *servers = server->servers;
    struct os_thread *ended = server->watcher, *watcher = NULL;
    struct manifest *before = server->manifest;
    struct os_process *process = NULL;
    HRESULT hr;

    server->watcher = NULL;
    server->manifest = manifest_ref(manifest);
    server->started_ns = os_now_ns();
    server->state = CLASS_STARTING;
    server->spawning = true;
    os_mutex_unlock(&servers->lock);
    manifest_unref(before);
    if (ended)
        os_thread_join(ended);
    hr = spawn(server, manifest, &process, &watcher);
    os_mutex_lock(&servers->lock);
    server->spawning = false;
    if (FAILED(hr)) {
        server->token[0] = 0;
        error_format(error_get(), hr, server->failure, sizeof(server->failure));
        back_off_locked(server);
    } else {
        server->process = process;
        server->pid = os_process_pid(process);
        server->watcher = watcher;
        server->watched = true;
        server->n_starts++;
        log_info("host", "started process %u for %s", server->pid, manifest->component);
    }
    os_cond_broadcast(&servers->changed);
    return hr;
}

static HRESULT fail_backing_off(const struct server *server)
{
    uint64_t now = os_now_ns();
    unsigned left_ms =
        server->not_before_ns > now ? (unsigned)((server->not_before_ns - now) / 1000000) : 0;

    if (left_ms)
        return error_set(CO_E_SERVER_EXEC_FAILURE,
                         "%s (failed %u times, not tried again for %u.%u s)", server->failure,
                         server->n_failures, left_ms / 1000, left_ms / 100 % 10);
    return error_set(CO_E_SERVER_EXEC_FAILURE, "%s", server->failure);
}

/* Waits while the server starts. A start that fails meanwhile is this caller's failure too. */
static HRESULT wait_locked(struct server *server, uint64_t deadline_ns)
{
    struct servers *servers = server->servers;
    uint32_t start = server->n_starts;

    while (server->state == CLASS_STARTING && server->n_starts == start && !servers->stopping) {
        if (os_cond_wait(&servers->changed, &servers->lock, deadline_ns))
            continue;
        if (server->state != CLASS_STARTING)
            break;
        if (server->process)
            os_process_kill(server->process);
        return error_set(CO_E_SERVER_EXEC_FAILURE,
                         "process %u of %s did not report to the host within %u ms and was ended",
                         server->pid, server->manifest->component,
                         servers->settings.start_timeout_ms);
    }
    return server->state == CLASS_BACKING_OFF ? fail_backing_off(server) : S_OK;
}

static HRESULT get_locked(struct servers *servers, struct manifest *manifest,
                          IViaductSurrogate **surrogate)
{
    uint64_t deadline = os_deadline_ms(servers->settings.start_timeout_ms);
    struct server *server = find_or_add_locked(servers, manifest);
    HRESULT hr = S_OK;

    if (!server)
        return error_set(E_OUTOFMEMORY, "no memory for a component");
    while (SUCCEEDED(hr)) {
        if (servers->stopping)
            return error_set(CO_E_SERVER_EXEC_FAILURE, "the host is shutting down");
        if (server->state == CLASS_RUNNING) {
            *surrogate = server->surrogate;
            IViaductSurrogate_AddRef(*surrogate);
            return S_OK;
        }
        if (server->state == CLASS_BACKING_OFF && os_now_ns() < server->not_before_ns)
            return fail_backing_off(server);
        if (server->state != CLASS_STARTING)
            hr = start_locked(server, manifest);
        if (SUCCEEDED(hr))
            hr = wait_locked(server, deadline);
    }
    return hr;
}

HRESULT servers_get(struct servers *servers, struct manifest *manifest,
                    IViaductSurrogate **surrogate)
{
    HRESULT hr;

    os_mutex_lock(&servers->lock);
    hr = get_locked(servers, manifest, surrogate);
    os_mutex_unlock(&servers->lock);
    return hr;
}

static struct server *find_starting_locked(struct servers *servers, const char *token)
{
    struct server *server = *token ? servers->first : NULL;

    while (server && (server->state != CLASS_STARTING || strcmp(server->token, token) != 0))
        server = server->next;
    return server;
}

HRESULT servers_check_in(struct servers *servers, const char *token, IViaductSurrogate *surrogate)
{
    struct via_peer_info info = {.size = sizeof(info)};
    struct server *server;

    via_get_peer((IUnknown *)surrogate, &info);
    os_mutex_lock(&servers->lock);
    /* It may be here before the thread that has started it says so. */
    while ((server = find_starting_locked(servers, token)) && server->spawning)
        os_cond_wait(&servers->changed, &servers->lock, OS_NEVER);
    if (server) {
        server->token[0] = 0;
        exits_named(servers->settings.exits, server->pid, &info.node);
        server->surrogate = surrogate;
        IViaductSurrogate_AddRef(surrogate);
        server->state = CLASS_RUNNING;
        os_cond_broadcast(&servers->changed);
    }
    os_mutex_unlock(&servers->lock);
    if (!server)
        return error_set(E_ACCESSDENIED, "no process that this host is starting has this token");
    return S_OK;
}

/* Did the call fail since the process is ending, or has ended? */
static bool is_end(IViaductSurrogate *asked, HRESULT failure)
{
    struct via_peer_info info = {.size = sizeof(info)};

    return failure == CO_E_SERVER_STOPPING ||
           (failure == RPC_E_DISCONNECTED && via_get_peer((IUnknown *)asked, &info) == S_OK &&
            info.is_dead);
}

bool servers_settle(struct servers *servers, const struct manifest *manifest,
                    IViaductSurrogate *asked, HRESULT failure)
{
    uint64_t deadline = os_deadline_ms(servers->settings.settle_ms);
    struct server *server;
    bool in_time = true, again;

    if (!is_end(asked, failure))
        return false;
    os_mutex_lock(&servers->lock);
    server = find_locked(servers, manifest->path);
    while (server && in_time && server->surrogate == asked)
        in_time = os_cond_wait(&servers->changed, &servers->lock, deadline);
    /* A process that has lost its host and lives on is of no use. */
    if (!in_time && server->surrogate == asked && server->process)
        os_process_kill(server->process);
    again = server && server->surrogate != asked && server->state != CLASS_BACKING_OFF;
    os_mutex_unlock(&servers->lock);
    return again;
}

static void status_locked(const struct server *server, struct server_status *status)
{
    status->state = server->state;
    status->process_id = server->pid;
    status->n_starts = server->n_starts;
    snprintf(status->failure, sizeof(status->failure), "%s", server->failure);
}

void servers_status(struct servers *servers, const char *manifest_path,
                    struct server_status *status)
{
    struct server *server;

    memset(status, 0, sizeof(*status));
    os_mutex_lock(&servers->lock);
    server = find_locked(servers, manifest_path);
    if (server)
        status_locked(server, status);
    os_mutex_unlock(&servers->lock);
}

HRESULT servers_report(struct servers *servers, struct server_report **out, size_t *n_reports)
{
    struct server_report *reports;
    size_t n = 0;

    os_mutex_lock(&servers->lock);
    for (struct server *server = servers->first; server; server = server->next)
        n++;
    reports = calloc(n + 1, sizeof(*reports));
    n = 0;
    for (struct server *server = servers->first; reports && server; server = server->next) {
        reports[n].manifest = manifest_ref(server->manifest);
        status_locked(server, &reports[n++].status);
    }
    os_mutex_unlock(&servers->lock);
    if (!reports)
        return error_set(E_OUTOFMEMORY, "no memory for the status");
    *out = reports;
    *n_reports = n;
    return S_OK;
}

void servers_free_reports(struct server_report *reports, size_t n_reports)
{
    for (size_t i = 0; i < n_reports; i++)
        manifest_unref(reports[i].manifest);
    free(reports);
}

/* --- the host's end --- */

/* An interface of each process that can be asked to end, one after the other; NULL when all have
 * been. */
static IViaductSurrogate *next_to_ask(struct servers *servers)
{
    IViaductSurrogate *surrogate = NULL;

    os_mutex_lock(&servers->lock);
    for (struct server *server = servers->first; server && !surrogate; server = server->next) {
        surrogate = server->surrogate;
        server->surrogate = NULL;
    }
    os_mutex_unlock(&servers->lock);
    return surrogate;
}

/* Waits until no process is left; else does `end` to those that are. */
static bool wait_all(struct servers *servers, void (*end)(struct os_process *))
{
    uint64_t deadline = os_deadline_ms(STOP_MS);
    bool left, in_time = true;

    os_mutex_lock(&servers->lock);
    do {
        left = false;
        for (struct server *server = servers->first; server; server = server->next)
            left = left || server->watched || server->spawning;
        in_time = !left || os_cond_wait(&servers->changed, &servers->lock, deadline);
    } while (left && in_time);
    for (struct server *server = servers->first; server; server = server->next) {
        if (server->watched && server->process)
            end(server->process);
    }
    os_mutex_unlock(&servers->lock);
    return !left;
}

void servers_stop(struct servers *servers)
{
    IViaductSurrogate *surrogate;
    uint32_t before;

    os_mutex_lock(&servers->lock);
    servers->stopping = true;
    os_cond_broadcast(&servers->changed);
    os_mutex_unlock(&servers->lock);
    before = via_thread_set_deadline(STOP_MS);
    while ((surrogate = next_to_ask(servers))) {
        if (FAILED(IViaductSurrogate_Shutdown(surrogate)))
            log_debug("host", "a component's process did not answer when it was asked to end");
        IViaductSurrogate_Release(surrogate);
    }
    via_thread_set_deadline(before);
    if (!wait_all(servers, os_process_terminate) && !wait_all(servers, os_process_kill))
        wait_all(servers, os_process_kill);
}

void servers_free(struct servers *servers)
{
    if (!servers)
        return;
    while (servers->first) {
        struct server *server = servers->first;

        servers->first = server->next;
        if (server->watcher)
            os_thread_join(server->watcher);
        manifest_unref(server->manifest);
        free(server);
    }
    os_cond_deinit(&servers->changed);
    os_mutex_deinit(&servers->lock);
    free(servers);
}
