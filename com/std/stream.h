/*
 * What all streams of ours have in common: the COM side of IStream, over a store that is read and
 * written at offsets. Clones share the store; each has a position of its own, under its lock, so
 * that calls of several threads on one stream come one after another.
 */
#ifndef COM_STD_STREAM_H
#define COM_STD_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/stream.h>

#include "core/util/ref.h"

struct stream_store;

struct stream_store_operations {
    /* Any thread; several at once, of clones. Fewer bytes: the end, or, without positions, what
     * there is. `offset` is OS_NO_OFFSET where there are no positions. */
    HRESULT(*read)
    (struct stream_store *store, uint64_t offset, void *data, size_t size, size_t *n);
    HRESULT(*write)
    (struct stream_store *store, uint64_t offset, const void *data, size_t size, size_t *n);
    HRESULT (*set_size)(struct stream_store *store, uint64_t size);
    HRESULT (*look)(struct stream_store *store, STATSTG *status);
    HRESULT (*flush)(struct stream_store *store);
    void (*free)(struct stream_store *store);
};

/* Embedded in what the data lies in. */
struct stream_store {
    const struct stream_store_operations *operations; /* read-only */
    struct ref refs;
    bool has_positions; /* read-only */
};

/* Takes over one reference to the store, also when it fails. */
HRESULT stream_new(struct stream_store *store, uint64_t position, IStream **stream);

#endif
