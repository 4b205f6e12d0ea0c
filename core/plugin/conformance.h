/*
 * The conformance suite of transports: what <viaduct/plugin/transport.h> promises, as named tests
 * that run against any plugin. `viaduct plugin check FILE` and the project's own tests call it.
 *
 * Each test makes its own listener and streams and drives them from this process; a peer, another
 * process of this or the other system, may hold the far ends. A test that finds
 * a promise broken reports it and the run goes on with the next; a test that hangs is reported as
 * failed after its time limit and ends the run, since its threads cannot be taken back.
 */
#ifndef CORE_PLUGIN_CONFORMANCE_H
#define CORE_PLUGIN_CONFORMANCE_H

#include <stddef.h>
#include <viaduct/plugin/plugin.h>

struct os_poller;

enum plugin_conformance_result {
    PLUGIN_CONFORMANCE_PASS = 0,
    PLUGIN_CONFORMANCE_FAIL = 1,
    PLUGIN_CONFORMANCE_SKIP =
        2, /* does not apply to this transport or system; `message` says why */
    PLUGIN_CONFORMANCE_ALONE = 3 /* about one process, and so not run with a peer */
};

/* Called once for each test. `message` is NULL for a pass. */
typedef void (*plugin_conformance_report)(void *context, const char *test,
                                          enum plugin_conformance_result result,
                                          const char *message);

struct plugin_conformance_options {
    /* What stands before the part that makes an address of this transport unique, without the
     * scheme: a directory and a file name's beginning for sockets, any name for pipes. NULL: a
     * fresh one in the runtime directory or the system's temporary directory. */
    const char *address_prefix;
    /* A program that runs plugin_conformance_answer_file on its own build of the plugin, absolute,
     * and its arguments, NULL at the end: it holds one end of every stream, first those that
     * connect ("peer_connects.TEST"), then those that are accepted ("peer_listens.TEST"). NULL:
     * both are in this process. */
    const char *const *peer;
    const char *only; /* the name of the one test to run; NULL: all */
    unsigned seed;    /* of the random sizes; 0: from the clock; it is in the failure's message */
};

/* Runs the suite on the first scheme of `plugin`, which has not been inited, with the host table on
 * `poller` (running). `n_failed` counts failed tests. Fails itself only when it cannot run at all;
 * S_FALSE: a test hangs, and neither `plugin` nor `poller` may be taken down any more. */
HRESULT plugin_conformance_run(const struct via_plugin *plugin, struct os_poller *poller,
                               const struct plugin_conformance_options *options,
                               plugin_conformance_report report, void *context, unsigned *n_failed);

/* Loads `path` as plugin_set_load does and runs the suite on it, with a poller of its own. */
HRESULT plugin_conformance_run_file(const char *path,
                                    const struct plugin_conformance_options *options,
                                    plugin_conformance_report report, void *context,
                                    unsigned *n_failed);

/* Holds ends of streams for a run in another process that has started this one, as `peer`: takes
 * over standard input and output, until the former ends. */
HRESULT plugin_conformance_answer_file(const char *path);

#endif
