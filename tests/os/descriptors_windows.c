#include "tests/os/descriptors.h"

#include "core/os/unix_calls.h"

bool descriptors_pair(intptr_t ends[2])
{
    const struct via_plugin_unix_calls *calls = os_unix_calls();
    int32_t pair[2];
    if (!calls || calls->socket_pair(pair) < 0)
        return false;
    ends[0] = pair[0];
    ends[1] = pair[1];
    return true;
}

void descriptors_close(intptr_t descriptor)
{
    os_unix_calls()->close((int32_t)descriptor);
}

int descriptors_write(intptr_t descriptor, const void *data, size_t size)
{
    int64_t n = os_unix_calls()->send((int32_t)descriptor, data, size, NULL, 0);
    return n < 0 ? -1 : (int)n;
}

int descriptors_read(intptr_t descriptor, void *data, size_t size)
{
    uint32_t none = 0;
    int64_t n = os_unix_calls()->receive((int32_t)descriptor, data, size, NULL, &none);
    return n < 0 ? -1 : (int)n;
}
