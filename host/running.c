/*
 * See running.h. A name's entry is shared by the list and by the death watch of its object. Whoever
 * takes an entry out of the list lets it go without the lock, since a last release may call into
 * the object; changes are told under the lock, so that their order is that of the list.
 */
#include "host/running.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/process.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "host/text.h"

struct published {
    struct published *next;  /* running->lock; by name */
    struct running *running; /* read-only */
    atomic_uint refs;        /* of the list or the maker, and of the watch */
    char *name;              /* read-only */
    IUnknown *object;        /* read-only; a reference */
    uint64_t watch;          /* read-only once it is listed; 0: an object of this process */
    bool listed;             /* running->lock */
    bool dead;               /* running->lock; the watch has been called */
};

struct running {
    struct os_mutex lock;
    struct published *first;  /* lock */
    size_t count;             /* lock */
    running_listener changed; /* read-only once something is published; may be NULL */
    void *context;            /* read-only, as well */
};

struct running *running_new(void)
{
    struct running *running = calloc(1, sizeof(*running));

    if (running)
        os_mutex_init(&running->lock);
    return running;
}

void running_set_listener(struct running *running, running_listener changed, void *context)
{
    running->changed = changed;
    running->context = context;
}

static void published_unref(struct published *published)
{
    if (atomic_fetch_sub(&published->refs, 1) != 1)
        return;
    if (published->object)
        IUnknown_Release(published->object);
    free(published->name);
    free(published);
}

/* Gives up the list's, or the maker's, reference; NULL is none. */
static void let_go(struct published *published)
{
    if (!published)
        return;
    if (published->watch && via_death_unwatch(published->watch) == S_OK)
        published_unref(published);
    published_unref(published);
}

/* The link that points to it, or to the first behind its place. */
static struct published **find_locked(struct running *running, const char *name)
{
    struct published **link = &running->first;

    while (*link && strcmp((*link)->name, name) < 0)
        link = &(*link)->next;
    return link;
}

static bool has_name(const struct published *published, const char *name)
{
    return published && strcmp(published->name, name) == 0;
}

static struct published *take_locked(struct running *running, struct published **link)
{
    struct published *published = *link;

    *link = published->next;
    published->next = NULL;
    published->listed = false;
    running->count--;
    return published;
}

static void tell_locked(struct running *running, const char *name, enum RunningChange change)
{
    if (running->changed)
        running->changed(running->context, name, change);
}

/* Whether the object's process has ended; the death watch may not have been called yet. */
static bool is_dead(IUnknown *object)
{
    struct via_peer_info info = {.size = sizeof(info)};

    return via_get_peer(object, &info) == S_OK && info.is_dead;
}

/* --- death --- */

static void died(void *context, const char *reason)
{
    struct published *published = context;
    struct running *running = published->running;
    bool listed;

    (void)reason;
    os_mutex_lock(&running->lock);
    published->dead = true;
    listed = published->listed;
    if (listed) {
        take_locked(running, find_locked(running, published->name));
        tell_locked(running, published->name, RUNNING_GONE);
    }
    os_mutex_unlock(&running->lock);
    if (listed)
        published_unref(published);
    published_unref(published);
}

static HRESULT watch(struct published *published)
{
    struct via_peer_info info = {.size = sizeof(info)};
    HRESULT hr = via_get_peer(published->object, &info);

    if (hr != S_OK)
        return SUCCEEDED(hr) ? S_OK : text_take_error(hr);
    atomic_fetch_add(&published->refs, 1);
    hr = via_death_watch(published->object, died, published, &published->watch);
    if (SUCCEEDED(hr))
        return S_OK;
    published->watch = 0;
    published_unref(published);
    return text_take_error(hr);
}

/* --- names --- */

static HRESULT check_name(const char *name)
{
    if (!*name || strlen(name) > RUNNING_MAX_NAME)
        return error_set(E_INVALIDARG, "the name of a running object has 1 to %u bytes",
                         RUNNING_MAX_NAME);
    return S_OK;
}

static HRESULT published_new(struct running *running, const char *name, IUnknown *object,
                             struct published **out)
{
    struct published *published = calloc(1, sizeof(*published));
    HRESULT hr;

    if (!published)
        return error_set(E_OUTOFMEMORY, "no memory to publish %s", name);
    published->running = running;
    atomic_init(&published->refs, 1);
    published->name = strdup(name);
    published->object = object;
    IUnknown_AddRef(object);
    hr = published->name ? watch(published)
                         : error_set(E_OUTOFMEMORY, "no memory to publish %s", name);
    if (FAILED(hr)) {
        let_go(published);
        return hr;
    }
    *out = published;
    return S_OK;
}

