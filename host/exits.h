/*
 * How the processes that this host started have ended. The latest ones are remembered, because a
 * client learns that a component's process is gone from its own connection, and asks the host
 * afterwards why. It asks by node id: process ids come again, and each system counts its own.
 */
#ifndef HOST_EXITS_H
#define HOST_EXITS_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/com.h>

#include "core/os/process.h"

/* Ends that are remembered: more than can be asked about within the second in which clients ask. */
#define EXITS_MAX 256u
/* How long a question waits for a process that still seems to run: its connection ends a moment
 * before the kernel reports its end. */
#define EXITS_WAIT_MS 500u

struct exits;

struct exit_record {
    uint32_t pid;
    GUID node; /* zero until the process has checked in */
    bool running;
    struct os_exit_status status;
    char description[256]; /* "calculator.so, process 4711, was killed by signal 9 (SIGKILL)" */
};

struct exits *exits_new(void);
void exits_free(struct exits *exits);

/* `what` names the component in descriptions. */
void exits_started(struct exits *exits, uint32_t pid, const char *what);
/* The process has checked in, as this node. */
void exits_named(struct exits *exits, uint32_t pid, const GUID *node);
void exits_ended(struct exits *exits, uint32_t pid, const struct os_exit_status *status);
/* Blocks for EXITS_WAIT_MS at most. False for a node whose process this host did not start. */
bool exits_find(struct exits *exits, const GUID *node, struct exit_record *record);

#endif
