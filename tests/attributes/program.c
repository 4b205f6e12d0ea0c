/*
 * The object of attributes.idl in a process of its own, and the checks of one in another process.
 *
 *   attributes [serve] ADDRESS         until the standard input ends, or after two minutes
 *   attributes call ADDRESS FORM       the checks of that form; "typed" ones know the tables
 *
 * Prints "called ROW" and, where it failed, "failed ROW", as tests/random_interfaces/run takes it.
 */
#include <stdio.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "tests/attributes/checks.h"
#include "tests/attributes/object.h"

#define LIFETIME_MS 120000u

static int fail(const char *what, HRESULT hr)
{
    char text[1024];
    fprintf(stderr, "attributes: %s: %s\n", what, via_error_message(hr, text, sizeof text));
    return 1;
}

static int serve(const char *address, bool waits)
{
    HRESULT hr = via_initialize(NULL);
    if (SUCCEEDED(hr))
        hr = via_register_typelib(&attributes_typelib);
    if (SUCCEEDED(hr))
        hr = via_set_root_object(attributes_object_new());
    if (SUCCEEDED(hr))
        hr = via_listen(address);
    if (FAILED(hr))
        return fail(address, hr);
    printf("ready\n");
    fflush(stdout);
    if (!waits)
        os_sleep_ms(LIFETIME_MS);
    while (waits && getchar() != EOF)
        continue;
    return 0;
}

static int call(const char *address, const char *form)
{
    IUnknown *root = NULL;
    unsigned n = 0, n_failed = 0;
    HRESULT hr = via_initialize(NULL);
    if (SUCCEEDED(hr) && !strcmp(form, "typed"))
        hr = via_register_typelib(&attributes_typelib);
    if (SUCCEEDED(hr))
        hr = via_connect(address, &IID_IUnknown, (void **)&root);
    if (FAILED(hr))
        return fail(address, hr);
    for (size_t i = 0; i < n_attribute_checks; i++) {
        const struct attribute_check *check = &attribute_checks[i];
        if (strcmp(check->form, form) != 0)
            continue;
        printf("called attribute-%s\n", check->row);
        n++;
        if (check->run(root))
            continue;
        n_failed++;
        printf("failed attribute-%s\n", check->row);
        fprintf(stderr, "%s, %s: %s\n", check->row, form, attribute_check_failure());
    }
    IUnknown_Release(root);
    via_uninitialize();
    printf("%u calls echoed, %u failed\n", n - n_failed, n_failed);
    return n_failed > 0 || n == 0;
}

int main(int argc, char **argv)
{
    if (argc == 4 && !strcmp(argv[1], "call"))
        return call(argv[2], argv[3]);
    if (argc == 3 && !strcmp(argv[1], "serve"))
        return serve(argv[2], true);
    if (argc >= 2)
        return serve(argv[1], false);
    fprintf(stderr, "usage: attributes ADDRESS | serve ADDRESS | call ADDRESS FORM\n");
    return 2;
}
