/* A POSIX program calls the system itself. */
#include "core/os/unix_calls.h"

#include <stddef.h>

const struct via_plugin_unix_calls *os_unix_calls(void)
{
    return NULL;
}

const char *os_unix_calls_reason(void)
{
    return "this is not a Windows program";
}

bool os_is_wine(void)
{
    return false;
}
