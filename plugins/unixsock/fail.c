/*
 * Messages of failures: the last one of a thread is kept, so that who knows the address can put it
 * in front.
 */
#include "plugins/unixsock/socket.h"

#include <stdarg.h>
#include <stdio.h>

static _Thread_local char last_message[512];

HRESULT socket_fail(HRESULT code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(last_message, sizeof last_message, format, arguments);
    va_end(arguments);
    return socket_host->set_error(code, last_message);
}

HRESULT socket_fail_at(HRESULT code, const char *what, const char *address)
{
    char message[sizeof last_message + 512];
    snprintf(message, sizeof message, "%s %.400s: %s", what, address, last_message);
    return socket_host->set_error(code, message);
}
