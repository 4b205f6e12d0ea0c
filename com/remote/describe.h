/* Descriptions of interfaces that this process has none of: an object's owner has. */
#ifndef COM_REMOTE_DESCRIBE_H
#define COM_REMOTE_DESCRIBE_H

#include <viaduct/com.h>

struct import;

/* Blocks. Fetches the description of an interface from the object's owner, checks it whole, and
 * makes it known to this process. REGDB_E_IIDNOTREG if the owner has none either, VIA_E_TYPE if
 * what it sent is wrong. */
HRESULT describe_fetch(struct import *import, const GUID *iid);

#endif
