/*
 * One struct implements both callback interfaces. The calls come in on the thread that waits for
 * the method to which the object was passed.
 */
#include "watcher.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

struct watcher {
    ISysInfoWatcher ISysInfoWatcher_iface;
    ICalculatorProgress ICalculatorProgress_iface;
    atomic_uint references;
};

static struct watcher *watcher_from_ISysInfoWatcher(ISysInfoWatcher *iface)
{
    return (struct watcher *)((char *)iface - offsetof(struct watcher, ISysInfoWatcher_iface));
}

static struct watcher *watcher_from_ICalculatorProgress(ICalculatorProgress *iface)
{
    return (struct watcher *)((char *)iface - offsetof(struct watcher, ICalculatorProgress_iface));
}

static ULONG watcher_add_ref(struct watcher *watcher)
{
    return atomic_fetch_add(&watcher->references, 1) + 1;
}

static ULONG watcher_release(struct watcher *watcher)
{
    ULONG left = atomic_fetch_sub(&watcher->references, 1) - 1;

    if (left == 0)
        free(watcher);
    return left;
}

static HRESULT watcher_query(struct watcher *watcher, REFIID iid, void **object)
{
    *object = NULL;
    if (IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_ISysInfoWatcher))
        *object = &watcher->ISysInfoWatcher_iface;
    else if (IsEqualIID(iid, &IID_ICalculatorProgress))
        *object = &watcher->ICalculatorProgress_iface;
    if (!*object)
        return E_NOINTERFACE;
    watcher_add_ref(watcher);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Watcher_QueryInterface(ISysInfoWatcher *iface, REFIID iid,
                                                        void **object)
{
    return watcher_query(watcher_from_ISysInfoWatcher(iface), iid, object);
}

static ULONG STDMETHODCALLTYPE Watcher_AddRef(ISysInfoWatcher *iface)
{
    return watcher_add_ref(watcher_from_ISysInfoWatcher(iface));
}

static ULONG STDMETHODCALLTYPE Watcher_Release(ISysInfoWatcher *iface)
{
    return watcher_release(watcher_from_ISysInfoWatcher(iface));
}

static HRESULT STDMETHODCALLTYPE Watcher_Sampled(ISysInfoWatcher *iface, ULONG index,
                                                 LONGLONG free_memory, ULONG process_count)
{
    (void)iface;
    printf("called back: sample %u, %lld MiB free, %u processes\n", (unsigned)index,
           (long long)(free_memory >> 20), (unsigned)process_count);
    return S_OK;
}

static ISysInfoWatcherVtbl watcher_vtable = {
    Watcher_QueryInterface,
    Watcher_AddRef,
    Watcher_Release,
    Watcher_Sampled,
};

static HRESULT STDMETHODCALLTYPE Progress_QueryInterface(ICalculatorProgress *iface, REFIID iid,
                                                         void **object)
{
    return watcher_query(watcher_from_ICalculatorProgress(iface), iid, object);
}

static ULONG STDMETHODCALLTYPE Progress_AddRef(ICalculatorProgress *iface)
{
    return watcher_add_ref(watcher_from_ICalculatorProgress(iface));
}

static ULONG STDMETHODCALLTYPE Progress_Release(ICalculatorProgress *iface)
{
    return watcher_release(watcher_from_ICalculatorProgress(iface));
}

static HRESULT STDMETHODCALLTYPE Progress_Added(ICalculatorProgress *iface, ULONG index,
                                                double value, double total)
{
    (void)iface;
    printf("called back: value %u is %g, total so far %g\n", (unsigned)index, value, total);
    return S_OK;
}

static ICalculatorProgressVtbl progress_vtable = {
    Progress_QueryInterface,
    Progress_AddRef,
    Progress_Release,
    Progress_Added,
};

static struct watcher *create(void)
{
    struct watcher *watcher = calloc(1, sizeof(*watcher));

    if (!watcher)
        return NULL;
    watcher->ISysInfoWatcher_iface.lpVtbl = &watcher_vtable;
    watcher->ICalculatorProgress_iface.lpVtbl = &progress_vtable;
    watcher->references = 1;
    return watcher;
}

ISysInfoWatcher *watcher_new(void)
{
    struct watcher *watcher = create();

    return watcher ? &watcher->ISysInfoWatcher_iface : NULL;
}

ICalculatorProgress *watcher_new_progress(void)
{
    struct watcher *watcher = create();

    return watcher ? &watcher->ICalculatorProgress_iface : NULL;
}
