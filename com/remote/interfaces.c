#include "com/remote/interfaces.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/node.h>
#include <viaduct/runtime.h>
#include <viaduct/server.h>

#include "com/marshal/marshal.h"
#include "com/remote/describe.h"
#include "com/remote/import.h"
#include "com/remote/peer.h"
#include "com/remote/promise.h"
#include "com/remote/proxy.h"
#include "com/remote/runtime.h"
#include "com/typelib/builtin.h"
#include "com/typelib/typelib.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"

/* --- of this process' objects --- */

static void (*_Atomic the_describer)(IUnknown *object);

void via_set_describer(void (*describe)(IUnknown *object))
{
    atomic_store(&the_describer, describe);
}

/* What the catalogue has, and whether the object has it too. */
struct candidate {
    struct typelib_entry entry;
    bool is_had;
    bool is_base; /* of another one that the object has */
};

static const GUID *iid_of(const struct candidate *candidate)
{
    return &candidate->entry.lib->interfaces[candidate->entry.index].iid;
}

/* COM's own interfaces, which most objects have, are nobody's subject. */
static bool is_builtin(const struct via_typelib *lib)
{
    return lib == &builtin_typelib || lib == &builtin_events_typelib ||
           lib == &builtin_members_typelib;
}

static bool has(IUnknown *object, const GUID *iid)
{
    void *pointer = NULL;
    HRESULT hr = object->lpVtbl->QueryInterface(object, iid, &pointer);
    if (FAILED(hr) || pointer == NULL)
        return false;
    ((IUnknown *)pointer)->lpVtbl->Release(pointer);
    return true;
}

/* By the library's name, then in its order: the same in every run. */
static int compare(const void *left, const void *right)
{
    const struct candidate *a = left, *b = right;
    int order = strcmp(a->entry.lib->name, b->entry.lib->name);
    return order != 0 ? order : (int)a->entry.index - (int)b->entry.index;
}

static struct candidate *find(struct candidate *all, size_t n, const GUID *iid)
{
    for (size_t i = 0; i < n; i++)
        if (all[i].is_had && IsEqualGUID(iid_of(&all[i]), iid))
            return &all[i];
    return NULL;
}

static bool has_all(struct candidate *all, size_t n, const struct via_typelib *lib,
                    const struct via_coclass *coclass)
{
    unsigned n_had = 0;
    for (uint16_t i = 0; i < coclass->n_interfaces; i++) {
        const struct via_coclass_interface *entry = &coclass->interfaces[i];
        if (entry->flags & VIA_COCLASS_SOURCE)
            continue;
        if (find(all, n, &lib->interfaces[entry->interface_index].iid) == NULL)
            return false;
        n_had++;
    }
    return n_had > 0;
}

/* The default interface of a class that the object may be an instance of, by what it has; else the
 * first that is no other's base. NULL: it has none. */
static struct candidate *find_default(struct candidate *all, size_t n)
{
    struct candidate *first = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct via_typelib *lib = all[i].entry.lib;
        if (!all[i].is_had)
            continue;
        for (uint16_t c = 0; c < lib->n_coclasses; c++) {
            if (!has_all(all, n, lib, &lib->coclasses[c]))
                continue;
            uint16_t index = typelib_default_interface(lib, &lib->coclasses[c]);
            return find(all, n, &lib->interfaces[index].iid);
        }
        if (first == NULL && !all[i].is_base)
            first = &all[i];
    }
    return first;
}

static void ask_object(IUnknown *object, struct candidate *all, size_t n)
{
    for (size_t i = 0; i < n; i++)
        all[i].is_had = !is_builtin(all[i].entry.lib) && has(object, iid_of(&all[i]));
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n && all[i].is_had; j++)
            if (i != j && all[j].is_had &&
                typelib_has_base(all[j].entry.lib, all[j].entry.index, iid_of(&all[i])))
                all[i].is_base = true;
}

