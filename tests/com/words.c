#include "words.h"

#include <stdlib.h>
#include <string.h>

/* --- lines --- */

/* "Name/2=" in front of a value; the number is for scripts, which have no names. */
static char *skip_name(char *at, struct word *word)
{
    size_t length = strcspn(at, "/ \"\n");
    char *end = at + length;
    if (at[length] != '/' || length == 0 || end[1] < '1' || end[1] > '9' || end[2] != '=')
        return at;
    *end = 0;
    word->name = at;
    return end + 3;
}

static char *take(char *at, struct word *word)
{
    at = skip_name(at, word);
    switch (*at) {
    case '"':
        word->kind = WORD_TEXT;
        break;
    case '[':
        word->kind = WORD_LIST;
        break;
    case '&':
        word->kind = WORD_VARIABLE;
        break;
    case '-':
        word->kind = at[1] == ' ' || at[1] == '\n' || at[1] == 0 ? WORD_OMITTED : WORD_PLAIN;
        break;
    default:
        word->kind = WORD_PLAIN;
    }
    if (word->kind == WORD_TEXT || word->kind == WORD_LIST || word->kind == WORD_VARIABLE)
        at++;
    word->text = at;
    at += strcspn(at, word->kind == WORD_TEXT ? "\"" : word->kind == WORD_LIST ? "]" : " \n");
    if (*at != 0)
        *at++ = 0;
    return at + strspn(at, " ");
}

unsigned words_split(char *line, struct word *words)
{
    unsigned n = 0;
    char *at = line + strspn(line, " ");
    for (; *at != 0 && *at != '\n' && n < MAX_WORDS; n++) {
        words[n].name = NULL;
        at = take(at, &words[n]);
    }
    return n;
}

/* --- values --- */

static BSTR bstr(const char *text, size_t length)
{
    BSTR copy = SysAllocStringLen(NULL, (UINT)length);
    for (size_t i = 0; copy != NULL && i < length; i++)
        copy[i] = (unsigned char)text[i];
    return copy;
}

BSTR word_bstr(const char *text)
{
    return bstr(text, strlen(text));
}

/* A number, true or false; anything else is a text. */
static void set_plain(const char *text, size_t length, VARIANT *value)
{
    char copy[64];
    char *end;
    size_t n = length < sizeof copy ? length : sizeof copy - 1;
    memcpy(copy, text, n);
    copy[n] = 0;
    if (strcmp(copy, "true") == 0 || strcmp(copy, "false") == 0) {
        V_VT(value) = VT_BOOL;
        V_BOOL(value) = copy[0] == 't' ? VARIANT_TRUE : VARIANT_FALSE;
        return;
    }
    V_VT(value) = VT_I4;
    V_I4(value) = (LONG)strtol(copy, &end, 0);
    if (*end == 0 && end != copy)
        return;
    V_VT(value) = VT_R8;
    V_R8(value) = strtod(copy, &end);
    if (*end == 0 && end != copy)
        return;
    V_VT(value) = VT_BSTR;
    V_BSTR(value) = bstr(text, length);
}

static void set_list(const char *text, VARIANT *value)
{
    ULONG n = *text != 0;
    for (const char *at = text; *at != 0; at++)
        n += *at == ',';
    SAFEARRAY *array = SafeArrayCreateVector(VT_VARIANT, 0, n);
    VARIANT *elements = array != NULL ? array->pvData : NULL;
    for (ULONG i = 0; elements != NULL && i < n; i++) {
        size_t length = strcspn(text, ",");
        set_plain(text, length, &elements[i]);
        text += length + 1;
    }
    V_VT(value) = VT_ARRAY | VT_VARIANT;
    V_ARRAY(value) = array;
}

void word_to_variant(const struct word *word, IUnknown *object, VARIANT *value)
{
    IDispatch *dispatch = NULL;
    VariantInit(value);
    switch (word->kind) {
    case WORD_TEXT:
        V_VT(value) = VT_BSTR;
        V_BSTR(value) = bstr(word->text, strlen(word->text));
        break;
    case WORD_LIST:
        set_list(word->text, value);
        break;
    case WORD_OMITTED:
        V_VT(value) = VT_ERROR;
        V_ERROR(value) = DISP_E_PARAMNOTFOUND;
        break;
    case WORD_VARIABLE:
        if (*word->text != 0)
            set_plain(word->text, strlen(word->text), value);
        break;
    case WORD_PLAIN:
        if (object == NULL) {
            set_plain(word->text, strlen(word->text), value);
        } else if (SUCCEEDED(via_get_dispatch(object, &dispatch))) {
            V_VT(value) = VT_DISPATCH;
            V_DISPATCH(value) = dispatch;
        }
    }
}

static struct via_argument plain_argument(const struct word *word, IUnknown *object)
{
    VARIANT value;
    if (object != NULL)
        return via_argument_object(object);
    word_to_variant(word, NULL, &value);
    switch (V_VT(&value)) {
    case VT_BOOL:
        return via_argument_boolean(V_BOOL(&value) != VARIANT_FALSE);
    case VT_I4:
        return via_argument_i64(V_I4(&value));
    case VT_R8:
        return via_argument_f64(V_R8(&value));
    default:
        VariantClear(&value);
        return via_argument_text(word->text);
    }
}

struct via_argument word_to_argument(const struct word *word, IUnknown *object, VARIANT *variant)
{
    struct via_argument argument;
    VariantInit(variant);
    if (word->kind == WORD_PLAIN) {
        argument = plain_argument(word, object);
    } else if (word->kind == WORD_TEXT) {
        argument = via_argument_text(word->text);
    } else {
        word_to_variant(word, NULL, variant);
        argument = word->kind == WORD_VARIABLE ? via_result_variant(variant)
                                               : via_argument_variant(*variant);
    }
    argument.name = word->name;
    return argument;
}
