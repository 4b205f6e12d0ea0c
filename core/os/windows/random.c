#include "core/os/random.h"
#include "core/util/error.h"

#include <windows.h>

#include <ntsecapi.h>

HRESULT os_random(void *buffer, size_t size)
{
    if (size > UINT32_MAX || !RtlGenRandom(buffer, (ULONG)size))
        return error_set(E_FAIL, "the system gives no random bytes");
    return S_OK;
}
