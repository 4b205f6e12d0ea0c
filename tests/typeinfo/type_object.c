#include "tests/typeinfo/type_object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/implement.h>
#include <viaduct/runtime.h>

#include "tests/harness/harness.h"
#include "type_base.h"

/* A state that tests of one thread change. */
struct state {
    char title[64];
    double item;
    IUnknown *other; /* a reference, or NULL */
};

static void set_i64(struct via_value *value, int64_t number)
{
    value->kind = VIA_VALUE_I64;
    value->as.i64 = number;
}

static HRESULT fail(HRESULT code, const char *text)
{
    ICreateErrorInfo *create = NULL;
    IErrorInfo *info = NULL;
    WCHAR wide[64] = {0};
    for (size_t i = 0; text[i] != 0 && i < 63; i++)
        wide[i] = (WCHAR)text[i];
    if (FAILED(CreateErrorInfo(&create)))
        return code;
    ICreateErrorInfo_SetDescription(create, wide);
    ICreateErrorInfo_QueryInterface(create, &IID_IErrorInfo, (void **)&info);
    SetErrorInfo(0, info);
    IErrorInfo_Release(info);
    ICreateErrorInfo_Release(create);
    return code;
}

static HRESULT echo(const struct via_value *in, struct via_value *out)
{
    char *text = NULL;
    HRESULT hr = via_value_to_json(in, 0, &text);
    if (SUCCEEDED(hr))
        hr = via_value_from_json(text, out);
    via_value_free_text(text);
    return hr;
}

/* All arguments as one text. */
static HRESULT kinds(const struct via_value *in, struct via_value *out)
{
    char *text = NULL;
    HRESULT hr = via_value_to_json(in, 0, &text);
    if (SUCCEEDED(hr))
        hr = via_value_set_string(out, text, strlen(text));
    via_value_free_text(text);
    return hr;
}

static HRESULT divide(int64_t a, int64_t b, struct via_value *out)
{
    if (b == 0)
        return fail(E_INVALIDARG, "division by zero");
    set_i64(&out[0], a % b);
    set_i64(&out[1], a / b);
    return S_OK;
}

static void set_other(struct state *self, IUnknown *other)
{
    if (other != NULL)
        IUnknown_AddRef(other);
    if (self->other != NULL)
        IUnknown_Release(self->other);
    self->other = other;
}

static HRESULT answer_property(struct state *self, const char *method, const struct via_value *in,
                               struct via_value *out)
{
    if (!strcmp(method, "get_Title"))
        return via_value_set_string(out, self->title, strlen(self->title));
    if (!strcmp(method, "put_Title"))
        snprintf(self->title, sizeof self->title, "%s",
                 in->kind == VIA_VALUE_STRING ? in->as.string : "");
    else if (!strcmp(method, "get_Item"))
        *out =
            (struct via_value){.kind = VIA_VALUE_F64,
                               .as.f64 = self->item + (double)(in[0].as.i64 * 10 + in[1].as.i64)};
    else if (!strcmp(method, "put_Item"))
        self->item = in[2].as.f64;
    else if (!strcmp(method, "get_Friend"))
        via_value_set_object(out, self->other);
    else if (!strcmp(method, "putref_Friend"))
        set_other(self, in->kind == VIA_VALUE_OBJECT ? in->as.object : NULL);
    else
        return E_UNEXPECTED;
    return S_OK;
}

static HRESULT answer(void *context, const char *method, const struct via_value *arguments,
                      struct via_value *results)
{
    const struct via_value *in = arguments->as.items;
    struct via_value *out = results->as.items;
    if (!strcmp(method, "Add") || !strcmp(method, "Sum"))
        set_i64(out, in[0].as.i64 + in[1].as.i64);
    else if (!strcmp(method, "Echo"))
        return echo(in, out);
    else if (!strcmp(method, "Divide"))
        return divide(in[0].as.i64, in[1].as.i64, out);
    else if (!strcmp(method, "Kinds"))
        return kinds(arguments, out);
    else if (!strcmp(method, "Fail"))
        return fail((HRESULT)in[0].as.i64, in[1].kind == VIA_VALUE_STRING ? in[1].as.string : "");
    else if (!strcmp(method, "Grow") || !strcmp(method, "More"))
        set_i64(out, in[0].as.i64 + 1);
    else if (!strcmp(method, "Many"))
        set_i64(out, in[0].n);
    else if (!strcmp(method, "Pick"))
        return via_value_set_string(out, "TYPE_GREEN", 10);
    else if (strcmp(method, "Nothing") != 0 && strcmp(method, "Quiet") != 0)
        return answer_property(context, method, in, out);
    return S_OK;
}

static void release(void *context)
{
    set_other(context, NULL);
    free(context);
}

ITypeMore *type_object_new(void)
{
    ITypeMore *object = NULL;
    struct state *state = calloc(1, sizeof *state);
    if (state == NULL || !CHECK_OK(via_register_typelib(&type_base_typelib)) ||
        !CHECK_OK(via_register_typelib(&type_test_typelib)) ||
        !CHECK_OK(via_implement(&IID_ITypeMore, NULL, answer, state, release, (void **)&object)))
        free(state);
    return object;
}
