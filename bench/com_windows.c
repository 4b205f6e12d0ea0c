/*
 * Windows' own out-of-process COM call: IPersist::GetClassID, which gives 16 bytes, of a class
 * object in another process. Every Windows and Wine brings the proxy of that interface.
 *
 *   bench-com serve com:             serves until its standard input ends
 *   bench-com call com: CALLS        measures; bench/workload.h
 */
#define COBJMACROS
#include "bench/measure.h"
#include "bench/workload.h"

#include <windows.h>
#include <objbase.h>
#include <stdio.h>
#include <string.h>

static const CLSID the_class = {
    0x5b8f3f0e, 0x2a57, 0x4b52, {0x8a, 0x0c, 0x0c, 0x4b, 0x4f, 0x8f, 0x5e, 0x11}};

/* The one object, which lives as long as the process. */
static IClassFactory the_factory;
static IPersist the_persist;

static HRESULT get_interface(REFIID iid, void **object)
{
    *object = NULL;
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_IClassFactory))
        *object = &the_factory;
    else if (IsEqualGUID(iid, &IID_IPersist))
        *object = &the_persist;
    return *object ? S_OK : E_NOINTERFACE;
}

static HRESULT STDMETHODCALLTYPE Factory_QueryInterface(IClassFactory *self, REFIID iid,
                                                        void **object)
{
    (void)self;
    return get_interface(iid, object);
}

static ULONG STDMETHODCALLTYPE Factory_AddRef(IClassFactory *self)
{
    (void)self;
    return 2;
}

static ULONG STDMETHODCALLTYPE Factory_Release(IClassFactory *self)
{
    (void)self;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Factory_CreateInstance(IClassFactory *self, IUnknown *outer,
                                                        REFIID iid, void **object)
{
    (void)self;
    (void)outer;
    return get_interface(iid, object);
}

static HRESULT STDMETHODCALLTYPE Factory_LockServer(IClassFactory *self, BOOL lock)
{
    (void)self;
    (void)lock;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Persist_QueryInterface(IPersist *self, REFIID iid, void **object)
{
    (void)self;
    return get_interface(iid, object);
}

static ULONG STDMETHODCALLTYPE Persist_AddRef(IPersist *self)
{
    (void)self;
    return 2;
}

static ULONG STDMETHODCALLTYPE Persist_Release(IPersist *self)
{
    (void)self;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Persist_GetClassID(IPersist *self, CLSID *id)
{
    (void)self;
    *id = the_class;
    return S_OK;
}

static int fail(const char *what, HRESULT hr)
{
    fprintf(stderr, "bench-com: %s: 0x%08lx\n", what, (unsigned long)hr);
    return 1;
}

static int serve(void)
{
    static IPersistVtbl persist = {Persist_QueryInterface, Persist_AddRef, Persist_Release,
                                   Persist_GetClassID};
    static IClassFactoryVtbl factory = {Factory_QueryInterface, Factory_AddRef, Factory_Release,
                                        Factory_CreateInstance, Factory_LockServer};
    the_factory.lpVtbl = &factory;
    the_persist.lpVtbl = &persist;
    DWORD cookie;
    HRESULT hr = CoRegisterClassObject(&the_class, (IUnknown *)&the_factory, CLSCTX_LOCAL_SERVER,
                                       REGCLS_MULTIPLEUSE, &cookie);
    if (FAILED(hr))
        return fail("registering the class", hr);
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    CoRevokeClassObject(cookie);
    return 0;
}

static bool call(void *context, uint32_t i)
{
    CLSID id = {0};
    (void)i;
    HRESULT hr = IPersist_GetClassID((IPersist *)context, &id);
    if (SUCCEEDED(hr) && !IsEqualGUID(&id, &the_class))
        hr = E_UNEXPECTED;
    return SUCCEEDED(hr) || (fail("GetClassID", hr), false);
}

/* Not told across; the row is about time. */
static bool server_cpu(void *context, uint64_t *ns)
{
    (void)context;
    *ns = 0;
    return true;
}

static int run(const struct workload *workload)
{
    static const struct workload_peer peer = {.call = call, .server_cpu = server_cpu};
    IPersist *persist = NULL;
    HRESULT hr =
        CoGetClassObject(&the_class, CLSCTX_LOCAL_SERVER, NULL, &IID_IPersist, (void **)&persist);
    if (FAILED(hr))
        return fail("getting the class", hr);
    bool works = workload->run(workload, &peer, persist);
    IPersist_Release(persist);
    return !works;
}

int main(int argc, char **argv)
{
    struct workload workload;
    bool is_server = argc == 3 && !strcmp(argv[1], "serve");
    if (!is_server && !(workload_parse(argc, argv, &workload) && strcmp(argv[1], "call") == 0)) {
        fprintf(stderr, "usage: bench-com serve com: | bench-com call com: CALLS\n");
        return 2;
    }
    HRESULT hr = CoInitializeEx(NULL, COINIT_MULTITHREADED);
    if (FAILED(hr))
        return fail("joining COM", hr);
    int status = is_server ? serve() : run(&workload);
    CoUninitialize();
    return status;
}
