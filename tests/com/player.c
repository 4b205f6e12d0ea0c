/*
 * Plays a scenario (scenario.txt says what that is) with late-bound calls, and writes a line for
 * each step. A script that is made of the same scenario writes the same lines in cscript.
 *
 *     com_player HOST SCENARIO [dispatch]
 *
 * Calls are made by via_invoke_list(), with C's types; or, as scripts make them, by each object's
 * IDispatch.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/enumerators.h>
#include <viaduct/late.h>
#include <viaduct/runtime.h>

#include "words.h"

#define MAX_LINE     1024
#define MAX_OBJECTS  64
#define MAX_FAILURE  512
#define LOCALE       0x0400 /* the user's */
#define DEFAULT_NAME "."    /* the member that an object itself stands for */

static const GUID no_iid;

static struct {
    const char *host;
    bool by_dispatch;
    char failure[MAX_FAILURE]; /* what the last one said of itself */
    unsigned n;
    struct {
        char name[32];
        IUnknown *object;
    } objects[MAX_OBJECTS];
} the_player;

/* --- objects --- */

static IUnknown **find(const char *name)
{
    for (unsigned i = 0; i < the_player.n; i++)
        if (strcmp(the_player.objects[i].name, name) == 0)
            return &the_player.objects[i].object;
    return NULL;
}

static void keep(const char *name, IUnknown *object)
{
    IUnknown **place = find(name);
    if (place == NULL && the_player.n < MAX_OBJECTS) {
        snprintf(the_player.objects[the_player.n].name, sizeof the_player.objects[0].name, "%s",
                 name);
        place = &the_player.objects[the_player.n++].object;
        *place = NULL;
    }
    if (place == NULL)
        abort();
    if (*place != NULL)
        IUnknown_Release(*place);
    *place = object;
}

static IUnknown *named_by(const struct word *word)
{
    IUnknown **place = word->kind == WORD_PLAIN ? find(word->text) : NULL;
    return place != NULL ? *place : NULL;
}

/* --- results --- */

static void print_bstr(BSTR text)
{
    for (UINT i = 0; i < SysStringLen(text); i++)
        if (text[i] == 0)
            return; /* where cscript stops, too */
        else if (text[i] == '\n' || text[i] == '\r')
            printf("|");
        else
            printf("%c", text[i] < 128 ? (char)text[i] : '?');
}

static void print_variant(VARIANT *value)
{
    VARIANT text;
    VariantInit(&text);
    if (V_VT(value) == VT_BOOL)
        printf("%s", V_BOOL(value) ? "true" : "false");
    else if (V_VT(value) == VT_EMPTY || V_VT(value) == VT_NULL)
        printf("%s", V_VT(value) == VT_EMPTY ? "empty" : "null");
    else if (V_VT(value) == VT_DISPATCH || V_VT(value) == VT_UNKNOWN)
        printf("%s", V_UNKNOWN(value) != NULL ? "object" : "nothing");
    else if (V_VT(value) & VT_ARRAY)
        printf("array");
    else if (SUCCEEDED(VariantChangeType(&text, value, 0, VT_BSTR)))
        print_bstr(V_BSTR(&text));
    else
        printf("type %u", V_VT(value));
    VariantClear(&text);
}

static void print_array(SAFEARRAY *array, bool of_variants)
{
    LONG low = 0;
    LONG high = -1;
    SafeArrayGetLBound(array, 1, &low);
    SafeArrayGetUBound(array, 1, &high);
    if (!of_variants)
        printf("array to %d", (int)high); /* whose elements scripts cannot read */
    for (LONG i = low; i <= high && of_variants; i++) {
        VARIANT element;
        VariantInit(&element);
        if (FAILED(SafeArrayGetElement(array, &i, &element)))
            break;
        printf("%s", i > low ? "," : "");
        print_variant(&element);
        VariantClear(&element);
    }
}

static void print_result(VARIANT *value)
{
    if (V_VT(value) & VT_ARRAY)
        print_array(V_ARRAY(value), (V_VT(value) & VT_TYPEMASK) == VT_VARIANT);
    else
        print_variant(value);
}

/* Scripts have numbers of their own for some failures. */
static unsigned script_number(HRESULT hr)
{
    switch (hr) {
    case DISP_E_BADPARAMCOUNT:
        return 0x800A01C2;
    case E_INVALIDARG:
        return 0x800A0005;
    default:
        return (unsigned)hr;
    }
}

