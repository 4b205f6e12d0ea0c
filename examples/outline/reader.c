/*
 * Two ways to read an outline, the same on both systems.
 *
 *     viaduct-outline text CLASS TITLE...   the text of a section in a section in ...
 *     viaduct-outline tree CLASS            all titles
 *
 * `text` knows the interface. It asks for the first section, for the next one in that before the
 * first has come, and so on, and last of all for the text: the calls leave together, and take one
 * round trip, however deep the section lies.
 *
 * `tree` knows nothing but names of methods. What they take and give, the outline's owner says.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <viaduct/async.h>
#include <viaduct/late.h>
#include <viaduct/runtime.h>

#include "outline.h"

static int fail(const char *what, HRESULT hr)
{
    char text[2048];

    fprintf(stderr, "viaduct-outline: %s: %s\n", what, via_error_message(hr, text, sizeof(text)));
    return 1;
}

/* ASCII, as the titles are. */
static BSTR bstr_of(const char *ascii)
{
    size_t n = strlen(ascii);
    BSTR text = SysAllocStringLen(NULL, (UINT)n);

    for (size_t i = 0; text && i < n; i++)
        text[i] = (WCHAR)(unsigned char)ascii[i];
    return text;
}

/* --- promises --- */

/* The section that Find will return: an ordinary pointer, which can be called at once. */
static HRESULT promise_section(ISection *in, const char *title, ISection **section)
{
    BSTR text = bstr_of(title);
    struct via_call *call;
    HRESULT hr = text ? ISection_Find_begin(in, text, &call) : E_OUTOFMEMORY;

    SysFreeString(text); /* the call has a copy */
    if (FAILED(hr))
        return hr;
    hr = via_call_object(call, 0, &IID_ISection, (void **)section);
    via_call_release(call); /* the promise keeps what it needs of it */
    return hr;
}

/* Nothing is waited for before the text; what fails on the way there is the text's failure. */
static HRESULT read_text(ISection *outline, char *const *titles, BSTR *text)
{
    ISection *section = outline;
    HRESULT hr = S_OK;

    ISection_AddRef(section);
    for (; *titles && SUCCEEDED(hr); titles++) {
        ISection *next;

        hr = promise_section(section, *titles, &next);
        if (SUCCEEDED(hr)) {
            ISection_Release(section);
            section = next;
        }
    }
    if (SUCCEEDED(hr))
        hr = ISection_get_Text(section, text);
    ISection_Release(section);
    return hr;
}

static int print_text(const char *class_name, char *const *titles)
{
    ISection *outline;
    BSTR text;
    HRESULT hr = via_create_instance(class_name, &IID_ISection, (void **)&outline);

    if (FAILED(hr))
        return fail(class_name, hr);
    hr = read_text(outline, titles, &text);
    ISection_Release(outline);
    if (FAILED(hr))
        return fail("text", hr);
    for (UINT i = 0; i < SysStringLen(text); i++)
        putchar(text[i]);
    putchar('\n');
    SysFreeString(text);
    return 0;
}

/* --- late binding --- */

static HRESULT print_tree(IUnknown *section, int depth)
{
    struct via_value titles;
    char *title;
    HRESULT hr = via_get(section, "Title", &title);

    if (FAILED(hr))
        return hr;
    printf("%*s%s\n", 2 * depth, "", title);
    via_value_free_text(title);
    hr = via_get(section, "Titles", &titles);
    for (uint32_t i = 0; SUCCEEDED(hr) && i < titles.n; i++) {
        IUnknown *part;

        hr = via_invoke(section, "Find", titles.as.items[i], &part);
        if (SUCCEEDED(hr)) {
            hr = print_tree(part, depth + 1);
            IUnknown_Release(part);
        }
    }
    via_value_clear(&titles);
    return hr;
}

static int print_titles(const char *class_name)
{
    IUnknown *outline;
    HRESULT hr = via_create_instance(class_name, &IID_IUnknown, (void **)&outline);

    if (FAILED(hr))
        return fail(class_name, hr);
    hr = print_tree(outline, 0);
    IUnknown_Release(outline);
    return FAILED(hr) ? fail("tree", hr) : 0;
}

int main(int argc, char **argv)
{
    bool is_text = argc > 3 && strcmp(argv[1], "text") == 0;
    HRESULT hr;
    int status;

    if (!is_text && (argc != 3 || strcmp(argv[1], "tree") != 0)) {
        fprintf(stderr, "Usage: viaduct-outline text CLASS TITLE...\n"
                        "       viaduct-outline tree CLASS\n");
        return 2;
    }
    hr = via_initialize(NULL);
    if (SUCCEEDED(hr) && is_text)
        hr = via_register_typelib(&outline_typelib);
    if (FAILED(hr))
        return fail("starting", hr);
    status = is_text ? print_text(argv[2], argv + 3) : print_titles(argv[2]);
    via_uninitialize();
    return status;
}
