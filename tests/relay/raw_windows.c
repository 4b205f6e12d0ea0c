#include "tests/relay/raw.h"

#include <windows.h>

#include <stdio.h>
#include <string.h>

#define QUOTA 65536

const bool raw_has_messages = true;

const char *raw_address(const char *name, char address[RAW_ADDRESS_SIZE])
{
    snprintf(address, RAW_ADDRESS_SIZE, "pipe:raw-%lu-%s", GetCurrentProcessId(), name);
    return address;
}

const char *raw_long_address(bool fits, char address[RAW_ADDRESS_SIZE])
{
    size_t length = strlen(raw_address("long-", address));
    size_t size = strlen("pipe:") + (fits ? 64 : 65);
    memset(address + length, 'x', size - length);
    address[size] = '\0';
    return address;
}

static void path_of(const char *name, char path[RAW_ADDRESS_SIZE + 16])
{
    char address[RAW_ADDRESS_SIZE];
    snprintf(path, RAW_ADDRESS_SIZE + 16, "\\\\.\\pipe\\%s",
             raw_address(name, address) + strlen("pipe:"));
}

static intptr_t make_place(const struct raw_server *server)
{
    char path[RAW_ADDRESS_SIZE + 16];
    path_of(server->name, path);
    return (intptr_t)CreateNamedPipeA(path, PIPE_ACCESS_DUPLEX,
                                      server->messages ? PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE
                                                       : PIPE_TYPE_BYTE,
                                      PIPE_UNLIMITED_INSTANCES, QUOTA, QUOTA, 0, NULL);
}

bool raw_server_start(struct raw_server *server, const char *name, bool messages)
{
    /* What winsock keeps for a thread is freed with it only while the library is there: longer than
     * the plugin that uses it. */
    LoadLibraryA("ws2_32.dll");
    *server = (struct raw_server){.messages = messages};
    snprintf(server->name, sizeof server->name, "%s", name);
    server->place = make_place(server);
    return server->place != RAW_NONE;
}

intptr_t raw_accept(struct raw_server *server)
{
    intptr_t end = server->place;
    BOOL connected = ConnectNamedPipe((HANDLE)end, NULL) ||
                     GetLastError() == ERROR_PIPE_CONNECTED || GetLastError() == ERROR_NO_DATA;
    server->place = make_place(server);
    if (connected)
        return end;
    raw_close(end);
    return RAW_NONE;
}

void raw_server_stop(struct raw_server *server)
{
    raw_close(server->place);
}

intptr_t raw_connect(const char *name)
{
    char path[RAW_ADDRESS_SIZE + 16];
    DWORD flags;
    DWORD mode = PIPE_READMODE_MESSAGE;
    path_of(name, path);
    HANDLE opened =
        CreateFileA(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    if (opened != INVALID_HANDLE_VALUE && GetNamedPipeInfo(opened, &flags, NULL, NULL, NULL) &&
        (flags & PIPE_TYPE_MESSAGE))
        SetNamedPipeHandleState(opened, &mode, NULL, NULL);
    return (intptr_t)opened;
}

bool raw_send(intptr_t end, const void *data, size_t size)
{
    DWORD n;
    return WriteFile((HANDLE)end, data, (DWORD)size, &n, NULL) && n == size;
}

int64_t raw_receive(intptr_t end, void *data, size_t size)
{
    DWORD n = 0;
    BOOL is_well =
        ReadFile((HANDLE)end, data, (DWORD)size, &n, NULL) || GetLastError() == ERROR_MORE_DATA;
    return is_well ? (int64_t)n : -1;
}

bool raw_finish(intptr_t end)
{
    return raw_send(end, "", 0);
}

bool raw_await_end(intptr_t end, unsigned limit_ms)
{
    for (unsigned waited = 0; waited <= limit_ms; waited++) {
        if (!PeekNamedPipe((HANDLE)end, NULL, 0, NULL, NULL, NULL))
            return GetLastError() == ERROR_BROKEN_PIPE;
        Sleep(1);
    }
    return false;
}

void raw_close(intptr_t end)
{
    CloseHandle((HANDLE)end);
}