/* --- calls --- */

static char *text_of(BSTR text)
{
    UINT n = SysStringLen(text);
    char *copy = calloc(n + 1, 1);
    for (UINT i = 0; copy != NULL && i < n; i++)
        copy[i] = text[i] == '\n' || text[i] == '\r' ? '|' : text[i] < 128 ? (char)text[i] : '?';
    return copy;
}

static void note_failure(BSTR source, BSTR description, BSTR file, DWORD context)
{
    char *from = text_of(source);
    char *what = text_of(description);
    char *help = text_of(file);
    snprintf(the_player.failure, sizeof the_player.failure, "%s: %s (%s, %u)", from, what, help,
             (unsigned)context);
    free(from);
    free(what);
    free(help);
}

static void note_error_info(void)
{
    IErrorInfo *info = NULL;
    BSTR source = NULL;
    BSTR description = NULL;
    BSTR file = NULL;
    DWORD context = 0;
    if (GetErrorInfo(0, &info) != S_OK)
        return;
    IErrorInfo_GetSource(info, &source);
    IErrorInfo_GetDescription(info, &description);
    IErrorInfo_GetHelpFile(info, &file);
    IErrorInfo_GetHelpContext(info, &context);
    note_failure(source, description, file, context);
    SysFreeString(source);
    SysFreeString(description);
    SysFreeString(file);
    IErrorInfo_Release(info);
}

/* A call in either form: its member, and its arguments, which are the words' values. */
struct invocation {
    IUnknown *object;
    const struct word *member;
    const struct word *words;
    unsigned n;
    uint32_t form;
    VARIANT values[MAX_WORDS]; /* of variables, also what they hold in the end */
};

static HRESULT invoke_list(struct invocation *self, VARIANT *result)
{
    struct via_argument list[MAX_WORDS + 2];
    size_t n = 0;
    list[n++] = via_argument_text(self->member->text);
    for (unsigned i = 0; i < self->n; i++)
        list[n++] = word_to_argument(&self->words[i], named_by(&self->words[i]), &self->values[i]);
    if (result != NULL)
        list[n++] = via_result_variant(result);
    HRESULT hr = via_invoke_list(self->object, self->form, list, n);
    if (FAILED(hr))
        note_error_info();
    return hr;
}

/* The member's id, and those of the parameters that are named, in the order of the words. */
static HRESULT get_ids(IDispatch *dispatch, const struct invocation *self, DISPID *ids, UINT *n)
{
    BSTR names[MAX_WORDS + 1] = {0};
    HRESULT hr = S_OK;
    *n = 0;
    if (strcmp(self->member->text, DEFAULT_NAME) == 0) {
        ids[0] = DISPID_VALUE;
        return S_OK;
    }
    names[(*n)++] = word_bstr(self->member->text);
    for (unsigned i = 0; i < self->n; i++)
        if (self->words[i].name != NULL)
            names[(*n)++] = word_bstr(self->words[i].name);
    hr = IDispatch_GetIDsOfNames(dispatch, (REFIID)&no_iid, names, *n, 0, ids);
    for (UINT i = 0; i < *n; i++)
        SysFreeString(names[i]);
    (*n)--;
    return hr;
}

/* Backwards, as IDispatch has them, with those that have names in front; the value of a property
 * has one. */
static void order(struct invocation *self, VARIANT *arguments)
{
    UINT named = 0;
    UINT other = self->n;
    for (unsigned i = 0; i < self->n; i++) {
        const struct word *word = &self->words[i];
        VARIANT *at = word->name != NULL ? &arguments[named++] : &arguments[--other];
        word_to_variant(word, named_by(word), &self->values[i]);
        *at = self->values[i];
        if (word->kind == WORD_VARIABLE) {
            V_VT(at) = VT_BYREF | VT_VARIANT;
            V_VARIANTREF(at) = &self->values[i];
        }
    }
}

