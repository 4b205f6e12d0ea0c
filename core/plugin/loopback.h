/*
 * A transport inside one process (scheme "loop"): tests of wire and link run on it without sockets,
 * the same on every system. Both ends live in this process; names are any text; handles pass as
 * duplicates. It keeps the whole contract of <viaduct/plugin/transport.h> and passes the
 * conformance suite.
 */
#ifndef CORE_PLUGIN_LOOPBACK_H
#define CORE_PLUGIN_LOOPBACK_H

#include <viaduct/plugin/plugin.h>

extern const struct via_plugin plugin_loopback;

#endif
