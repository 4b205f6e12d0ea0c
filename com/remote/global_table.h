/*
 * COM's Global Interface Table: how an object of one apartment is given to threads of others, which
 * get what they may call, a proxy where that is needed. There is none but on Windows.
 */
#ifndef COM_REMOTE_GLOBAL_TABLE_H
#define COM_REMOTE_GLOBAL_TABLE_H

#include <stdint.h>
#include <viaduct/com.h>

/* On a thread where the object may be called. The table has a reference then. */
HRESULT global_table_put(IUnknown *object, uint32_t *cookie);
/* On any thread that is in an apartment: what may be called there, with a reference. Waits for the
 * object's apartment. */
HRESULT global_table_get(uint32_t cookie, const GUID *iid, void **pointer);
/* Where it was put. Takes 0. */
void global_table_remove(uint32_t cookie);

#endif
