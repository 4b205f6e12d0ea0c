/*
 * The host's side of the plugin ABI: the one table of functions that every plugin of this process
 * gets.
 *
 * The ABI's functions carry no context, so the poller behind them belongs to the process. It is set
 * by the first acquire and cleared by the last release; buffers are recycled in a small pool that
 * the last release empties.
 */
#ifndef CORE_PLUGIN_HOST_TABLE_H
#define CORE_PLUGIN_HOST_TABLE_H

#include <viaduct/plugin/host.h>

struct os_poller;

/* Sets the table up for `poller` (borrowed until the release) and counts one user of it.
 * E_UNEXPECTED if it is in use with another poller. `runtime_directory` is copied by the first
 * user, NULL is allowed. */
HRESULT plugin_host_acquire(struct os_poller *poller, const char *runtime_directory,
                            const struct via_plugin_host **host);
void plugin_host_release(void);

/* Buffers lent at the moment: a leak check for tests and the conformance suite. */
unsigned plugin_host_buffers_lent(void);

#endif
