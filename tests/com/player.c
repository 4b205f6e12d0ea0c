/*
 * Plays a scenario (scenario.txt says what that is) with late-bound calls, and writes a line for
 * each step. A script that is made of the same scenario writes the same lines in cscript.
 *
 *     com_player HOST SCENARIO
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/enumerators.h>
#include <viaduct/late.h>
#include <viaduct/runtime.h>

#define MAX_WORDS   24
#define MAX_LINE    1024
#define MAX_OBJECTS 64

/* A word of a line; texts without their quotes. */
struct word {
    char *text;
    bool is_text;
};

static struct {
    const char *host;
    unsigned n;
    struct {
        char name[32];
        IUnknown *object;
    } objects[MAX_OBJECTS];
} the_player;

/* --- lines --- */

static unsigned split(char *line, struct word *words)
{
    unsigned n = 0;
    for (char *at = line + strspn(line, " "); *at != 0 && *at != '\n' && n < MAX_WORDS; n++) {
        words[n].is_text = *at == '"';
        if (words[n].is_text)
            at++;
        words[n].text = at;
        at += strcspn(at, words[n].is_text ? "\"" : " \n");
        if (*at != 0)
            *at++ = 0;
        at += strspn(at, " ");
    }
    return n;
}

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

static struct via_argument argument(const struct word *word)
{
    char *end;
    IUnknown **object = word->is_text ? NULL : find(word->text);
    if (word->is_text)
        return via_argument_text(word->text);
    if (object != NULL)
        return via_argument_object(*object);
    if (strcmp(word->text, "true") == 0 || strcmp(word->text, "false") == 0)
        return via_argument_boolean(word->text[0] == 't');
    long long number = strtoll(word->text, &end, 0);
    return *end == 0 ? via_argument_i64(number) : via_argument_f64(strtod(word->text, NULL));
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

static void print_array(SAFEARRAY *array)
{
    VARIANT *elements;
    LONG low, high;
    if (FAILED(SafeArrayGetLBound(array, 1, &low)) || FAILED(SafeArrayGetUBound(array, 1, &high)) ||
        FAILED(SafeArrayAccessData(array, (void **)&elements)))
        return;
    for (LONG i = low; i <= high; i++) {
        printf("%s", i > low ? "," : "");
        print_variant(&elements[i - low]);
    }
    SafeArrayUnaccessData(array);
}

static void print_result(VARIANT *value)
{
    if ((V_VT(value) & (VT_ARRAY | VT_VARIANT)) == (VT_ARRAY | VT_VARIANT))
        print_array(V_ARRAY(value));
    else
        print_variant(value);
}

/* --- steps --- */

/* What the words from `first` on say to call; its result, if it is asked for. */
static HRESULT invoke(const struct word *words, unsigned n, uint32_t form, VARIANT *result)
{
    struct via_argument list[MAX_WORDS + 2];
    IUnknown **object = find(words[0].text);
    size_t n_list = 0;
    if (object == NULL || *object == NULL)
        return E_POINTER;
    list[n_list++] = via_argument_text(words[1].text);
    for (unsigned i = 2; i < n; i++)
        list[n_list++] = argument(&words[i]);
    if (result != NULL)
        list[n_list++] = via_result_variant(result);
    return via_invoke_list(*object, form, list, n_list);
}

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
    HRESULT hr = invoke(words + 1, n - 1, VIA_LATE_CALL, &value);
    bool is_object = SUCCEEDED(hr) && (V_VT(&value) == VT_DISPATCH || V_VT(&value) == VT_UNKNOWN);
    if (is_object && V_UNKNOWN(&value) != NULL) {
        keep(words[0].text, V_UNKNOWN(&value));
        return S_OK;
    }
    VariantClear(&value);
    return FAILED(hr) ? hr : E_POINTER;
}

static HRESULT print_each(const struct word *words)
{
    VARIANT value;
    IEnumVARIANT *items = NULL;
    const struct word all[] = {words[0], {.text = "_NewEnum"}};
    VariantInit(&value);
    HRESULT hr = invoke(all, 2, VIA_LATE_GET, &value);
    if (SUCCEEDED(hr) && (V_VT(&value) == VT_UNKNOWN || V_VT(&value) == VT_DISPATCH))
        hr = IUnknown_QueryInterface(V_UNKNOWN(&value), &IID_IEnumVARIANT, (void **)&items);
    VariantClear(&value);
    if (FAILED(hr) || items == NULL)
        return FAILED(hr) ? hr : E_NOINTERFACE;
    for (unsigned n = 0; IEnumVARIANT_Next(items, 1, &value, NULL) == S_OK; n++) {
        printf("%s", n > 0 ? "," : "");
        print_variant(&value);
        VariantClear(&value);
    }
    IEnumVARIANT_Release(items);
    return S_OK;
}

static HRESULT play(const struct word *words, unsigned n)
{
    VARIANT value;
    const char *verb = words[0].text;
    VariantInit(&value);
    if (strcmp(verb, "new") == 0)
        return create(words[1].text, words[2].text);
    if (strcmp(verb, "set") == 0)
        return set(words + 1, n - 1);
    if (strcmp(verb, "each") == 0)
        return print_each(words + 1);
    if (strcmp(verb, "put") == 0)
        return invoke(words + 1, n - 1, VIA_LATE_PUT, NULL);
    if (strcmp(verb, "do") == 0)
        return invoke(words + 1, n - 1, VIA_LATE_CALL, NULL);
    HRESULT hr = invoke(words + 1, n - 1, VIA_LATE_CALL, &value);
    if (SUCCEEDED(hr))
        print_result(&value);
    VariantClear(&value);
    return hr;
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
        unsigned n = split(line, words);
        if (n == 0 || words[0].text[0] == '#')
            continue;
        printf("%u: ", number);
        HRESULT hr = play(words, n);
        if (FAILED(hr))
            printf("error %08X", (unsigned)hr);
        printf("\n");
    }
    fclose(file);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "com_player HOST SCENARIO\n");
        return 2;
    }
    if (FAILED(via_initialize(NULL)))
        return 1;
    the_player.host = argv[1];
    int code = play_file(argv[2]);
    for (unsigned i = 0; i < the_player.n; i++)
        IUnknown_Release(the_player.objects[i].object);
    via_uninitialize();
    return code;
}
