/* What `viaduct status` shows, as JSON. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "core/os/clock.h"
#include "core/os/process.h"
#include "core/util/error.h"
#include "core/util/strings.h"
#include "core/util/utf.h"
#include "host/host.h"

/* Paths and what processes wrote may be anything; in JSON they are UTF-8. */
static json_t *text(const char *bytes)
{
    WCHAR *wide = utf_to_wide(bytes);
    char *clean = wide ? utf_from_wide(wide, utf16_length(wide)) : NULL;
    json_t *json = clean ? json_string(clean) : NULL;

    free(clean);
    free(wide);
    return json;
}

static json_t *strings(const char *const *list)
{
    json_t *array = json_array();

    for (size_t i = 0; list && list[i]; i++)
        json_array_append_new(array, text(list[i]));
    return array;
}

static json_t *peers_to_json(struct host *host)
{
    json_t *array = json_array();

    for (size_t i = 0; i < peers_count(host->peers); i++) {
        struct peer_status status;

        peers_status(host->peers, i, &status);
        json_array_append_new(array, json_pack("{s:s, s:s, s:b, s:o}", "name", status.name,
                                               "address", status.address, "connected",
                                               status.connected, "failure", text(status.failure)));
    }
    return array;
}

static const char *state_name(enum ClassState state)
{
    static const char *const names[] = {"idle", "starting", "running", "backing off"};

    return names[state];
}

static int compare_reports(const void *left, const void *right)
{
    const struct server_report *one = left, *other = right;

    return strcmp(one->manifest->classes[0].progid, other->manifest->classes[0].progid);
}

static void append_component(json_t *array, const struct manifest *manifest,
                             const struct server_status *status)
{
    for (size_t i = 0; i < manifest->n_classes; i++)
        json_array_append_new(
            array, json_pack("{s:s, s:o, s:s, s:i, s:i, s:o}", "class", manifest->classes[i].progid,
                             "component", text(manifest->component), "state",
                             state_name(status->state), "process", (int)status->process_id,
                             "starts", (int)status->n_starts, "failure", text(status->failure)));
}

/* An entry for each class of a component that has been started, however many there are to start. */
static HRESULT components_to_json(struct host *host, json_t *array)
{
    struct server_report *reports;
    size_t n_reports;
    HRESULT hr = servers_report(host->servers, &reports, &n_reports);

    if (FAILED(hr))
        return hr;
    qsort(reports, n_reports, sizeof(*reports), compare_reports);
    for (size_t i = 0; i < n_reports; i++) {
        if (reports[i].status.n_starts || reports[i].status.failure[0])
            append_component(array, reports[i].manifest, &reports[i].status);
    }
    servers_free_reports(reports, n_reports);
    return S_OK;
}

static HRESULT find_problems(struct host *host, char ***problems)
{
    struct catalogue *catalogue;
    HRESULT hr = registry_list(host->registry, false, &catalogue);

    if (FAILED(hr))
        return hr;
    hr = catalogue_problems(catalogue, problems);
    catalogue_unref(catalogue);
    return hr;
}

HRESULT host_status(struct host *host, char **json)
{
    const struct configuration *configuration = host->configuration;
    json_t *root, *components = json_array();
    char **problems = NULL;
    HRESULT hr = components_to_json(host, components);

    if (SUCCEEDED(hr))
        hr = find_problems(host, &problems);
    if (FAILED(hr)) {
        json_decref(components);
        return hr;
    }
    root = json_pack("{s:s, s:o?, s:b, s:i, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:i}", "name",
                     configuration->name, "configuration",
                     configuration->path ? text(configuration->path) : NULL, "system",
                     configuration->system, "process", (int)os_process_id(), "uptime_ms",
                     (json_int_t)((os_now_ns() - host->started_ns) / 1000000), "listen",
                     strings((const char *const *)configuration->listen), "component_directories",
                     strings(registry_directories(host->registry)), "plugin_directories",
                     strings((const char *const *)configuration->plugin_directories), "peers",
                     peers_to_json(host), "relays", relays_to_json(host->relays), "components",
                     components, "problems", strings((const char *const *)problems),
                     "running_objects", (int)running_count(host->running));
    strings_free(problems);
    *json = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    return *json ? S_OK : error_set(E_OUTOFMEMORY, "no memory for the status");
}
