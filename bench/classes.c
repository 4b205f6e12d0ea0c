/*
 * A host with very many classes, "Bench.Class000000" and so on, as bench/classes.py makes them.
 *
 *   bench-classes first ADDRESS CLASS              after a line on its standard input asks for the
 *                                                  class as soon as somebody answers there, and
 *                                                  prints when it had the answer: "at_ns=N"
 *   bench-classes find ADDRESS CALLS COUNT STEP    asks for COUNT classes, every STEP-th, in turn
 *   bench-classes register ADDRESS CALLS FIRST     registers CALLS more, from number FIRST on
 */
#include "bench/measure.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/host.h>
#include <viaduct/runtime.h>

/* The runtime knows the interface, but does not export its name. */
static const GUID iid_of_host = {
    0x8c1d5a34, 0x6f0b, 0x4b7e, {0x9a, 0x52, 0x3f, 0x6f, 0x0f, 0x2f, 0x1b, 0x02}};

#define CONNECT_NS UINT64_C(30000000000)

static int fail(const char *what, HRESULT hr)
{
    char text[2048];
    fprintf(stderr, "bench-classes: %s: %s\n", what, via_error_message(hr, text, sizeof(text)));
    return 1;
}

/* ASCII. */
static BSTR make_string(const char *text)
{
    BSTR string = SysAllocStringLen(NULL, (UINT)strlen(text));
    for (size_t i = 0; string && text[i]; i++)
        string[i] = (OLECHAR)text[i];
    return string;
}

static HRESULT find(IViaductHost *host, const char *name)
{
    struct ClassInfo info;
    BSTR string = make_string(name);
    HRESULT hr = IViaductHost_FindClass(host, string, &info);
    SysFreeString(string);
    if (FAILED(hr))
        return hr;
    SysFreeString(info.progid);
    SysFreeString(info.description);
    SysFreeString(info.host);
    SysFreeString(info.component);
    SysFreeString(info.manifest);
    return hr;
}

static HRESULT register_one(IViaductHost *host, unsigned number)
{
    char manifest[256];
    BSTR string, path = NULL;
    snprintf(manifest, sizeof(manifest),
             "{\"component\": \"/absent.so\", \"classes\": [{\"clsid\": "
             "\"{6e710ce2-04ce-46d5-ba6b-%012x}\", \"progid\": \"Bench.Class%06u\"}]}",
             number, number);
    string = make_string(manifest);
    HRESULT hr = IViaductHost_RegisterManifest(host, string, &path);
    SysFreeString(string);
    SysFreeString(path);
    return hr;
}

static HRESULT measure_first(const char *address, const char *name)
{
    IViaductHost *host = NULL;
    HRESULT hr;
    measure_wait_for_start();
    uint64_t end_ns = measure_now_ns() + CONNECT_NS;
    do {
        hr = via_connect(address, &iid_of_host, (void **)&host);
    } while (FAILED(hr) && measure_now_ns() < end_ns);
    if (FAILED(hr))
        return hr;
    hr = find(host, name);
    if (SUCCEEDED(hr))
        printf("at_ns=%llu\n", (unsigned long long)measure_now_ns());
    IViaductHost_Release(host);
    return hr;
}

/* STEP 0: registers them instead. */
static HRESULT measure_calls(IViaductHost *host, unsigned n_calls, unsigned count, unsigned step)
{
    struct measure measure;
    HRESULT hr = S_OK;
    for (unsigned i = 0; SUCCEEDED(hr) && step && i < count; i++) {
        char name[32];
        snprintf(name, sizeof(name), "Bench.Class%06u", i * step);
        hr = find(host, name);
    }
    measure_init(&measure, n_calls);
    measure_start(&measure);
    for (unsigned i = 0; SUCCEEDED(hr) && i < n_calls; i++) {
        uint64_t before_ns = measure_now_ns();
        char name[32];
        snprintf(name, sizeof(name), "Bench.Class%06u", step ? i % count * step : count + i);
        hr = step ? find(host, name) : register_one(host, count + i);
        measure_add(&measure, measure_now_ns() - before_ns);
    }
    measure_stop(&measure);
    measure_print(&measure, 1);
    return hr;
}

static HRESULT run(int argc, char **argv)
{
    IViaductHost *host;
    if (!strcmp(argv[1], "first"))
        return measure_first(argv[2], argv[3]);
    HRESULT hr = via_connect(argv[2], &iid_of_host, (void **)&host);
    if (FAILED(hr))
        return hr;
    hr = measure_calls(host, (unsigned)strtoul(argv[3], NULL, 10),
                       (unsigned)strtoul(argv[4], NULL, 10),
                       argc == 6 ? (unsigned)strtoul(argv[5], NULL, 10) : 0);
    IViaductHost_Release(host);
    return hr;
}

int main(int argc, char **argv)
{
    bool is_first = argc == 4 && !strcmp(argv[1], "first");
    bool is_find = argc == 6 && !strcmp(argv[1], "find");
    bool is_register = argc == 5 && !strcmp(argv[1], "register");
    struct via_options options = {.size = sizeof(options), .agent = "bench-classes"};
    if (!is_first && !is_find && !is_register) {
        fputs("usage: bench-classes first ADDRESS CLASS | find ADDRESS CALLS COUNT STEP | "
              "register ADDRESS CALLS FIRST\n",
              stderr);
        return 2;
    }
    HRESULT hr = via_initialize(&options);
    if (FAILED(hr))
        return fail("joining the runtime", hr);
    hr = run(argc, argv);
    int status = FAILED(hr) ? fail(argv[2], hr) : 0;
    via_uninitialize();
    return status;
}
