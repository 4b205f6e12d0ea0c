/*
 * A blocking Unix socket; one whose reader spins (spin:PATH); and a ring in shared memory, whose
 * reader sleeps on the flag that says so: the writer clears it before it wakes, so that the wake-up
 * for an earlier sleep cannot be taken for that of a later one.
 */
#include "bench/raw.h"
#include "bench/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define RING_SIZE (64u * 1024u) /* a power of two, and more than a window of calls */
#define SPIN_NS   100000u

struct direction {
    _Alignas(128) _Atomic uint32_t head; /* bytes written so far */
    _Alignas(128) _Atomic uint32_t tail; /* bytes read so far */
    _Alignas(128) _Atomic uint32_t sleeps;
    _Alignas(128) uint8_t bytes[RING_SIZE];
};

struct rings {
    struct direction to_server;
    struct direction to_client;
};

struct raw_stream {
    int descriptor;      /* or -1 */
    struct rings *rings; /* or NULL */
    struct direction *out;
    struct direction *in;
    bool spins;
};

static _Noreturn void fail(const char *what)
{
    perror(what);
    exit(1);
}

static struct raw_stream *stream_new(int descriptor, bool may_spin)
{
    struct raw_stream *stream = calloc(1, sizeof(*stream));
    if (!stream)
        fail("bench-raw: malloc");
    stream->descriptor = descriptor;
    stream->spins = may_spin && getenv("VIADUCT_BENCH_NO_SPIN") == NULL;
    return stream;
}

static bool is_spin(const char *address)
{
    return !strncmp(address, "spin:", 5);
}

static void say_ready(void)
{
    puts("ready");
    fflush(stdout);
}

/* --- Unix sockets --- */

static struct sockaddr_un unix_address(const char *address)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if ((strncmp(address, "unix:", 5) && strncmp(address, "spin:", 5)) ||
        strlen(address + 5) >= sizeof(name.sun_path)) {
        fprintf(stderr, "bench-raw: %s: not ring:NAME, unix:PATH or spin:PATH, or too long\n",
                address);
        exit(2);
    }
    strcpy(name.sun_path, address + 5);
    return name;
}

static struct raw_stream *unix_serve(const char *address)
{
    static int listener = -1; /* only the accepting thread comes here */
    if (listener < 0) {
        struct sockaddr_un name = unix_address(address);
        listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        unlink(name.sun_path);
        if (listener < 0 || bind(listener, (struct sockaddr *)&name, sizeof(name)) ||
            listen(listener, 64))
            fail(address);
        say_ready();
    }
    int descriptor = accept(listener, NULL, NULL);
    if (descriptor < 0)
        fail(address);
    return stream_new(descriptor, is_spin(address));
}

