#include "core/plugin/conformance_reactor.h"

#include "core/os/clock.h"
#include "core/os/poller.h"
#include "core/os/thread.h"
#include "core/util/error.h"

#include <stdbool.h>
#include <stdlib.h>

struct conformance_reactor {
    struct os_poller *poller;
    struct os_thread *thread;
    _Atomic bool over;
};

static void run_reactor(void *argument)
{
    struct conformance_reactor *reactor = argument;
    while (!reactor->over)
        os_poller_run_once(reactor->poller, OS_NEVER);
    error_clear();
}

HRESULT conformance_reactor_start(struct conformance_reactor **reactor)
{
    struct conformance_reactor *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "out of memory");
    HRESULT hr = os_poller_new(&self->poller);
    if (SUCCEEDED(hr))
        hr = os_thread_start(run_reactor, self, "reactor", &self->thread);
    if (FAILED(hr)) {
        os_poller_free(self->poller);
        free(self);
        return hr;
    }
    *reactor = self;
    return S_OK;
}

void conformance_reactor_stop(struct conformance_reactor *reactor)
{
    reactor->over = true;
    os_poller_wake(reactor->poller);
    os_thread_join(reactor->thread);
    os_poller_free(reactor->poller);
    free(reactor);
}

struct os_poller *conformance_reactor_poller(struct conformance_reactor *reactor)
{
    return reactor->poller;
}
