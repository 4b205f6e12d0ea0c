/* Between poller.c, unix_watcher.c and handle_watcher.c. */
#ifndef CORE_OS_WINDOWS_POLLER_PARTS_H
#define CORE_OS_WINDOWS_POLLER_PARTS_H

#include "core/os/poller.h"
#include "core/os/thread.h"
#include "core/os/unix_calls.h"
#include "core/os/windows/unix_module.h"

#include <stdbool.h>
#include <stdint.h>
#include <windows.h>

#include <winternl.h>

struct post;
struct unix_watcher;

struct os_poller {
    HANDLE port; /* read-only */
    struct os_mutex lock;
    struct os_cond idle;          /* a callback has returned */
    struct post *posts;           /* under lock */
    struct post **posts_end;      /* under lock */
    struct os_watch *running;     /* under lock */
    uint64_t thread;              /* of the reactor, while it is in run_once; under lock */
    struct unix_watcher *watcher; /* set once, under lock */
};

struct os_watch {
    struct os_poller *poller; /* read-only */
    int32_t descriptor;       /* of Unix, read-only; -1: a handle */
    void (*ready)(void *argument, uint32_t events);
    void *argument;
    HANDLE handle;     /* what is waited for, unless it is a descriptor; read-only */
    bool owns_handle;  /* read-only */
    HANDLE wait;       /* the system's wait for it, or NULL; under the poller's lock */
    bool is_over;      /* `wait` waits no more; under the poller's lock */
    uint64_t token;    /* the watcher's name for it; read-only */
    uint32_t armed;    /* under the poller's lock */
    bool has_edges;    /* a report leaves it armed; under the poller's lock */
    uint32_t n_queued; /* packets that name it; under the poller's lock */
    bool is_closing;   /* no callback starts any more; under the poller's lock */
    bool is_closed;    /* and nobody waits for one: the last packet frees it; likewise */
};

/* Under the poller's lock: lets the reactor report it. */
void poller_report(struct os_watch *watch, uint32_t events);

/* Under the poller's lock: starts the system's wait, which reports `events`: once, or each time.
 * False: GetLastError(). */
bool handle_watcher_start(struct os_watch *watch, uint32_t events, bool once);
/* Without it: as os_watch_arm and os_watch_arm_edges say. */
HRESULT handle_watcher_arm(struct os_watch *watch, uint32_t events, bool once);
/* Without it: no report comes from then on. */
void handle_watcher_stop(struct os_watch *watch);

/* A thread that waits in Linux's epoll. */
HRESULT unix_watcher_new(struct os_poller *poller, const struct unix_module *module,
                         struct unix_watcher **watcher);
/* Every watch must be closed. Takes NULL. */
void unix_watcher_free(struct unix_watcher *watcher);
HRESULT unix_watcher_add(struct unix_watcher *watcher, struct os_watch *watch);
/* Under the poller's lock. */
HRESULT unix_watcher_arm(struct unix_watcher *watcher, const struct os_watch *watch,
                         uint32_t events);
/* Likewise. */
HRESULT unix_watcher_arm_edges(struct unix_watcher *watcher, const struct os_watch *watch);
void unix_watcher_remove(struct unix_watcher *watcher, const struct os_watch *watch);

#endif