/* Looks for as long as a ring's reader does, and then sleeps. */
static int64_t unix_receive_some(struct raw_stream *stream, void *data, size_t size)
{
    uint64_t until_ns = stream->spins ? measure_now_ns() + SPIN_NS : 0;
    while (stream->spins) {
        int64_t n = recv(stream->descriptor, data, size, MSG_DONTWAIT);
        if (n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
            return n;
        if (measure_now_ns() >= until_ns)
            break;
        sched_yield();
    }
    return recv(stream->descriptor, data, size, 0);
}

/* --- the ring --- */

static struct raw_stream *ring_open(const char *address, bool is_server)
{
    char name[128];
    snprintf(name, sizeof(name), "/%s", address + 5);
    int file = shm_open(name, O_RDWR | (is_server ? O_CREAT | O_EXCL : 0), 0600);
    if (file < 0 || (is_server && ftruncate(file, sizeof(struct rings)) < 0))
        fail(address);
    struct raw_stream *stream = stream_new(-1, true);
    stream->rings = mmap(NULL, sizeof(struct rings), PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_POPULATE, file, 0);
    if (stream->rings == MAP_FAILED)
        fail(address);
    close(file);
    if (!is_server)
        shm_unlink(name);
    stream->out = is_server ? &stream->rings->to_client : &stream->rings->to_server;
    stream->in = is_server ? &stream->rings->to_server : &stream->rings->to_client;
    return stream;
}

static struct raw_stream *ring_serve(const char *address)
{
    static bool has_client; /* only the accepting thread comes here */
    while (has_client)
        pause();
    has_client = true;
    struct raw_stream *stream = ring_open(address, true);
    say_ready();
    return stream;
}

/* Past the end of the ring both go on at the begin. */
static size_t ring_first(uint32_t from, size_t size)
{
    return size < RING_SIZE - from ? size : RING_SIZE - from;
}

static void ring_put(struct direction *ring, uint32_t at, const uint8_t *data, size_t size)
{
    uint32_t from = at % RING_SIZE;
    size_t first = ring_first(from, size);
    memcpy(ring->bytes + from, data, first);
    memcpy(ring->bytes, data + first, size - first);
}

static void ring_get(const struct direction *ring, uint32_t at, uint8_t *data, size_t size)
{
    uint32_t from = at % RING_SIZE;
    size_t first = ring_first(from, size);
    memcpy(data, ring->bytes + from, first);
    memcpy(data + first, ring->bytes, size - first);
}

static int ring_send(struct direction *out, const void *data, size_t size)
{
    uint32_t head = atomic_load_explicit(&out->head, memory_order_relaxed);
    if (size > RING_SIZE)
        return 0;
    while (RING_SIZE - (head - atomic_load(&out->tail)) < size)
        sched_yield();
    ring_put(out, head, data, size);
    atomic_store(&out->head, head + (uint32_t)size);
    if (atomic_load(&out->sleeps) && atomic_exchange(&out->sleeps, 0))
        syscall(SYS_futex, &out->sleeps, FUTEX_WAKE, 1, NULL, NULL, 0);
    return 1;
}

static void ring_wait(struct raw_stream *stream, uint32_t tail)
{
    struct direction *in = stream->in;
    uint64_t until = 0;
    while (atomic_load_explicit(&in->head, memory_order_acquire) == tail) {
        if (stream->spins && until == 0)
            until = measure_now_ns() + SPIN_NS;
        if (stream->spins && measure_now_ns() < until) {
            sched_yield();
            continue;
        }
        atomic_store(&in->sleeps, 1);
        if (atomic_load(&in->head) == tail)
            syscall(SYS_futex, &in->sleeps, FUTEX_WAIT, 1, NULL, NULL, 0);
        atomic_store(&in->sleeps, 0);
    }
}

static int64_t ring_receive_some(struct raw_stream *stream, void *data, size_t size)
{
    struct direction *in = stream->in;
    uint32_t tail = atomic_load_explicit(&in->tail, memory_order_relaxed);
    ring_wait(stream, tail);
    size_t there = atomic_load_explicit(&in->head, memory_order_acquire) - tail;
    size_t n = there < size ? there : size;
    ring_get(in, tail, data, n);
    atomic_store_explicit(&in->tail, tail + (uint32_t)n, memory_order_release);
    return (int64_t)n;
}

/* --- either --- */

static bool is_ring(const char *address)
{
    return !strncmp(address, "ring:", 5);
}

struct raw_stream *raw_serve(const char *address)
{
    return is_ring(address) ? ring_serve(address) : unix_serve(address);
}

struct raw_stream *raw_connect(const char *address)
{
    if (is_ring(address))
        return ring_open(address, false);
    struct sockaddr_un name = unix_address(address);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || connect(descriptor, (struct sockaddr *)&name, sizeof(name)))
        fail(address);
    return stream_new(descriptor, is_spin(address));
}

int raw_send(struct raw_stream *stream, const void *data, size_t size)
{
    if (stream->rings)
        return ring_send(stream->out, data, size);
    return send(stream->descriptor, data, size, MSG_NOSIGNAL) == (ssize_t)size;
}

int64_t raw_receive_some(struct raw_stream *stream, void *data, size_t size)
{
    if (stream->rings)
        return ring_receive_some(stream, data, size);
    return unix_receive_some(stream, data, size);
}

void raw_close(struct raw_stream *stream)
{
    if (stream->rings)
        munmap(stream->rings, sizeof(*stream->rings));
    else
        close(stream->descriptor);
    free(stream);
}
