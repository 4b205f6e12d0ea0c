/*
 * The plugin `namedpipe`: streams over named pipes, addressed by a name without a path.
 */
#include "plugins/namedpipe/namedpipe.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool is_name_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
}

HRESULT namedpipe_check_name(const struct via_plugin_host *host, const char *address,
                             char name[NAMEDPIPE_MAX_NAME + 1])
{
    char message[256];
    size_t length = strnlen(address, NAMEDPIPE_MAX_NAME + 1);
    const char *problem = NULL;
    if (length > NAMEDPIPE_MAX_NAME)
        problem = "has more than 64 bytes";
    else if (length == 0 || address[0] == '.')
        problem = "is empty or starts with a full stop";
    for (size_t i = 0; problem == NULL && i < length; i++) {
        char c = address[i];
        name[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
        if (!is_name_character(name[i]))
            problem = "may have only letters, digits, '-', '_' and '.'";
    }
    if (problem == NULL) {
        name[length] = 0;
        return S_OK;
    }
    snprintf(message, sizeof message, "pipe:%.80s is no address: the name of a pipe %s", address,
             problem);
    return host->set_error(VIA_E_ADDRESS, message);
}

static const char *const schemes[] = {"pipe", NULL};

VIADUCT_PLUGIN_EXPORT const struct via_plugin viaduct_plugin = {
    .abi = VIA_PLUGIN_ABI,
    .size = sizeof viaduct_plugin,
    .name = "namedpipe",
    .version = "1.0.0",
    .schemes = schemes,
    .init = namedpipe_init,
    .deinit = namedpipe_deinit,
    .transport = &namedpipe_transport,
};
