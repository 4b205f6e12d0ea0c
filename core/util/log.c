/* winpthreads has gmtime_r only where threads are asked for. */
#define _POSIX_THREAD_SAFE_FUNCTIONS 1
#include "core/util/log.h"
#include "core/os/file.h"
#include "core/os/thread.h"
#include "core/util/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

/* One line, its end included; what is longer is cut. */
#define LINE_SIZE 2048

static const char *const level_names[] = {"error", "warning", "info", "debug"};

static atomic_int threshold = -1; /* -1: not yet read from the environment */
static struct os_mutex lock = OS_MUTEX_INITIALIZER;
static FILE *output; /* under lock; NULL: standard error */
static bool is_cut;  /* under lock; the disk was full within a line of `output` */

bool log_level_parse(const char *word, enum via_log_level *level)
{
    for (int i = 0; i < 4; i++) {
        if (strcmp(word, level_names[i]))
            continue;
        *level = (enum via_log_level)i;
        return true;
    }
    return false;
}

void log_set_level(enum via_log_level level)
{
    atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

bool log_is_on(enum via_log_level level)
{
    int now = atomic_load_explicit(&threshold, memory_order_relaxed);
    if (now < 0) {
        enum via_log_level chosen = VIA_LOG_WARNING;
        const char *word = getenv("VIADUCT_LOG");
        if (word)
            log_level_parse(word, &chosen);
        now = (int)chosen;
        log_set_level(chosen);
    }
    return (int)level <= now;
}

HRESULT log_set_file(const char *path)
{
    FILE *file = NULL;
    if (path) {
        HRESULT hr = os_file_append(path, &file);
        if (FAILED(hr))
            return error_wrap(VIA_E_CONFIG, "cannot write the log");
        setvbuf(file, NULL, _IONBF,
                0); /* each line is one write, and nothing waits to fail later */
    }
    os_mutex_lock(&lock);
    FILE *old = output;
    output = file;
    is_cut = false;
    os_mutex_unlock(&lock);
    if (old)
        fclose(old);
    return S_OK;
}

static size_t write_time(char *line, size_t size)
{
    struct timeval now;
    struct tm parts;
    gettimeofday(&now, NULL);
    time_t seconds = now.tv_sec;
    gmtime_r(&seconds, &parts);
    int n = snprintf(line, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     (int)(now.tv_usec / 1000));
    return n > 0 ? (size_t)n : 0;
}

/* What a peer or a file named may hold line ends; a log line must stay one line. */
static void keep_on_one_line(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < ' ')
            *text = '?';
}

/* False: the disk is full, and the line is for standard error. One that was cut keeps its line for
 * itself. */
static bool write_to_file(const char *line, size_t size)
{
    clearerr(output);
    if (is_cut && fputc('\n', output) == EOF)
        return false;
    size_t written = fwrite(line, 1, size, output);
    is_cut = written > 0 && written < size;
    return written == size;
}

void log_write(enum via_log_level level, const char *component, const char *format, ...)
{
    if (!log_is_on(level))
        return;
    char line[LINE_SIZE];
    size_t used = write_time(line, sizeof(line));
    int n = snprintf(line + used, sizeof(line) - used, " %s %s: ", level_names[level], component);
    used += n > 0 ? (size_t)n : 0;
    if (used < sizeof(line) - 1) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(line + used, sizeof(line) - used, format, arguments);
        va_end(arguments);
    }
    keep_on_one_line(line);
    used = strlen(line);
    line[used++] = '\n';
    os_mutex_lock(&lock);
    if (!output || !write_to_file(line, used)) {
        fwrite(line, 1, used, stderr);
        fflush(stderr);
    }
    os_mutex_unlock(&lock);
}
