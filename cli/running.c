/* viaduct list --running: the objects that programs have published under a name. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"

static json_t *to_json(const struct RunningInfo *info)
{
    char *name = cli_text(info->name), *agent = cli_text(info->agent);
    json_t *json = json_pack("{s:s, s:i, s:b, s:s}", "name", name, "process", (int)info->processId,
                             "windows", info->isWindows != 0, "program", agent);

    free(name);
    free(agent);
    return json;
}

static void add_row(struct cli_table *table, const struct RunningInfo *info)
{
    char *name = cli_text(info->name), *agent = cli_text(info->agent), process[32];

    snprintf(process, sizeof(process), "%u%s", (unsigned)info->processId,
             info->isWindows ? " (Windows)" : "");
    cli_table_add(table, (const char *const[]){name, process, agent});
    free(name);
    free(agent);
}

static void print_all(const struct cli_options *options, const struct RunningInfo *list, ULONG n)
{
    static const char *const titles[] = {"NAME", "PROCESS", "PROGRAM"};
    struct cli_table *table = options->json ? NULL : cli_table_new(3, titles);
    json_t *array = options->json ? json_array() : NULL;

    for (ULONG i = 0; i < n; i++) {
        if (table)
            add_row(table, &list[i]);
        else
            json_array_append_new(array, to_json(&list[i]));
    }
    if (!table) {
        cli_print_value(array);
        return;
    }
    cli_table_print(table);
    cli_table_free(table);
}

static void free_all(struct RunningInfo *list, ULONG n)
{
    for (ULONG i = 0; i < n; i++) {
        SysFreeString(list[i].name);
        SysFreeString(list[i].agent);
    }
    CoTaskMemFree(list);
}

int command_list_running(const struct cli_options *options)
{
    struct RunningInfo *list = NULL;
    IRunningObjects *running;
    IViaductHost *host;
    ULONG n = 0;
    HRESULT hr;
    int code;

    if (options->local || options->limit || options->after)
        return cli_fail_usage("list", "--running lists all objects of the one host; it goes with "
                                      "none of --local, --limit and --after");
    code = cli_connect(options, &host);
    if (code >= 0)
        return code;
    hr = IViaductHost_QueryInterface(host, &IID_IRunningObjects, (void **)&running);
    if (SUCCEEDED(hr)) {
        hr = IRunningObjects_ListRunning(running, &n, &list);
        IRunningObjects_Release(running);
    }
    if (FAILED(hr))
        return cli_disconnect(host, cli_fail_runtime(hr));
    print_all(options, list, n);
    free_all(list, n);
    return cli_disconnect(host, CLI_OK);
}
