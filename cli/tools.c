/* Commands that need no host: viaduct plugin check, viaduct idl. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "com/idl/idl.h"
#include "core/os/path.h"
#include "core/plugin/conformance.h"
#include "core/util/error.h"

struct report {
    json_t *json; /* NULL: print lines */
    unsigned counts[3];
};

static void report_test(void *context, const char *test, enum plugin_conformance_result result,
                        const char *message)
{
    static const char *const words[] = {"pass", "FAIL", "skip"}, *const json_words[] = {
                                                                     "pass", "fail", "skip"};
    struct report *report = context;

    report->counts[result]++;
    if (report->json)
        json_array_append_new(report->json,
                              json_pack("{s:s, s:s, s:s}", "test", test, "result",
                                        json_words[result], "message", message ? message : ""));
    else
        printf("%s  %s%s%s\n", words[result], test, message ? ": " : "", message ? message : "");
    fflush(stdout);
}

static int check_plugin(const char *file, bool json)
{
    struct report report = {.json = json ? json_array() : NULL};
    struct plugin_conformance_options options = {.seed = 0};
    char *path = os_path_absolute(file);
    unsigned n_failed = 0;
    HRESULT hr = path ? plugin_conformance_run_file(path, &options, report_test, &report, &n_failed)
                      : error_set(E_OUTOFMEMORY, "no memory for a path");

    free(path);
    if (json) {
        char *text = json_dumps(report.json, JSON_INDENT(2));

        puts(text ? text : "[]");
        free(text);
        json_decref(report.json);
    } else if (SUCCEEDED(hr)) {
        printf("%u passed, %u failed, %u skipped\n", report.counts[0], report.counts[1],
               report.counts[2]);
    }
    if (FAILED(hr))
        return cli_fail_record(hr);
    return n_failed ? CLI_CHECK_FAILED : CLI_OK;
}

int command_plugin(int argc, char **argv)
{
    struct cli_options options;
    int code = cli_read_options(argc, argv, "plugin", 1, 1, &options);

    return code >= 0 ? code : check_plugin(options.arguments[0], options.json);
}

int command_idl(int argc, char **argv)
{
    return idl_main("viaduct idl", argc, argv);
}
