/*
 * The complete check of what a plugin exports, in every build: a table that is too small, a
 * function that is missing, a number out of range is found before anything of the plugin runs.
 */
#include "core/plugin/plugin_set.h"

#include "core/util/error.h"

#include <stdbool.h>
#include <string.h>

#define MIN_SPAN (64u * 1024u)
/* A span lies in one borrowed buffer, and those end at 16 MiB. */
#define MAX_SPAN    (16u * 1024u * 1024u)
#define MAX_HANDLES 253u
#define MAX_SCHEMES 16u
#define MAX_NAME    64u

struct function_field {
    const char *name;
    size_t offset;
};

#define TRANSPORT_FUNCTION(name)                    \
    {                                               \
#name, offsetof(struct via_transport, name) \
    }

static const struct function_field transport_functions[] = {
    TRANSPORT_FUNCTION(listen),       TRANSPORT_FUNCTION(listener_accept),
    TRANSPORT_FUNCTION(listener_arm), TRANSPORT_FUNCTION(listener_close),
    TRANSPORT_FUNCTION(connect),      TRANSPORT_FUNCTION(set_ready),
    TRANSPORT_FUNCTION(reserve),      TRANSPORT_FUNCTION(commit),
    TRANSPORT_FUNCTION(peek),         TRANSPORT_FUNCTION(consume),
    TRANSPORT_FUNCTION(read_into),    TRANSPORT_FUNCTION(take_handles),
    TRANSPORT_FUNCTION(wait),         TRANSPORT_FUNCTION(interrupt),
    TRANSPORT_FUNCTION(arm),          TRANSPORT_FUNCTION(disarm),
    TRANSPORT_FUNCTION(park),         TRANSPORT_FUNCTION(peer_identity),
    TRANSPORT_FUNCTION(shutdown),     TRANSPORT_FUNCTION(close),
};

static HRESULT invalid(const char *origin, const char *field, const char *problem)
{
    return error_set(VIA_E_PLUGIN, "%s is not a usable plugin: %s %s", origin, field, problem);
}

static HRESULT check_text(const char *text, const char *origin, const char *field)
{
    if (text == NULL)
        return invalid(origin, field, "is missing");
    size_t length = strnlen(text, MAX_NAME + 1);
    if (length == 0 || length > MAX_NAME)
        return invalid(origin, field, "is empty or longer than 64 bytes");
    for (size_t i = 0; i < length; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e)
            return invalid(origin, field, "has characters that are not printable ASCII");
    }
    return S_OK;
}

static bool scheme_is_valid(const char *scheme)
{
    size_t length = strnlen(scheme, PLUGIN_SCHEME_SIZE);
    if (length == 0 || length == PLUGIN_SCHEME_SIZE || scheme[0] < 'a' || scheme[0] > 'z')
        return false;
    for (size_t i = 1; i < length; i++) {
        bool letter = scheme[i] >= 'a' && scheme[i] <= 'z';
        bool digit = scheme[i] >= '0' && scheme[i] <= '9';
        if (!letter && !digit)
            return false;
    }
    return true;
}

static HRESULT check_schemes(const char *const *schemes, const char *origin)
{
    if (schemes == NULL || schemes[0] == NULL)
        return invalid(origin, "schemes", "is empty");
    for (size_t i = 0; schemes[i] != NULL; i++) {
        if (i == MAX_SCHEMES)
            return invalid(origin, "schemes", "has more than 16 entries, or no NULL at its end");
        if (!scheme_is_valid(schemes[i]))
            return invalid(origin, "schemes",
                           "has an entry that is not a lower-case letter followed by at most 14 "
                           "lower-case letters or digits");
        for (size_t j = 0; j < i; j++) {
            if (strcmp(schemes[i], schemes[j]) == 0)
                return invalid(origin, "schemes", "names one scheme twice");
        }
    }
    return S_OK;
}

