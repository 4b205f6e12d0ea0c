/* Memory for arguments: the connection's, or ordinary memory. */
#include <viaduct/payload.h>

#include "com/remote/import.h"
#include "com/remote/peer.h"
#include "core/link/link.h"

/* Smaller arrays are copied in any case. */
#define SHARED_MIN 2048u

void *via_payload_alloc(IUnknown *proxy, size_t size)
{
    const struct import *import = size >= SHARED_MIN ? import_of(proxy) : NULL;
    void *block = NULL;
    if (import != NULL && import->peer != NULL)
        block = link_block_new(import->peer->connection, size);
    return block != NULL ? block : CoTaskMemAlloc(size);
}

void via_payload_free(void *payload)
{
    if (payload != NULL && !link_block_free(payload))
        CoTaskMemFree(payload);
}
