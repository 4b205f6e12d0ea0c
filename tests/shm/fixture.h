/*
 * The plugin `shm`, loaded, and a listener of its; for the suites of this directory.
 */
#ifndef TESTS_SHM_FIXTURE_H
#define TESTS_SHM_FIXTURE_H

#include "tests/harness/harness.h"

#include "core/os/clock.h"
#include "core/os/identity.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "tests/plugin_reactor.h"

struct shm_fixture {
    struct plugin_reactor reactor;
    struct plugin_set *set;
    const struct via_transport *t;
    struct via_listener *listener;
    char path[108];
};

/* Counts the reports of a stream, by set_ready(stream, shm_count, &n). */
static inline void shm_count(void *token, uint32_t events)
{
    _Atomic unsigned *n = token;
    if (n != NULL && (events & VIA_READY_READ))
        ++*n;
}

static inline bool shm_set_up(struct shm_fixture *f)
{
    char file[1200];
    struct via_listen_options options = {sizeof options, VIA_ACCESS_SAME_USER, 8, 0};
    snprintf(file, sizeof file, "%s/viaduct-shm.so", plugin_reactor_plugin_directory());
    snprintf(f->path, sizeof f->path, "%s/x.sock", harness_temporary_directory());
    return plugin_reactor_start(&f->reactor) &&
           CHECK_OK(plugin_set_new(f->reactor.poller, NULL, &f->set)) &&
           CHECK_OK(plugin_set_load(f->set, file)) &&
           CHECK_OK(plugin_set_find(f->set, "shm", &f->t)) &&
           CHECK_OK(f->t->listen(f->path, &options, shm_count, NULL, &f->listener));
}

static inline void shm_tear_down(struct shm_fixture *f)
{
    f->t->listener_close(f->listener);
    plugin_set_free(f->set);
    plugin_reactor_stop(&f->reactor);
    error_clear();
}

static inline uint64_t shm_deadline(unsigned ms)
{
    return os_now_ns() + (uint64_t)ms * 1000000 * harness_time_factor();
}

/* Sends `n` bytes of value `byte`; false: the stream did not take all of them. */
static inline bool shm_put(const struct via_transport *t, struct via_stream *stream, int byte,
                           size_t n)
{
    uint8_t *span;
    size_t size;
    if (!CHECK_OK(t->reserve(stream, n, &span, &size)) || !CHECK(size >= n))
        return false;
    for (size_t i = 0; i < n; i++)
        span[i] = (uint8_t)byte;
    return CHECK_OK(t->commit(stream, n, NULL, 0, VIA_COMMIT_FLUSH));
}

#endif
