/*
 * One struct implements both callback interfaces. The calls come in on the thread that waits for
 * the method to which the object was passed.
 */
#include "watcher.h"

#include <stdio.h>
#include <viaduct/object.h>

struct watcher {
    struct via_object object;
    ISysInfoWatcher ISysInfoWatcher_iface;
    ICalculatorProgress ICalculatorProgress_iface;
};

VIA_OBJECT_METHODS(Watcher, struct watcher, ISysInfoWatcher)
VIA_OBJECT_METHODS(Progress, struct watcher, ICalculatorProgress)

static HRESULT STDMETHODCALLTYPE Watcher_Sampled(ISysInfoWatcher *iface, ULONG index,
                                                 LONGLONG free_memory, ULONG process_count)
{
    (void)iface;
    printf("called back: sample %u, %lld MiB free, %u processes\n", (unsigned)index,
           (long long)(free_memory >> 20), (unsigned)process_count);
    return S_OK;
}

static const ISysInfoWatcherVtbl watcher_vtable = {
    Watcher_QueryInterface,
    Watcher_AddRef,
    Watcher_Release,
    Watcher_Sampled,
};

static HRESULT STDMETHODCALLTYPE Progress_Added(ICalculatorProgress *iface, ULONG index,
                                                double value, double total)
{
    (void)iface;
    printf("called back: value %u is %g, total so far %g\n", (unsigned)index, value, total);
    return S_OK;
}

static const ICalculatorProgressVtbl progress_vtable = {
    Progress_QueryInterface,
    Progress_AddRef,
    Progress_Release,
    Progress_Added,
};

static const struct via_object_interface interfaces[] = {
    VIA_OBJECT_INTERFACE(struct watcher, ISysInfoWatcher, watcher_vtable),
    VIA_OBJECT_INTERFACE(struct watcher, ICalculatorProgress, progress_vtable),
    {.iid = NULL},
};

static const struct via_object_kind kind = {
    .size = sizeof(struct watcher),
    .interfaces = interfaces,
};

ISysInfoWatcher *watcher_new(void)
{
    struct watcher *watcher = via_object_new(&kind);

    return watcher ? &watcher->ISysInfoWatcher_iface : NULL;
}

ICalculatorProgress *watcher_new_progress(void)
{
    struct watcher *watcher = via_object_new(&kind);

    return watcher ? &watcher->ICalculatorProgress_iface : NULL;
}