static HRESULT check_transport(const struct via_transport *transport, const char *origin)
{
    if (transport == NULL)
        return invalid(origin, "transport", "is missing");
    if (transport->size < offsetof(struct via_transport, offer))
        return invalid(origin, "transport.size", "is smaller than version 1 of the table");
    if (transport->version != 1)
        return invalid(origin, "transport.version", "is not 1, the only version known here");
    if (transport->max_span < MIN_SPAN || transport->max_span > MAX_SPAN)
        return invalid(origin, "transport.max_span", "is not between 64 KiB and 16 MiB");
    bool handles = transport->capabilities & VIA_TRANSPORT_HANDLES;
    if (transport->max_handles > MAX_HANDLES)
        return invalid(origin, "transport.max_handles", "is over 253");
    if (handles != (transport->max_handles > 0))
        return invalid(origin, "transport.max_handles",
                       "contradicts VIA_TRANSPORT_HANDLES in transport.capabilities");
    for (size_t i = 0; i < sizeof transport_functions / sizeof transport_functions[0]; i++) {
        void *function;
        const char *at = (const char *)transport + transport_functions[i].offset;
        memcpy(&function, at, sizeof function);
        if (function == NULL)
            return error_set(VIA_E_PLUGIN, "%s is not a usable plugin: transport.%s is missing",
                             origin, transport_functions[i].name);
    }
    return S_OK;
}

HRESULT plugin_check(const struct via_plugin *plugin, const char *origin)
{
    if (plugin->abi != VIA_PLUGIN_ABI)
        return error_set(VIA_E_PLUGIN,
                         "%s is not a usable plugin: its ABI version is %u, this program's is %u",
                         origin, plugin->abi, VIA_PLUGIN_ABI);
    if (plugin->size < sizeof *plugin)
        return invalid(origin, "size", "is smaller than version 1 of the table");
    HRESULT hr = check_text(plugin->name, origin, "name");
    if (SUCCEEDED(hr))
        hr = check_text(plugin->version, origin, "version");
    if (SUCCEEDED(hr))
        hr = check_schemes(plugin->schemes, origin);
    if (FAILED(hr))
        return hr;
    if (plugin->init == NULL)
        return invalid(origin, "init", "is missing");
    if (plugin->deinit == NULL)
        return invalid(origin, "deinit", "is missing");
    return check_transport(plugin->transport, origin);
}

HRESULT plugin_address_split(const char *address, char scheme[PLUGIN_SCHEME_SIZE],
                             const char **rest)
{
    size_t length = strnlen(address, PLUGIN_ADDRESS_SIZE);
    if (length == PLUGIN_ADDRESS_SIZE)
        return error_set(VIA_E_ADDRESS, "the address \"%.40s...\" is longer than %d bytes", address,
                         PLUGIN_ADDRESS_SIZE - 1);
    for (size_t i = 0; i < length; i++) {
        if ((unsigned char)address[i] < 0x20 || address[i] == 0x7f)
            return error_set(VIA_E_ADDRESS, "an address has a control character at byte %zu", i);
    }
    const char *colon = strchr(address, ':');
    if (colon == NULL)
        return error_set(VIA_E_ADDRESS,
                         "the address \"%s\" has no scheme; write for example unix:/path/name.sock "
                         "or pipe:name",
                         address);
    size_t size = (size_t)(colon - address);
    char name[PLUGIN_SCHEME_SIZE] = "";
    if (size < PLUGIN_SCHEME_SIZE)
        memcpy(name, address, size);
    if (!scheme_is_valid(name))
        return error_set(VIA_E_ADDRESS,
                         "the address \"%s\" does not start with a scheme in lower-case letters",
                         address);
    if (colon[1] == 0)
        return error_set(VIA_E_ADDRESS, "the address \"%s\" has nothing behind its scheme",
                         address);
    memcpy(scheme, name, sizeof name);
    *rest = colon + 1;
    return S_OK;
}

bool plugin_address_is_named(const char *address, const char *text)
{
    const char *path = strchr(address, ':');
    if (strstr(text, address) != NULL)
        return true;
    /* Only what is long enough not to be there by chance. */
    return path != NULL && strpbrk(path + 1, "/\\") != NULL && strstr(text, path + 1) != NULL;
}
