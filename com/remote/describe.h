/* Descriptions of interfaces that this process has none of: an object's owner has. */
#ifndef COM_REMOTE_DESCRIBE_H
#define COM_REMOTE_DESCRIBE_H

#include <viaduct/com.h>

struct import;
struct marshal_interface;

/* The interface, prepared for calls. When this process has no description of it, blocks: fetches it
 * from the object's owner (`import` NULL: from nobody), with those that it is built on, checks them
 * whole, and makes them known to this process. REGDB_E_IIDNOTREG if the owner has none either,
 * VIA_E_TYPE if what it sent is wrong. */
HRESULT describe_interface(struct import *import, const GUID *iid,
                           const struct marshal_interface **itf);

#endif
