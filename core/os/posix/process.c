#include "core/os/process.h"
#include "core/os/quit.h"
#include "core/os/clock.h"
#include "core/os/thread.h"
#include "core/util/error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

struct os_process {
    pid_t pid;
    int pidfd; /* -1 where the kernel has none: then its end is polled for */
    struct os_mutex
        lock;   /* between collecting it and sending it signals: a collected id may be another's */
    bool ended; /* lock; its status has been collected */
    struct os_exit_status status; /* lock */
};

uint32_t os_process_id(void)
{
    return (uint32_t)getpid();
}

_Noreturn void os_process_quit(int code)
{
    _exit(code);
}

static size_t count(const char *const *list)
{
    size_t n = 0;
    while (list && list[n])
        n++;
    return n;
}

static bool is_replaced(const char *entry, const char *const *additions)
{
    size_t name_size = strcspn(entry, "=") + 1;
    for (size_t i = 0; additions && additions[i]; i++)
        if (!strncmp(entry, additions[i], name_size))
            return true;
    return false;
}

/* The child's environment: ours, less what is replaced, and the additions; only the array is
 * allocated. */
static char **make_environment(const char *const *additions)
{
    size_t n_ours = count((const char *const *)environ);
    size_t n_added = count(additions);
    char **all = calloc(n_ours + n_added + 1, sizeof(*all));
    if (!all)
        return NULL;
    size_t n = 0;
    for (size_t i = 0; i < n_ours; i++)
        if (!is_replaced(environ[i], additions))
            all[n++] = environ[i];
    for (size_t i = 0; i < n_added; i++)
        all[n++] = (char *)additions[i];
    return all;
}

/* The pipes to a child's standard input and from its standard output; -1: none. */
struct standard_pipes {
    int in[2]; /* the child's end, ours */
    int out[2];
};

static void close_pipes(const struct standard_pipes *pipes)
{
    const int all[] = {pipes->in[0], pipes->in[1], pipes->out[0], pipes->out[1]};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i] >= 0)
            close(all[i]);
}

