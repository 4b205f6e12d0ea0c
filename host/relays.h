/*
 * The relays of a host: what "relays" in its configuration says, and those that run.
 */
#ifndef HOST_RELAYS_H
#define HOST_RELAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/hresult.h>

struct config_node;
struct configuration;
struct json_t;
struct relays;

/* One element of "relays". */
struct relays_settings {
    char *listen;
    char **connect; /* NULL at the end, in this list and the next two */
    char **access;  /* or NULL */
    char **trust;   /* or NULL */
    uint32_t idle_ms;
    uint32_t connect_timeout_ms;
    uint32_t max_clients;
    bool network;
    bool messages;
};

/* `list` is for relays_settings_deinit() and free(), on failure too. VIA_E_CONFIG. */
HRESULT relays_read(const struct config_node *node, size_t limit, struct relays_settings **list,
                    size_t *n);
void relays_settings_deinit(struct relays_settings *settings);

/* Starts them all. On failure none runs; an error in what one says names its place. */
HRESULT relays_start(const struct configuration *configuration, struct relays **relays);
/* Blocks. Takes NULL, as the next one does. */
void relays_stop(struct relays *relays);
/* After the stop, when nobody asks for their status any more. */
void relays_free(struct relays *relays);
/* What they do, as a JSON array; a new reference. Takes NULL. */
struct json_t *relays_to_json(struct relays *relays);

#endif
