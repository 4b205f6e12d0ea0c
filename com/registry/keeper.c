/*
 * See keeper.h. One thread at a time refreshes the catalogue, so that a refresh begins after
 * another has ended and none brings back what is gone. Whoever needs one that began after he asked
 * waits for it only: not for the look at every file that the keeper may begin right behind it. The
 * lock is held for looking and changing, never while files are read.
 */
#include "com/registry/keeper.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "com/registry/catalogue.h"
#include "com/registry/index.h"
#include "com/registry/refresh.h"
#include "com/registry/registry.h"
#include "core/os/clock.h"
#include "core/os/stamp.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "core/util/log.h"

#define FRESH_NS (REGISTRY_FRESH_MS * 1000000ull)
/* Looking at all files takes a hundredth of the time, for those who do not need it, but is not put
 * off for longer than anybody would wait before he tries again... */
#define PASS_SHARE        100u
#define PASS_MAX_PAUSE_NS 10000000000ull
/* ...and is left to the thread if somebody would notice that he waits for it. */
#define PASS_NOTICED_NS 10000000ull
/* What looking at a file costs, until it has been measured. */
#define PASS_FILE_NS 4000u
/* While components are being installed the index is not written each time. */
#define SAVE_PAUSE_NS 10000000000ull
/* When stamps that have not settled are worth another look, and how often in a row: more than twice
 * only helps if somebody goes on writing, and then it is asked for anyway. */
#define SETTLE_NS  (OS_STAMP_SETTLE_MS * 1000000ull + 100000000ull)
#define SETTLE_MAX 2u

struct keeper {
    const char *const *directories; /* read-only; borrowed */
    char *index;                    /* read-only; NULL: none */
    struct os_mutex lock;
    struct os_cond changed;    /* something that the thread waits for */
    struct os_cond refreshed;  /* is_refreshing has become false */
    bool is_refreshing;        /* lock; by some thread */
    bool has_loaded;           /* is_refreshing's owner; the index, or tried to */
    struct catalogue *current; /* lock; NULL before the first refresh */
    uint64_t looked_ns;        /* lock; when a look at the directories was begun */
    uint64_t passed_ns;        /* lock; when a look at all files was begun; 0: never */
    uint64_t pass_ns;          /* lock; how long it took */
    struct os_thread *thread;  /* lock; NULL until it is needed */
    bool save_failed;          /* the thread's; and that has been said */
    uint64_t saved_ns;         /* lock; 0: never */
    bool is_wanted;            /* lock; a look at all files */
    bool is_unsaved;           /* lock; the index lacks something */
    uint64_t save_at_ns;       /* lock; with is_unsaved */
    uint64_t settle_at_ns;     /* lock; OS_NEVER: no stamp has to settle */
    unsigned n_settles;        /* lock; in a row */
    atomic_bool is_stopping;   /* set under lock */
};

static void run(void *argument);

static struct catalogue *take_current(struct keeper *keeper)
{
    struct catalogue *current;

    os_mutex_lock(&keeper->lock);
    current = keeper->current ? catalogue_ref(keeper->current) : NULL;
    os_mutex_unlock(&keeper->lock);
    return current;
}

/* Without a thread everything works, but for the index before the end. */
static void wake_locked(struct keeper *keeper)
{
    if (!keeper->thread && !keeper->is_stopping &&
        FAILED(os_thread_start(run, keeper, "via-registry", &keeper->thread)))
        error_clear();
    os_cond_broadcast(&keeper->changed);
}

void keeper_wake(struct keeper *keeper)
{
    os_mutex_lock(&keeper->lock);
    keeper->is_wanted = true;
    keeper->n_settles = 0;
    wake_locked(keeper);
    os_mutex_unlock(&keeper->lock);
}

/* --- refreshing, by one thread at a time --- */

static uint64_t estimate(const struct catalogue *catalogue)
{
    return catalogue->n_files * (uint64_t)PASS_FILE_NS;
}

/* From the index; what it says of the directories has still to be compared. */
static void load(struct keeper *keeper)
{
    struct catalogue *catalogue;
    char text[ERROR_TEXT_SIZE];
    HRESULT hr;

    keeper->has_loaded = true;
    if (!keeper->index)
        return;
    hr = index_load(keeper->index, keeper->directories, &catalogue);
    if (FAILED(hr)) {
        if (hr != VIA_WIN32(2))
            log_warning("registry", "%s is not used and will be made again: %s", keeper->index,
                        error_format(error_get(), hr, text, sizeof(text)));
        error_clear();
        return;
    }
    os_mutex_lock(&keeper->lock);
    keeper->current = catalogue;
    keeper->pass_ns = estimate(catalogue);
    os_mutex_unlock(&keeper->lock);
}

static bool is_since_locked(const struct keeper *keeper, enum refresh_depth depth,
                            uint64_t asked_ns)
{
    return (depth == REFRESH_FILES ? keeper->passed_ns : keeper->looked_ns) >= asked_ns;
}

