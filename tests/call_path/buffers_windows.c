#include "tests/call_path/path_object.h"

uint32_t path_limit_buffers(uint32_t size)
{
    (void)size;
    return 0;
}
