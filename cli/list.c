/* viaduct list, viaduct status. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "com/abi/guid.h"
#include "com/registry/class_name.h"

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

/* --- list --- */

/* Classes as they come, page by page: a list may be too long to hold. */
struct printer {
    struct cli_table *table; /* NULL: JSON */
    unsigned long n_printed;
    char *last; /* the name of the last class */
    const char
        *host; /* the peer whose classes are meant, "": those of the host itself; NULL: all */
};

/* Of a class that is its newest version: the ProgID without the version, for free(); else NULL. */
static char *current_name(const struct ClassInfo *info, const struct texts *texts)
{
    const char *version = strrchr(texts->progid, '.');
    char *name;

    if (!info->isCurrent || !version)
        return NULL;
    name = strdup(texts->progid);
    if (!name)
        cli_no_memory();
    name[version - texts->progid] = 0;
    return name;
}

static json_t *class_to_json(const struct ClassInfo *info, const struct texts *texts)
{
    char clsid[GUID_TEXT_SIZE], *current = current_name(info, texts);
    json_t *json =
        json_pack("{s:s, s:s?, s:s?, s:s, s:s, s:s, s:s, s:i, s:s, s:s}", "progid", texts->progid,
                  "means", current, "host", *texts->host ? texts->host : NULL, "clsid",
                  guid_format(&info->clsid, clsid), "description", texts->description, "activation",
                  ACTIVATION(info), "state", STATE(info), "process", (int)info->processId,
                  "component", texts->component, "manifest", texts->manifest);

    free(current);
    return json;
}

/* As an element of an array that is indented. */
static void print_element(json_t *json, bool is_first)
{
    char *text = json_dumps(json, JSON_INDENT(2));

    if (!text)
        cli_no_memory();
    fputs(is_first ? "[\n" : ",\n", stdout);
    for (const char *line = text; *line;) {
        size_t length = strcspn(line, "\n");

        printf("  %.*s", (int)length, line);
        line += length;
        if (*line == '\n')
            putchar(*line++);
    }
    free(text);
    json_decref(json);
}

static void add_row(struct cli_table *table, const char *name, const struct ClassInfo *info,
                    const struct texts *texts)
{
    char process[16] = "-", description[512], *current = current_name(info, texts);

    if (info->processId)
        snprintf(process, sizeof(process), "%u", (unsigned)info->processId);
    snprintf(description, sizeof(description), "%s%s%s%s", texts->description,
             current ? " (as " : "", current ? current : "", current ? ")" : "");
    free(current);
    cli_table_add(table,
                  (const char *const[]){name, ACTIVATION(info), STATE(info), process, description});
}

static void print_class(struct printer *printer, const struct ClassInfo *info)
{
    struct texts texts = texts_of(info);
    char name[256];

    if (printer->host && strcmp(printer->host, texts.host) != 0) {
        texts_deinit(&texts);
        return;
    }
    snprintf(name, sizeof(name), "%s%s%s", texts.progid, *texts.host ? "@" : "", texts.host);
    if (printer->table)
        add_row(printer->table, name, info, &texts);
    else
        print_element(class_to_json(info, &texts), printer->n_printed == 0);
    texts_deinit(&texts);
    free(printer->last);
    printer->last = strdup(name);
    printer->n_printed++;
}

static void print_page(struct printer *printer, ULONG count, struct ClassInfo *classes)
{
    for (ULONG i = 0; i < count; i++) {
        print_class(printer, &classes[i]);
        SysFreeString(classes[i].progid);
        SysFreeString(classes[i].description);
        SysFreeString(classes[i].host);
        SysFreeString(classes[i].component);
        SysFreeString(classes[i].manifest);
    }
    CoTaskMemFree(classes);
    if (printer->table)
        cli_table_print(printer->table);
}

static void print_end(const struct printer *printer, bool is_cut)
{
    if (!printer->table)
        puts(printer->n_printed ? "\n]" : "[]");
    else if (is_cut && printer->last)
        fprintf(stderr, "viaduct: there are more classes; go on with --after %s\n", printer->last);
}

static HRESULT print_list(IViaductHost *host, const struct cli_options *options,
                          struct printer *printer)
{
    bool is_local = options->local && !printer->host;
    VARIANT_BOOL peers = is_local ? VARIANT_FALSE : VARIANT_TRUE;
    BSTR next = cli_bstr(options->after ? options->after : "");
    bool is_more = true, is_cut = false;
    HRESULT hr = S_OK;

    while (SUCCEEDED(hr) && is_more && !is_cut) {
        unsigned long left = options->limit ? options->limit - printer->n_printed : 0;
        struct ClassInfo *classes = NULL;
        BSTR after = next;
        ULONG count = 0;

        next = NULL;
        hr = IViaductHost_ListClasses(host, peers, after, (ULONG)left, &next, &count, &classes);
        SysFreeString(after);
        if (FAILED(hr))
            break;
        print_page(printer, count, classes);
        is_more = next && next[0];
        is_cut = is_more && options->limit && printer->n_printed >= options->limit;
    }
    SysFreeString(next);
    if (SUCCEEDED(hr))
        print_end(printer, is_cut);
    return hr;
}

