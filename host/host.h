/*
 * The host: registry, components' processes, peers and running objects, put together.
 *
 * Names of classes come in as people write them. A question that a peer asks has "@local" behind it
 * and goes no further. All functions that take a host may be called from any thread; what they
 * return as an interface carries a reference. Failures leave this program's error record.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include <stdbool.h>
#include <viaduct/com.h>
#include <viaduct/host.h>

#include "com/registry/registry.h"
#include "host/configuration.h"
#include "host/exits.h"
#include "host/modules.h"
#include "host/peers.h"
#include "host/relays.h"
#include "host/running.h"
#include "host/server.h"

struct host {
    const struct configuration *configuration; /* read-only; borrowed */
    char *exposed_directory; /* read-only: manifests of COM classes; NULL: none are exposed */
    char *scratch_directory; /* read-only; this host's own, removed at its end */
    char *program;           /* read-only; runs surrogates */
    struct registry *registry;
    struct servers *servers;
    struct modules *modules;
    struct exits *exits;
    struct peers *peers;
    struct com_server *com_server; /* NULL: not configured */
    struct running *running;
    struct relays *relays;
    IViaductHost *object; /* read-only; what others call */
    uint64_t started_ns;  /* read-only */
};

/* The runtime has been initialized. Listens, connects to peers, and answers from then on. */
HRESULT host_start(const struct configuration *configuration, struct host **host);
/* Blocks. Ends everything that the host has started. */
void host_stop(struct host *host);
/* After via_uninitialize(): nobody calls the host's object any more. */
void host_free(struct host *host);

/* --- classes (classes.c) --- */

HRESULT host_create_instance(struct host *host, const char *name, REFIID iid, IUnknown **object);
HRESULT host_get_class_object(struct host *host, const char *name, IUnknown **object);
HRESULT host_describe_class(struct host *host, const char *name, BSTR *json);
/* `info` is for class_info_deinit(). */
HRESULT host_find_class(struct host *host, const char *name, struct ClassInfo *info);
HRESULT host_register(struct host *host, const char *manifest, char **path);
HRESULT host_unregister(struct host *host, const char *name);

/* --- lists of classes (list.c) --- */

/* Classes in a page at most, and where its texts make it end: far below what a message may have. */
#define CLASS_PAGE_MAX       1000u
#define CLASS_PAGE_DEFAULT   256u
#define CLASS_PAGE_MAX_BYTES (1024u * 1024)

struct class_page {
    bool with_peers;
    ULONG limit; /* 0: CLASS_PAGE_DEFAULT */
    ULONG count;
    struct ClassInfo *classes; /* for CoTaskMemFree() after its strings */
    BSTR next;                 /* for SysFreeString() */
};
/* The classes behind `after`; see ListClasses in host.idl. */
HRESULT host_list_classes(struct host *host, const char *after, struct class_page *page);

void class_info_deinit(struct ClassInfo *info);
/* Of one of this host's own classes. */
HRESULT class_info_fill(struct host *host, const struct registry_entry *entry,
                        struct ClassInfo *info);

/* --- ends of processes (ends.c) --- */

/* Blocks for a short time. How the process of a node ended; PROCESS_UNKNOWN where neither this host
 * nor, with `peers`, one that it is peered with has started it. The description is for
 * SysFreeString(). */
void host_process_exit(struct host *host, const GUID *node, bool peers, struct ProcessExit *end);

/* --- status (status.c) --- */

/* JSON, for free(). */
HRESULT host_status(struct host *host, char **json);

#endif
