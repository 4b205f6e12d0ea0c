/*
 * IMarshal of proxies, on Windows: a proxy may be called in every apartment, so that whoever keeps
 * one in the Global Interface Table, or passes it to another apartment, has the proxy itself there.
 * To other processes of this machine it goes as a packet (packet.h), if the process has a guest
 * whose class reads those there; else, and where COM keeps it in a table, which may be read many
 * times, as COM's standard marshaler passes any object.
 */
#ifndef COM_REMOTE_AGILE_H
#define COM_REMOTE_AGILE_H

#include <stdbool.h>
#include <viaduct/com.h>

struct face;
struct import;

/* Whether a proxy answers the interface by that. */
bool agile_is(const GUID *iid);
/* A face for it, for import_face(); NULL without memory. */
struct face *agile_face_new(struct import *import, const GUID *iid);

#endif
