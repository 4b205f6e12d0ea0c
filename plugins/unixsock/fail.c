/*
 * The host's table, and messages of failures. (No thread-local storage here: what a thread
 * allocates for it in MinGW's runtime is lost when the plugin is unloaded before the thread ends.)
 */
#include "plugins/unixsock/socket.h"

#include <stdarg.h>
#include <stdio.h>

const struct via_plugin_host *socket_host;

HRESULT socket_fail(HRESULT code, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return socket_host->set_error(code, message);
}

HRESULT socket_fail_connect(HRESULT code, const char *path, const char *problem)
{
    return socket_fail(code, "cannot connect to %s: %s", path, problem);
}

HRESULT socket_fail_listen(HRESULT code, const char *path, const char *problem)
{
    return socket_fail(code, "cannot listen on %s: %s", path, problem);
}
