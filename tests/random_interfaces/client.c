/*
 * The echoing object as a server, and the typed client of it. Handles that cannot cross between the
 * two are refused, which is no failure.
 *
 *   random-echo serve ADDRESS                serves until its standard input ends
 *   random-echo call ADDRESS SEED ROUNDS     calls every method, compares what comes back
 *
 * The client ends with the line "N calls echoed, N failed".
 */
#include "tests/random_interfaces/support.h"

#include <viaduct/runtime.h>

struct callback {
    IRandomCallback IRandomCallback_iface;
};

static HRESULT STDMETHODCALLTYPE Callback_QueryInterface(IRandomCallback *self, REFIID iid,
                                                         void **object)
{
    *object = NULL;
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, &IID_IRandomCallback))
        return E_NOINTERFACE;
    *object = self;
    return S_OK;
}

/* The one callback object lives as long as the process. */
static ULONG STDMETHODCALLTYPE Callback_AddRef(IRandomCallback *self)
{
    (void)self;
    return 2;
}

static ULONG STDMETHODCALLTYPE Callback_Release(IRandomCallback *self)
{
    (void)self;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Callback_Transform(IRandomCallback *self, LONG value, LONG *result)
{
    (void)self;
    *result = (LONG)((ULONG)value * 3 + 1);
    return S_OK;
}

static int fail(const char *what, HRESULT code)
{
    char text[1024];
    fprintf(stderr, "random-echo: %s: %s\n", what, via_error_message(code, text, sizeof(text)));
    return 1;
}

static int serve(const char *address)
{
    HRESULT hr = via_set_root_object(random_object());
    if (SUCCEEDED(hr))
        hr = via_listen(address);
    if (FAILED(hr))
        return fail(address, hr);
    puts("ready");
    fflush(stdout);
    while (getchar() != EOF)
        ;
    via_set_root_object(NULL);
    return 0;
}

static unsigned call_case(IUnknown *root, const struct random_case *entry, struct random *r)
{
    static const IRandomCallbackVtbl vtbl = {Callback_QueryInterface, Callback_AddRef,
                                             Callback_Release, Callback_Transform};
    static struct callback callback = {{&vtbl}};
    void *face = NULL;
    HRESULT hr = IUnknown_QueryInterface(root, entry->iid, &face);
    if (SUCCEEDED(hr)) {
        hr = entry->call(face, r, &callback.IRandomCallback_iface);
        IUnknown_Release((IUnknown *)face);
    }
    const char *outcome = hr == VIA_E_NO_HANDLES ? "refused" : FAILED(hr) ? "failed" : "called";
    printf("%s %s\n", outcome, entry->name);
    return outcome[0] == 'f' ? (unsigned)fail(entry->name, hr) : 0;
}

static int call(const char *address, uint64_t seed, unsigned n_rounds)
{
    struct random r = {seed};
    unsigned n_failed = 0;
    IUnknown *root = NULL;
    HRESULT hr = via_connect(address, &IID_IUnknown, (void **)&root);
    if (FAILED(hr))
        return fail(address, hr);
    for (unsigned round = 0; round < n_rounds; round++)
        for (size_t i = 0; i < n_random_cases; i++)
            n_failed += call_case(root, &random_cases[i], &r);
    IUnknown_Release(root);
    printf("%u calls echoed, %u failed\n", (unsigned)(n_rounds * n_random_cases) - n_failed,
           n_failed);
    return n_failed > 0;
}

int main(int argc, char **argv)
{
    bool is_server = argc == 3 && !strcmp(argv[1], "serve");
    bool is_client = argc == 5 && !strcmp(argv[1], "call");
    if (!is_server && !is_client) {
        fprintf(stderr, "usage: random-echo serve ADDRESS | call ADDRESS SEED ROUNDS\n");
        return 2;
    }
    HRESULT hr = via_initialize(NULL);
    if (SUCCEEDED(hr))
        hr = via_register_typelib(&random_typelib);
    if (FAILED(hr))
        return fail("joining the runtime", hr);
    int status = is_server ? serve(argv[2])
                           : call(argv[2], strtoull(argv[3], NULL, 10), (unsigned)atoi(argv[4]));
    via_uninitialize();
    return status;
}
