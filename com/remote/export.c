#include "com/remote/export.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/node.h>

#include "com/abi/guid.h"
#include "com/abi/standard_proxy.h"
#include "com/remote/apartment.h"
#include "com/remote/gate.h"
#include "com/remote/global_table.h"
#include "com/remote/guest.h"
#include "com/remote/hang.h"
#include "com/remote/import.h"
#include "com/remote/last_release.h"
#include "com/remote/late.h"
#include "com/remote/node.h"
#include "com/remote/runtime.h"
#include "core/util/error.h"

/* Refusals that are remembered for one object: a peer that asks for random IIDs must not fill our
 * memory. */
#define MAX_REFUSALS 32
/* Marks of objects that one call hands out for the first time. */
#define MAX_MARKS 16

/* One with a context. */
struct serial_export {
    struct exported exported;
    struct gate_item final; /* the end: what gives the object's reference back */
    uint32_t cookie;        /* in the Global Interface Table; 0: it is not there. Set before others
                             * see the export, and read-only from then on: who finds it revoked is
                             * told so by the table, and does not touch the object */
};

struct export_face {
    struct export_face *next;
    GUID iid;
    void *pointer; /* a reference; NULL: refused */
};

static _Thread_local struct {
    unsigned n;
    struct {
        IUnknown *identity; /* compared only */
        struct context *context;
        const struct link_current *call; /* that made it; compared only */
    } marks[MAX_MARKS];
} the_marks;

static HRESULT identity_of(IUnknown *object, IUnknown **identity)
{
    void *pointer = NULL;
    struct hang_entry entry;
    bool is_watched = hang_begin_query(&entry, &IID_IUnknown);
    HRESULT hr = object->lpVtbl->QueryInterface(object, &IID_IUnknown, &pointer);
    if (is_watched)
        hang_end(&entry);
    if (SUCCEEDED(hr) && pointer == NULL)
        hr = E_POINTER;
    if (FAILED(hr))
        return error_set(
            hr, "an object that is handed out does not answer QueryInterface for IUnknown");
    *identity = pointer;
    return S_OK;
}

/* --- contexts --- */

HRESULT export_mark(IUnknown *object, struct context *context)
{
    if (the_marks.n == MAX_MARKS)
        return error_set(VIA_E_LIMIT, "more than %d objects were marked serial in one call",
                         MAX_MARKS);
    IUnknown *identity;
    HRESULT hr = identity_of(object, &identity);
    if (FAILED(hr))
        return hr;
    identity->lpVtbl->Release(identity);
    the_marks.marks[the_marks.n].identity = identity;
    the_marks.marks[the_marks.n].context = context_ref(context);
    the_marks.marks[the_marks.n].call = link_current();
    the_marks.n++;
    return S_OK;
}

