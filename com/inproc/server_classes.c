#include "com/inproc/server_classes.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include <windows.h>

#include "com/inproc/order.h"
#include "com/inproc/registered.h"
#include "com/inproc/server_locks.h"
#include "core/util/error.h"

/* Stays as long as the process: COM may have it longer than it is registered. */
struct served {
    IClassFactory IClassFactory_iface;
    struct served *next; /* the owner's thread */
    CLSID clsid;         /* read-only */
    DWORD cookie;        /* the owner's thread; while it is registered */
    bool is_registered;  /* the owner's thread */
    bool is_wanted;      /* the owner's thread; the registry has it */
};

static struct served *the_classes; /* the owner's thread */
static _Atomic uint64_t the_activity;

static struct served *served_from_IClassFactory(IClassFactory *iface)
{
    return (struct served *)(void *)iface;
}

/* --- IClassFactory --- */

static HRESULT STDMETHODCALLTYPE Served_QueryInterface(IClassFactory *iface, REFIID iid,
                                                       void **object)
{
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, &IID_IClassFactory))
        return E_NOINTERFACE;
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Served_AddRef(IClassFactory *iface)
{
    (void)iface;
    return 2;
}

static ULONG STDMETHODCALLTYPE Served_Release(IClassFactory *iface)
{
    (void)iface;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Served_CreateInstance(IClassFactory *iface, IUnknown *outer,
                                                       REFIID iid, void **object)
{
    atomic_fetch_add(&the_activity, 1);
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    return outer != NULL ? CLASS_E_NOAGGREGATION
                         : order_new(&served_from_IClassFactory(iface)->clsid, iid, object);
}

static HRESULT STDMETHODCALLTYPE Served_LockServer(IClassFactory *iface, BOOL lock)
{
    (void)iface;
    atomic_fetch_add(&the_activity, 1);
    return locks_change(lock);
}

static const IClassFactoryVtbl served_vtable = {
    Served_QueryInterface, Served_AddRef, Served_Release, Served_CreateInstance, Served_LockServer,
};

uint64_t classes_activity(void)
{
    return atomic_load(&the_activity);
}

/* --- which there are --- */

static struct served *find(const CLSID *clsid)
{
    struct served *class = the_classes;
    while (class != NULL && !IsEqualGUID(&class->clsid, clsid))
        class = class->next;
    return class;
}

static struct served *add(const CLSID *clsid)
{
    struct served *class = calloc(1, sizeof *class);
    if (class == NULL)
        return NULL;
    class->IClassFactory_iface.lpVtbl = (IClassFactoryVtbl *)&served_vtable;
    class->clsid = *clsid;
    class->next = the_classes;
    the_classes = class;
    return class;
}

static bool visit(void *context, const struct registered *class)
{
    HRESULT *result = context;
    if (class->local_server[0] == '\0')
        return true;
    struct served *served = find(&class->clsid);
    if (served == NULL && (served = add(&class->clsid)) == NULL) {
        *result = error_set(E_OUTOFMEMORY, "no memory for the local server's classes");
        return false;
    }
    served->is_wanted = true;
    if (served->is_registered)
        return true;
    HRESULT hr = CoRegisterClassObject(&served->clsid, (IUnknown *)&served->IClassFactory_iface,
                                       CLSCTX_LOCAL_SERVER, REGCLS_MULTIPLEUSE | REGCLS_SUSPENDED,
                                       &served->cookie);
    served->is_registered = SUCCEEDED(hr);
    if (FAILED(hr))
        *result = error_set(hr, "COM does not take class %s", class->name);
    return true;
}

static void revoke(struct served *class)
{
    if (class->is_registered)
        CoRevokeClassObject(class->cookie);
    class->is_registered = false;
}

HRESULT classes_refresh(unsigned *n)
{
    HRESULT result = S_OK;
    *n = 0;
    for (struct served *class = the_classes; class != NULL; class = class->next)
        class->is_wanted = false;
    HRESULT hr = registered_each(false, visit, &result);
    if (SUCCEEDED(hr))
        hr = registered_each(true, visit, &result);
    if (FAILED(hr))
        return hr; /* what is served stays */
    for (struct served *class = the_classes; class != NULL; class = class->next) {
        if (!class->is_wanted)
            revoke(class);
        *n += class->is_registered;
    }
    hr = CoResumeClassObjects();
    return FAILED(hr) ? error_set(hr, "COM does not begin to serve the classes") : result;
}

void classes_revoke(void)
{
    for (struct served *class = the_classes; class != NULL; class = class->next)
        revoke(class);
}