static int open_pipes(const struct os_spawn_options *options, struct standard_pipes *pipes)
{
    int out[2];
    *pipes = (struct standard_pipes){{-1, -1}, {-1, -1}};
    if (!options->to_stdin)
        return 0;
    if (pipe2(pipes->in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
        return errno;
    pipes->out[0] = out[1];
    pipes->out[1] = out[0];
    *options->to_stdin = fdopen(pipes->in[1], "w");
    if (!*options->to_stdin)
        return ENOMEM;
    *options->from_stdout = fdopen(pipes->out[1], "r");
    if (!*options->from_stdout) {
        fclose(*options->to_stdin);
        pipes->in[1] = -1;
        return ENOMEM;
    }
    return 0;
}

/* The child's ends; and, when there is no child, ours too. */
static void end_pipes(const struct os_spawn_options *options, struct standard_pipes *pipes,
                      bool is_started)
{
    if (!is_started && pipes->out[1] >= 0) {
        fclose(*options->to_stdin);
        fclose(*options->from_stdout);
    }
    pipes->in[1] = pipes->out[1] = -1;
    close_pipes(pipes);
}

static int redirect(posix_spawn_file_actions_t *actions, const struct os_spawn_options *options,
                    const struct standard_pipes *pipes)
{
    int failure = pipes->in[0] >= 0
                      ? posix_spawn_file_actions_adddup2(actions, pipes->in[0], 0)
                      : posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    if (!failure && pipes->out[0] >= 0)
        failure = posix_spawn_file_actions_adddup2(actions, pipes->out[0], 1);
    else if (!failure && !options->inherit_stdout)
        failure = posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
    if (!failure && options->stderr_path)
        failure = posix_spawn_file_actions_addopen(actions, 2, options->stderr_path,
                                                   O_WRONLY | O_CREAT | O_APPEND, 0600);
    /* Not every library opens its descriptors close-on-exec. */
    if (!failure)
        failure = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    return failure;
}

/* The child starts with default dispositions and nothing blocked, whatever this thread has. */
static void reset_signals(posix_spawnattr_t *attributes)
{
    sigset_t set;
    sigemptyset(&set);
    posix_spawnattr_setsigmask(attributes, &set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGPIPE);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGXFSZ);
    posix_spawnattr_setsigdefault(attributes, &set);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

HRESULT os_process_spawn(const struct os_spawn_options *options, struct os_process **process)
{
    const char *program = options->arguments[0];
    struct os_process *self = calloc(1, sizeof(*self));
    char **environment = make_environment(options->environment);
    if (!self || !environment) {
        free(self);
        free(environment);
        return error_set(E_OUTOFMEMORY, "no memory to start %s", program);
    }
    struct standard_pipes pipes;
    int failure = open_pipes(options, &pipes);
    if (failure) {
        close_pipes(&pipes);
        free(self);
        free(environment);
        return error_set(VIA_E_LIMIT, "no pipes to %s: %s", program, strerror(failure));
    }
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    reset_signals(&attributes);
    failure = redirect(&actions, options, &pipes);
    if (!failure)
        failure = posix_spawn(&self->pid, program, &actions, &attributes,
                              (char *const *)options->arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(environment);
    end_pipes(options, &pipes, failure == 0);
    if (failure) {
        free(self);
        return error_set(CO_E_SERVER_EXEC_FAILURE, "cannot start %s: %s", program,
                         strerror(failure));
    }
    os_mutex_init(&self->lock);
    self->pidfd = (int)syscall(SYS_pidfd_open, self->pid, 0);
    *process = self;
    return S_OK;
}

uint32_t os_process_pid(const struct os_process *process)
{
    return (uint32_t)process->pid;
}

static bool collect(struct os_process *self, struct os_exit_status *status)
{
    int raw;
    pid_t pid = 0;
    os_mutex_lock(&self->lock);
    if (!self->ended) {
        do
            pid = waitpid(self->pid, &raw, WNOHANG);
        while (pid < 0 && errno == EINTR);
        self->ended = pid != 0;
    }
    if (pid > 0 && WIFSIGNALED(raw))
        self->status = (struct os_exit_status){.by_signal = true, .code = WTERMSIG(raw)};
    else if (pid != 0)
        self->status = (struct os_exit_status){.code = pid > 0 ? WEXITSTATUS(raw) : -1};
    bool ended = self->ended;
    if (ended)
        *status = self->status;
    os_mutex_unlock(&self->lock);
    return ended;
}

static void wait_a_while(struct os_process *self, uint64_t left_ns)
{
    struct pollfd item = {.fd = self->pidfd, .events = POLLIN};
    uint64_t left_ms = left_ns / 1000000 + 1;
    if (self->pidfd < 0)
        os_sleep_ms(2);
    else
        poll(&item, 1, left_ms < 1000000 ? (int)left_ms : 1000000);
}

HRESULT os_process_wait(struct os_process *process, uint64_t deadline_ns,
                        struct os_exit_status *status)
{
    while (!collect(process, status)) {
        uint64_t now = os_now_ns();
        if (now >= deadline_ns)
            return RPC_E_TIMEOUT;
        wait_a_while(process, deadline_ns - now);
    }
    return S_OK;
}

static void send_signal(struct os_process *process, int number)
{
    os_mutex_lock(&process->lock);
    if (!process->ended)
        kill(process->pid, number);
    os_mutex_unlock(&process->lock);
}

void os_process_terminate(struct os_process *process)
{
    send_signal(process, SIGTERM);
}

void os_process_kill(struct os_process *process)
{
    send_signal(process, SIGKILL);
}

void os_process_free(struct os_process *process)
{
    if (!process)
        return;
    if (process->pidfd >= 0)
        close(process->pidfd);
    os_mutex_deinit(&process->lock);
    free(process);
}

char *os_exit_status_format(const struct os_exit_status *status, char *buffer, size_t size)
{
    if (!status->by_signal) {
        snprintf(buffer, size, "exited with status %d", status->code);
        return buffer;
    }
    const char *name = sigabbrev_np(status->code);
    snprintf(buffer, size, "was killed by signal %d (%s%s)", status->code, name ? "SIG" : "",
             name ? name : "no name");
    return buffer;
}