static HRESULT invoke_dispatch(struct invocation *self, VARIANT *result)
{
    static const WORD forms[] = {DISPATCH_METHOD | DISPATCH_PROPERTYGET, DISPATCH_PROPERTYGET,
                                 DISPATCH_PROPERTYPUT};
    VARIANT arguments[MAX_WORDS];
    DISPID ids[MAX_WORDS + 1];
    EXCEPINFO exception = {0};
    IDispatch *dispatch;
    UINT n_named = 0;
    HRESULT hr = via_get_dispatch(self->object, &dispatch);
    if (FAILED(hr))
        return hr;
    hr = get_ids(dispatch, self, ids, &n_named);
    order(self, arguments);
    DISPPARAMS params = {.rgvarg = arguments, .cArgs = self->n};
    if (self->form == VIA_LATE_PUT) {
        ids[1] = DISPID_PROPERTYPUT;
        n_named = 1;
    }
    params.rgdispidNamedArgs = ids + 1;
    params.cNamedArgs = n_named;
    bool is_set = self->form == VIA_LATE_PUT && V_VT(&arguments[0]) == VT_DISPATCH;
    if (SUCCEEDED(hr))
        hr = IDispatch_Invoke(dispatch, ids[0], (REFIID)&no_iid, LOCALE,
                              is_set ? DISPATCH_PROPERTYPUTREF : forms[self->form], &params, result,
                              &exception, NULL);
    IDispatch_Release(dispatch);
    if (hr == DISP_E_EXCEPTION) {
        note_failure(exception.bstrSource, exception.bstrDescription, exception.bstrHelpFile,
                     exception.dwHelpContext);
        hr = exception.wCode != 0 ? (HRESULT)(0x800A0000u | exception.wCode) : exception.scode;
    }
    SysFreeString(exception.bstrSource);
    SysFreeString(exception.bstrDescription);
    SysFreeString(exception.bstrHelpFile);
    return hr;
}

/* What the words say to call: target, member, arguments. Its result, if it is asked for. */
static HRESULT invoke(struct invocation *self, const struct word *words, unsigned n, uint32_t form,
                      VARIANT *result)
{
    memset(self, 0, sizeof *self);
    if (n < 2 || named_by(&words[0]) == NULL)
        return E_POINTER;
    self->object = named_by(&words[0]);
    self->member = &words[1];
    self->words = words + 2;
    self->n = n - 2;
    self->form = form;
    strcpy(the_player.failure, "nothing");
    bool by_dispatch = the_player.by_dispatch || strcmp(words[1].text, DEFAULT_NAME) == 0;
    return by_dispatch ? invoke_dispatch(self, result) : invoke_list(self, result);
}

static void invocation_deinit(struct invocation *self)
{
    for (unsigned i = 0; i < self->n; i++)
        VariantClear(&self->values[i]);
}

static HRESULT call(const struct word *words, unsigned n, uint32_t form, VARIANT *result)
{
    struct invocation invocation;
    HRESULT hr = invoke(&invocation, words, n, form, result);
    invocation_deinit(&invocation);
    return hr;
}

/* --- steps --- */

static HRESULT create(const char *name, const char *progid)
{
    char class[256];
    IUnknown *object = NULL;
    snprintf(class, sizeof class, "%s@%s", progid, the_player.host);
    HRESULT hr = via_create_instance(class, &IID_IUnknown, (void **)&object);
    if (SUCCEEDED(hr))
        keep(name, object);
    return hr;
}

static HRESULT set(const struct word *words, unsigned n)
{
    VARIANT value;
    VariantInit(&value);
    HRESULT hr = call(words + 1, n - 1, VIA_LATE_CALL, &value);
    if (FAILED(hr))
        return hr;
    bool is_object = V_VT(&value) == VT_DISPATCH || V_VT(&value) == VT_UNKNOWN;
    if (is_object && V_UNKNOWN(&value) != NULL) {
        keep(words[0].text, V_UNKNOWN(&value));
        return S_OK;
    }
    VariantClear(&value);
    return is_object ? S_OK : E_POINTER;
}

static HRESULT get_enumerator(const struct word *target, IEnumVARIANT **items)
{
    VARIANT value;
    const struct word all[] = {*target, {.text = "_NewEnum"}};
    VariantInit(&value);
    HRESULT hr = call(all, 2, VIA_LATE_CALL, &value);
    if (SUCCEEDED(hr) && (V_VT(&value) == VT_UNKNOWN || V_VT(&value) == VT_DISPATCH))
        hr = IUnknown_QueryInterface(V_UNKNOWN(&value), &IID_IEnumVARIANT, (void **)items);
    VariantClear(&value);
    return SUCCEEDED(hr) && *items == NULL ? E_NOINTERFACE : hr;
}

