/*
 * The harness on Linux. A hang or a crash prints a stack for each thread: a signal makes every
 * thread write its own, with the async-signal-safe half of execinfo.h (loaded beforehand, since its
 * first use allocates).
 */
#include "tests/harness/internal.h"

#include <dirent.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char *(*crash_test_name)(void);

void system_descriptors(struct system_descriptors *now)
{
    DIR *directory = opendir("/proc/self/fd");
    struct dirent *entry;

    memset(now, 0, sizeof(*now));
    if (!directory)
        return;
    while ((entry = readdir(directory)) != NULL) {
        int fd = atoi(entry->d_name);

        if (entry->d_name[0] == '.' || fd == dirfd(directory))
            continue;
        now->count++;
        if (fd >= 0 && fd < SYSTEM_DESCRIPTORS_MAX)
            now->open[fd / 8] |= (uint8_t)(1u << (fd % 8));
    }
    closedir(directory);
}

void system_descriptors_report(const struct system_descriptors *before)
{
    struct system_descriptors now;
    int fd;

    system_descriptors(&now);
    for (fd = 0; fd < SYSTEM_DESCRIPTORS_MAX; fd++) {
        char link[64], target[256];
        ssize_t length;

        if (!((now.open[fd / 8] & ~before->open[fd / 8]) >> (fd % 8) & 1))
            continue;
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        length = readlink(link, target, sizeof(target) - 1);
        target[length > 0 ? length : 0] = '\0';
        printf("  descriptor %d: %s\n", fd, target);
    }
}

uint64_t system_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

const unsigned system_lingers_ms = 0;

void system_sleep_ms(unsigned ms)
{
    struct timespec left = {ms / 1000, (long)(ms % 1000) * 1000000};

    while (nanosleep(&left, &left) != 0)
        ;
}

void system_yield(void)
{
    sched_yield();
}

static void *thread_main(void *argument)
{
    void (*run)(void) = NULL;

    memcpy(&run, argument, sizeof(run));
    run();
    return NULL;
}

void system_thread(void (*run)(void))
{
    static void (*kept)(void); /* the thread reads it after this returns */
    sigset_t all, old;
    pthread_t thread;

    kept = run;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    if (pthread_create(&thread, NULL, thread_main, &kept) == 0)
        pthread_detach(thread);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void write_text(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));

    (void)ignored;
}

static void print_stack(int signal_number)
{
    static atomic_flag lock = ATOMIC_FLAG_INIT;
    void *frames[64];
    int n = backtrace(frames, 64);

    (void)signal_number;
    while (atomic_flag_test_and_set(&lock))
        ;
    write_text("thread:\n");
    backtrace_symbols_fd(frames, n, STDERR_FILENO);
    atomic_flag_clear(&lock);
}

void system_print_threads(void)
{
    DIR *directory = opendir("/proc/self/task");
    struct dirent *entry;

    if (!directory)
        return;
    signal(SIGRTMAX - 1, print_stack);
    while ((entry = readdir(directory)) != NULL) {
        int tid = atoi(entry->d_name);

        if (tid > 0 && tid != (int)syscall(SYS_gettid))
            syscall(SYS_tgkill, getpid(), tid, SIGRTMAX - 1);
    }
    closedir(directory);
    system_sleep_ms(300);
}

static void on_crash(int signal_number)
{
    write_text("FAIL ");
    write_text(crash_test_name());
    write_text(": crashed with ");
    write_text(sigabbrev_np(signal_number));
    write_text("\n");
    print_stack(signal_number);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

void system_catch_crashes(const char *(*current_test)(void))
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
    void *frame;
    size_t i;

    crash_test_name = current_test;
    backtrace(&frame, 1);
    for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct sigaction old;

        /* AddressSanitizer's own handlers say more. */
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
            signal(signals[i], on_crash);
    }
}

void system_abort(void)
{
    fflush(stdout);
    signal(SIGABRT, SIG_DFL);
    abort();
}

void system_describe_address(const void *address, char *buffer, size_t size)
{
    Dl_info info;

    if (dladdr(address, &info) && info.dli_fname) {
        const char *slash = strrchr(info.dli_fname, '/');

        snprintf(buffer, size, "%s+0x%llx (%s)", slash ? slash + 1 : info.dli_fname,
                 (unsigned long long)((uintptr_t)address - (uintptr_t)info.dli_fbase),
                 info.dli_sname ? info.dli_sname : "a static function");
    } else {
        snprintf(buffer, size, "%p", address);
    }
}

bool system_program_directory(char *buffer, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", buffer, size - 1);
    char *slash;

    if (length <= 0)
        return false;
    buffer[length] = '\0';
    slash = strrchr(buffer, '/');
    if (slash)
        *slash = '\0';
    return slash != NULL;
}

/* Short, since the path of a Unix socket has at most 107 bytes. */
bool system_make_temporary_directory(char *buffer, size_t size)
{
    snprintf(buffer, size, "/tmp/viaduct-XXXXXX");
    return mkdtemp(buffer) != NULL;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)status;
    (void)kind;
    (void)place;
    return remove(path);
}

void system_remove_tree(const char *path)
{
    nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