/* What the thread has to do because of a new catalogue. */
static void plan_locked(struct keeper *keeper, bool has_settled)
{
    if (!keeper->index)
        return;
    keeper->save_at_ns = keeper->saved_ns ? keeper->saved_ns + SAVE_PAUSE_NS : 0;
    keeper->is_unsaved = true;
    keeper->settle_at_ns = OS_NEVER;
    if (!has_settled && keeper->n_settles < SETTLE_MAX)
        keeper->settle_at_ns = os_now_ns() + SETTLE_NS;
    wake_locked(keeper);
}

static HRESULT refresh(struct keeper *keeper, enum refresh_depth depth)
{
    struct catalogue *before = take_current(keeper), *after = NULL, *left = NULL;
    uint64_t begun_ns = os_now_ns();
    bool is_pass = depth == REFRESH_FILES || !before;
    HRESULT hr =
        refresh_catalogue(keeper->directories, before, depth, &keeper->is_stopping, &after);
    bool has_settled = hr == S_OK && catalogue_is_settled(after);

    os_mutex_lock(&keeper->lock);
    if (hr == S_OK) {
        left = keeper->current;
        keeper->current = after;
        plan_locked(keeper, has_settled);
    }
    if (SUCCEEDED(hr))
        keeper->looked_ns = begun_ns;
    if (SUCCEEDED(hr) && is_pass) {
        keeper->passed_ns = begun_ns;
        keeper->is_wanted = false;
        keeper->pass_ns = hr == S_FALSE ? os_now_ns() - begun_ns : estimate(after);
    }
    os_mutex_unlock(&keeper->lock);
    catalogue_unref(left);
    catalogue_unref(before);
    return hr;
}

static HRESULT refresh_since(struct keeper *keeper, enum refresh_depth depth, uint64_t asked_ns)
{
    HRESULT hr = S_OK;
    bool is_done;

    os_mutex_lock(&keeper->lock);
    while (!is_since_locked(keeper, depth, asked_ns) && keeper->is_refreshing)
        os_cond_wait(&keeper->refreshed, &keeper->lock, OS_NEVER);
    is_done = is_since_locked(keeper, depth, asked_ns);
    keeper->is_refreshing = keeper->is_refreshing || !is_done;
    os_mutex_unlock(&keeper->lock);
    if (is_done)
        return S_OK;
    if (!keeper->has_loaded)
        load(keeper);
    hr = refresh(keeper, depth);
    os_mutex_lock(&keeper->lock);
    keeper->is_refreshing = false;
    os_cond_broadcast(&keeper->refreshed);
    os_mutex_unlock(&keeper->lock);
    return hr;
}

/* --- for those who ask --- */

static bool is_recent(uint64_t then_ns, uint64_t now_ns, uint64_t limit_ns)
{
    return then_ns && now_ns - then_ns < limit_ns;
}

HRESULT keeper_refresh(struct keeper *keeper, enum keeper_need need, struct catalogue **catalogue)
{
    enum refresh_depth depth = need == KEEPER_FILES ? REFRESH_FILES : REFRESH_DIRECTORIES;
    uint64_t now_ns = os_now_ns();
    HRESULT hr;

    os_mutex_lock(&keeper->lock);
    if (need == KEEPER_FILES_LATELY && !is_recent(keeper->passed_ns, now_ns, FRESH_NS))
        depth = REFRESH_FILES;
    os_mutex_unlock(&keeper->lock);
    hr = refresh_since(keeper, depth, now_ns);
    if (SUCCEEDED(hr))
        *catalogue = take_current(keeper);
    return SUCCEEDED(hr) ? S_OK : hr;
}

/* Whether every file should be looked at again, and whether that takes no time. */
static bool is_due_locked(const struct keeper *keeper, uint64_t now_ns, bool *is_quick)
{
    uint64_t limit_ns = keeper->pass_ns * PASS_SHARE;

    if (limit_ns < FRESH_NS)
        limit_ns = FRESH_NS;
    if (limit_ns > PASS_MAX_PAUSE_NS)
        limit_ns = PASS_MAX_PAUSE_NS;
    *is_quick = keeper->pass_ns < PASS_NOTICED_NS;
    return !is_recent(keeper->passed_ns, now_ns, limit_ns);
}

/* Without a refresh: somebody may be at it who looks at every file. */
static bool look_at_directories(struct keeper *keeper, uint64_t now_ns)
{
    struct catalogue *current = take_current(keeper);
    bool is_same = current && !refresh_is_needed(keeper->directories, current);

    os_mutex_lock(&keeper->lock);
    is_same = is_same && keeper->current == current;
    if (is_same && keeper->looked_ns < now_ns)
        keeper->looked_ns = now_ns;
    os_mutex_unlock(&keeper->lock);
    catalogue_unref(current);
    return is_same;
}

