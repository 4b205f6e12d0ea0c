/*
 * IProvideClassInfo and IProvideClassInfo2 of proxies: the class is one, of the library of the
 * object's default interface, whose interfaces the object has. The owner is asked what these are,
 * once, as for IDispatch (late.h).
 */
#ifndef COM_REMOTE_CLASS_INFO_H
#define COM_REMOTE_CLASS_INFO_H

#include <stdbool.h>
#include <viaduct/com.h>

struct face;
struct import;

/* Whether a proxy answers the interface by itself. */
bool class_info_is(const GUID *iid);
/* A face for it, for import_face(); NULL without memory. */
struct face *class_info_face_new(struct import *import, const GUID *iid);
/* QueryInterface for it: E_NOINTERFACE when no class is described that the object may be of. */
HRESULT class_info_query(struct import *import, const GUID *iid, struct face **face);

#endif
