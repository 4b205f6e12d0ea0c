/*
 *   fuzz_X [--runs N] [--seed N] CORPUS...   files or directories, and N mutations of them
 *   fuzz_X -                                 one input from standard input
 *   fuzz_X --write-corpus DIRECTORY
 *
 * Ends with the line "N executions, N accepted".
 */
#include "tests/fuzz/fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define FUZZ_INPUT_SIZE 65536u
#define MAX_CORPUS      256u

struct input {
    uint8_t *data;
    size_t size;
};

bool fuzz_accepted;
static struct input corpus[MAX_CORPUS];
static size_t n_corpus;
static uint8_t *guarded_end; /* the first byte that cannot be read */
static uint64_t random_state = 1;
static unsigned long n_executions, n_accepted;

void fuzz_fail(const char *what)
{
    fprintf(stderr, "fuzz: %s\n", what);
    abort();
}

static uint32_t random_next(void)
{
    uint64_t x = (random_state += 0x9E3779B97F4A7C15u);
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return (uint32_t)(x >> 32);
}

static void make_guard(void)
{
    uint8_t *pages =
        mmap(NULL, 2 * FUZZ_INPUT_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + FUZZ_INPUT_SIZE, FUZZ_INPUT_SIZE, PROT_NONE))
        fuzz_fail("no memory for the guard page");
    guarded_end = pages + FUZZ_INPUT_SIZE;
}

static void execute(const uint8_t *data, size_t size)
{
    /* The target reads 8-byte aligned frames: the end is aligned, and what is cut off is cut at the
     * front of the page, not at the guard. */
    uint8_t *start = guarded_end - size;
    memcpy(start, data, size);
    fuzz_accepted = false;
    LLVMFuzzerTestOneInput(start, size);
    n_executions++;
    n_accepted += fuzz_accepted;
}

static void splice(uint8_t *data, size_t *size, size_t at, const struct input *other)
{
    size_t from = other->size ? random_next() % other->size : 0;
    size_t most = other->size - from < 64 ? other->size - from : 64;
    size_t n = most ? random_next() % most : 0;
    if (n > FUZZ_INPUT_SIZE - *size)
        return;
    memmove(data + at + n, data + at, *size - at);
    memcpy(data + at, other->data + from, n);
    *size += n;
}

static void mutate_once(uint8_t *data, size_t *size)
{
    static const uint32_t interesting[] = {
        0, 1, 7, 8, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000u, 0xFFFFFFFFu, 0xFFFFFFF8u};
    size_t at = *size ? random_next() % *size : 0;
    uint32_t value = interesting[random_next() % (sizeof(interesting) / sizeof(interesting[0]))];
    const struct input *other = &corpus[random_next() % n_corpus];
    if (*size == 0)
        return;
    switch (random_next() % 8) {
    case 0:
        data[at] ^= (uint8_t)(1u << random_next() % 8);
        break;
    case 1:
        data[at] = (uint8_t)random_next();
        break;
    case 2:
        memcpy(data + at, &value, *size - at < 4 ? *size - at : 4);
        break;
    case 3:
        memcpy(data + at, &value, *size - at < 2 ? *size - at : 2);
        break;
    case 4:
        *size = at;
        break;
    case 5: /* a piece of another input, in between */
        splice(data, size, at, other);
        break;
    case 6: /* the tail of another input */
        if (at < other->size) {
            memcpy(data + at, other->data + at, other->size - at);
            *size = other->size;
        }
        break;
    default: /* a small step */
        data[at] = (uint8_t)(data[at] + (random_next() % 2 ? 1 : -1));
    }
}

static void mutate_and_execute(void)
{
    static uint8_t data[FUZZ_INPUT_SIZE];
    const struct input *base = &corpus[random_next() % n_corpus];
    size_t size = base->size;
    memcpy(data, base->data, size);
    for (unsigned n = 1 + random_next() % 4; n > 0; n--)
        mutate_once(data, &size);
    execute(data, size);
}

static void add_stream(FILE *file)
{
    static uint8_t data[FUZZ_INPUT_SIZE];
    size_t size = fread(data, 1, sizeof(data), file);
    if (n_corpus == MAX_CORPUS)
        fuzz_fail("the corpus has too many files");
    uint8_t *copy = malloc(size + 1);
    if (!copy)
        fuzz_fail("no memory");
    memcpy(copy, data, size);
    corpus[n_corpus++] = (struct input){copy, size};
}

static void add_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fuzz_fail(path);
    add_stream(file);
    fclose(file);
}

static void add_path(const char *path)
{
    struct stat info;
    if (stat(path, &info) || !S_ISDIR(info.st_mode)) {
        add_file(path);
        return;
    }
    DIR *directory = opendir(path);
    struct dirent *entry;
    while (directory && (entry = readdir(directory))) {
        char name[4096];
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            add_file(name);
    }
    if (directory)
        closedir(directory);
}

void fuzz_write_file(const char *directory, const char *name, const void *data, size_t size)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", directory, name);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file))
        fuzz_fail(path);
}

int main(int argc, char **argv)
{
    unsigned long n_runs = 0;
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--runs") && i + 1 < argc)
            n_runs = strtoul(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--seed") && i + 1 < argc)
            random_state = strtoull(argv[++i], NULL, 10);
        else if (!strcmp(argv[i], "--write-corpus") && i + 1 < argc)
            fuzz_write_corpus(argv[++i]);
        else if (!strcmp(argv[i], "-"))
            add_stream(stdin);
        else
            add_path(argv[i]);
    }
    if (n_corpus == 0)
        return 0;
    make_guard();
    for (size_t i = 0; i < n_corpus; i++)
        execute(corpus[i].data, corpus[i].size);
    unsigned long n_whole = n_accepted;
    while (n_executions < n_runs)
        mutate_and_execute();
    for (size_t i = 0; i < n_corpus; i++)
        free(corpus[i].data);
    printf("%lu executions, %lu accepted (%lu of the corpus)\n", n_executions, n_accepted, n_whole);
    return n_whole == 0;
}
