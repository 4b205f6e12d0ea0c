/* Commands that need no host: viaduct plugin check, viaduct idl. */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "com/idl/idl.h"
#include "core/os/path.h"
#include "core/os/program.h"
#include "core/plugin/conformance.h"
#include "core/util/error.h"

struct report {
    json_t *json; /* NULL: print lines */
    unsigned counts[4];
};

static void report_test(void *context, const char *test, enum plugin_conformance_result result,
                        const char *message)
{
    static const char *const words[] = {"pass", "FAIL", "skip", "alone"};
    static const char *const json_words[] = {"pass", "fail", "skip", "alone"};
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

static void print_counts(const struct report *report, bool has_peer)
{
    printf("%u passed, %u failed, %u skipped", report->counts[0], report->counts[1],
           report->counts[2]);
    if (has_peer)
        printf(", %u not run since they are about one process", report->counts[3]);
    putchar('\n');
}

/* `peer`: the words of its command, the first of them absolute; or none. */
static int check_plugin(const char *path, char **peer, bool json)
{
    struct report report = {.json = json ? json_array() : NULL};
    struct plugin_conformance_options options = {.peer =
                                                     peer[0] ? (const char *const *)peer : NULL};
    unsigned n_failed = 0;
    HRESULT hr = plugin_conformance_run_file(path, &options, report_test, &report, &n_failed);

    if (json) {
        char *text = json_dumps(report.json, JSON_INDENT(2));

        puts(text ? text : "[]");
        free(text);
        json_decref(report.json);
    } else if (SUCCEEDED(hr)) {
        print_counts(&report, peer[0] != NULL);
    }
    if (FAILED(hr))
        return cli_fail_record(hr);
    return n_failed ? CLI_CHECK_FAILED : CLI_OK;
}

static char *absolute(const char *path)
{
    char *whole = os_path_absolute(path);

    if (!whole)
        cli_no_memory();
    return whole;
}

static int answer_check(const char *path)
{
    HRESULT hr = plugin_conformance_answer_file(path);

    return FAILED(hr) ? cli_fail_record(hr) : CLI_OK;
}

int command_plugin(int argc, char **argv)
{
    struct cli_options options;
    int code = cli_read_options(argc, argv, "plugin", 1, INT_MAX, &options);
    char *path, *program = NULL;

    if (code >= 0)
        return code;
    if (options.answer && options.n_arguments > 1)
        return cli_fail_usage("plugin", "a check that is answered has no peer of its own");
    os_program_outlive_readers();
    options.arguments[options.n_arguments] = NULL;
    path = absolute(options.arguments[0]);
    if (options.n_arguments > 1)
        options.arguments[1] = program = absolute(options.arguments[1]);
    code = options.answer ? answer_check(path)
                          : check_plugin(path, options.arguments + 1, options.json);
    free(program);
    free(path);
    return code;
}

int command_idl(int argc, char **argv)
{
    return idl_main("viaduct idl", argc, argv);
}
