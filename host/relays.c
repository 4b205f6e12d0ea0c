#include "host/relays.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/relay.h>

#include "core/config/config.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "core/util/strings.h"
#include "host/configuration.h"
#include "host/text.h"

#define MAX_WORDS 64u

struct relays {
    const struct configuration *configuration; /* borrowed */
    struct os_mutex lock;
    size_t n;                    /* that run; lock */
    struct via_relay *running[]; /* lock */
};

static HRESULT no_memory(void)
{
    return error_set(E_OUTOFMEMORY, "no memory for relays");
}

/* --- the configuration --- */

/* A string, or an array of them. */
static HRESULT read_words(const struct config_node *node, char ***list)
{
    struct config_node element;
    size_t count;
    char *text;
    HRESULT hr;

    if (json_is_string((json_t *)node->json)) {
        hr = config_text(node, &text);
        return SUCCEEDED(hr) && FAILED(strings_append(list, text)) ? no_memory() : hr;
    }
    hr = config_count(node, MAX_WORDS, &count);
    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        config_element(node, i, &element);
        hr = config_text(&element, &text);
        if (SUCCEEDED(hr) && FAILED(strings_append(list, text)))
            hr = no_memory();
    }
    return hr;
}

static HRESULT read_number(const struct config_node *relay, const char *key, int64_t min,
                           int64_t max, uint32_t *number)
{
    struct config_node node;
    int64_t value = 0;
    HRESULT hr = S_OK;

    if (config_find(relay, key, &node))
        hr = config_integer(&node, min, max, &value);
    *number = (uint32_t)value;
    return hr;
}

static HRESULT read_limits(const struct config_node *relay, struct relays_settings *settings)
{
    struct config_node node;
    HRESULT hr = read_number(relay, "idle_timeout_ms", 1, 604800000, &settings->idle_ms);

    if (SUCCEEDED(hr))
        hr = read_number(relay, "connect_timeout_ms", 1, 600000, &settings->connect_timeout_ms);
    if (SUCCEEDED(hr))
        hr = read_number(relay, "max_clients", 1, 100000, &settings->max_clients);
    if (SUCCEEDED(hr) && config_find(relay, "network", &node))
        hr = config_boolean(&node, &settings->network);
    return hr;
}

static HRESULT read_mode(const struct config_node *relay, bool *messages)
{
    struct config_node node;
    char *text;
    HRESULT hr;

    if (!config_find(relay, "mode", &node))
        return S_OK;
    hr = config_text(&node, &text);
    if (FAILED(hr))
        return hr;
    *messages = strcmp(text, "message") == 0;
    if (!*messages && strcmp(text, "byte") != 0)
        hr = config_fail(&node, "expected \"byte\" or \"message\", not \"%.40s\"", text);
    free(text);
    return hr;
}

static HRESULT read_relay(const struct config_node *relay, struct relays_settings *settings)
{
    static const char *const known[] = {
        "listen",      "connect", "access",          "trust",
        "network",     "mode",    "idle_timeout_ms", "connect_timeout_ms",
        "max_clients", NULL};
    struct config_node node;
    HRESULT hr = config_check_keys(relay, known);

    if (SUCCEEDED(hr))
        hr = config_require(relay, "listen", &node);
    if (SUCCEEDED(hr))
        hr = config_text(&node, &settings->listen);
    if (SUCCEEDED(hr))
        hr = config_require(relay, "connect", &node);
    if (SUCCEEDED(hr))
        hr = read_words(&node, &settings->connect);
    if (SUCCEEDED(hr) && !settings->connect)
        hr = config_fail(&node, "a relay connects to one address at least");
    if (SUCCEEDED(hr) && config_find(relay, "access", &node))
        hr = read_words(&node, &settings->access);
    if (SUCCEEDED(hr) && config_find(relay, "trust", &node))
        hr = read_words(&node, &settings->trust);
    if (SUCCEEDED(hr))
        hr = read_mode(relay, &settings->messages);
    return SUCCEEDED(hr) ? read_limits(relay, settings) : hr;
}

