/*
 * Named pipes on Windows: the plugin's life, its table, its messages.
 */
#include "plugins/namedpipe/pipe_windows.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const struct via_plugin_host *pipe_host;
_Atomic uint32_t pipe_n_pending;

static SRWLOCK life_lock = SRWLOCK_INIT;
static uint32_t n_inits; /* life_lock */

HRESULT pipe_fail(HRESULT code, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return pipe_host->set_error(code, message);
}

HRESULT pipe_fail_error(const char *what, DWORD error)
{
    switch (error) {
    case ERROR_BROKEN_PIPE:
    case ERROR_NO_DATA:
    case ERROR_PIPE_NOT_CONNECTED:
    case ERROR_OPERATION_ABORTED:
        return pipe_fail(RPC_E_DISCONNECTED, "the peer has closed the connection");
    case ERROR_ACCESS_DENIED:
        return pipe_fail(E_ACCESSDENIED, "%s: access is denied", what);
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
        return pipe_fail(E_OUTOFMEMORY, "%s: out of memory", what);
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_TOO_MANY_OPEN_FILES:
        return pipe_fail(VIA_E_LIMIT, "%s: the system is out of resources", what);
    default:
        return pipe_fail(HRESULT_FROM_WIN32(error), "%s: Windows error %lu", what, error);
    }
}

HRESULT pipe_buffer_make_room(struct pipe_buffer *buffer, size_t room)
{
    if (buffer->memory.data == NULL) {
        HRESULT hr = pipe_host->buffer_get(PIPE_BUFFER_SIZE, &buffer->memory);
        if (FAILED(hr))
            return hr;
    }
    if (buffer->head == buffer->tail) {
        buffer->head = buffer->tail = 0;
    } else if (buffer->memory.size - buffer->tail < room) {
        memmove(buffer->memory.data, buffer->memory.data + buffer->head,
                buffer->tail - buffer->head);
        buffer->tail -= buffer->head;
        buffer->head = 0;
    }
    return S_OK;
}

void pipe_buffer_give_back(struct pipe_buffer *buffer)
{
    if (buffer->memory.data != NULL)
        pipe_host->buffer_put(&buffer->memory);
    memset(buffer, 0, sizeof *buffer);
}

HRESULT namedpipe_init(const struct via_plugin_host *host)
{
    if (host->abi != VIA_PLUGIN_ABI || host->size < sizeof *host)
        return VIA_E_PLUGIN;
    AcquireSRWLockExclusive(&life_lock);
    bool first = n_inits++ == 0;
    if (first)
        pipe_host = host;
    ReleaseSRWLockExclusive(&life_lock);
    return first ? S_OK : S_FALSE;
}

void namedpipe_deinit(void)
{
    AcquireSRWLockExclusive(&life_lock);
    if (n_inits > 0 && --n_inits == 0) {
        while (atomic_load(&pipe_n_pending) != 0)
            Sleep(1);
    }
    ReleaseSRWLockExclusive(&life_lock);
}

const struct via_transport namedpipe_transport = {
    .size = sizeof namedpipe_transport,
    .version = 1,
    .capabilities = 0,
    .max_span = PIPE_MAX_SPAN,
    .max_handles = 0,
    .listen = pipe_listen,
    .listener_accept = pipe_listener_accept,
    .listener_arm = pipe_listener_arm,
    .listener_close = pipe_listener_close,
    .connect = pipe_connect,
    .set_ready = pipe_set_ready,
    .reserve = pipe_reserve,
    .commit = pipe_commit,
    .peek = pipe_peek,
    .consume = pipe_consume,
    .read_into = pipe_read_into,
    .take_handles = pipe_take_handles,
    .wait = pipe_wait,
    .interrupt = pipe_interrupt,
    .arm = pipe_arm,
    .disarm = pipe_disarm,
    .park = pipe_park,
    .peer_identity = pipe_peer_identity,
    .shutdown = pipe_shutdown,
    .close = pipe_close,
};