static HRESULT list_candidates(struct candidate **all, size_t *n)
{
    CLEANUP(cleanup_free) struct typelib_entry *entries = NULL;
    HRESULT hr = typelib_catalog_list(&entries, n);
    if (FAILED(hr))
        return hr;
    *all = calloc(*n + 1, sizeof **all);
    if (*all == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the interfaces of an object");
    for (size_t i = 0; i < *n; i++)
        (*all)[i].entry = entries[i];
    qsort(*all, *n, sizeof **all, compare);
    return S_OK;
}

HRESULT interfaces_list(IUnknown *object, GUID **iids, ULONG *count)
{
    CLEANUP(cleanup_free) struct candidate *all = NULL;
    size_t n = 0;
    ULONG used = 0;
    void (*describe)(IUnknown *) = atomic_load(&the_describer);
    if (describe != NULL)
        describe(object);
    HRESULT hr = list_candidates(&all, &n);
    if (FAILED(hr))
        return hr;
    ask_object(object, all, n);
    GUID *list = CoTaskMemAlloc((n + 1) * sizeof *list);
    if (list == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the interfaces of an object");
    if (has(object, &IID_IDispatch))
        list[used++] = IID_IDispatch;
    const struct candidate *first = find_default(all, n);
    if (first != NULL)
        list[used++] = *iid_of(first);
    for (size_t i = 0; i < n; i++)
        if (all[i].is_had && !all[i].is_base && &all[i] != first)
            list[used++] = *iid_of(&all[i]);
    *iids = list;
    *count = used;
    return S_OK;
}

/* --- sets --- */

/* What is not described, or wrongly, is left out. */
static void make_set(struct import *import, const GUID *iids, ULONG count, struct dispatch_set *set,
                     bool *has_dispatch)
{
    *has_dispatch = count > 0 && IsEqualGUID(&iids[0], &IID_IDispatch);
    set->n = 0;
    for (ULONG i = *has_dispatch ? 1 : 0; i < count && set->n < DISPATCH_MAX_INTERFACES; i++) {
        const struct marshal_interface *itf;
        if (SUCCEEDED(describe_interface(import, &iids[i], &itf)))
            set->interfaces[set->n++] = itf;
        else
            error_clear();
    }
}

HRESULT interfaces_of_object(IUnknown *object, struct dispatch_set *set, bool *has_dispatch)
{
    GUID *iids = NULL;
    ULONG count = 0;
    HRESULT hr = interfaces_list(object, &iids, &count);
    if (FAILED(hr))
        return hr;
    make_set(NULL, iids, count, set, has_dispatch);
    CoTaskMemFree(iids);
    return S_OK;
}

static HRESULT ask_owner(struct import *import, GUID **iids, ULONG *count)
{
    struct face *face;
    if (import->peer == NULL)
        return import_never_reached(import);
    HRESULT hr = import_face(import, &IID_INodeDispatch, &face); /* every object has it */
    if (SUCCEEDED(hr))
        hr = INodeDispatch_GetInterfaces((INodeDispatch *)(void *)face, count, iids);
    return hr;
}

HRESULT interfaces_of_import(struct import *import, struct dispatch_set *set, bool *has_dispatch)
{
    GUID *iids = NULL;
    ULONG count = 0;
    HRESULT hr = ask_owner(import, &iids, &count);
    if (FAILED(hr))
        return hr;
    make_set(import, iids, count, set, has_dispatch);
    CoTaskMemFree(iids);
    if (set->n > 0 || *has_dispatch)
        return S_OK;
    return error_set(E_NOINTERFACE,
                     "the object's owner describes none of its interfaces: there are no names to "
                     "call it by");
}

HRESULT via_get_interfaces(IUnknown *object, ULONG *count, GUID **iids)
{
    struct import *import;
    IUnknown *real;
    *count = 0;
    *iids = NULL;
    HRESULT hr = promise_unwrap(object, &real, &import);
    if (FAILED(hr))
        return runtime_publish(hr);
    hr = import != NULL ? ask_owner(import, iids, count) : interfaces_list(real, iids, count);
    real->lpVtbl->Release(real);
    return runtime_publish(hr);
}
