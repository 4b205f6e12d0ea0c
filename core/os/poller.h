/*
 * Readiness of many descriptors on one thread: epoll on POSIX, a completion port on Windows, where
 * Unix descriptors under Wine are watched by one helper thread.
 *
 * Whoever calls os_poller_run_once() is the reactor's thread for that time; all callbacks run there
 * and must not block. Everything else may be called from any thread.
 */
#ifndef CORE_OS_POLLER_H
#define CORE_OS_POLLER_H

#include <stdint.h>
#include <viaduct/hresult.h>
#include <viaduct/plugin/host.h>

struct os_poller;
struct os_watch;

HRESULT os_poller_new(struct os_poller **poller);
/* Every watch must be closed and nobody may be in run_once. Posts that did not run are run. */
void os_poller_free(struct os_poller *poller);

/* Blocks until something happened, somebody called os_poller_wake, or the deadline passed; then
 * runs the callbacks of what happened. One thread at a time. */
void os_poller_run_once(struct os_poller *poller, uint64_t deadline_ns);
/* Runs what has happened and what is posted, until nothing is left of it. When nobody else runs the
 * poller any more. */
void os_poller_drain(struct os_poller *poller);
void os_poller_wake(struct os_poller *poller);
/* Runs run(argument) on the reactor's thread, exactly once, in order. E_OUTOFMEMORY. */
HRESULT os_poller_post(struct os_poller *poller, void (*run)(void *argument), void *argument);

/* A file descriptor; under Wine a Unix descriptor, where there is the Unix module; else on Windows
 * a handle that can be waited for, an event or a process, which is ready to read while it is
 * signalled. The descriptor must outlive the watch. `events` are VIA_READY_... */
HRESULT os_watch_open(struct os_poller *poller, intptr_t descriptor,
                      void (*ready)(void *argument, uint32_t events), void *argument,
                      struct os_watch **watch);
/* One report, of what happens first. Replaces what was armed. A report can be spurious after a
 * disarm, or with VIA_READY_AGAIN. */
HRESULT os_watch_arm(struct os_watch *watch, uint32_t events);
/* For reading, until it is disarmed: reports each time that the descriptor becomes readable anew
 * (an event descriptor: each time that it is set), though nobody reads it. A handle must be an
 * event that resets itself. */
HRESULT os_watch_arm_edges(struct os_watch *watch);
void os_watch_disarm(struct os_watch *watch);
/* After it returns no callback of this watch runs or will run, unless called from within it. */
void os_watch_close(struct os_watch *watch);

/* Watches for the end of a process by its id: `ready(argument, VIA_READY_CLOSED)` once, without
 * arming. E_NOTIMPL where the system cannot; VIA_WIN32(2) when there is no such process. */
HRESULT os_watch_process(struct os_poller *poller, uint32_t process_id,
                         void (*ready)(void *argument, uint32_t events), void *argument,
                         struct os_watch **watch);

/* Windows: completions on `handle` run via_plugin_overlapped.done. E_NOTIMPL elsewhere. */
HRESULT os_poller_bind_handle(struct os_poller *poller, void *handle);

#endif
