/*
 * viaduct register, viaduct unregister.
 *
 * What a module says of itself is asked in a process of its own (the hidden command
 * describe-module), since loading it runs its code: a module that crashes while it is loaded must
 * not take this command down, nor the host.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/host.h>
#include <viaduct/server.h>

#include "cli/cli.h"
#include "com/registry/manifest.h"
#include "core/os/clock.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/util/error.h"

/* How the process of its own says that all is well but for the file that it was to write. */
#define EXIT_NOT_WRITTEN 70
/* How long a module may take to be loaded. */
#define DESCRIBE_MS 20000u

/* --- in the process of its own --- */

static HRESULT write_manifest(const struct via_component *component, const char *path,
                              const char *output)
{
    struct manifest manifest = {.component = (char *)path, .activation = MANIFEST_IN_SURROGATE};
    char *text;
    HRESULT hr;

    manifest.n_classes = component->n_classes;
    manifest.classes = calloc(component->n_classes, sizeof(*manifest.classes));
    for (uint32_t i = 0; manifest.classes && i < component->n_classes; i++) {
        const struct via_component_class *class = &component->classes[i];

        manifest.classes[i].clsid = *class->clsid;
        manifest.classes[i].progid = (char *)class->progid;
        manifest.classes[i].description = (char *)(class->description ? class->description : "");
        manifest.classes[i].threading = (enum manifest_threading) class->threading;
    }
    text = manifest.classes ? manifest_format(&manifest) : NULL;
    free(manifest.classes);
    if (!text)
        return error_set(VIA_E_TYPE,
                         "%s cannot be registered: its path, or a name or description in it, is no "
                         "UTF-8",
                         path);
    hr = os_file_write(output, text, strlen(text));
    free(text);
    return hr;
}

int command_describe_module(int argc, char **argv)
{
    const struct via_component *component;
    struct cli_options options;
    HRESULT hr;
    int code = cli_read_options(argc, argv, "describe-module", 2, 2, &options);

    if (code >= 0)
        return code;
    hr = via_component_load(options.arguments[0], &component);
    if (FAILED(hr))
        return cli_fail_runtime(hr);
    hr = write_manifest(component, options.arguments[0], options.arguments[1]);
    if (SUCCEEDED(hr))
        return CLI_OK;
    cli_fail_record(hr);
    return hr == VIA_E_TYPE ? CLI_FAILED : EXIT_NOT_WRITTEN;
}

/* --- in this one --- */

/* Files that the two processes share, in a directory that only this user can enter. */
struct exchange {
    char *directory, *output, *errors;
};

static HRESULT exchange_init(struct exchange *exchange)
{
    char *temporary = os_path_temporary(), name[64];

    memset(exchange, 0, sizeof(*exchange));
    snprintf(name, sizeof(name), "viaduct-register-%u-%llx", os_process_id(),
             (unsigned long long)os_now_ns());
    exchange->directory = temporary ? os_path_join(temporary, name) : NULL;
    free(temporary);
    if (exchange->directory) {
        exchange->output = os_path_join(exchange->directory, "manifest.json");
        exchange->errors = os_path_join(exchange->directory, "errors");
    }
    if (!exchange->output || !exchange->errors)
        return error_set(E_OUTOFMEMORY, "no memory for a path");
    return os_directory_make_private(exchange->directory);
}

static void exchange_deinit(struct exchange *exchange)
{
    if (exchange->output)
        os_file_remove(exchange->output);
    if (exchange->errors)
        os_file_remove(exchange->errors);
    if (exchange->directory)
        os_directory_remove(exchange->directory);
    free(exchange->directory);
    free(exchange->output);
    free(exchange->errors);
}

/* The failure that the other process has written in JSON on its last line, behind whatever the
 * module has written itself. Replaces *hr and points into *json, which is for json_decref(). */
static const char *read_failure(const char *errors, json_t **json, HRESULT *hr)
{
    const char *last = errors, *code;

    for (const char *line = errors; *line; line += *line == '\n') {
        last = line;
        line += strcspn(line, "\n");
    }
    *json = json_loads(last, JSON_DISABLE_EOF_CHECK, NULL);
    code = json_string_value(json_object_get(*json, "code"));
    if (code)
        *hr = (HRESULT)strtoul(code, NULL, 16);
    return json_string_value(json_object_get(*json, "text"));
}