/* An item, or what a member of it gives. */
static HRESULT print_item(VARIANT *item, const struct word *member)
{
    VARIANT value;
    const struct word words[] = {{.text = "item of a collection"}, *member};
    bool is_object = V_VT(item) == VT_DISPATCH || V_VT(item) == VT_UNKNOWN;
    if (!is_object || V_UNKNOWN(item) == NULL)
        return E_POINTER;
    IUnknown_AddRef(V_UNKNOWN(item));
    keep(words[0].text, V_UNKNOWN(item));
    VariantInit(&value);
    HRESULT hr = call(words, 2, VIA_LATE_CALL, &value);
    if (SUCCEEDED(hr))
        print_variant(&value);
    VariantClear(&value);
    return hr;
}

static HRESULT print_each(const struct word *words, unsigned n_words)
{
    VARIANT value;
    IEnumVARIANT *items = NULL;
    HRESULT hr = get_enumerator(&words[0], &items);
    VariantInit(&value);
    for (unsigned n = 0; SUCCEEDED(hr) && IEnumVARIANT_Next(items, 1, &value, NULL) == S_OK; n++) {
        printf("%s", n > 0 ? "," : "");
        if (n_words > 1)
            hr = print_item(&value, &words[1]);
        else
            print_variant(&value);
        VariantClear(&value);
    }
    if (items != NULL)
        IEnumVARIANT_Release(items);
    return hr;
}

/* What the method leaves in its variables. */
static HRESULT print_variables(const struct word *words, unsigned n)
{
    struct invocation invocation;
    unsigned n_printed = 0;
    HRESULT hr = invoke(&invocation, words, n, VIA_LATE_CALL, NULL);
    for (unsigned i = 0; SUCCEEDED(hr) && i < invocation.n; i++) {
        if (invocation.words[i].kind != WORD_VARIABLE)
            continue;
        printf("%s", n_printed++ > 0 ? "," : "");
        print_result(&invocation.values[i]);
    }
    invocation_deinit(&invocation);
    return hr;
}

static HRESULT print_call(const struct word *words, unsigned n)
{
    VARIANT value;
    VariantInit(&value);
    HRESULT hr = call(words, n, VIA_LATE_CALL, &value);
    if (SUCCEEDED(hr))
        print_result(&value);
    VariantClear(&value);
    return hr;
}

static HRESULT play(const struct word *words, unsigned n)
{
    const char *verb = words[0].text;
    if (strcmp(verb, "new") == 0)
        return create(words[1].text, words[2].text);
    if (strcmp(verb, "set") == 0)
        return set(words + 1, n - 1);
    if (strcmp(verb, "each") == 0)
        return print_each(words + 1, n - 1);
    if (strcmp(verb, "out") == 0)
        return print_variables(words + 1, n - 1);
    if (strcmp(verb, "put") == 0)
        return call(words + 1, n - 1, VIA_LATE_PUT, NULL);
    if (strcmp(verb, "do") == 0)
        return call(words + 1, n - 1, VIA_LATE_CALL, NULL);
    if (strcmp(verb, "get") == 0)
        return print_call(words + 1, n - 1);
    printf("%s", strcmp(verb, "why") == 0 ? the_player.failure : "what?");
    return S_OK;
}

static int play_file(const char *path)
{
    char line[MAX_LINE];
    struct word words[MAX_WORDS];
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    for (unsigned number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        unsigned n = words_split(line, words);
        if (n == 0 || words[0].text[0] == '#')
            continue;
        printf("%u: ", number);
        HRESULT hr = play(words, n);
        if (FAILED(hr))
            printf("error %08X", script_number(hr));
        printf("\n");
    }
    fclose(file);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "com_player HOST SCENARIO [dispatch]\n");
        return 2;
    }
    if (FAILED(via_initialize(NULL)))
        return 1;
    the_player.host = argv[1];
    the_player.by_dispatch = argc > 3;
    int code = play_file(argv[2]);
    for (unsigned i = 0; i < the_player.n; i++)
        IUnknown_Release(the_player.objects[i].object);
    via_uninitialize();
    return code;
}
