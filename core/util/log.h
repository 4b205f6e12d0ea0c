/*
 * The log: one line an event, "2026-11-23T15:04:05.123Z warning link: text", to standard error or a
 * file.
 *
 * Any thread. Payloads never go into the log; names, addresses, ids and counts do. The library
 * itself logs what a peer did at debug only; programs log what an administrator acts on.
 */
#ifndef CORE_UTIL_LOG_H
#define CORE_UTIL_LOG_H

#include <stdbool.h>
#include "core/util/printf.h"

#include <viaduct/hresult.h>
#include <viaduct/plugin/host.h>

/* Lines above `level` are dropped. The default: warnings and errors, or what VIADUCT_LOG says
 * ("error", "warning", "info", "debug"). */
void log_set_level(enum via_log_level level);
bool log_is_on(enum via_log_level level);
/* Appends to `path` from now on; NULL: standard error. */
HRESULT log_set_file(const char *path);
/* "debug" -> VIA_LOG_DEBUG; false for another word. */
bool log_level_parse(const char *word, enum via_log_level *level);

void log_write(enum via_log_level level, const char *component, const char *format, ...)
    PRINTF_LIKE(3, 4);

#define log_error(component, ...)   log_write(VIA_LOG_ERROR, component, __VA_ARGS__)
#define log_warning(component, ...) log_write(VIA_LOG_WARNING, component, __VA_ARGS__)
#define log_info(component, ...)    log_write(VIA_LOG_INFO, component, __VA_ARGS__)
#define log_debug(component, ...)                             \
    do {                                                      \
        if (log_is_on(VIA_LOG_DEBUG))                         \
            log_write(VIA_LOG_DEBUG, component, __VA_ARGS__); \
    } while (0)

#endif
