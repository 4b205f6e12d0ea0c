#include "com/remote/import.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/node.h>

#include "com/marshal/marshal.h"
#include "com/abi/guid.h"
#include "com/remote/agile.h"
#include "com/remote/class_info.h"
#include "com/remote/guest.h"
#include "com/remote/late.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
#include "com/remote/promise.h"
#include "com/remote/proxy.h"
#include "com/remote/watch.h"
#include "core/util/error.h"

#define MAX_REFUSALS 64
/* Imports that leave the table under one lock when their path has ended. */
#define CLOSED_AT_ONCE 256u

static uint64_t key_hash(const struct link_id *owner, uint64_t id)
{
    struct {
        struct link_id owner;
        uint64_t id;
    } key = {*owner, id};
    return table_hash(&key, sizeof key);
}

static struct import *find_locked(struct node *node, const struct link_id *owner, uint64_t id)
{
    struct table_link *link = table_find(&node->imports, key_hash(owner, id));
    while (link != NULL) {
        struct import *import = TABLE_ENTRY(link, struct import, link);
        if (import->id == id && memcmp(&import->owner, owner, sizeof *owner) == 0)
            return import;
        link = table_again(link);
    }
    return NULL;
}

static struct import *new_import(struct node *node, const struct link_id *owner, uint64_t id)
{
    struct import *import = calloc(1, sizeof *import);
    if (import == NULL)
        return NULL;
    import->unknown.vtable = proxy_unknown_vtable;
    import->unknown.import = import;
    import->unknown.iid = IID_IUnknown;
    import->node = node_ref(node);
    import->owner = *owner;
    import->id = id;
    atomic_init(&import->refs, 1);
    return import;
}

static void free_import(struct import *import)
{
    struct face *face = atomic_load(&import->faces);
    while (face != NULL) {
        struct face *next = face->next;
        if (face->kind == FACE_GUEST)
            guest_face_end(face);
        free(face);
        face = next;
    }
    promise_free(import->promise);
    peer_unref(import->peer);
    error_record_free(import->cause);
    struct node *node = import->node;
    free(import);
    if (node_unref(node) == 1)
        guest_look();
}

static void unlist_locked(struct import *import)
{
    table_remove(&import->node->imports, &import->link);
    list_remove(&import->path_link);
    import->listed = false;
}