/* Puts it into the list; `*dead` is what had its name, if that is dead. */
static HRESULT insert_locked(struct running *running, struct published *published,
                             struct published **dead)
{
    const char *name = published->name;
    struct published **link = find_locked(running, name);

    if (published->dead)
        return error_set(RPC_E_DISCONNECTED, "the process that owns the object has ended");
    if (has_name(*link, name) && !is_dead((*link)->object))
        return error_set(VIA_E_ADDRESS_IN_USE, "another object runs under the name %s", name);
    if (has_name(*link, name))
        *dead = take_locked(running, link);
    else if (running->count >= RUNNING_MAX)
        return error_set(VIA_E_LIMIT, "%u objects are published already", RUNNING_MAX);
    published->next = *link;
    *link = published;
    published->listed = true;
    running->count++;
    tell_locked(running, name, *dead ? RUNNING_REPLACED : RUNNING_APPEARED);
    return S_OK;
}

HRESULT running_publish(struct running *running, const char *name, IUnknown *object)
{
    struct published *published = NULL, *dead = NULL;
    HRESULT hr = check_name(name);

    if (SUCCEEDED(hr) && !object)
        hr = error_set(E_POINTER, "no object was given to publish as %s", name);
    if (SUCCEEDED(hr))
        hr = published_new(running, name, object, &published);
    if (FAILED(hr))
        return hr;
    os_mutex_lock(&running->lock);
    hr = insert_locked(running, published, &dead);
    os_mutex_unlock(&running->lock);
    if (FAILED(hr))
        let_go(published);
    let_go(dead);
    return hr;
}

static HRESULT nothing_runs(const char *name)
{
    return error_set(MK_E_UNAVAILABLE, "no object runs under the name %.255s", name);
}

HRESULT running_lookup(struct running *running, const char *name, IUnknown **object)
{
    struct published *published;
    bool found;

    os_mutex_lock(&running->lock);
    published = *find_locked(running, name);
    found = has_name(published, name) && !is_dead(published->object);
    if (found) {
        *object = published->object;
        IUnknown_AddRef(*object);
    }
    os_mutex_unlock(&running->lock);
    return found ? S_OK : nothing_runs(name);
}

HRESULT running_withdraw(struct running *running, const char *name)
{
    struct published *published = NULL, **link;

    os_mutex_lock(&running->lock);
    link = find_locked(running, name);
    if (has_name(*link, name)) {
        published = take_locked(running, link);
        tell_locked(running, name, RUNNING_GONE);
    }
    os_mutex_unlock(&running->lock);
    if (!published)
        return nothing_runs(name);
    let_go(published);
    return S_OK;
}

/* --- lists --- */

/* S_FALSE: its process has ended. */
static HRESULT describe(const struct published *published, struct RunningInfo *info)
{
    struct via_peer_info peer = {.size = sizeof(peer)};
    HRESULT hr = via_get_peer(published->object, &peer);

    if (FAILED(hr) || peer.is_dead)
        return S_FALSE;
    info->processId = hr == S_OK ? peer.process_id : os_process_id();
    info->isWindows = peer.is_windows;
    info->name = text_to_bstr(published->name);
    info->agent = text_to_bstr(peer.agent);
    if (info->name && info->agent)
        return S_OK;
    return error_set(E_OUTOFMEMORY, "no memory for the list of running objects");
}

void running_free_list(struct RunningInfo *list, ULONG count)
{
    for (ULONG i = 0; i < count; i++) {
        SysFreeString(list[i].name);
        SysFreeString(list[i].agent);
    }
    CoTaskMemFree(list);
}

HRESULT running_list(struct running *running, struct RunningInfo **out, ULONG *count)
{
    struct RunningInfo *list;
    HRESULT hr = S_OK;
    ULONG n = 0;

    os_mutex_lock(&running->lock);
    list = CoTaskMemAlloc((running->count + 1) * sizeof(*list));
    if (!list)
        hr = error_set(E_OUTOFMEMORY, "no memory for the list of running objects");
    for (struct published *p = running->first; p && SUCCEEDED(hr); p = p->next) {
        list[n] = (struct RunningInfo){.processId = 0};
        hr = describe(p, &list[n]);
        n += hr != S_FALSE;
    }
    os_mutex_unlock(&running->lock);
    if (FAILED(hr)) {
        running_free_list(list, n);
        return hr;
    }
    *out = list;
    *count = n;
    return S_OK;
}

/* --- the end --- */

void running_clear(struct running *running)
{
    struct published *first;

    os_mutex_lock(&running->lock);
    first = running->first;
    running->first = NULL;
    running->count = 0;
    for (struct published *p = first; p; p = p->next)
        p->listed = false;
    os_mutex_unlock(&running->lock);
    while (first) {
        struct published *next = first->next;

        let_go(first);
        first = next;
    }
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
