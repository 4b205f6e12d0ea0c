/* See exits.h. A ring: a new process takes the oldest place, unless it still runs. */
#include "host/exits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/os/clock.h"
#include "core/os/thread.h"

struct exits {
    struct os_mutex lock;
    struct os_cond ended;
    struct exit_record records[EXITS_MAX]; /* lock; pid 0: free */
    unsigned next;                         /* lock */
};

struct exits *exits_new(void)
{
    struct exits *exits = calloc(1, sizeof(*exits));

    if (exits) {
        os_mutex_init(&exits->lock);
        os_cond_init(&exits->ended);
    }
    return exits;
}

void exits_free(struct exits *exits)
{
    if (!exits)
        return;
    os_cond_deinit(&exits->ended);
    os_mutex_deinit(&exits->lock);
    free(exits);
}

/* The latest one: a process id can come again. */
static struct exit_record *find_locked(struct exits *exits, uint32_t pid)
{
    for (unsigned i = 1; i <= EXITS_MAX; i++) {
        struct exit_record *record = &exits->records[(exits->next + EXITS_MAX - i) % EXITS_MAX];

        if (record->pid == pid)
            return record;
    }
    return NULL;
}

static struct exit_record *find_node_locked(struct exits *exits, const GUID *node)
{
    for (unsigned i = 0; i < EXITS_MAX; i++) {
        if (exits->records[i].pid != 0 && IsEqualGUID(&exits->records[i].node, node))
            return &exits->records[i];
    }
    return NULL;
}

void exits_started(struct exits *exits, uint32_t pid, const char *what)
{
    struct exit_record *record;

    os_mutex_lock(&exits->lock);
    for (unsigned i = 0; i < EXITS_MAX && exits->records[exits->next].running; i++)
        exits->next = (exits->next + 1) % EXITS_MAX;
    record = &exits->records[exits->next];
    exits->next = (exits->next + 1) % EXITS_MAX;
    memset(record, 0, sizeof(*record));
    record->pid = pid;
    record->running = true;
    snprintf(record->description, sizeof(record->description), "%.160s, process %u,", what, pid);
    os_mutex_unlock(&exits->lock);
}

void exits_named(struct exits *exits, uint32_t pid, const GUID *node)
{
    struct exit_record *record;

    os_mutex_lock(&exits->lock);
    record = find_locked(exits, pid);
    if (record && record->running)
        record->node = *node;
    os_mutex_unlock(&exits->lock);
}

void exits_ended(struct exits *exits, uint32_t pid, const struct os_exit_status *status)
{
    struct exit_record *record;
    char how[64];

    os_mutex_lock(&exits->lock);
    record = find_locked(exits, pid);
    if (record && record->running) {
        size_t used = strlen(record->description);

        record->running = false;
        record->status = *status;
        snprintf(record->description + used, sizeof(record->description) - used, " %s",
                 os_exit_status_format(status, how, sizeof(how)));
    }
    os_cond_broadcast(&exits->ended);
    os_mutex_unlock(&exits->lock);
}

bool exits_find(struct exits *exits, const GUID *node, struct exit_record *record)
{
    static const GUID none;
    uint64_t deadline = os_deadline_ms(EXITS_WAIT_MS);
    struct exit_record *found;

    if (IsEqualGUID(node, &none))
        return false;
    os_mutex_lock(&exits->lock);
    found = find_node_locked(exits, node);
    while (found && found->running && os_cond_wait(&exits->ended, &exits->lock, deadline))
        found = find_node_locked(exits, node);
    if (found)
        *record = *found;
    os_mutex_unlock(&exits->lock);
    return found != NULL;
}
