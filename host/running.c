#include "host/running.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/thread.h"
#include "core/util/error.h"

struct published {
    struct published *next;
    char *name;
    IUnknown *object;
};

/* So many names may be there before the dead among them are looked for. */
#define SWEEP_LEAST 16u

struct running {
    struct os_mutex lock;
    struct published *first; /* lock */
    size_t count;            /* lock */
    size_t sweep_at;         /* lock: at this count the dead are looked for */
};

struct running *running_new(void)
{
    struct running *running = calloc(1, sizeof(*running));

    if (running) {
        os_mutex_init(&running->lock);
        running->sweep_at = SWEEP_LEAST;
    }
    return running;
}

static bool is_dead(IUnknown *object)
{
    struct via_peer_info info = {.size = sizeof(info)};

    return via_get_peer(object, &info) == S_OK && info.is_dead;
}

/* All of a list; NULL is none. */
static void published_free(struct published *published)
{
    while (published) {
        struct published *next = published->next;

        if (published->object)
            IUnknown_Release(published->object);
        free(published->name);
        free(published);
        published = next;
    }
}

/* The link that points to it, or to the end. */
static struct published **find_locked(struct running *running, const char *name)
{
    struct published **link = &running->first;

    while (*link && strcmp((*link)->name, name) != 0)
        link = &(*link)->next;
    return link;
}

/* Takes it out; the caller frees it without the lock, since a release may call into the object. */
static struct published *take_locked(struct running *running, struct published **link)
{
    struct published *published = *link;

    *link = published->next;
    published->next = NULL;
    running->count--;
    return published;
}

/* Takes out those whose owner is gone, where it is time to; the caller frees the list. */
static struct published *sweep_locked(struct running *running)
{
    struct published *dead = NULL, **link = &running->first;

    if (running->count < running->sweep_at)
        return NULL;
    while (*link) {
        struct published *published = *link;

        if (!is_dead(published->object)) {
            link = &published->next;
            continue;
        }
        take_locked(running, link);
        published->next = dead;
        dead = published;
    }
    running->sweep_at = 2 * running->count;
    if (running->sweep_at < SWEEP_LEAST)
        running->sweep_at = SWEEP_LEAST;
    if (running->sweep_at > RUNNING_MAX)
        running->sweep_at = RUNNING_MAX;
    return dead;
}

static HRESULT check_name(const char *name)
{
    if (!*name || strlen(name) > RUNNING_MAX_NAME)
        return error_set(E_INVALIDARG, "the name of a running object has 1 to %u bytes",
                         RUNNING_MAX_NAME);
    return S_OK;
}

HRESULT running_publish(struct running *running, const char *name, IUnknown *object)
{
    struct published *published, *dead, *swept, **link;
    HRESULT hr = check_name(name);

    if (SUCCEEDED(hr) && !object)
        hr = error_set(E_POINTER, "no object was given to publish as %s", name);
    if (FAILED(hr))
        return hr;
    published = calloc(1, sizeof(*published));
    if (!published || !(published->name = strdup(name))) {
        published_free(published);
        return error_set(E_OUTOFMEMORY, "no memory to publish %s", name);
    }
    published->object = object;
    IUnknown_AddRef(object);
    os_mutex_lock(&running->lock);
    swept = sweep_locked(running);
    link = find_locked(running, name);
    dead = *link && is_dead((*link)->object) ? take_locked(running, link) : NULL;
    link = find_locked(running, name);
    if (*link) {
        hr = error_set(VIA_E_ADDRESS_IN_USE, "another object runs under the name %s", name);
    } else if (running->count >= RUNNING_MAX) {
        hr = error_set(VIA_E_LIMIT, "%u objects are published already", RUNNING_MAX);
    } else {
        published->next = running->first;
        running->first = published;
        running->count++;
        published = NULL;
    }
    os_mutex_unlock(&running->lock);
    published_free(published);
    published_free(dead);
    published_free(swept);
    return hr;
}

HRESULT running_lookup(struct running *running, const char *name, IUnknown **object)
{
    struct published *dead = NULL, **link;
    HRESULT hr = S_OK;
    bool found;

    os_mutex_lock(&running->lock);
    link = find_locked(running, name);
    if (*link && is_dead((*link)->object))
        dead = take_locked(running, link);
    found = !dead && *link;
    if (found) {
        *object = (*link)->object;
        IUnknown_AddRef(*object);
    } else {
        hr = error_set(MK_E_UNAVAILABLE, "no object runs under the name %.255s", name);
    }
    os_mutex_unlock(&running->lock);
    published_free(dead);
    return hr;
}

HRESULT running_withdraw(struct running *running, const char *name)
{
    struct published *published = NULL, **link;

    os_mutex_lock(&running->lock);
    link = find_locked(running, name);
    if (*link)
        published = take_locked(running, link);
    os_mutex_unlock(&running->lock);
    if (!published)
        return error_set(MK_E_UNAVAILABLE, "no object runs under the name %.255s", name);
    published_free(published);
    return S_OK;
}

void running_clear(struct running *running)
{
    struct published *first;

    os_mutex_lock(&running->lock);
    first = running->first;
    running->first = NULL;
    running->count = 0;
    os_mutex_unlock(&running->lock);
    published_free(first);
}

size_t running_count(struct running *running)
{
    size_t count;

    os_mutex_lock(&running->lock);
    count = running->count;
    os_mutex_unlock(&running->lock);
    return count;
}

void running_free(struct running *running)
{
    if (!running)
        return;
    running_clear(running);
    os_mutex_deinit(&running->lock);
    free(running);
}
