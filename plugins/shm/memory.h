/* Memory that one process writes and another reads; transport.h says what each does. */
#ifndef SHM_MEMORY_H
#define SHM_MEMORY_H

#include <viaduct/plugin/transport.h>

HRESULT shm_memory_new(size_t size, via_os_handle *handle, void **base);
HRESULT shm_memory_map(via_os_handle handle, size_t size, const void **base);
void shm_memory_unmap(const void *base, size_t size);

#endif
