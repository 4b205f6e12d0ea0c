/*
 * IDispatch of proxies, and of objects of this process that have none.
 *
 * A proxy's is an interface of its own in com/remote/import.h, and the four slots of every proxied
 * interface that derives from IDispatch do the same. At its first call the owner is asked, once,
 * what interfaces the object has. If it implements IDispatch itself its own is called, over
 * INodeDispatch (late_remote.c); what that has not implemented, and everything of other objects, is
 * done here from the descriptions, so that GetIDsOfNames asks nobody and Invoke is one call of a
 * method. A proxy of a dispinterface is one more IDispatch that the object has itself: its calls go
 * to that, and nothing has to be asked.
 */
#ifndef COM_REMOTE_LATE_H
#define COM_REMOTE_LATE_H

#include <stdbool.h>
#include <viaduct/com.h>

#include "com/remote/interfaces.h"

struct face;
struct import;

/* --- proxies: late.c --- */

/* The four slots of IDispatch in the vtables of proxies. */
extern const void *const late_proxy_slots[4];
/* A face for IID_IDispatch, for import_face(); NULL without memory. */
struct face *late_face_new(struct import *import);
/* QueryInterface for IDispatch: S_OK when somebody describes one of the object's interfaces, or it
 * has an IDispatch of its own. Blocks when the owner has to be asked. */
HRESULT late_query(struct import *import, struct face **face);
/* Whether the proxied object implements IDispatch itself; blocks as QueryInterface does. */
bool late_has_dispatch(struct import *import);
/* What the owner says of the object; asks at the first time, and then blocks. */
HRESULT late_resolve(struct import *import, const struct dispatch_set **set, bool *has_dispatch);

/* --- objects of this process: late_local.c --- */

/* An IDispatch for an object that has none. It has the object's identity, and keeps it.
 * E_NOINTERFACE: this process describes none of its interfaces. */
HRESULT late_local_new(IUnknown *object, IDispatch **dispatch);
/* IDispatch of an object whose interfaces are known. */
HRESULT late_object_get_ids(const struct dispatch_set *set, REFIID iid, LPOLESTR *names,
                            UINT n_names, DISPID *ids);
HRESULT late_object_invoke(IUnknown *object, const struct dispatch_set *set, DISPID id, REFIID iid,
                           WORD flags, DISPPARAMS *params, VARIANT *result, EXCEPINFO *exception,
                           UINT *wrong);

/* The type information of such an IDispatch: of the object's default interface. `has_dispatch`: the
 * object has an IDispatch of its own, whose ids are the description's only where the interface
 * derives from that. NULL: there is none. */
const struct marshal_interface *late_type_info_subject(const struct dispatch_set *set,
                                                       bool has_dispatch);
/* IDispatch::GetTypeInfo() of that. */
HRESULT late_type_info(const struct marshal_interface *subject, UINT index, ITypeInfo **info);

/* --- what owners are asked: late_remote.c --- */

/* The owner's side: what answers INodeDispatch for an object, which has to outlive it. */
HRESULT late_stub_new(IUnknown *object, void **stub);
/* The caller's side. `iid`: IID_IDispatch, or a dispinterface. Failures but the method's own are
 * the thread's error record. */
HRESULT late_remote_get_ids(struct import *import, const GUID *iid, LPOLESTR *names, UINT n_names,
                            LCID lcid, DISPID *ids);
HRESULT late_remote_invoke(struct import *import, const GUID *iid, DISPID id, LCID lcid, WORD flags,
                           DISPPARAMS *params, VARIANT *result, EXCEPINFO *exception, UINT *wrong);

#endif
