/*
 * A client of the classes of wild.c.
 *
 *     crowd CLASS do MEMBER ARGUMENT TIMEOUT_MS
 *         one call; writes its number, or why it failed
 *     crowd CLASS ask TIMEOUT_MS
 *         asks an object for an interface that hangs it; writes why that failed
 *     crowd CLASS call OBJECTS ROUNDS
 *         calls each of so many objects so often; writes the thread that all calls came on, and how
 *         many ran at once
 *     crowd CLASS make N
 *         makes and releases an object so often
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/late.h>
#include <viaduct/runtime.h>

#define MAX_OBJECTS 50

static int fail(const char *what, HRESULT hr)
{
    char text[1024];
    printf("%s: %s (0x%08X)\n", what, via_error_message(hr, text, sizeof text), (unsigned)hr);
    return 1;
}

static HRESULT make(const char *class, IUnknown **object)
{
    *object = NULL;
    return via_create_instance(class, &IID_IUnknown, (void **)object);
}

static int do_one(const char *class, char **arguments)
{
    IUnknown *object;
    int number = 0;
    via_thread_set_deadline((uint32_t)atoi(arguments[2]));
    HRESULT hr = make(class, &object);
    if (FAILED(hr))
        return fail("no object", hr);
    hr = via_invoke(object, arguments[0], atoi(arguments[1]), &number);
    if (SUCCEEDED(hr))
        printf("%d\n", number);
    else
        fail(arguments[0], hr);
    IUnknown_Release(object);
    return FAILED(hr);
}

static int ask(const char *class, const char *timeout_ms)
{
    static const GUID iid_hang = {
        0x5a0c77f1, 0x6a9b, 0x4a35, {0x9d, 0x0e, 0x1f, 0x6c, 0x35, 0x8b, 0x1e, 0x0f}};
    IUnknown *object;
    void *found = NULL;
    via_thread_set_deadline((uint32_t)atoi(timeout_ms));
    HRESULT hr = make(class, &object);
    if (FAILED(hr))
        return fail("no object", hr);
    hr = IUnknown_QueryInterface(object, &iid_hang, &found);
    fail("QueryInterface", hr);
    IUnknown_Release(object);
    return SUCCEEDED(hr);
}

static HRESULT call_each(IUnknown **objects, int n, int *thread, int *most)
{
    for (int i = 0; i < n; i++) {
        int here = 0;
        HRESULT hr = via_invoke(objects[i], "Thread", &here);
        if (SUCCEEDED(hr))
            hr = via_invoke(objects[i], "Stay", 0, most);
        if (FAILED(hr))
            return hr;
        if (*thread != 0 && *thread != here)
            return E_UNEXPECTED; /* another thread */
        *thread = here;
    }
    return S_OK;
}

static int call_many(const char *class, int n, int n_rounds)
{
    IUnknown *objects[MAX_OBJECTS];
    int thread = 0;
    int most = 0;
    HRESULT hr = S_OK;
    int n_made = 0;
    while (n_made < n && n_made < MAX_OBJECTS && SUCCEEDED(hr)) {
        hr = make(class, &objects[n_made]);
        n_made += SUCCEEDED(hr);
    }
    for (int i = 0; i < n_rounds && SUCCEEDED(hr); i++)
        hr = call_each(objects, n_made, &thread, &most);
    for (int i = 0; i < n_made; i++)
        IUnknown_Release(objects[i]);
    if (FAILED(hr))
        return fail("a call", hr);
    printf("%d %d\n", thread, most);
    return 0;
}

static int make_many(const char *class, int n)
{
    for (int i = 0; i < n; i++) {
        IUnknown *object;
        HRESULT hr = make(class, &object);
        if (FAILED(hr))
            return fail("a creation", hr);
        IUnknown_Release(object);
    }
    printf("%d\n", n);
    return 0;
}

int main(int argc, char **argv)
{
    HRESULT hr = argc > 3 ? via_initialize(NULL) : E_INVALIDARG;
    if (FAILED(hr))
        return fail("crowd CLASS do|ask|call|make ...", hr);
    int code = 2;
    if (strcmp(argv[2], "do") == 0 && argc == 6)
        code = do_one(argv[1], argv + 3);
    else if (strcmp(argv[2], "ask") == 0)
        code = ask(argv[1], argv[3]);
    else if (strcmp(argv[2], "call") == 0 && argc == 5)
        code = call_many(argv[1], atoi(argv[3]), atoi(argv[4]));
    else if (strcmp(argv[2], "make") == 0)
        code = make_many(argv[1], atoi(argv[3]));
    via_uninitialize();
    return code;
}
