#include "com/remote/foreign.h"

#include "core/os/unix_calls.h"

bool foreign_loses_errors(void)
{
    return os_is_wine();
}