HRESULT export_mark_serial(IUnknown *object)
{
    struct context *context = context_new();
    if (context == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a context");
    HRESULT hr = export_mark(object, context);
    context_unref(context);
    return hr;
}

/* The mark is used up; its context. */
static struct context *take_mark(unsigned i)
{
    struct context *context = the_marks.marks[i].context;
    the_marks.marks[i] = the_marks.marks[--the_marks.n];
    return context;
}

void export_drop_marks(void)
{
    for (unsigned i = the_marks.n; i-- > 0;) {
        if (the_marks.marks[i].call == link_current())
            context_unref(take_mark(i));
    }
}

static struct context *context_for(const IUnknown *identity)
{
    for (unsigned i = 0; i < the_marks.n; i++) {
        if (the_marks.marks[i].identity == identity)
            return take_mark(i);
    }
    struct context *context = context_ref(context_running());
    bool adopts = guest_is_there() || apartment_adopts();
    if (context == NULL && adopts && FAILED(apartment_adopt(&context)))
        error_clear(); /* the thread is no apartment's */
    return context;
}

/* --- the table --- */

static struct serial_export *serial_of(struct exported *exported)
{
    return (struct serial_export *)(void *)exported;
}

/* Takes over `context`. */
static struct exported *new_export(struct node *node, IUnknown *identity, struct context *context)
{
    struct exported *exported =
        calloc(1, context != NULL ? sizeof(struct serial_export) : sizeof *exported);
    if (exported == NULL) {
        context_unref(context);
        return NULL;
    }
    /* Nothing else counts as nested in its end, but for what that calls. */
    if (context != NULL && FAILED(link_new_chain(&serial_of(exported)->final.call.chain))) {
        context_unref(context);
        free(exported);
        return NULL;
    }
    exported->node = node;
    exported->context = context;
    exported->identity = identity;
    atomic_init(&exported->refs, 1);
    exported->n_holders = 1;
    atomic_init(&exported->faces, NULL);
    atomic_fetch_add_explicit(&node->n_exports, 1, memory_order_relaxed);
    return exported;
}

/* On its thread, of what may be passed to other apartments. An object that the table does not take
 * can be called all the same. */
static void put_into_table(struct exported *exported)
{
    struct hang_entry entry;
    if (!apartment_adopts() || !context_has_apartment(exported->context))
        return;
    bool is_watched = hang_begin_query(&entry, &IID_IUnknown);
    if (FAILED(global_table_put(exported->identity, &serial_of(exported)->cookie)))
        error_clear();
    if (is_watched)
        hang_end(&entry);
}

static struct exported *find_locked(struct node *node, const IUnknown *identity, uint64_t hash)
{
    struct table_link *link = table_find(&node->exports, hash);
    while (link != NULL) {
        struct exported *exported = TABLE_ENTRY(link, struct exported, link);
        if (exported->identity == identity)
            return exported;
        link = table_again(link);
    }
    return NULL;
}

static bool hold_locked(struct node *node, const IUnknown *identity, uint64_t hash,
                        struct exported **found)
{
    struct exported *exported = find_locked(node, identity, hash);
    if (exported == NULL)
        return false;
    exported->n_holders++;
    *found = export_ref(exported);
    return true;
}

HRESULT export_hold(struct node *node, IUnknown *object, struct exported **found)
{
    IUnknown *identity;
    HRESULT hr = identity_of(object, &identity);
    if (FAILED(hr))
        return hr;
    uint64_t hash = table_hash_u64((uint64_t)(uintptr_t)identity);
    os_mutex_lock(&node->lock);
    bool known = hold_locked(node, identity, hash, found);
    os_mutex_unlock(&node->lock);
    if (known) {
        identity->lpVtbl->Release(identity);
        return S_OK;
    }
    struct exported *exported = new_export(node, identity, context_for(identity));
    if (exported == NULL) {
        identity->lpVtbl->Release(identity);
        return error_set(E_OUTOFMEMORY, "no memory to hand out an object");
    }
    put_into_table(exported);
    os_mutex_lock(&node->lock);
    known = hold_locked(node, identity, hash, found); /* another thread may have been first */
    bool inserted = !known && table_insert(&node->exports, &exported->link, hash);
    if (inserted) {
        exported->id = node->next_object++;
        exported->listed = true;
        *found = exported;
    }
    os_mutex_unlock(&node->lock);
    if (!inserted)
        export_unref(exported);
    if (!known && !inserted)
        return error_set(E_OUTOFMEMORY, "no memory to hand out an object");
    return S_OK;
}

void export_unhold(struct exported *exported)
{
    struct node *node = exported->node;
    os_mutex_lock(&node->lock);
    if (--exported->n_holders == 0 && exported->listed) {
        table_remove(&node->exports, &exported->link);
        exported->listed = false;
    }
    os_mutex_unlock(&node->lock);
    export_unref(exported);
}

HRESULT export_new_root(struct node *node, IUnknown *object, struct exported **found)
{
    struct exported *exported = new_export(node, object, NULL);
    if (exported == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the root object");
    object->lpVtbl->AddRef(object);
    exported->n_refusals = MAX_REFUSALS; /* what it answers may grow: node_set_root() */
    *found = exported;
    return S_OK;
}

/* --- the end --- */

static void release_interfaces(struct exported *exported)
{
    if (exported->identity == NULL)
        return; /* it was abandoned */
    if (exported->context != NULL)
        global_table_remove(serial_of(exported)->cookie);
    struct export_face *face = atomic_exchange(&exported->faces, NULL);
    while (face != NULL) {
        struct export_face *next = face->next;
        if (face->pointer != NULL)
            ((IUnknown *)face->pointer)->lpVtbl->Release(face->pointer);
        free(face);
        face = next;
    }
    exported->identity->lpVtbl->Release(exported->identity);
    exported->identity = NULL;
}

/* One that is in the context, out of the table; with a reference. */
static struct exported *take_one_of(struct node *node, const struct context *context)
{
    struct exported *found = NULL;
    os_mutex_lock(&node->lock);
    for (struct table_link *l = table_walk(&node->exports, NULL); l != NULL && found == NULL;
         l = table_walk(&node->exports, l)) {
        struct exported *exported = TABLE_ENTRY(l, struct exported, link);
        if (exported->context == context)
            found = export_ref(exported);
    }
    if (found != NULL) {
        table_remove(&node->exports, &found->link);
        found->listed = false;
    }
    os_mutex_unlock(&node->lock);
    return found;
}

void export_abandon(const struct context *context)
{
    struct node *node = runtime_node();
    struct exported *exported;
    if (node == NULL) {
        error_clear();
        return;
    }
    while ((exported = take_one_of(node, context)) != NULL) {
        release_interfaces(exported);
        atomic_fetch_sub_explicit(&node->n_exports, 1, memory_order_acq_rel);
        export_unref(exported);
    }
}

void export_end(struct exported *exported)
{
    struct node *node = exported->node;
    bool is_abandoned = exported->identity == NULL; /* and not counted any more */
    struct context *previous = context_set_running(exported->context);
    struct hang_entry entry;
    bool is_watched = hang_begin_last_release(&entry);
    if (!context_is_over(exported->context)) /* else it stays: nobody may touch it here */
        release_interfaces(exported);
    if (is_watched)
        hang_end(&entry);
    context_set_running(previous);
    if (exported->context != NULL)
        context_leave(exported->context, &serial_of(exported)->final);
    context_unref(exported->context);
    free(exported);
    /* The root ends when its node does, and is looked at by nobody. */
    if (!is_abandoned && atomic_fetch_sub_explicit(&node->n_exports, 1, memory_order_acq_rel) == 2)
        guest_look();
}

static void end(void *argument)
{
    export_end(argument);
}

/* What the object's Release calls may call back into the context. */
static void run_final_release(struct gate_item *item)
{
    struct serial_export *self =
        (struct serial_export *)((char *)item - offsetof(struct serial_export, final));
    const struct link_id chain = item->call.chain; /* the item ends with the export */
    link_run_in_chain(&chain, end, &self->exported);
}

struct exported *export_ref(struct exported *exported)
{
    atomic_fetch_add_explicit(&exported->refs, 1, memory_order_relaxed);
    return exported;
}

void export_unref(struct exported *exported)
{
    if (exported == NULL)
        return;
    if (atomic_fetch_sub_explicit(&exported->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (exported->context == NULL) {
        last_release(exported);
        return;
    }
    struct gate_item *final = &serial_of(exported)->final;
    final->node = exported->node;
    final->context = exported->context;
    final->run = run_final_release;
    gate_pass(final);
}

/* --- interfaces --- */

static struct export_face *find_face(const struct exported *exported, const GUID *iid)
{
    struct export_face *face =
        atomic_load_explicit(&((struct exported *)exported)->faces, memory_order_acquire);
    while (face != NULL && !IsEqualGUID(&face->iid, iid))
        face = face->next;
    return face;
}

static HRESULT refuse(const struct exported *exported, const GUID *iid)
{
    char text[GUID_TEXT_SIZE];
    return error_set(E_NOINTERFACE, "object %" PRIu64 " does not have the interface %s",
                     exported->id, guid_format(iid, text));
}

bool export_is_stand_in(const struct exported *exported)
{
    return import_of(exported->identity) != NULL;
}

bool export_is_foreign(const struct exported *exported)
{
    return atomic_load_explicit(&exported->is_foreign, memory_order_relaxed);
}

bool export_knows(const struct exported *exported, const GUID *iid)
{
    return find_face(exported, iid) != NULL;
}

/* Remembers an answer; returns the one that stands, which may be another thread's. */
static struct export_face *remember(struct exported *exported, struct export_face *face)
{
    struct node *node = exported->node;
    struct export_face *standing = NULL;
    os_mutex_lock(&node->lock);
    standing = find_face(exported, &face->iid);
    bool room = face->pointer != NULL || exported->n_refusals < MAX_REFUSALS;
    if (standing == NULL && room) {
        exported->n_refusals += face->pointer == NULL;
        face->next = atomic_load(&exported->faces);
        atomic_store_explicit(&exported->faces, face, memory_order_release);
        standing = face;
    }
    os_mutex_unlock(&node->lock);
    return standing;
}

/* What every object has of IDispatch, whether it implements that or not. */
static HRESULT query_late(struct exported *exported, const GUID *iid, void **pointer)
{
    IDispatch *dispatch = NULL;
    HRESULT hr = E_NOINTERFACE;
    if (IsEqualGUID(iid, &IID_INodeDispatch)) {
        hr = late_stub_new(exported->identity, pointer);
    } else if (IsEqualGUID(iid, &IID_IDispatch)) {
        hr = late_local_new(exported->identity, &dispatch);
        *pointer = dispatch;
    }
    return hr;
}

/* Before its first face, which says that this is known. */
static void look_whether_foreign(struct exported *exported)
{
    if (atomic_load(&exported->faces) == NULL && !export_is_stand_in(exported))
        atomic_store_explicit(&exported->is_foreign, standard_proxy_is(exported->identity),
                              memory_order_relaxed);
}

static HRESULT ask(struct exported *exported, const GUID *iid, void **pointer)
{
    IUnknown *identity = exported->identity;
    struct hang_entry entry;
    bool is_watched = hang_begin_query(&entry, iid);
    look_whether_foreign(exported);
    HRESULT hr = identity->lpVtbl->QueryInterface(identity, iid, pointer);
    if (FAILED(hr))
        hr = query_late(exported, iid, pointer);
    if (is_watched)
        hang_end(&entry);
    return hr;
}

HRESULT export_query(struct exported *exported, const GUID *iid, void **pointer)
{
    *pointer = NULL;
    if (exported->identity == NULL || context_is_over(exported->context))
        return error_set(RPC_E_DISCONNECTED, "the thread of the object's apartment has ended");
    struct export_face *face = find_face(exported, iid);
    if (face == NULL) {
        face = calloc(1, sizeof *face);
        if (face == NULL)
            return error_set(E_OUTOFMEMORY, "no memory for an object's interface");
        face->iid = *iid;
        if (FAILED(ask(exported, iid, &face->pointer)))
            face->pointer = NULL;
        struct export_face *standing = remember(exported, face);
        if (standing != face) {
            if (face->pointer != NULL)
                ((IUnknown *)face->pointer)->lpVtbl->Release(face->pointer);
            free(face);
        }
        face = standing;
    }
    if (face == NULL || face->pointer == NULL)
        return refuse(exported, iid);
    *pointer = face->pointer;
    return S_OK;
}

HRESULT export_lend(struct exported *exported, const GUID *iid, void **pointer)
{
    if (exported->identity != NULL && context_is_elsewhere(exported->context) &&
        serial_of(exported)->cookie != 0)
        return global_table_get(serial_of(exported)->cookie, iid, pointer);
    HRESULT hr = export_query(exported, iid, pointer);
    if (SUCCEEDED(hr))
        ((IUnknown *)*pointer)->lpVtbl->AddRef(*pointer);
    return hr;
}
