#include "com/remote/last_release.h"

#include "com/remote/export.h"
#include "com/remote/node.h"
#include "core/os/clock.h"

/* A turn: then other jobs have theirs. */
#define TURN_NS      1000000u
#define TURN_EXPORTS 64u

static struct exported *pop_locked(struct last_releases *self)
{
    struct exported *exported = self->first;
    if (exported == NULL)
        return NULL;
    self->first = exported->next;
    if (self->first == NULL)
        self->end = NULL;
    return exported;
}

/* False: there are none, and the job is over. */
static bool take_a_turn(struct last_release_job *job)
{
    struct node *node = job->node;
    uint64_t end_ns = os_now_ns() + TURN_NS;
    for (unsigned n = 0; n < TURN_EXPORTS && (n == 0 || os_now_ns() < end_ns); n++) {
        os_mutex_lock(&node->lock);
        struct exported *exported = pop_locked(&node->last_releases);
        job->runs = exported != NULL;
        os_mutex_unlock(&node->lock);
        if (exported == NULL)
            return false;
        export_end(exported);
    }
    return true;
}

static void run(void *argument)
{
    struct last_release_job *job = argument;
    while (take_a_turn(job))
        if (job->node->link != NULL && link_node_submit(job->node->link, &job->job))
            return;
}

void last_release(struct exported *exported)
{
    struct node *node = exported->node;
    struct last_releases *self = &node->last_releases;
    struct last_release_job *starts = NULL;
    exported->next = NULL;
    os_mutex_lock(&node->lock);
    if (self->end == NULL)
        self->end = &self->first;
    *self->end = exported;
    self->end = &exported->next;
    for (unsigned i = 0; i < LAST_RELEASE_JOBS && starts == NULL; i++)
        if (!self->jobs[i].runs)
            starts = &self->jobs[i];
    if (starts != NULL) {
        starts->runs = true;
        starts->node = node;
    }
    os_mutex_unlock(&node->lock);
    if (starts != NULL)
        node_submit(node, &starts->job, run, starts);
}
