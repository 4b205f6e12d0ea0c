/*
 * The guest of this process (<viaduct/proxies.h>): interfaces that its proxies have beside those of
 * their objects, and the news that nothing is left.
 *
 * A side is a face like others, with the guest's slots behind IUnknown's, so that it counts and
 * queries as the proxy does. One entry of the face's memory belongs to the guest.
 */
#ifndef COM_REMOTE_GUEST_H
#define COM_REMOTE_GUEST_H

#include <stdbool.h>
#include <viaduct/com.h>

struct face;
struct import;

bool guest_is_there(void);
/* The class that reads packets (packet.h) for COM; NULL: none does. */
const CLSID *guest_unmarshaler(void);
/* S_OK: a side, which import_face() makes; E_NOINTERFACE: no proxy has the interface; S_FALSE: the
 * guest says nothing of it. */
HRESULT guest_knows(const GUID *iid);
/* A face for a side, for import_face(); NULL without memory. */
struct face *guest_face_new(struct import *import, const GUID *iid);
/* Of a FACE_GUEST: tells the guest that it ends; the face is freed next. Runs user code. */
void guest_face_end(struct face *face);
/* The last import, or the last export, of a node has gone: tells the guest, who looks whether the
 * other kind has, too. No locks held. */
void guest_look(void);

#endif
