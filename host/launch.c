/* See launch.h. */
#include "host/launch.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "com/registry/manifest.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/os/random.h"
#include "core/util/error.h"
#include "host/server.h"

/* What a process may write to its standard error before only the beginning is looked at. */
#define STDERR_MAX (1024u * 1024)

static HRESULT make_token(char token[LAUNCH_TOKEN_SIZE])
{
    uint8_t bytes[16];
    HRESULT hr = os_random(bytes, sizeof(bytes));

    for (size_t i = 0; SUCCEEDED(hr) && i < sizeof(bytes); i++)
        snprintf(token + 2 * i, 3, "%02x", bytes[i]);
    return hr;
}

/* One address for each of the host's, beside it: "unix:/run/viaduct/host.sock" gives
 * "unix:/run/viaduct/c-1f3a.sock". The part that tells processes apart is not the token: addresses
 * are no secret. */
static HRESULT make_addresses(struct launch *launch, const char *const *host_addresses)
{
    uint8_t id[6];
    size_t used = 0;
    HRESULT hr = os_random(id, sizeof(id));

    if (FAILED(hr))
        return hr;
    launch->listen[0] = 0;
    for (size_t i = 0; host_addresses[i]; i++) {
        const char *address = host_addresses[i];
        const char *name = os_path_name(address);
        bool is_path = strncmp(address, "unix:", 5) == 0 && name != address;
        int length = is_path ? (int)(name - address) : (int)strlen(address);

        used += (size_t)snprintf(launch->listen + used, sizeof(launch->listen) - used,
                                 "%s%.*s%sc-%02x%02x%02x%02x%02x%02x%s", i ? "\n" : "", length,
                                 address, is_path ? "" : "-", id[0], id[1], id[2], id[3], id[4],
                                 id[5], is_path ? ".sock" : "");
        if (used >= sizeof(launch->listen))
            return error_set(VIA_E_LIMIT, "the host listens at too many or too long addresses");
    }
    return S_OK;
}

HRESULT launch_prepare(struct launch *launch, const struct server_settings *settings,
                       const struct manifest *manifest)
{
    char name[64];
    HRESULT hr;

    memset(launch, 0, sizeof(*launch));
    if (!os_file_exists(manifest->component))
        return error_set(CO_E_DLLNOTFOUND, "there is no file %s, which %s names as the component",
                         manifest->component, manifest->path);
    hr = make_token(launch->token);
    if (SUCCEEDED(hr))
        hr = make_addresses(launch, settings->listen);
    if (FAILED(hr))
        return hr;
    snprintf(name, sizeof(name), "stderr-%.16s.log", launch->token);
    launch->stderr_path = os_path_join(settings->scratch_directory, name);
    return launch->stderr_path ? S_OK : error_set(E_OUTOFMEMORY, "no memory for a path");
}

/* "NAME=value" strings, NULL at the end. */
struct environment {
    char *entries[8];
    size_t n_entries;
    bool failed;
};

static void environment_add(struct environment *environment, const char *name, const char *value)
{
    size_t size = strlen(name) + strlen(value) + 2;
    char *entry = malloc(size);

    if (!entry) {
        environment->failed = true;
        return;
    }
    snprintf(entry, size, "%s=%s", name, value);
    environment->entries[environment->n_entries++] = entry;
}

static void environment_deinit(struct environment *environment)
{
    for (size_t i = 0; i < environment->n_entries; i++)
        free(environment->entries[i]);
}

static void add_plugin_path(struct environment *environment, const char *const *directories)
{
    char path[2048];
    size_t used = 0;

    path[0] = 0;
    for (size_t i = 0; directories[i] && used < sizeof(path); i++) {
        char separator[2] = {i ? os_path_list_separator : 0, 0};

        used +=
            (size_t)snprintf(path + used, sizeof(path) - used, "%s%s", separator, directories[i]);
    }
    if (used && used < sizeof(path))
        environment_add(environment, "VIADUCT_PLUGIN_PATH", path);
}

HRESULT launch_spawn(const struct launch *launch, const struct server_settings *settings,
                     const struct manifest *manifest, struct os_process **process)
{
    const char *arguments[MANIFEST_MAX_ARGUMENTS + 8];
    struct environment environment = {.n_entries = 0};
    struct os_spawn_options options = {.stderr_path = launch->stderr_path};
    size_t n_arguments = 0;
    char idle[16];
    HRESULT hr;

    if (manifest->activation == MANIFEST_IN_PROGRAM) {
        arguments[n_arguments++] = manifest->component;
        for (size_t i = 0; manifest->arguments && manifest->arguments[i]; i++)
            arguments[n_arguments++] = manifest->arguments[i];
    } else {
        arguments[n_arguments++] = settings->program;
        arguments[n_arguments++] = "--surrogate";
        arguments[n_arguments++] = manifest->component;
    }
    arguments[n_arguments] = NULL;
    snprintf(idle, sizeof(idle), "%u", settings->idle_ms);
    environment_add(&environment, "VIADUCT_HOST", settings->host_address);
    environment_add(&environment, "VIADUCT_TOKEN", launch->token);
    environment_add(&environment, "VIADUCT_LISTEN", launch->listen);
    environment_add(&environment, "VIADUCT_IDLE_MS", idle);
    add_plugin_path(&environment, settings->plugins);
    environment.entries[environment.n_entries] = NULL;
    options.arguments = arguments;
    options.environment = (const char *const *)environment.entries;
    hr = environment.failed ? error_set(E_OUTOFMEMORY, "no memory to start a process")
                            : os_process_spawn(&options, process);
    environment_deinit(&environment);
    return hr;
}

void launch_last_line(const struct launch *launch, char *line, size_t size)
{
    char *text = NULL, *end, *start;
    size_t length = 0;

    line[0] = 0;
    if (!launch->stderr_path ||
        FAILED(os_file_read(launch->stderr_path, STDERR_MAX, &text, &length))) {
        error_clear();
        return;
    }
    end = text + length;
    while (end > text && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' '))
        end--;
    start = end;
    while (start > text && start[-1] != '\n')
        start--;
    snprintf(line, size, "%.*s", (int)(end - start), start);
    for (char *at = line; *at; at++) {
        if ((unsigned char)*at < ' ')
            *at = ' ';
    }
    free(text);
}

void launch_deinit(struct launch *launch)
{
    struct error_record *kept = error_take(); /* why the launch has failed, if it has */
    char *line = launch->listen;

    while (*line) {
        size_t length = strcspn(line, "\n");
        char *next = line + length + (line[length] == '\n');

        line[length] = 0;
        if (strncmp(line, "unix:", 5) == 0)
            os_file_remove(line + 5);
        line = next;
    }
    if (launch->stderr_path)
        os_file_remove(launch->stderr_path);
    error_clear();
    if (kept)
        error_give(kept);
    free(launch->stderr_path);
    memset(launch, 0, sizeof(*launch));
}
