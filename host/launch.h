/*
 * What a component's process is started with: its token, its addresses, its environment, and the
 * file that takes what it writes to its standard error.
 */
#ifndef HOST_LAUNCH_H
#define HOST_LAUNCH_H

#include <stddef.h>
#include <viaduct/hresult.h>

struct manifest;
struct os_process;
struct server_settings;

#define LAUNCH_TOKEN_SIZE  33 /* 128 random bits in hexadecimal digits */
#define LAUNCH_LISTEN_SIZE 1024

struct launch {
    char token[LAUNCH_TOKEN_SIZE];
    char listen[LAUNCH_LISTEN_SIZE]; /* addresses, one a line */
    char *stderr_path;
};

HRESULT launch_prepare(struct launch *launch, const struct server_settings *settings,
                       const struct manifest *manifest);
HRESULT launch_spawn(const struct launch *launch, const struct server_settings *settings,
                     const struct manifest *manifest, struct os_process **process);
/* The last line that it wrote to its standard error, or "". */
void launch_last_line(const struct launch *launch, char *line, size_t size);
/* After the process has ended: removes what it leaves, its sockets too when it was killed. */
void launch_deinit(struct launch *launch);

#endif