HRESULT relays_read(const struct config_node *node, size_t limit, struct relays_settings **list,
                    size_t *n)
{
    struct config_node element;
    size_t count;
    HRESULT hr = config_count(node, limit, &count);

    if (FAILED(hr))
        return hr;
    *list = calloc(count + 1, sizeof(**list));
    if (!*list)
        return no_memory();
    *n = count;
    for (size_t i = 0; SUCCEEDED(hr) && i < count; i++) {
        config_element(node, i, &element);
        hr = read_relay(&element, &(*list)[i]);
    }
    return hr;
}

void relays_settings_deinit(struct relays_settings *settings)
{
    free(settings->listen);
    strings_free(settings->connect);
    strings_free(settings->access);
    strings_free(settings->trust);
}

/* --- running ones --- */

static HRESULT start_one(struct relays *relays, const struct relays_settings *settings)
{
    struct via_relay_options options = {
        .size = sizeof(options),
        .flags = (settings->network ? VIA_RELAY_NETWORK : 0) |
                 (settings->messages ? VIA_RELAY_MESSAGES : 0),
        .listen = settings->listen,
        .connect = (const char *const *)settings->connect,
        .access = (const char *const *)settings->access,
        .trust = (const char *const *)settings->trust,
        .idle_timeout_ms = settings->idle_ms,
        .connect_timeout_ms = settings->connect_timeout_ms,
        .max_clients = settings->max_clients,
    };
    HRESULT hr = via_relay_start(&options, &relays->running[relays->n]);

    if (FAILED(hr)) {
        text_take_error(hr);
        return hr == VIA_E_ADDRESS || hr == E_INVALIDARG
                   ? configuration_blame_relay(relays->configuration, relays->n)
                   : hr;
    }
    relays->n++;
    log_info("host", "relaying %s to %s", settings->listen, settings->connect[0]);
    return S_OK;
}

HRESULT relays_start(const struct configuration *configuration, struct relays **out)
{
    size_t n = configuration->n_relays;
    struct relays *relays = calloc(1, sizeof(*relays) + n * sizeof(relays->running[0]));
    HRESULT hr = S_OK;

    if (!relays)
        return no_memory();
    relays->configuration = configuration;
    os_mutex_init(&relays->lock);
    for (size_t i = 0; SUCCEEDED(hr) && i < n; i++)
        hr = start_one(relays, &configuration->relays[i]);
    if (FAILED(hr)) {
        struct error_record *record = error_take();

        relays_stop(relays);
        relays_free(relays);
        error_give(record);
        return hr;
    }
    *out = relays;
    return S_OK;
}

void relays_stop(struct relays *relays)
{
    if (!relays)
        return;
    os_mutex_lock(&relays->lock);
    while (relays->n > 0)
        via_relay_stop(relays->running[--relays->n]);
    os_mutex_unlock(&relays->lock);
}

void relays_free(struct relays *relays)
{
    if (!relays)
        return;
    os_mutex_deinit(&relays->lock);
    free(relays);
}

static json_t *relay_to_json(const struct relays_settings *settings, struct via_relay *relay)
{
    struct via_relay_status status = {.size = sizeof(status)};
    json_t *targets = json_array();

    for (char **target = settings->connect; *target; target++)
        json_array_append_new(targets, json_string(*target));
    via_relay_get_status(relay, &status);
    return json_pack("{s:s, s:o, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "listen",
                     settings->listen, "connect", targets, "down", (int)status.is_down, "clients",
                     (json_int_t)status.clients, "total", (json_int_t)status.total, "refused",
                     (json_int_t)status.refused, "unreachable", (json_int_t)status.unreachable,
                     "bytes_to_target", (json_int_t)status.bytes_to_target, "bytes_to_client",
                     (json_int_t)status.bytes_to_client, "failure", status.failure);
}

json_t *relays_to_json(struct relays *relays)
{
    json_t *array = json_array();

    if (!relays)
        return array;
    os_mutex_lock(&relays->lock);
    for (size_t i = 0; i < relays->n; i++)
        json_array_append_new(array,
                              relay_to_json(&relays->configuration->relays[i], relays->running[i]));
    os_mutex_unlock(&relays->lock);
    return array;
}
