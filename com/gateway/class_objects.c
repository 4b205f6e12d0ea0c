/*
 * A class in process has its own class object. For one of a local server, whose process may end at
 * any time, stands one of ours, which finds that of the next server.
 *
 * Under Wine the server's is kept as long as it answers. Wine 8's servers hang now and then, and
 * for ever, when the last reference to an interface is given back right behind a call of it
 * (RpcServerUnregisterIf() waits for a call that has just ended); making an object with a class
 * object of one's own is that every time.
 */
#include "com/gateway/class_objects.h"

#include "com/abi/error_border.h"
#include "com/abi/guid.h"
#include "com/abi/standard_proxy.h"
#include "com/gateway/registry.h"
#include "core/os/clock.h"
#include "core/os/thread.h"
#include "core/os/unix_calls.h"
#include "core/util/error.h"
#include "core/util/log.h"

/* Who comes while a server ends is told that there is none; the next time another one is started.
 */
#define MAX_TRIES 3
#define PAUSE_MS  150u

static struct os_mutex lock = OS_MUTEX_INITIALIZER;
static IClassFactory *the_kept;           /* lock: the local server's, under Wine; or NULL */
static const struct com_class *the_class; /* read-only behind class_objects_init() */

/* --- COM's --- */

/* Takes the place of what was kept. */
static void keep(IClassFactory *factory)
{
    if (factory != NULL)
        IClassFactory_AddRef(factory);
    os_mutex_lock(&lock);
    IClassFactory *old = the_kept;
    the_kept = factory;
    os_mutex_unlock(&lock);
    if (old != NULL)
        IClassFactory_Release(old);
}

static IClassFactory *take_kept(void)
{
    os_mutex_lock(&lock);
    IClassFactory *factory = the_kept;
    if (factory != NULL)
        IClassFactory_AddRef(factory);
    os_mutex_unlock(&lock);
    return factory;
}

static HRESULT find(IClassFactory **factory)
{
    *factory = take_kept();
    if (*factory != NULL)
        return S_OK;
    HRESULT hr = CoGetClassObject(&the_class->clsid, CLSCTX_INPROC_SERVER | CLSCTX_LOCAL_SERVER,
                                  NULL, &IID_IClassFactory, (void **)factory);
    if (SUCCEEDED(hr) && os_is_wine() && standard_proxy_is((IUnknown *)*factory))
        keep(*factory);
    return hr;
}

static HRESULT fail(HRESULT hr)
{
    char guid[GUID_TEXT_SIZE], text[ERROR_TEXT_SIZE];
    const char *name =
        the_class->progid[0] != 0 ? the_class->progid : guid_format(&the_class->clsid, guid);
    if (standard_proxy_is_gone(hr) && os_is_wine())
        error_set(hr,
                  "the local server of COM class %s has ended without a word, and Wine goes on "
                  "handing out its class object. End all programs of the prefix (wineserver -k), "
                  "and start the Windows host again",
                  name);
    else if (standard_proxy_is_gone(hr))
        error_set(hr, "the local server of COM class %s has ended. Try again", name);
    else
        error_set(hr, "COM has no class object of COM class %s", name);
    log_warning("com", "%s", error_format(error_get(), hr, text, sizeof text));
    error_border_publish(hr);
    return hr;
}

/* --- for a local server --- */

static HRESULT create_once(REFIID iid, void **object)
{
    IClassFactory *factory = NULL;
    HRESULT hr = find(&factory);
    if (FAILED(hr))
        return standard_proxy_is_gone(hr) ? hr : fail(hr);
    hr = IClassFactory_CreateInstance(factory, NULL, iid, object);
    if (standard_proxy_is_gone(hr))
        keep(NULL);
    IClassFactory_Release(factory);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Local_CreateInstance(IClassFactory *iface, IUnknown *outer,
                                                      REFIID iid, void **object)
{
    (void)iface;
    *object = NULL;
    if (outer != NULL)
        return CLASS_E_NOAGGREGATION;
    HRESULT hr = create_once(iid, object);
    for (unsigned i = 1; i < MAX_TRIES && standard_proxy_is_gone(hr); i++) {
        os_sleep_ms(PAUSE_MS);
        hr = create_once(iid, object);
    }
    return standard_proxy_is_gone(hr) ? fail(hr) : hr;
}

static HRESULT STDMETHODCALLTYPE Local_LockServer(IClassFactory *iface, BOOL locks)
{
    IClassFactory *factory = NULL;
    (void)iface;
    HRESULT hr = find(&factory);
    if (FAILED(hr))
        return fail(hr);
    hr = IClassFactory_LockServer(factory, locks);
    IClassFactory_Release(factory);
    if (hr != E_NOTIMPL)
        return hr;
    error_set(hr, "LockServer: COM of this system does not pass it on to a local server. Keep an "
                  "object of the class instead, which holds its server as well");
    error_border_publish(hr);
    return hr;
}

static HRESULT STDMETHODCALLTYPE Local_QueryInterface(IClassFactory *iface, REFIID iid,
                                                      void **object)
{
    *object = NULL;
    if (!IsEqualIID(iid, &IID_IUnknown) && !IsEqualIID(iid, &IID_IClassFactory))
        return E_NOINTERFACE;
    *object = iface;
    return S_OK;
}

/* It is there as long as the process. */
static ULONG STDMETHODCALLTYPE Local_AddRef(IClassFactory *iface)
{
    (void)iface;
    return 2;
}

static ULONG STDMETHODCALLTYPE Local_Release(IClassFactory *iface)
{
    (void)iface;
    return 1;
}

static const IClassFactoryVtbl local_vtable = {
    Local_QueryInterface, Local_AddRef, Local_Release, Local_CreateInstance, Local_LockServer,
};
static IClassFactory the_local = {(IClassFactoryVtbl *)&local_vtable};

void class_objects_init(const struct com_class *class)
{
    the_class = class;
}

HRESULT class_objects_get(REFIID iid, void **object)
{
    IClassFactory *factory = NULL;
    *object = NULL;
    HRESULT hr = find(&factory);
    if (FAILED(hr) && !standard_proxy_is_gone(hr))
        return fail(hr);
    /* Of one that is gone another one may be there when an object is made. */
    bool is_local = FAILED(hr) || standard_proxy_is((IUnknown *)factory);
    hr = IClassFactory_QueryInterface(is_local ? &the_local : factory, iid, object);
    if (factory != NULL)
        IClassFactory_Release(factory);
    return hr;
}