HRESULT import_received(struct peer *peer, uint64_t id, struct import **result)
{
    struct node *node = peer->node;
    const struct link_id *owner = &peer_info(peer)->node;
    struct import *fresh = new_import(node, owner, id);
    os_mutex_lock(&node->lock);
    struct import *import = find_locked(node, owner, id);
    bool is_over = peer_is_dead(peer); /* then it is not listed: nobody would take it out again */
    bool other_path = import != NULL && import->peer != peer;
    if (import == NULL && fresh != NULL &&
        (is_over || table_insert(&node->imports, &fresh->link, key_hash(owner, id)))) {
        import = fresh;
        fresh = NULL;
        import->listed = !is_over;
        if (import->listed)
            list_append(&peer->imports, &import->path_link);
        import->peer = peer_ref(peer);
    } else if (import != NULL) {
        import_ref(import);
    }
    if (import != NULL && !other_path && id != 0)
        import->received++;
    os_mutex_unlock(&node->lock);
    if (fresh != NULL)
        free_import(fresh);
    if (import == NULL || other_path)
        peer_release(peer, id, 1);
    if (import == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a proxy");
    *result = import;
    return S_OK;
}

HRESULT import_new_dead(struct node *node, const struct link_id *owner, uint64_t id,
                        struct error_record *cause, struct import **result)
{
    struct import *import = new_import(node, owner, id);
    if (import == NULL) {
        error_record_free(cause);
        return error_set(E_OUTOFMEMORY, "no memory for a proxy");
    }
    import->cause = cause;
    *result = import;
    return S_OK;
}

HRESULT import_new_promise(struct peer *peer, uint64_t call_id, struct promise *promise,
                           struct import **result)
{
    struct import *import = new_import(peer->node, &peer_info(peer)->node, call_id);
    if (import == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a proxy");
    import->peer = peer_ref(peer);
    import->promise = promise;
    *result = import;
    return S_OK;
}

void import_ref(struct import *import)
{
    atomic_fetch_add_explicit(&import->refs, 1, memory_order_relaxed);
}

uint32_t import_unref(struct import *import)
{
    unsigned refs = atomic_load_explicit(&import->refs, memory_order_relaxed);
    while (refs > 1)
        if (atomic_compare_exchange_weak_explicit(&import->refs, &refs, refs - 1,
                                                  memory_order_release, memory_order_relaxed))
            return refs - 1;
    struct node *node = import->node;
    os_mutex_lock(&node->lock);
    refs = atomic_fetch_sub_explicit(&import->refs, 1, memory_order_acq_rel) - 1;
    uint32_t received = import->received;
    if (refs == 0) {
        if (import->listed)
            unlist_locked(import);
        watch_forget_locked(import);
    }
    os_mutex_unlock(&node->lock);
    if (refs > 0)
        return refs;
    if (import->peer != NULL)
        peer_release(import->peer, import->id, received);
    free_import(import);
    return 0;
}

bool import_is_dead(struct import *import)
{
    return import->peer == NULL || link_connection_is_closed(import->peer->connection);
}

HRESULT import_never_reached(const struct import *import)
{
    if (import->cause == NULL)
        return error_set(RPC_E_DISCONNECTED, "the object's owner was never reached");
    error_give(error_record_copy(import->cause));
    return error_wrap(import->cause->code, "the object's owner was never reached");
}

struct import *import_of(const void *pointer)
{
    const struct face *face = pointer;
    if (face == NULL || face->vtable[0] != proxy_unknown_vtable[0])
        return NULL;
    return face->import;
}

/* --- faces --- */

/* One whose description was replaced is left to those who hold it. */
static struct face *find_face(struct import *import, const GUID *iid)
{
    struct face *face = atomic_load_explicit(&import->faces, memory_order_acquire);
    while (face != NULL && (!IsEqualGUID(&face->iid, iid) ||
                            (face->itf != NULL && marshal_interface_is_outdated(face->itf))))
        face = face->next;
    return face;
}

/* Publishes a face, or frees it where another thread was first; returns the one that stands. A
 * refusal is not kept beyond the limit. A refusal that stands yields to an interface that the
 * object turned out to have. */
static struct face *publish(struct import *import, struct face *fresh)
{
    struct node *node = import->node;
    bool refusal = fresh->vtable == NULL;
    os_mutex_lock(&node->lock);
    struct face *standing = find_face(import, &fresh->iid);
    bool room = !refusal || import->n_refusals < MAX_REFUSALS;
    if (room && (standing == NULL || (standing->vtable == NULL && !refusal))) {
        import->n_refusals += refusal;
        fresh->next = atomic_load_explicit(&import->faces, memory_order_relaxed);
        atomic_store_explicit(&import->faces, fresh, memory_order_release);
        standing = fresh;
    }
    os_mutex_unlock(&node->lock);
    if (standing != fresh)
        free(fresh); /* a guest's has no data yet */
    return standing;
}

static struct face *new_face(struct import *import, const GUID *iid)
{
    struct face *face = calloc(1, sizeof *face);
    if (face == NULL) {
        error_set(E_OUTOFMEMORY, "no memory for a proxy's interface");
        return NULL;
    }
    face->import = import;
    face->iid = *iid;
    return face;
}

/* An interface that the proxy answers by itself. */
static bool is_local_interface(const GUID *iid)
{
    return IsEqualGUID(iid, &IID_IDispatch) || class_info_is(iid) || agile_is(iid) ||
           guest_knows(iid) == S_OK;
}

static struct face *new_local_face(struct import *import, const GUID *iid)
{
    if (IsEqualGUID(iid, &IID_IDispatch))
        return late_face_new(import);
    if (agile_is(iid))
        return agile_face_new(import, iid);
    return class_info_is(iid) ? class_info_face_new(import, iid) : guest_face_new(import, iid);
}

HRESULT import_face(struct import *import, const GUID *iid, struct face **result)
{
    if (IsEqualGUID(iid, &IID_IUnknown)) {
        *result = &import->unknown;
        return S_OK;
    }
    struct face *face = find_face(import, iid);
    if (face == NULL || face->vtable == NULL) {
        bool is_local = is_local_interface(iid);
        const struct marshal_interface *itf = is_local ? NULL : marshal_interface_find(iid);
        char text[GUID_TEXT_SIZE];
        if (itf == NULL && !is_local)
            return error_set(REGDB_E_IIDNOTREG,
                             "this process has no description of interface %s: register its type "
                             "library with via_register_typelib()",
                             guid_format(iid, text));
        face = is_local ? new_local_face(import, iid) : new_face(import, iid);
        if (face == NULL)
            return error_set(E_OUTOFMEMORY, "no memory for a proxy's interface");
        face->itf = itf;
        if (!is_local)
            face->vtable = proxy_vtable(itf);
        if (face->vtable == NULL) {
            free(face);
            return error_set(E_OUTOFMEMORY, "no memory for the closures of interface %s",
                             guid_format(iid, text));
        }
        face = publish(import, face);
    }
    *result = face;
    return S_OK;
}

bool import_default(struct import *import, GUID *iid)
{
    const struct face *face = atomic_load_explicit(&import->faces, memory_order_acquire);
    const struct face *first = NULL;
    for (; face != NULL; face = face->next)
        if (face->itf != NULL && !IsEqualGUID(&face->iid, &IID_INodeDispatch)) /* the runtime's */
            first = face;
    if (first == NULL)
        return false;
    *iid = first->iid;
    return true;
}

HRESULT import_known(struct import *import, const GUID *iid, struct face **result)
{
    if (IsEqualGUID(iid, &IID_IUnknown)) {
        *result = &import->unknown;
        return S_OK;
    }
    struct face *face = find_face(import, iid);
    if (face == NULL)
        return S_FALSE;
    if (face->vtable == NULL) {
        char text[GUID_TEXT_SIZE];
        return error_set(E_NOINTERFACE, "the object does not have the interface %s",
                         guid_format(iid, text));
    }
    *result = face;
    return S_OK;
}

void import_refused(struct import *import, const GUID *iid)
{
    struct face *face = new_face(import, iid);
    if (face == NULL) {
        error_clear(); /* the object is asked again next time */
        return;
    }
    publish(import, face);
}

/* --- death --- */

void import_peer_closed(struct peer *peer)
{
    struct node *node = peer->node;
    struct watch *fired = NULL;
    unsigned n = 0;
    os_mutex_lock(&node->lock);
    while (!list_is_empty(&peer->imports)) {
        struct import *import = list_entry(peer->imports.next, struct import, path_link);
        unlist_locked(import);
        watch_take_locked(import, &fired);
        if (++n % CLOSED_AT_ONCE != 0)
            continue;
        os_mutex_unlock(&node->lock); /* there may be very many: others have their turn */
        os_mutex_lock(&node->lock);
    }
    os_mutex_unlock(&node->lock);
    watch_fire(peer, fired);
}
