/*
 * A poller with a thread that runs it, for tests of transports; and where this build's plugins are.
 */
#ifndef TESTS_PLUGIN_REACTOR_H
#define TESTS_PLUGIN_REACTOR_H

#include "core/os/clock.h"
#include "core/os/path.h"
#include "core/os/poller.h"
#include "core/os/thread.h"
#include "tests/harness/harness.h"

#include <stdio.h>

struct plugin_reactor {
    struct os_poller *poller;
    struct os_thread *thread;
    _Atomic bool over;
};

static inline void plugin_reactor_run(void *argument)
{
    struct plugin_reactor *reactor = argument;
    while (!reactor->over)
        os_poller_run_once(reactor->poller, OS_NEVER);
}

static inline bool plugin_reactor_start(struct plugin_reactor *reactor)
{
    reactor->over = false;
    if (!CHECK_OK(os_poller_new(&reactor->poller)))
        return false;
    return CHECK_OK(os_thread_start(plugin_reactor_run, reactor, "reactor", &reactor->thread));
}

static inline void plugin_reactor_stop(struct plugin_reactor *reactor)
{
    reactor->over = true;
    os_poller_wake(reactor->poller);
    os_thread_join(reactor->thread);
    os_poller_free(reactor->poller);
}

/* Where this build has put `part`, a path from the build's root; each call replaces the last one's
 * text. */
static inline const char *plugin_reactor_path(const char *part)
{
    static char path[1024];
    snprintf(path, sizeof path, "%s/../%s", harness_binary_directory(), part);
    for (char *c = path; *c != 0; c++) {
        if (*c == '/' || *c == '\\')
            *c = os_path_separator;
    }
    return path;
}

/* The directory of this build's plugins. */
static inline const char *plugin_reactor_plugin_directory(void)
{
    return plugin_reactor_path(VIADUCT_PLUGIN_PART);
}

#endif