HRESULT keeper_get(struct keeper *keeper, struct catalogue **catalogue)
{
    uint64_t now_ns = os_now_ns();
    bool is_fresh, is_due, is_quick;
    HRESULT hr = S_OK;

    os_mutex_lock(&keeper->lock);
    is_fresh = keeper->current && is_recent(keeper->looked_ns, now_ns, FRESH_NS);
    os_mutex_unlock(&keeper->lock);
    if (!is_fresh && !look_at_directories(keeper, now_ns))
        hr = refresh_since(keeper, REFRESH_DIRECTORIES, now_ns);
    os_mutex_lock(&keeper->lock);
    is_due = !is_fresh && is_due_locked(keeper, now_ns, &is_quick);
    os_mutex_unlock(&keeper->lock);
    if (SUCCEEDED(hr) && is_due && is_quick)
        hr = refresh_since(keeper, REFRESH_FILES, now_ns);
    else if (is_due)
        keeper_wake(keeper);
    if (SUCCEEDED(hr))
        *catalogue = take_current(keeper);
    return SUCCEEDED(hr) ? S_OK : hr;
}

/* --- the thread --- */

/* A failure is said once, until it has worked again. */
static void save(struct keeper *keeper)
{
    struct catalogue *current = take_current(keeper);
    char text[ERROR_TEXT_SIZE];
    HRESULT hr;

    os_mutex_lock(&keeper->lock);
    keeper->is_unsaved = false;
    os_mutex_unlock(&keeper->lock);
    hr = index_save(keeper->index, current);
    os_mutex_lock(&keeper->lock);
    keeper->saved_ns = os_now_ns();
    os_mutex_unlock(&keeper->lock);
    if (FAILED(hr) && !keeper->save_failed)
        log_warning("registry", "there is no index of classes, and the next start takes longer: %s",
                    error_format(error_get(), hr, text, sizeof(text)));
    keeper->save_failed = FAILED(hr);
    error_clear();
    catalogue_unref(current);
}

/* What there is to do; false: wait until `until_ns`. */
static bool next_locked(struct keeper *keeper, bool *is_save, uint64_t *until_ns)
{
    uint64_t now_ns = os_now_ns();

    if (now_ns >= keeper->settle_at_ns) {
        keeper->settle_at_ns = OS_NEVER;
        keeper->n_settles++;
        keeper->is_wanted = true;
    }
    *is_save = !keeper->is_wanted && keeper->is_unsaved && now_ns >= keeper->save_at_ns;
    *until_ns = keeper->settle_at_ns;
    if (keeper->is_unsaved && keeper->save_at_ns < *until_ns)
        *until_ns = keeper->save_at_ns;
    return keeper->is_wanted || *is_save;
}

/* The first time the directories alone come first: what the index has is enough for those who
 * wait. */
static void pass(struct keeper *keeper)
{
    struct catalogue *current = take_current(keeper);
    uint64_t now_ns = os_now_ns();
    HRESULT hr = current ? S_OK : refresh_since(keeper, REFRESH_DIRECTORIES, now_ns);

    catalogue_unref(current);
    if (SUCCEEDED(hr))
        hr = refresh_since(keeper, REFRESH_FILES, now_ns);
    if (FAILED(hr)) {
        os_mutex_lock(&keeper->lock);
        keeper->is_wanted = false; /* whoever asks next gets the error */
        os_mutex_unlock(&keeper->lock);
        error_clear();
    }
}

static void run(void *argument)
{
    struct keeper *keeper = argument;
    uint64_t until_ns;
    bool is_save;

    os_mutex_lock(&keeper->lock);
    while (!keeper->is_stopping) {
        if (!next_locked(keeper, &is_save, &until_ns)) {
            os_cond_wait(&keeper->changed, &keeper->lock, until_ns);
            continue;
        }
        os_mutex_unlock(&keeper->lock);
        if (is_save)
            save(keeper);
        else
            pass(keeper);
        os_mutex_lock(&keeper->lock);
    }
    os_mutex_unlock(&keeper->lock);
}

/* --- its life --- */

HRESULT keeper_new(const char *const *directories, const char *index_place, struct keeper **out)
{
    struct keeper *keeper = calloc(1, sizeof(*keeper));

    if (!keeper)
        return error_set(E_OUTOFMEMORY, "no memory for the registry");
    os_mutex_init(&keeper->lock);
    os_cond_init(&keeper->changed);
    os_cond_init(&keeper->refreshed);
    keeper->directories = directories;
    keeper->settle_at_ns = OS_NEVER;
    keeper->index = index_place ? index_path(index_place, directories) : NULL;
    if (index_place && !keeper->index) {
        keeper_free(keeper);
        return error_set(E_OUTOFMEMORY, "no memory for the registry");
    }
    *out = keeper;
    return S_OK;
}

void keeper_free(struct keeper *keeper)
{
    if (!keeper)
        return;
    os_mutex_lock(&keeper->lock);
    keeper->is_stopping = true;
    os_cond_broadcast(&keeper->changed);
    os_mutex_unlock(&keeper->lock);
    if (keeper->thread)
        os_thread_join(keeper->thread);
    if (keeper->is_unsaved)
        save(keeper);
    catalogue_unref(keeper->current);
    os_mutex_deinit(&keeper->lock);
    os_cond_deinit(&keeper->changed);
    os_cond_deinit(&keeper->refreshed);
    free(keeper->index);
    free(keeper);
}
