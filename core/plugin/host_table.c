/*
 * The functions that plugins get: thin fronts of core/os and core/util, and the pool of lent
 * buffers.
 *
 * Buffers come in a few sizes (transports ask for the same one again and again), so a small stack
 * of free ones per power of two serves nearly every request. The pool keeps at most 2 MiB of each
 * size. Large ones are pages of their own: streams come and go with theirs, among small pieces of
 * memory that stay.
 */
#include "core/plugin/host_table.h"

#include "core/os/clock.h"
#include "core/os/pages.h"
#include "core/os/poller.h"
#include "core/os/thread.h"
#include "core/os/unix_calls.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "core/plugin/plugin_set.h"

#include <stdlib.h>
#include <string.h>

#define BUFFER_ALIGNMENT 64u
#define BUFFER_MIN_BITS  12u /* 4 KiB */
#define BUFFER_PAGE_BITS 16u /* from 64 KiB on: pages */
#define BUFFER_MAX_BITS  24u /* 16 MiB */
#define POOL_SIZE        (2u * 1024u * 1024u)
#define POOL_MOST        32u /* of one size */

/* Lies directly in front of a buffer's data. */
struct buffer_header {
    void *allocation;
    unsigned bits; /* the data's size is 1 << bits */
};

struct buffer_class {
    unsigned n_free;
    uint8_t *free[POOL_MOST];
};

static struct os_mutex lock = OS_MUTEX_INITIALIZER;
static unsigned n_users;         /* lock */
static struct os_poller *poller; /* lock; read freely between acquire and release */
static char *directory;          /* lock */
static unsigned n_lent;          /* lock */
static struct buffer_class pool[BUFFER_MAX_BITS + 1]; /* lock */

static struct buffer_header *header_of(uint8_t *data)
{
    return (struct buffer_header *)(void *)(data - BUFFER_ALIGNMENT);
}
_Static_assert(sizeof(struct buffer_header) <= BUFFER_ALIGNMENT,
               "the header lies in the alignment");

static HRESULT host_set_error(HRESULT code, const char *message)
{
    return error_set(code, "%s", message);
}

static void host_log(enum via_log_level level, const char *message)
{
    log_write(level, "plugin", "%s", message);
}

static size_t allocation_size(unsigned bits)
{
    return ((size_t)1 << bits) + 2 * BUFFER_ALIGNMENT;
}

static uint8_t *buffer_new(unsigned bits)
{
    size_t size = allocation_size(bits);
    void *allocation = bits < BUFFER_PAGE_BITS ? malloc(size) : os_pages_new(size);
    if (allocation == NULL)
        return NULL;
    uintptr_t data =
        ((uintptr_t)allocation + 2 * BUFFER_ALIGNMENT - 1) & ~(uintptr_t)(BUFFER_ALIGNMENT - 1);
    struct buffer_header *header = header_of((uint8_t *)data);
    header->allocation = allocation;
    header->bits = bits;
    return (uint8_t *)data;
}

static void buffer_free(uint8_t *data)
{
    struct buffer_header *header = header_of(data);
    if (header->bits < BUFFER_PAGE_BITS)
        free(header->allocation);
    else
        os_pages_free(header->allocation, allocation_size(header->bits));
}

static HRESULT host_buffer_get(size_t size, struct via_plugin_buffer *buffer)
{
    unsigned bits = BUFFER_MIN_BITS;
    while (bits <= BUFFER_MAX_BITS && ((size_t)1 << bits) < size)
        bits++;
    if (bits > BUFFER_MAX_BITS)
        return error_set(E_OUTOFMEMORY,
                         "a plugin asked for a buffer of %zu bytes; 16 MiB is the most", size);
    os_mutex_lock(&lock);
    struct buffer_class *class = &pool[bits];
    uint8_t *data = class->n_free > 0 ? class->free[--class->n_free] : NULL;
    n_lent++;
    os_mutex_unlock(&lock);
    if (data == NULL)
        data = buffer_new(bits);
    if (data == NULL) {
        os_mutex_lock(&lock);
        n_lent--;
        os_mutex_unlock(&lock);
        return error_set(E_OUTOFMEMORY, "out of memory for a buffer of %zu bytes", size);
    }
    buffer->data = data;
    buffer->size = (size_t)1 << bits;
    return S_OK;
}

