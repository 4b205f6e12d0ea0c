#include "com/remote/hang.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <viaduct/server.h>

#include "com/abi/guid.h"
#include "com/marshal/marshal.h"
#include "com/marshal/plan.h"
#include "com/remote/runtime.h"
#include "core/link/cancelled.h"
#include "core/os/clock.h"
#include "core/os/quit.h"
#include "core/os/thread.h"
#include "core/util/error.h"

/* The watch looks so often within the limit, while a method runs. */
#define LOOKS     8u
#define EXIT_CODE 1
/* A last release has so many times the limit. */
#define RELEASE_FACTOR 10

static atomic_bool is_on;

static struct {
    struct os_mutex lock;
    struct os_cond begun;     /* `running` is not empty any more */
    struct list running;      /* lock */
    uint32_t limit_ms;        /* read-only once it is on */
    struct os_thread *thread; /* read-only once it is on; it ends with the process */
} the_watch = {.lock = OS_MUTEX_INITIALIZER};

static void begin(struct hang_entry *entry)
{
    os_mutex_lock(&the_watch.lock);
    list_append(&the_watch.running, &entry->link);
    os_cond_signal(&the_watch.begun);
    os_mutex_unlock(&the_watch.lock);
}

static bool begin_for_caller(struct hang_entry *entry, const struct marshal_method *method,
                             const GUID *iid)
{
    if (!atomic_load_explicit(&is_on, memory_order_acquire) || link_current() == NULL)
        return false;
    *entry = (struct hang_entry){.current = link_current(), .method = method, .iid = iid};
    begin(entry);
    return true;
}

bool hang_begin_method(struct hang_entry *entry, const struct marshal_method *method)
{
    return begin_for_caller(entry, method, NULL);
}

bool hang_begin_query(struct hang_entry *entry, const GUID *iid)
{
    return begin_for_caller(entry, NULL, iid);
}

bool hang_begin_last_release(struct hang_entry *entry)
{
    if (!atomic_load_explicit(&is_on, memory_order_acquire))
        return false;
    *entry = (struct hang_entry){.given_up_ns = os_now_ns()};
    begin(entry);
    return true;
}

void hang_end(struct hang_entry *entry)
{
    os_mutex_lock(&the_watch.lock);
    list_remove(&entry->link);
    os_mutex_unlock(&the_watch.lock);
}

static uint64_t limit_of(const struct hang_entry *entry)
{
    uint64_t limit_ms = the_watch.limit_ms;
    return entry->current != NULL ? limit_ms : limit_ms * RELEASE_FACTOR;
}

/* Others may be in the middle of anything, and hold any lock: the process just ends. */
static void give_up(const struct hang_entry *entry)
{
    char guid[GUID_TEXT_SIZE];
    const struct marshal_method *method = entry->method;
    if (method != NULL)
        fprintf(stderr, "%s.%s", method->owner->name, marshal_method_name(method));
    else if (entry->iid != NULL)
        fprintf(stderr, "QueryInterface for %s", guid_format(entry->iid, guid));
    else
        fprintf(stderr, "the last Release of an object");
    fprintf(stderr, " has not returned for %" PRIu64 " ms%s: the process is ended\n",
            limit_of(entry), entry->current != NULL ? " since its caller gave it up" : "");
    fflush(stderr);
    os_process_quit(EXIT_CODE);
}

static void look_locked(void)
{
    uint64_t now_ns = os_now_ns();
    for (struct list *l = the_watch.running.next; l != &the_watch.running; l = l->next) {
        struct hang_entry *entry = list_entry(l, struct hang_entry, link);
        if (entry->current != NULL && !link_is_cancelled(entry->current))
            continue;
        if (entry->given_up_ns == 0)
            entry->given_up_ns = now_ns;
        else if (now_ns - entry->given_up_ns >= limit_of(entry) * 1000000ull)
            give_up(entry);
    }
}

static void watch(void *argument)
{
    (void)argument;
    for (;;) {
        os_mutex_lock(&the_watch.lock);
        while (list_is_empty(&the_watch.running))
            os_cond_wait(&the_watch.begun, &the_watch.lock, OS_NEVER);
        look_locked();
        os_mutex_unlock(&the_watch.lock);
        os_sleep_ms(the_watch.limit_ms / LOOKS + 1);
    }
}

HRESULT via_set_hang_limit(uint32_t ms)
{
    list_init(&the_watch.running);
    os_cond_init(&the_watch.begun);
    the_watch.limit_ms = ms;
    HRESULT hr = os_thread_start(watch, NULL, "via-hang", &the_watch.thread);
    if (FAILED(hr))
        return runtime_publish(hr);
    atomic_store_explicit(&is_on, true, memory_order_release);
    return S_OK;
}
