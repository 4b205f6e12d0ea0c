/*
 * A server: the process that runs the component of one manifest, and its ups and downs.
 *
 * IDLE -> STARTING (a process runs and has not checked in) -> RUNNING -> IDLE (it ended by itself)
 * or BACKING_OFF (it failed; the next start waits, longer each time). Whoever needs the component
 * while it is STARTING waits for that one start, so that activations of one component coalesce.
 *
 * The process finds what it needs in its environment: VIADUCT_HOST, VIADUCT_TOKEN (by which it
 * checks in, kept off the command line because others can read that), VIADUCT_LISTEN,
 * VIADUCT_PLUGIN_PATH and VIADUCT_IDLE_MS.
 */
#ifndef HOST_SERVER_H
#define HOST_SERVER_H

#include <stdbool.h>
#include <viaduct/com.h>
#include <viaduct/host.h>

#include "com/registry/manifest.h"

struct exits;
struct server;
struct servers;

/* How long a process may take to end that has lost its host, or has said that it is ending. */
#define SERVER_SETTLE_MS 3000u

/* Everything is borrowed and outlives the servers. */
struct server_settings {
    const char *program;      /* of surrogates: this one */
    const char *host_address; /* where they check in */
    const char *const *
        listen; /* addresses of the host, NULL at the end; those of surrogates are made from them */
    const char *const *plugins;    /* directories, NULL at the end */
    const char *scratch_directory; /* for what they write to their standard error */
    uint32_t start_timeout_ms;
    uint32_t idle_ms;
    uint32_t back_off_max_ms; /* so long at most one that keeps failing is not started */
    uint32_t settle_ms;       /* usually SERVER_SETTLE_MS */
    struct exits *exits;
};

HRESULT servers_new(const struct server_settings *settings, struct servers **servers);
/* Blocks. Ends every process: asks first, and kills what is left after two seconds. */
void servers_stop(struct servers *servers);
void servers_free(struct servers *servers);

/* Blocks until the component's process has checked in, or start_timeout_ms. What it gave, with a
 * reference. CO_E_SERVER_EXEC_FAILURE says how the process ended and what it wrote last. */
HRESULT servers_get(struct servers *servers, struct manifest *manifest,
                    IViaductSurrogate **surrogate);
/* A process names itself. E_ACCESSDENIED for a token that no starting server has. */
HRESULT servers_check_in(struct servers *servers, const char *token, IViaductSurrogate *surrogate);

/* Blocks for a short time. A call on the component's process, by `asked`, has failed with
 * `failure`: true once that process has ended by itself, being idle, so that another one is worth a
 * try. One that has not ended within settle_ms is killed. */
bool servers_settle(struct servers *servers, const struct manifest *manifest,
                    IViaductSurrogate *asked, HRESULT failure);

struct server_status {
    enum ClassState state;
    uint32_t process_id;
    uint32_t n_starts;
    char failure[512]; /* why it last failed, or "" */
};
/* Of the component of the manifest at this path. */
void servers_status(struct servers *servers, const char *manifest_path,
                    struct server_status *status);

struct server_report {
    struct manifest *manifest; /* that it was started with last; a reference */
    struct server_status status;
};
/* Of every component that was asked for; for servers_free_reports(). */
HRESULT servers_report(struct servers *servers, struct server_report **reports, size_t *n_reports);
void servers_free_reports(struct server_report *reports, size_t n_reports);

#endif
