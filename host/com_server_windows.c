#include "host/com_server.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/os/clock.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/os/thread.h"
#include "core/os/unix_calls.h"
#include "core/util/error.h"
#include "core/util/log.h"

#define PAUSE_FIRST_MS 500u
#define RECOVERED_MS   10000u
#define END_MS         3000u

struct com_server {
    struct os_mutex mutex;
    struct os_cond changed;   /* stops */
    struct os_thread *thread; /* read-only */
    char *program;            /* read-only */
    uint32_t pause_max_ms;    /* read-only */
    bool stops;               /* mutex */
    FILE *to_program;         /* mutex; while it runs */
};

static bool is_stopping(struct com_server *self)
{
    os_mutex_lock(&self->mutex);
    bool stops = self->stops;
    os_mutex_unlock(&self->mutex);
    return stops;
}

/* Its standard input: the program ends. */
static void close_input(struct com_server *self)
{
    os_mutex_lock(&self->mutex);
    if (self->to_program != NULL)
        fclose(self->to_program);
    self->to_program = NULL;
    os_mutex_unlock(&self->mutex);
}

static void log_output(FILE *from_program)
{
    char line[256];
    while (fgets(line, sizeof line, from_program) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        log_info("com", "viaduct-com-server: %s", line);
    }
    fclose(from_program);
}

/* The program's output has ended: so has it, or it hangs. */
static void await_end(struct os_process *process, bool was_told)
{
    struct os_exit_status status;
    char how[64];
    if (os_process_wait(process, os_deadline_ms(END_MS), &status) == RPC_E_TIMEOUT) {
        error_clear();
        os_process_kill(process);
        os_process_wait(process, os_deadline_ms(END_MS), &status);
    }
    os_exit_status_format(&status, how, sizeof how);
    if (was_told)
        log_debug("com", "viaduct-com-server %s", how);
    else
        log_warning("com", "viaduct-com-server %s, and is started again%s", how,
                    os_is_wine() ? "; Wine's COM may go on sending clients to the one that has "
                                   "ended, until 'net stop rpcss' and a new start of this host"
                                 : "");
}

static void run_once(struct com_server *self)
{
    const char *const arguments[] = {self->program, "--serve", NULL};
    FILE *to_program, *from_program;
    struct os_spawn_options options = {
        .arguments = arguments, .to_stdin = &to_program, .from_stdout = &from_program};
    struct os_process *process;
    char text[ERROR_TEXT_SIZE];
    HRESULT hr = os_process_spawn(&options, &process);
    if (FAILED(hr)) {
        log_warning("com", "%s", error_format(error_get(), hr, text, sizeof text));
        error_clear();
        return;
    }
    os_mutex_lock(&self->mutex);
    self->to_program = to_program;
    bool stops = self->stops;
    os_mutex_unlock(&self->mutex);
    if (stops)
        close_input(self);
    log_output(from_program);
    close_input(self);
    await_end(process, is_stopping(self));
    os_process_free(process);
}

static void run(void *argument)
{
    struct com_server *self = argument;
    uint32_t pause_ms = PAUSE_FIRST_MS;
    bool goes_on = true;
    while (goes_on) {
        uint64_t began_ns = os_now_ns();
        run_once(self);
        if (os_now_ns() - began_ns > RECOVERED_MS * 1000000ull)
            pause_ms = PAUSE_FIRST_MS;
        if (pause_ms > self->pause_max_ms)
            pause_ms = self->pause_max_ms;
        uint64_t until_ns = os_deadline_ms(pause_ms);
        os_mutex_lock(&self->mutex);
        while (!self->stops && os_cond_wait(&self->changed, &self->mutex, until_ns))
            ;
        goes_on = !self->stops;
        os_mutex_unlock(&self->mutex);
        pause_ms *= 2;
    }
}

static void free_server(struct com_server *self)
{
    os_cond_deinit(&self->changed);
    os_mutex_deinit(&self->mutex);
    free(self->program);
    free(self);
}

HRESULT com_server_start(uint32_t back_off_max_ms, struct com_server **server)
{
    struct com_server *self = calloc(1, sizeof *self);
    char *beside = os_path_program_directory();
    *server = NULL;
    if (self == NULL) {
        free(beside);
        return error_set(E_OUTOFMEMORY, "no memory for COM's local server");
    }
    os_mutex_init(&self->mutex);
    os_cond_init(&self->changed);
    self->pause_max_ms = back_off_max_ms;
    self->program = beside != NULL ? os_path_join(beside, "viaduct-com-server.exe") : NULL;
    free(beside);
    HRESULT hr = S_OK;
    if (self->program == NULL)
        hr = error_set(E_OUTOFMEMORY, "no memory for COM's local server");
    else if (!os_file_exists(self->program))
        hr = error_set(VIA_E_CONFIG, "\"com\": {\"serve\": true} needs %s, which is not there",
                       self->program);
    else
        hr = os_thread_start(run, self, "com-server", &self->thread);
    if (FAILED(hr))
        free_server(self);
    else
        *server = self;
    return hr;
}

void com_server_stop(struct com_server *self)
{
    if (self == NULL)
        return;
    os_mutex_lock(&self->mutex);
    self->stops = true;
    os_cond_signal(&self->changed);
    os_mutex_unlock(&self->mutex);
    close_input(self);
    os_thread_join(self->thread);
    free_server(self);
}
