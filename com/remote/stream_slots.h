/*
 * Streams between processes. What a description cannot say of ISequentialStream and IStream is done
 * here, by the proxy's slots and, of Read, by a face in front of the object:
 *
 * - any amount moves in pieces, each of which is one call, so neither side nor what is between them
 *   needs more memory than a piece, and who writes waits for who reads;
 * - a Read brings as many bytes as there are, and no others;
 * - counts and positions need not be asked for (NULL);
 * - CopyTo runs where both streams are, if they are in one process; else in the caller's.
 */
#ifndef COM_REMOTE_STREAM_SLOTS_H
#define COM_REMOTE_STREAM_SLOTS_H

#include <stdbool.h>
#include <viaduct/stream.h>

#include "com/typelib/builtin.h"

/* Of proxies, for both interfaces. */
extern const void *const stream_proxy_vtable[];

/* Stands for an object while one Read of a peer runs. */
struct stream_face {
    const void *const *vtable;
    ISequentialStream *stream;
};

void *stream_face_init(struct stream_face *face, void *stream);

/* Whether the method is described otherwise than the object has it. On every call's path. */
static inline bool stream_needs_face(const GUID *iid, unsigned slot)
{
    return slot == BUILTIN_STREAM_READ_SLOT && (iid->Data1 == 0x0C || iid->Data1 == 0x0C733A30u) &&
           (IsEqualGUID(iid, &builtin_iid_stream) ||
            IsEqualGUID(iid, &builtin_iid_sequential_stream));
}

#endif