/* --- one host of those that are peered --- */

static const char *text_in(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static json_t *get_status(IViaductHost *host, int *code)
{
    BSTR string = NULL;
    json_error_t error;
    json_t *status;
    char *text;
    HRESULT hr = IViaductHost_GetStatus(host, &string);

    if (FAILED(hr)) {
        *code = cli_fail_runtime(hr);
        return NULL;
    }
    text = cli_text(string);
    SysFreeString(string);
    status = json_loads(text, 0, &error);
    free(text);
    if (!status)
        *code = cli_fail(RPC_E_INVALID_DATA, "the host's status is not valid: %s", error.text);
    return status;
}

/* As an address that is none. */
static int fail_unknown(const json_t *status, const char *name)
{
    const json_t *peers = json_object_get(status, "peers");
    char names[512] = "";
    json_t *peer;
    size_t index;

    json_array_foreach(peers, index, peer)
    {
        size_t used = strlen(names);

        snprintf(names + used, sizeof(names) - used, "%s%s", index ? ", " : "",
                 text_in(peer, "name"));
    }
    cli_fail(VIA_E_ADDRESS,
             "%s is no address, and no host of that name is known: the host that was asked "
             "is called %s, and its peers: %s",
             name, text_in(status, "name"), *names ? names : "(it has none)");
    return CLI_USAGE;
}

/* What classes of the host that is called so have as theirs; -1, or the exit code. */
static int find_host(IViaductHost *host, const char *name, const char **found)
{
    int code = CLI_OK;
    json_t *status = get_status(host, &code), *peer, *known = NULL;
    size_t index;

    if (!status)
        return code;
    json_array_foreach(json_object_get(status, "peers"), index,
                       peer) if (strcmp(text_in(peer, "name"), name) == 0) known = peer;
    *found = known ? name : "";
    if (!known && strcmp(text_in(status, "name"), name) != 0 && strcmp(name, CLASS_NAME_LOCAL) != 0)
        code = fail_unknown(status, name);
    else if (known && !json_is_true(json_object_get(known, "connected")))
        code = cli_fail(VIA_E_UNREACHABLE, "the host %s is not connected: %s", name,
                        text_in(known, "failure"));
    else
        code = -1;
    json_decref(status);
    return code;
}

static int connect_listed(struct cli_options *options, struct printer *printer, IViaductHost **host)
{
    const char *name = options->host;
    int code;

    if (!name || !class_name_is_host(name))
        return cli_connect(options, host);
    options->host = NULL;
    code = cli_connect(options, host);
    if (code >= 0)
        return code;
    code = find_host(*host, name, &printer->host);
    return code < 0 ? code : cli_disconnect(*host, code);
}

int command_list(int argc, char **argv)
{
    static const char *const titles[] = {"CLASS", "RUNS IN", "STATE", "PROCESS", "DESCRIPTION"};
    struct printer printer = {.n_printed = 0};
    struct cli_options options;
    IViaductHost *host;
    HRESULT hr;
    int code = cli_read_options(argc, argv, "list", 0, 0, &options);

    if (code < 0 && options.running)
        return command_list_running(&options);
    if (code < 0)
        code = connect_listed(&options, &printer, &host);
    if (code >= 0)
        return code;
    if (!options.json)
        printer.table = cli_table_new(5, titles);
    hr = print_list(host, &options, &printer);
    code = SUCCEEDED(hr) ? CLI_OK : cli_fail_runtime(hr);
    if (printer.table)
        cli_table_free(printer.table);
    free(printer.last);
    return cli_disconnect(host, code);
}

/* --- status --- */

static void print_strings(const char *title, const json_t *array)
{
    const json_t *value;
    size_t index;

    json_array_foreach(array, index, value) printf(
        "%-13s %s\n", index ? "" : title, json_string_value(value) ? json_string_value(value) : "");
}

static long long number_in(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static void print_relay(const char *title, const json_t *relay)
{
    const char *target = json_string_value(json_array_get(json_object_get(relay, "connect"), 0));
    bool is_down = json_is_true(json_object_get(relay, "down"));

    printf("%-13s %s to %s: %lld of %lld clients, %lld refused, %lld unreachable, %lld bytes there "
           "and %lld back%s%s\n",
           title, text_in(relay, "listen"), target ? target : "", number_in(relay, "clients"),
           number_in(relay, "total"), number_in(relay, "refused"), number_in(relay, "unreachable"),
           number_in(relay, "bytes_to_target"), number_in(relay, "bytes_to_client"),
           is_down ? "; the target is not there: " : "", is_down ? text_in(relay, "failure") : "");
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
    json_array_foreach(json_object_get(status, "relays"), index, value)
        print_relay(index ? "" : "relays", value);
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
    IViaductHost *host;
    json_t *status;
    int code = cli_read_options(argc, argv, "status", 0, 0, &options);

    if (code < 0)
        code = cli_connect(&options, &host);
    if (code >= 0)
        return code;
    status = get_status(host, &code);
    if (!status)
        return cli_disconnect(host, code);
    if (options.json) {
        cli_print_value(status);
    } else {
        print_status(status);
        json_decref(status);
    }
    return cli_disconnect(host, CLI_OK);
}