/* Why the other process has not written a manifest. */
static HRESULT explain(const struct exchange *exchange, const char *module,
                       const struct os_exit_status *status)
{
    char *errors = NULL, how[64];
    json_t *json = NULL;
    HRESULT hr = E_FAIL;
    size_t size = 0;
    const char *text;

    if (FAILED(os_file_read(exchange->errors, 65536, &errors, &size)))
        errors = NULL;
    text = errors ? read_failure(errors, &json, &hr) : NULL;
    /* On a full disk there may be no message either. */
    if (!status->by_signal && status->code == EXIT_NOT_WRITTEN) {
        hr = error_set(VIA_WIN32(112), "%s cannot be written; is the disk full?%s%s",
                       exchange->output, text ? " " : "", text ? text : "");
    } else if (!status->by_signal && text) {
        error_set(hr, "%s", text);
    } else {
        if (errors)
            errors[strcspn(errors, "\r\n")] = 0;
        hr = error_set(CO_E_SERVER_EXEC_FAILURE,
                       "%s cannot be loaded: the process that tried %s%s%s", module,
                       os_exit_status_format(status, how, sizeof(how)),
                       errors && *errors ? "; it wrote: " : "", errors ? errors : "");
    }
    json_decref(json);
    free(errors);
    return hr;
}

static HRESULT run_describe(const struct exchange *exchange, const char *module)
{
    char *program = os_path_program();
    const char *const arguments[] = {program,          "--json", "describe-module", "--", module,
                                     exchange->output, NULL};
    struct os_spawn_options options = {.arguments = arguments, .stderr_path = exchange->errors};
    struct os_exit_status status = {0};
    struct os_process *process;
    HRESULT hr = program ? os_process_spawn(&options, &process)
                         : error_set(E_OUTOFMEMORY, "no memory to start a process");

    free(program);
    if (FAILED(hr))
        return hr;
    hr = os_process_wait(process, os_deadline_ms(DESCRIBE_MS), &status);
    if (hr == RPC_E_TIMEOUT) {
        os_process_kill(process);
        os_process_wait(process, OS_NEVER, &status);
        error_set(hr, "%s was not loaded within %u s", module, DESCRIBE_MS / 1000);
    } else if (status.by_signal || status.code != 0) {
        hr = explain(exchange, module, &status);
    }
    os_process_free(process);
    return hr;
}

static HRESULT describe(const char *module, char **text)
{
    struct exchange exchange;
    size_t size;
    HRESULT hr = os_file_exists(module)
                     ? exchange_init(&exchange)
                     : error_set(CO_E_DLLNOTFOUND, "there is no file %s", module);

    if (hr == CO_E_DLLNOTFOUND)
        return hr;
    if (SUCCEEDED(hr))
        hr = run_describe(&exchange, module);
    if (SUCCEEDED(hr))
        hr = os_file_read(exchange.output, MANIFEST_MAX_SIZE, text, &size);
    exchange_deinit(&exchange);
    return hr;
}

static int print_registered(const char *text, const char *path, bool json)
{
    struct manifest *manifest;
    HRESULT hr = manifest_parse(text, strlen(text), path, &manifest);

    if (FAILED(hr))
        return cli_fail_record(hr);
    if (json)
        puts(text);
    for (size_t i = 0; !json && i < manifest->n_classes; i++)
        printf("registered %s in %s\n", manifest->classes[i].progid, path);
    manifest_unref(manifest);
    return CLI_OK;
}

int command_register(int argc, char **argv)
{
    char *module = NULL, *text = NULL, *path = NULL;
    BSTR manifest, written = NULL;
    struct cli_options options;
    IViaductHost *host;
    HRESULT hr;
    int code = cli_read_options(argc, argv, "register", 1, 1, &options);

    if (code >= 0)
        return code;
    module = os_path_absolute(options.arguments[0]);
    hr = module ? describe(module, &text) : error_set(E_OUTOFMEMORY, "no memory for a path");
    free(module);
    if (FAILED(hr))
        return cli_fail_record(hr);
    code = cli_connect(&options, &host);
    if (code < 0) {
        manifest = cli_bstr(text);
        hr = IViaductHost_RegisterManifest(host, manifest, &written);
        SysFreeString(manifest);
        path = cli_text(written);
        SysFreeString(written);
        code = SUCCEEDED(hr) ? print_registered(text, path, options.json) : cli_fail_runtime(hr);
        free(path);
        cli_disconnect(host, code);
    }
    free(text);
    return code;
}

static void print_unregistered(const char *name)
{
    json_t *json = json_pack("{s:s}", "unregistered", name);
    char *text = json ? json_dumps(json, 0) : NULL;

    if (!text)
        cli_no_memory();
    puts(text);
    free(text);
    json_decref(json);
}

int command_unregister(int argc, char **argv)
{
    struct cli_options options;
    IViaductHost *host;
    BSTR name;
    HRESULT hr;
    int code = cli_read_options(argc, argv, "unregister", 1, 1, &options);

    if (code < 0)
        code = cli_connect(&options, &host);
    if (code >= 0)
        return code;
    name = cli_bstr(options.arguments[0]);
    hr = IViaductHost_Unregister(host, name);
    SysFreeString(name);
    if (FAILED(hr))
        return cli_disconnect(host, cli_fail_runtime(hr));
    if (options.json)
        print_unregistered(options.arguments[0]);
    else
        printf("unregistered %s\n", options.arguments[0]);
    return cli_disconnect(host, CLI_OK);
}
