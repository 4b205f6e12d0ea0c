/* The reactor of a conformance run: a poller, and the thread that runs it. */
#ifndef CORE_PLUGIN_CONFORMANCE_REACTOR_H
#define CORE_PLUGIN_CONFORMANCE_REACTOR_H

#include <viaduct/hresult.h>

struct conformance_reactor;
struct os_poller;

HRESULT conformance_reactor_start(struct conformance_reactor **reactor);
struct os_poller *conformance_reactor_poller(struct conformance_reactor *reactor);
void conformance_reactor_stop(struct conformance_reactor *reactor);

#endif
