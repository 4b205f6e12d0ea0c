/*
 * Counts what a program has allocated: each block between malloc and free, by the size that it
 * really has. Loaded before the program (LD_PRELOAD); bench/soak --leaks. What the system says of a
 * process' memory tells little of that: pools of memory, and what is kept for each thread, go on to
 * grow for minutes after a program has stopped to need more.
 *
 * Each process keeps its two counts in a file of its own, BENCH_BLOCKS/PID, mapped, so that to read
 * them disturbs nothing. The allocator itself is glibc's, by the names that it has for that.
 */
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define EXPORTED __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

struct counts {
    _Atomic int64_t bytes;
    _Atomic int64_t blocks;
};

static struct counts early; /* before there is a file, or if there is none */
static struct counts *_Atomic counts = &early;

static void count(const void *block, int64_t sign)
{
    if (block == NULL)
        return;
    struct counts *to = atomic_load_explicit(&counts, memory_order_relaxed);
    int64_t bytes = (int64_t)malloc_usable_size((void *)(uintptr_t)block);
    atomic_fetch_add_explicit(&to->bytes, sign * bytes, memory_order_relaxed);
    atomic_fetch_add_explicit(&to->blocks, sign, memory_order_relaxed);
}

static void *counted(void *block)
{
    count(block, 1);
    return block;
}

EXPORTED void *malloc(size_t size)
{
    return counted(__libc_malloc(size));
}

EXPORTED void *calloc(size_t n, size_t size)
{
    return counted(__libc_calloc(n, size));
}

EXPORTED void *memalign(size_t alignment, size_t size)
{
    return counted(__libc_memalign(alignment, size));
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

EXPORTED int posix_memalign(void **block, size_t alignment, size_t size)
{
    void *made = memalign(alignment, size);
    if (made == NULL)
        return 12; /* ENOMEM */
    *block = made;
    return 0;
}

EXPORTED void *realloc(void *block, size_t size)
{
    count(block, -1);
    void *made = __libc_realloc(block, size);
    if (made == NULL && size != 0)
        count(block, 1); /* it is still there */
    return counted(made);
}

EXPORTED void free(void *block)
{
    count(block, -1);
    __libc_free(block);
}

/* What is counted before, by the only thread that there is, goes along. */
__attribute__((constructor)) static void open_counts(void)
{
    const char *directory = getenv("BENCH_BLOCKS");
    char path[4096];
    if (directory == NULL)
        return;
    snprintf(path, sizeof path, "%s/%d", directory, (int)getpid());
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void *mapped = MAP_FAILED;
    if (file >= 0 && ftruncate(file, sizeof(struct counts)) == 0)
        mapped = mmap(NULL, sizeof(struct counts), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file >= 0)
        close(file);
    if (mapped == MAP_FAILED)
        return;
    struct counts *shared = mapped;
    atomic_store(&shared->bytes, early.bytes);
    atomic_store(&shared->blocks, early.blocks);
    atomic_store(&counts, shared);
}
