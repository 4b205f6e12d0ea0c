/* viaduct list, viaduct status. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "com/abi/guid.h"

static const char *const activation_names[] = {"host", "surrogate", "program"};
static const char *const state_names[] = {"idle", "starting", "running", "backing off"};

static const char *name_of(const char *const *names, size_t count, unsigned value)
{
    return value < count ? names[value] : "unknown";
}

#define ACTIVATION(info) name_of(activation_names, 3, (unsigned)(info)->activation)
#define STATE(info)      name_of(state_names, 4, (unsigned)(info)->state)

/* One class in UTF-8. */
struct texts {
    char *progid, *description, *host, *component, *manifest;
};

static struct texts texts_of(const struct ClassInfo *info)
{
    return (struct texts){cli_text(info->progid), cli_text(info->description), cli_text(info->host),
                          cli_text(info->component), cli_text(info->manifest)};
}

static void texts_deinit(struct texts *texts)
{
    free(texts->progid);
    free(texts->description);
    free(texts->host);
    free(texts->component);
    free(texts->manifest);
}

static void print_json(json_t *json)
{
    char *text = json_dumps(json, JSON_INDENT(2));

    puts(text ? text : "null");
    free(text);
    json_decref(json);
}

static void print_list_json(ULONG count, const struct ClassInfo *classes)
{
    json_t *array = json_array();

    for (ULONG i = 0; i < count; i++) {
        struct texts texts = texts_of(&classes[i]);
        char clsid[GUID_TEXT_SIZE];

        json_array_append_new(
            array, json_pack("{s:s, s:s?, s:s, s:s, s:s, s:s, s:i, s:s, s:s}", "progid",
                             texts.progid, "host", *texts.host ? texts.host : NULL, "clsid",
                             guid_format(&classes[i].clsid, clsid), "description",
                             texts.description, "activation", ACTIVATION(&classes[i]), "state",
                             STATE(&classes[i]), "process", (int)classes[i].processId, "component",
                             texts.component, "manifest", texts.manifest));
        texts_deinit(&texts);
    }
    print_json(array);
}

static void print_list_table(ULONG count, const struct ClassInfo *classes)
{
    static const char *const titles[] = {"CLASS", "RUNS IN", "STATE", "PROCESS", "DESCRIPTION"};
    struct cli_table *table = cli_table_new(5, titles);

    for (ULONG i = 0; i < count; i++) {
        struct texts texts = texts_of(&classes[i]);
        char name[256], process[16] = "-";

        snprintf(name, sizeof(name), "%s%s%s", texts.progid, *texts.host ? "@" : "", texts.host);
        if (classes[i].processId)
            snprintf(process, sizeof(process), "%u", (unsigned)classes[i].processId);
        cli_table_add(table, (const char *const[]){name, ACTIVATION(&classes[i]),
                                                   STATE(&classes[i]), process, texts.description});
        texts_deinit(&texts);
    }
    cli_table_print(table);
    cli_table_free(table);
}

int command_list(int argc, char **argv)
{
    struct ClassInfo *classes = NULL;
    struct cli_options options;
    IViaductHost *host;
    ULONG count = 0;
    HRESULT hr;
    int code = cli_read_options(argc, argv, "list", 0, 0, &options);

    if (code < 0)
        code = cli_connect(&options, &host);
    if (code >= 0)
        return code;
    hr = IViaductHost_ListClasses(host, options.local ? VARIANT_FALSE : VARIANT_TRUE, &count,
                                  &classes);
    if (FAILED(hr))
        return cli_disconnect(host, cli_fail_runtime(hr));
    if (options.json)
        print_list_json(count, classes);
    else
        print_list_table(count, classes);
    for (ULONG i = 0; i < count; i++) {
        SysFreeString(classes[i].progid);
        SysFreeString(classes[i].description);
        SysFreeString(classes[i].host);
        SysFreeString(classes[i].component);
        SysFreeString(classes[i].manifest);
    }
    CoTaskMemFree(classes);
    return cli_disconnect(host, CLI_OK);
}

/* --- status --- */

static const char *text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void print_strings(const char *title, const json_t *array)
{
    const json_t *value;
    size_t index;

    json_array_foreach(array, index, value) printf(
        "%-13s %s\n", index ? "" : title, json_string_value(value) ? json_string_value(value) : "");
}

static void print_status(const json_t *status)
{
    const json_t *value, *problems = json_object_get(status, "problems");
    long long seconds = json_integer_value(json_object_get(status, "uptime_ms")) / 1000;
    size_t index;

    printf("%-13s %s, process %lld, up for %lld s\n", "host", text_in(status, "name"),
           (long long)json_integer_value(json_object_get(status, "process")), seconds);
    printf("%-13s %s\n", "configuration",
           *text_in(status, "configuration") ? text_in(status, "configuration") : "defaults");
    print_strings("listening at", json_object_get(status, "listen"));
    print_strings("manifests in", json_object_get(status, "component_directories"));
    json_array_foreach(json_object_get(status, "peers"), index, value)
    {
        bool connected = json_is_true(json_object_get(value, "connected"));

        printf("%-13s %s%s%s %s%s%s\n", index ? "" : "peers", text_in(value, "name"),
               *text_in(value, "address") ? " at " : "", text_in(value, "address"),
               connected ? "connected" : "not connected", connected ? "" : ": ",
               text_in(value, "failure"));
    }
    json_array_foreach(json_object_get(status, "components"), index, value)
    {
        printf("%-13s %s %s", index ? "" : "components", text_in(value, "class"),
               text_in(value, "state"));
        if (json_integer_value(json_object_get(value, "process")))
            printf(", process %lld",
                   (long long)json_integer_value(json_object_get(value, "process")));
        printf("%s%s\n", *text_in(value, "failure") ? ": " : "", text_in(value, "failure"));
    }
    print_strings("problems", problems);
}

int command_status(int argc, char **argv)
{
    struct cli_options options;
    json_error_t error;
    IViaductHost *host;
    BSTR string = NULL;
    json_t *status;
    char *text;
    HRESULT hr;
    int code = cli_read_options(argc, argv, "status", 0, 0, &options);

    if (code < 0)
        code = cli_connect(&options, &host);
    if (code >= 0)
        return code;
    hr = IViaductHost_GetStatus(host, &string);
    if (FAILED(hr))
        return cli_disconnect(host, cli_fail_runtime(hr));
    text = cli_text(string);
    SysFreeString(string);
    status = json_loads(text, 0, &error);
    free(text);
    if (!status)
        return cli_disconnect(
            host, cli_fail(RPC_E_INVALID_DATA, "the host's status is not valid: %s", error.text));
    if (options.json) {
        print_json(status);
    } else {
        print_status(status);
        json_decref(status);
    }
    return cli_disconnect(host, CLI_OK);
}
