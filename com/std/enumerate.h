/*
 * IEnumConnectionPoints and IEnumConnections: both walk a list of objects that was made when the
 * enumerator was, and differ in what Next writes.
 */
#ifndef COM_STD_ENUMERATE_H
#define COM_STD_ENUMERATE_H

#include <viaduct/com.h>
#include <viaduct/connection_points.h>

struct enumerator;

/* With room for `n` objects, and one reference; it is a pointer of the interface `iid`. */
HRESULT enumerator_new(REFIID iid, ULONG n, struct enumerator **enumerator);
/* Takes a reference of its own. Before anybody else has the enumerator. */
void enumerator_add(struct enumerator *enumerator, IUnknown *object, DWORD cookie);

#endif
