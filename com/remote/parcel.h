/*
 * A payload with the objects and OS handles that it names: arguments or results that are kept in
 * this process. What is taken out of it is a copy, so that they can be taken again.
 */
#ifndef COM_REMOTE_PARCEL_H
#define COM_REMOTE_PARCEL_H

#include <stdbool.h>
#include <stdint.h>
#include <viaduct/com.h>

#include "com/marshal/marshal.h"
#include "core/link/link.h"
#include "core/util/buffer.h"

struct parcel {
    struct buffer payload;
    IUnknown **objects; /* references */
    uint32_t n_objects;
    uint32_t max_objects;
    intptr_t handles[LINK_MAX_HANDLES]; /* the first n_handles: duplicates */
    uint32_t n_handles;
};

void parcel_init(struct parcel *parcel);
void parcel_deinit(struct parcel *parcel);
/* How encoding puts objects and handles into it, and decoding takes them out, as often as wanted.
 */
struct marshal_pointers parcel_pointers(struct parcel *parcel);
/* Calls the method of an object with the arguments, which were encoded for it; what it returned.
 * The results are in `results` then; a failure's record is the thread's. Runs user code. */
HRESULT parcel_invoke(const struct marshal_method *method, void *object, struct parcel *arguments,
                      struct parcel *results);

#endif
