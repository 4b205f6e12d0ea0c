#include "com/remote/guest.h"

#include <viaduct/proxies.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "com/remote/import.h"
#include "com/remote/node.h"
#include "com/remote/proxy.h"
#include "com/remote/runtime.h"
#include "core/link/link.h"
#include "core/util/error.h"

/* The longest vtable of a side. */
#define MAX_SLOTS 16u

struct guest_face {
    struct face face;              /* first: the import frees it as that */
    void (*end)(void *data);       /* read-only */
    const void *vtable[MAX_SLOTS]; /* read-only once it is published */
    _Alignas(16) uint8_t data[];   /* the guest's */
};

static _Atomic(const struct via_proxy_guest *) the_guest;

void via_set_proxy_guest(const struct via_proxy_guest *guest)
{
    atomic_store(&the_guest, guest);
}

static const struct via_proxy_guest *guest(void)
{
    return atomic_load_explicit(&the_guest, memory_order_acquire);
}

bool guest_is_there(void)
{
    return guest() != NULL;
}

/* Guests that were compiled before there was one are smaller. */
const CLSID *guest_unmarshaler(void)
{
    const struct via_proxy_guest *self = guest();
    return self != NULL && self->size >= sizeof *self ? self->unmarshaler : NULL;
}

static const struct via_proxy_side *find(const GUID *iid)
{
    const struct via_proxy_guest *self = guest();
    for (uint32_t i = 0; self != NULL && i < self->n_sides; i++)
        if (IsEqualGUID(self->sides[i].iid, iid))
            return &self->sides[i];
    return NULL;
}

/* --- sides --- */

HRESULT guest_knows(const GUID *iid)
{
    const struct via_proxy_side *side = find(iid);
    if (side == NULL)
        return S_FALSE;
    return side->slots != NULL ? S_OK : E_NOINTERFACE;
}

struct face *guest_face_new(struct import *import, const GUID *iid)
{
    const struct via_proxy_side *side = find(iid);
    if (side == NULL || side->slots == NULL || side->n_slots > MAX_SLOTS - 3)
        return NULL;
    struct guest_face *self = calloc(1, sizeof *self + side->data_size);
    if (self == NULL)
        return NULL;
    memcpy(self->vtable, proxy_unknown_vtable, sizeof proxy_unknown_vtable);
    memcpy(self->vtable + 3, side->slots, side->n_slots * sizeof *side->slots);
    self->end = side->end;
    self->face.kind = FACE_GUEST;
    self->face.vtable = self->vtable;
    self->face.import = import;
    self->face.iid = *iid;
    return &self->face;
}

static struct guest_face *guest_face_from(struct face *face)
{
    return (struct guest_face *)(void *)face;
}

void guest_face_end(struct face *face)
{
    struct guest_face *self = guest_face_from(face);
    if (self->end != NULL)
        self->end(self->data);
}

void *via_proxy_data(void *side)
{
    return guest_face_from(side)->data;
}

/* --- the end --- */

/* The node's own reference is left, and its root. */
#define ROOT_ONLY 1u

void guest_look(void)
{
    const struct via_proxy_guest *self = guest();
    if (self != NULL && self->idle != NULL)
        self->idle();
}

BOOL via_is_idle(void)
{
    struct node *node = runtime_node();
    if (node == NULL)
        error_clear();
    return node == NULL ||
           (atomic_load(&node->refs) == 1 && atomic_load(&node->n_exports) == ROOT_ONLY);
}

BOOL via_thread_is_busy(void)
{
    return link_thread_is_busy();
}
