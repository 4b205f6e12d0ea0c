/* Which described interfaces an object has: what late-bound callers can reach of it. */
#ifndef COM_REMOTE_INTERFACES_H
#define COM_REMOTE_INTERFACES_H

#include <stdbool.h>
#include <viaduct/com.h>

#include "com/dispatch/set.h"

struct import;

/* Of an object of this process, for CoTaskMemFree(), as INodeDispatch::GetInterfaces has it. */
HRESULT interfaces_list(IUnknown *object, GUID **iids, ULONG *count);
/* The same as a set. *has_dispatch: the object implements IDispatch itself. */
HRESULT interfaces_of_object(IUnknown *object, struct dispatch_set *set, bool *has_dispatch);
/* Of a proxy; blocks: asks the owner, for the descriptions too. E_NOINTERFACE: the owner describes
 * none of the object's interfaces, and it has no IDispatch of its own either. */
HRESULT interfaces_of_import(struct import *import, struct dispatch_set *set, bool *has_dispatch);

#endif
