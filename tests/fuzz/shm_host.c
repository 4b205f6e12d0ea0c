#include "tests/fuzz/shm_host.h"

#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <time.h>

#define MAX_POSTS 64

struct post {
    void (*run)(void *argument);
    void *argument;
};

static struct post posts[MAX_POSTS];
static unsigned n_posts;

static HRESULT set_error(HRESULT code, const char *message)
{
    (void)message;
    return code;
}

static void write_log(enum via_log_level level, const char *message)
{
    (void)level;
    (void)message;
}

static HRESULT buffer_get(size_t size, struct via_plugin_buffer *buffer)
{
    buffer->data = malloc(size);
    buffer->size = size;
    return buffer->data != NULL ? S_OK : E_OUTOFMEMORY;
}

static void buffer_put(struct via_plugin_buffer *buffer)
{
    free(buffer->data);
    buffer->data = NULL;
}

static HRESULT watch_open(intptr_t descriptor, void (*ready)(void *argument, uint32_t events),
                          void *argument, struct via_plugin_watch **watch)
{
    (void)descriptor;
    (void)ready;
    *watch = argument;
    return S_OK;
}

static HRESULT watch_arm(struct via_plugin_watch *watch, uint32_t events)
{
    (void)watch;
    (void)events;
    return S_OK;
}

static HRESULT watch_arm_edges(struct via_plugin_watch *watch)
{
    (void)watch;
    return S_OK;
}

static void watch_end(struct via_plugin_watch *watch)
{
    (void)watch;
}

static HRESULT post(void (*run)(void *argument), void *argument)
{
    if (n_posts == MAX_POSTS)
        fuzz_fail("too many posts");
    posts[n_posts++] = (struct post){run, argument};
    return S_OK;
}

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

const struct via_plugin_host shm_host = {
    .abi = VIA_PLUGIN_ABI,
    .size = sizeof shm_host,
    .set_error = set_error,
    .log = write_log,
    .buffer_get = buffer_get,
    .buffer_put = buffer_put,
    .watch_open = watch_open,
    .watch_arm = watch_arm,
    .watch_disarm = watch_end,
    .watch_close = watch_end,
    .post = post,
    .now_ns = now_ns,
    .watch_arm_edges = watch_arm_edges,
};

void shm_host_run_posts(void)
{
    for (unsigned i = 0; i < n_posts; i++) /* which may post */
        posts[i].run(posts[i].argument);
    n_posts = 0;
}
