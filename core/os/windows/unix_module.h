/*
 * What the winelib module gives to Windows code: the calls that plugins see, and those that only
 * the OS layer uses. The module (core/os/wine) and os_unix_calls() (unix_calls.c) meet here; all
 * functions have the Windows calling convention, which on the module's side has to be said.
 */
#ifndef CORE_OS_WINDOWS_UNIX_MODULE_H
#define CORE_OS_WINDOWS_UNIX_MODULE_H

#include <stdint.h>
#include <viaduct/plugin/unix_calls.h>

/* Raised whenever the table below or the public one changes: both sides come from one build. */
#define UNIX_MODULE_VERSION 7u

struct unix_module {
    uint32_t version; /* UNIX_MODULE_VERSION */
    uint32_t size;    /* sizeof(struct unix_module) */
    struct via_plugin_unix_calls calls;

    int32_t (*make_directory)(const char *path, uint32_t mode);
    int32_t (*remove_directory)(const char *path);
    /* epoll. `events` are Linux's EPOLL values; `token` comes back with a report. */
    int32_t (*poll_new)(void);
    int32_t (*poll_add)(int32_t poll, int32_t descriptor, uint32_t events, uint64_t token);
    int32_t (*poll_modify)(int32_t poll, int32_t descriptor, uint32_t events, uint64_t token);
    int32_t (*poll_remove)(int32_t poll, int32_t descriptor);
    /* Blocks. The number of reports, at most `room`. */
    int32_t (*poll_wait)(int32_t poll, uint64_t *tokens, uint32_t *events, int32_t room,
                         int32_t timeout_ms);
    /* Nanoseconds of the monotonic clock; -errno. */
    int64_t (*now_ns)(void);
};

/* The module's one export: fills the table; 0, or -1 for another version. */
#define UNIX_MODULE_ENTRY "viaduct_unix_module"
typedef int32_t (*unix_module_entry)(struct unix_module *module);

/* Windows side: the table, or NULL where os_unix_calls() gives NULL. */
const struct unix_module *unix_module(void);

#endif