static void host_buffer_put(struct via_plugin_buffer *buffer)
{
    uint8_t *data = buffer->data;
    struct buffer_header *header = header_of(data);
    unsigned most = POOL_SIZE >> header->bits;
    struct buffer_class *class = &pool[header->bits];
    buffer->data = NULL;
    buffer->size = 0;
    os_mutex_lock(&lock);
    n_lent--;
    if (class->n_free < (most < POOL_MOST ? most : POOL_MOST)) {
        class->free[class->n_free++] = data;
        data = NULL;
    }
    os_mutex_unlock(&lock);
    if (data != NULL)
        buffer_free(data);
}

unsigned plugin_host_buffers_lent(void)
{
    os_mutex_lock(&lock);
    unsigned n = n_lent;
    os_mutex_unlock(&lock);
    return n;
}

static HRESULT host_watch_open(intptr_t descriptor, void (*ready)(void *argument, uint32_t events),
                               void *argument, struct via_plugin_watch **watch)
{
    struct os_watch *opened;
    HRESULT hr = os_watch_open(poller, descriptor, ready, argument, &opened);
    if (SUCCEEDED(hr))
        *watch = (struct via_plugin_watch *)opened;
    return hr;
}

static HRESULT host_watch_arm(struct via_plugin_watch *watch, uint32_t events)
{
    return os_watch_arm((struct os_watch *)watch, events);
}

static HRESULT host_watch_arm_edges(struct via_plugin_watch *watch)
{
    return os_watch_arm_edges((struct os_watch *)watch);
}

static void host_watch_disarm(struct via_plugin_watch *watch)
{
    os_watch_disarm((struct os_watch *)watch);
}

static void host_watch_close(struct via_plugin_watch *watch)
{
    os_watch_close((struct os_watch *)watch);
}

static HRESULT host_post(void (*run)(void *argument), void *argument)
{
    return os_poller_post(poller, run, argument);
}

static HRESULT host_bind_handle(void *handle)
{
    return os_poller_bind_handle(poller, handle);
}

static struct via_plugin_host table = {
    .abi = VIA_PLUGIN_ABI,
    .size = sizeof table,
    .set_error = host_set_error,
    .log = host_log,
    .buffer_get = host_buffer_get,
    .buffer_put = host_buffer_put,
    .watch_open = host_watch_open,
    .watch_arm = host_watch_arm,
    .watch_disarm = host_watch_disarm,
    .watch_close = host_watch_close,
    .post = host_post,
    .now_ns = os_now_ns,
    .bind_handle = host_bind_handle,
    .watch_arm_edges = host_watch_arm_edges,
};

/* Called with the lock. */
static HRESULT set_up(struct os_poller *first_poller, const char *runtime_directory)
{
    if (runtime_directory != NULL) {
        directory = strdup(runtime_directory);
        if (directory == NULL)
            return error_set(E_OUTOFMEMORY, "out of memory");
    }
    poller = first_poller;
    table.runtime_directory = directory;
    table.unix_calls = os_unix_calls();
    return S_OK;
}

/* Called with the lock. */
static void tear_down(void)
{
    poller = NULL;
    free(directory);
    directory = NULL;
    table.runtime_directory = NULL;
    for (unsigned bits = BUFFER_MIN_BITS; bits <= BUFFER_MAX_BITS; bits++) {
        struct buffer_class *class = &pool[bits];
        while (class->n_free > 0)
            buffer_free(class->free[--class->n_free]);
    }
}

HRESULT plugin_host_acquire(struct os_poller *wanted, const char *runtime_directory,
                            const struct via_plugin_host **host)
{
    HRESULT hr = S_OK;
    os_mutex_lock(&lock);
    if (n_users == 0)
        hr = set_up(wanted, runtime_directory);
    else if (poller != wanted)
        hr = error_set(E_UNEXPECTED,
                       "the plugins of this process are served by another poller; share it");
    if (SUCCEEDED(hr)) {
        n_users++;
        *host = &table;
    }
    os_mutex_unlock(&lock);
    return hr;
}

void plugin_host_release(void)
{
    os_mutex_lock(&lock);
    if (--n_users == 0)
        tear_down();
    os_mutex_unlock(&lock);
}
