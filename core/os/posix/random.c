#include "core/os/random.h"
#include "core/util/error.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

HRESULT os_random(void *buffer, size_t size)
{
    uint8_t *next = buffer;
    while (size > 0) {
        ssize_t n = getrandom(next, size, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return error_set(E_FAIL, "the system gives no random bytes: %s", strerror(errno));
        next += n;
        size -= (size_t)n;
    }
    return S_OK;
}
