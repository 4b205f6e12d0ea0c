/* Random bytes from the system, fit for ids and tokens. */
#ifndef CORE_OS_RANDOM_H
#define CORE_OS_RANDOM_H

#include <stddef.h>
#include <viaduct/hresult.h>

HRESULT os_random(void *buffer, size_t size);

#endif
