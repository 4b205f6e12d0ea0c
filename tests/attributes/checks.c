#include "tests/attributes/checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/enumerators.h>
#include <viaduct/events.h>
#include <viaduct/late.h>
#include <viaduct/runtime.h>

#include "attributes.h"
#include "core/os/clock.h"
#include "tests/attributes/object.h"

static char failure[400];
static const GUID none = {0};

const char *attribute_check_failure(void)
{
    return failure;
}

static bool failed(int line, const char *what)
{
    char text[200];
    snprintf(failure, sizeof failure, "line %d: %s (%s)", line, what,
             via_error_message(S_OK, text, sizeof text));
    return false;
}

/* Ends the function that has `ok`. */
#define EXPECT(condition)                      \
    do {                                       \
        if (!(condition)) {                    \
            ok = failed(__LINE__, #condition); \
            goto end;                          \
        }                                      \
    } while (0)

static bool is_text(BSTR text, const WCHAR *expected)
{
    size_t n = 0;
    while (expected[n])
        n++;
    return text != NULL && SysStringLen(text) == n && !memcmp(text, expected, n * sizeof(WCHAR));
}

static IAttributes *typed(IUnknown *object)
{
    IAttributes *result = NULL;
    IUnknown_QueryInterface(object, &IID_IAttributes, (void **)&result);
    return result;
}

/* Arguments in order, as they are written; at most four. */
static HRESULT invoke(IDispatch *dispatch, DISPID id, WORD form, const VARIANT *arguments, UINT n,
                      VARIANT *result)
{
    VARIANT reversed[4];
    DISPID put = DISPID_PROPERTYPUT;
    bool is_put = form & (DISPATCH_PROPERTYPUT | DISPATCH_PROPERTYPUTREF);
    DISPPARAMS params = {.rgvarg = reversed,
                         .cArgs = n,
                         .rgdispidNamedArgs = is_put ? &put : NULL,
                         .cNamedArgs = is_put};
    for (UINT i = 0; i < n; i++)
        reversed[n - 1 - i] = arguments[i];
    return IDispatch_Invoke(dispatch, id, (REFIID)&none, 0, form, &params, result, NULL, NULL);
}

static VARIANT i4(LONG number)
{
    VARIANT variant;
    VariantInit(&variant);
    V_VT(&variant) = VT_I4;
    V_I4(&variant) = number;
    return variant;
}

static VARIANT marker(void)
{
    VARIANT variant;
    VariantInit(&variant);
    V_VT(&variant) = VT_ERROR;
    V_ERROR(&variant) = DISP_E_PARAMNOTFOUND;
    return variant;
}

/* --- [optional] --- */

static bool optional_typed(IUnknown *object)
{
    IAttributes *itf = typed(object);
    VARIANT missing = marker();
    LONG also = 0, bits = 0;
    bool ok = true;
    EXPECT(itf != NULL);
    EXPECT(IAttributes_Missing(itf, missing, &missing, i4(7), NULL, NULL, NULL, &also, &bits) ==
           S_OK);
    EXPECT(bits == 0x3F && also == 5);
end:
    if (itf != NULL)
        IAttributes_Release(itf);
    return ok;
}

static bool optional_by_name(IUnknown *object)
{
    int32_t bits = 0, also = 0;
    bool ok = true;
    EXPECT(via_invoke(object, "Missing", via_named("bits", &bits)) == S_OK);
    EXPECT(bits == 0x3F);
    EXPECT(via_invoke(object, "Missing", 1, via_named("fourth", "x"), via_named("also", &also),
                      via_named("bits", &bits)) == S_OK);
    EXPECT(bits == (0x3F & ~1 & ~8) && also == 5);
    EXPECT(via_invoke(object, "Missing", 1, 2, 3, "x", NULL, NULL, 4, &also, &bits) ==
           DISP_E_BADPARAMCOUNT);
end:
    return ok;
}

static bool optional_late(IUnknown *object)
{
    IDispatch *dispatch = NULL;
    VARIANT given[2] = {i4(1), marker()}, result;
    bool ok = true;
    VariantInit(&result);
    EXPECT(via_get_dispatch(object, &dispatch) == S_OK);
    EXPECT(invoke(dispatch, 3, DISPATCH_METHOD, NULL, 0, &result) == S_OK);
    EXPECT(V_VT(&result) == VT_I4 && V_I4(&result) == 0x3F);
    EXPECT(invoke(dispatch, 3, DISPATCH_METHOD, given, 2, &result) == S_OK);
    EXPECT(V_I4(&result) == 0x3E);
    EXPECT(invoke(dispatch, 1, DISPATCH_METHOD, NULL, 0, &result) == DISP_E_BADPARAMCOUNT);
    given[0] = marker();
    EXPECT(invoke(dispatch, 1, DISPATCH_METHOD, given, 1, &result) == DISP_E_PARAMNOTOPTIONAL);
end:
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    return ok;
}

/* --- [defaultvalue] --- */

static const struct via_method *method_of(const char *name)
{
    for (uint16_t i = 0; i < attributes_typelib.n_interfaces; i++)
        for (uint16_t j = 0; j < attributes_typelib.interfaces[i].n_methods; j++)
            if (!strcmp(attributes_typelib.interfaces[i].methods[j].name, name))
                return &attributes_typelib.interfaces[i].methods[j];
    abort();
}

static bool default_typed(IUnknown *object)
{
    const struct via_param *params = method_of("Add")->params;
    IAttributes *itf = typed(object);
    double sum = 0;
    bool ok = true;
    EXPECT(itf != NULL);
    EXPECT(params[1].default_value->integer == ATTRIBUTE_MOST);
    EXPECT(params[2].default_value->real == -1.5 && params[2].flags & VIA_PARAM_OPTIONAL);
    EXPECT(!strcmp(method_of("Greet")->params[0].default_value->text, "you?"));
    EXPECT(IAttributes_Add(itf, 1, 2, 3, &sum) == S_OK && sum == 6);
end:
    if (itf != NULL)
        IAttributes_Release(itf);
    return ok;
}

static bool default_by_name(IUnknown *object)
{
    double sum = 0;
    BSTR text = NULL;
    bool ok = true;
    EXPECT(via_invoke(object, "Add", 1, &sum) == S_OK && sum == 41.5);
    EXPECT(via_invoke(object, "Add", 1, 2, &sum) == S_OK && sum == 1.5);
    EXPECT(via_invoke(object, "Add", 1, via_named("c", 4.0), &sum) == DISP_E_PARAMNOTFOUND ||
           sum == 47);
    EXPECT(via_invoke(object, "Greet", &text) == S_OK && is_text(text, VIA_STR("you?!4")));
    SysFreeString(text);
    text = NULL;
    EXPECT(via_invoke(object, "Greet", "me", false, "ATTRIBUTE_RED", &text) == S_OK);
    EXPECT(is_text(text, VIA_STR("me.1")));
end:
    SysFreeString(text);
    return ok;
}

static bool default_late(IUnknown *object)
{
    IDispatch *dispatch = NULL;
    VARIANT given[3] = {i4(1), marker(), i4(3)}, result;
    bool ok = true;
    VariantInit(&result);
    EXPECT(via_get_dispatch(object, &dispatch) == S_OK);
    EXPECT(invoke(dispatch, 1, DISPATCH_METHOD, given, 1, &result) == S_OK);
    EXPECT(V_VT(&result) == VT_R8 && V_R8(&result) == 41.5);
    EXPECT(invoke(dispatch, 1, DISPATCH_METHOD, given, 3, &result) == S_OK);
    EXPECT(V_R8(&result) == 46);
    EXPECT(invoke(dispatch, 2, DISPATCH_METHOD, NULL, 0, &result) == S_OK);
    EXPECT(V_VT(&result) == VT_BSTR && is_text(V_BSTR(&result), VIA_STR("you?!4")));
end:
    VariantClear(&result);
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    return ok;
}

/* --- [vararg] --- */

static bool vararg_typed(IUnknown *object)
{
    IAttributes *itf = typed(object);
    SAFEARRAY *parts = SafeArrayCreateVector(VT_VARIANT, 0, 2);
    BSTR separator = SysAllocString(VIA_STR("-")), text = NULL;
    bool ok = true;
    EXPECT(itf != NULL && parts != NULL && method_of("Join")->flags & VIA_METHOD_VARARG);
    ((VARIANT *)parts->pvData)[0] = i4(1);
    ((VARIANT *)parts->pvData)[1] = i4(2);
    EXPECT(IAttributes_Join(itf, separator, parts, &text) == S_OK);
    EXPECT(is_text(text, VIA_STR("1-2")));
end:
    SysFreeString(text);
    SysFreeString(separator);
    SafeArrayDestroy(parts);
    if (itf != NULL)
        IAttributes_Release(itf);
    return ok;
}

static bool vararg_by_name(IUnknown *object)
{
    BSTR text = NULL;
    bool ok = true;
    EXPECT(via_invoke(object, "Join", "-", 1, "a", 2.5, &text) == S_OK);
    EXPECT(is_text(text, VIA_STR("1-a-2.5")));
    SysFreeString(text);
    text = NULL;
    EXPECT(via_invoke(object, "Join", "-", &text) == S_OK && is_text(text, VIA_STR("")));
end:
    SysFreeString(text);
    return ok;
}

static bool vararg_late(IUnknown *object)
{
    IDispatch *dispatch = NULL;
    LONG numbers[2] = {1, 10};
    VARIANT given[3] = {i4(0), i4(1), i4(2)}, result;
    bool ok = true;
    VariantInit(&result);
    EXPECT(via_get_dispatch(object, &dispatch) == S_OK);
    EXPECT(invoke(dispatch, 4, DISPATCH_METHOD, given, 3, &result) == S_OK);
    EXPECT(V_VT(&result) == VT_BSTR && is_text(V_BSTR(&result), VIA_STR("102")));
    VariantClear(&result);
    for (int i = 0; i < 2; i++) {
        V_VT(&given[i]) = VT_BYREF | VT_I4;
        V_I4REF(&given[i]) = &numbers[i];
    }
    EXPECT(invoke(dispatch, 5, DISPATCH_METHOD, given, 2, NULL) == S_OK);
    EXPECT(numbers[0] == 2 && numbers[1] == 11);
    EXPECT(invoke(dispatch, 4, DISPATCH_METHOD, NULL, 0, &result) != S_OK);
end:
    VariantClear(&result);
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    return ok;
}

/* --- [restricted], [hidden], [helpstring], [propputref] --- */

static bool restricted_typed(IUnknown *object)
{
    IAttributes *itf = typed(object);
    LONG secret = 0;
    bool ok = true;
    EXPECT(itf != NULL && method_of("Secret")->flags & VIA_METHOD_RESTRICTED);
    EXPECT(IAttributes_Secret(itf, &secret) == S_OK && secret == 4711);
end:
    if (itf != NULL)
        IAttributes_Release(itf);
    return ok;
}

static bool restricted_by_name(IUnknown *object)
{
    int32_t secret = 0;
    bool ok = true;
    EXPECT(via_invoke(object, "Secret", &secret) == DISP_E_UNKNOWNNAME && secret == 0);
end:
    return ok;
}

static bool restricted_late(IUnknown *object)
{
    IDispatch *dispatch = NULL;
    LPOLESTR names[] = {(LPOLESTR)VIA_STR("Secret")};
    DISPID id = 0;
    VARIANT result;
    bool ok = true;
    VariantInit(&result);
    EXPECT(via_get_dispatch(object, &dispatch) == S_OK);
    EXPECT(IDispatch_GetIDsOfNames(dispatch, (REFIID)&none, names, 1, 0, &id) ==
           DISP_E_UNKNOWNNAME);
    EXPECT(invoke(dispatch, 6, DISPATCH_METHOD, NULL, 0, &result) == DISP_E_MEMBERNOTFOUND);
    /* _NewEnum is what "for each" needs. */
    EXPECT(invoke(dispatch, DISPID_NEWENUM, DISPATCH_PROPERTYGET, NULL, 0, &result) == S_OK);
    EXPECT(V_VT(&result) == VT_UNKNOWN && V_UNKNOWN(&result) != NULL);
end:
    VariantClear(&result);
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    return ok;
}

static bool hidden_typed(IUnknown *object)
{
    (void)object;
    bool ok = true;
    EXPECT(method_of("Quiet")->flags & VIA_METHOD_HIDDEN);
    EXPECT(attributes_typelib.coclasses[1].flags & VIA_CLASS_HIDDEN);
end:
    return ok;
}

static bool hidden_by_name(IUnknown *object)
{
    int32_t quiet = 0;
    bool ok = true;
    EXPECT(via_invoke(object, "Quiet", &quiet) == S_OK && quiet == 1);
end:
    return ok;
}

static bool hidden_late(IUnknown *object)
{
    IDispatch *dispatch = NULL;
    VARIANT result;
    bool ok = true;
    EXPECT(via_get_dispatch(object, &dispatch) == S_OK);
    EXPECT(invoke(dispatch, 7, DISPATCH_METHOD, NULL, 0, &result) == S_OK && V_I4(&result) == 1);
end:
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    return ok;
}

static bool help_typed(IUnknown *object)
{
    (void)object;
    bool ok = true;
    EXPECT(!strcmp(method_of("Add")->help, "Adds what is given."));
    EXPECT(!strcmp(attributes_typelib.help, "Attributes\tand more"));
    EXPECT(!strcmp(attributes_typelib.enums[0].help, "Red, or blue."));
    EXPECT(!strcmp(attributes_typelib.structs[0].help, "What there is of something."));
    EXPECT(!strcmp(attributes_typelib.coclasses[0].help, "An object with all of them"));
end:
    return ok;
}

static bool has_text(BSTR json, const char *part)
{
    UINT n = SysStringLen(json);
    size_t size = strlen(part);
    for (UINT i = 0; i + size <= n; i++) {
        size_t same = 0;
        while (same < size && json[i + same] == (WCHAR)(unsigned char)part[same])
            same++;
        if (same == size)
            return true;
    }
    return false;
}

static bool help_by_name(IUnknown *object)
{
    BSTR json = NULL;
    bool ok = true;
    EXPECT(via_describe(object, &IID_IAttributes, &json) == S_OK);
    EXPECT(has_text(json, "Adds what is given.") && has_text(json, "Attributes\\tand more"));
    EXPECT(has_text(json, "Red, or blue."));
end:
    SysFreeString(json);
    return ok;
}

static bool putref_typed(IUnknown *object)
{
    IAttributes *itf = typed(object);
    LONG how = 0;
    bool ok = true;
    EXPECT(itf != NULL);
    EXPECT(IAttributes_putref_Friend(itf, NULL) == S_OK);
    EXPECT(IAttributes_HowPut(itf, &how) == S_OK && how == 2);
end:
    if (itf != NULL)
        IAttributes_Release(itf);
    return ok;
}

static bool putref_by_name(IUnknown *object)
{
    int32_t how = 0;
    bool ok = true;
    EXPECT(via_put(object, "Friend", (IUnknown *)NULL) == S_OK);
    EXPECT(via_invoke(object, "HowPut", &how) == S_OK && how == 1);
    EXPECT(via_invoke(object, "putref_Friend", (IUnknown *)NULL) == S_OK);
    EXPECT(via_invoke(object, "HowPut", &how) == S_OK && how == 2);
end:
    return ok;
}

static bool putref_late(IUnknown *object)
{
    IDispatch *dispatch = NULL;
    VARIANT none_yet, result;
    bool ok = true;
    VariantInit(&none_yet);
    V_VT(&none_yet) = VT_UNKNOWN;
    V_UNKNOWN(&none_yet) = NULL;
    EXPECT(via_get_dispatch(object, &dispatch) == S_OK);
    EXPECT(invoke(dispatch, 8, DISPATCH_PROPERTYPUTREF, &none_yet, 1, NULL) == S_OK);
    EXPECT(invoke(dispatch, 9, DISPATCH_METHOD, NULL, 0, &result) == S_OK && V_I4(&result) == 2);
    EXPECT(invoke(dispatch, 8, DISPATCH_PROPERTYPUT, &none_yet, 1, NULL) == S_OK);
    EXPECT(invoke(dispatch, 9, DISPATCH_METHOD, NULL, 0, &result) == S_OK && V_I4(&result) == 1);
end:
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    return ok;
}

/* --- dispinterface --- */

static bool dispinterface_typed(IUnknown *object)
{
    IAttributes *itf = typed(object);
    DAttributes *members = NULL;
    IDispatch *dispatch = NULL;
    VARIANT given[2] = {i4(21), marker()}, result;
    EXCEPINFO exception = {0};
    DISPPARAMS params = {.rgvarg = given, .cArgs = 1};
    bool ok = true;
    VariantInit(&result);
    EXPECT(itf != NULL && IAttributes_Members(itf, &members) == S_OK);
    EXPECT(DAttributes_Invoke(members, 3, (REFIID)&none, 0, DISPATCH_METHOD, &params, &result, NULL,
                              NULL) == S_OK);
    EXPECT(V_VT(&result) == VT_I4 && V_I4(&result) == 42);
    EXPECT(DAttributes_QueryInterface(members, &IID_IDispatch, (void **)&dispatch) == S_OK);
    EXPECT(invoke(dispatch, 1, DISPATCH_PROPERTYPUT, given, 1, NULL) == S_OK);
    EXPECT(invoke(dispatch, 1, DISPATCH_PROPERTYGET, NULL, 0, &result) == S_OK);
    EXPECT(V_I4(&result) == 21);
    EXPECT(invoke(dispatch, 2, DISPATCH_PROPERTYPUT, given, 1, NULL) == DISP_E_MEMBERNOTFOUND);
    V_VT(&given[0]) = VT_BSTR;
    V_BSTR(&given[0]) = SysAllocString(VIA_STR("on purpose"));
    HRESULT hr = DAttributes_Invoke(members, 5, (REFIID)&none, 0, DISPATCH_METHOD, &params, NULL,
                                    &exception, NULL);
    VariantClear(&given[0]);
    EXPECT(hr == DISP_E_EXCEPTION && exception.scode == E_ABORT);
    EXPECT(is_text(exception.bstrDescription, VIA_STR("on purpose")));
end:
    SysFreeString(exception.bstrDescription);
    SysFreeString(exception.bstrSource);
    SysFreeString(exception.bstrHelpFile);
    VariantClear(&result);
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    if (members != NULL)
        DAttributes_Release(members);
    if (itf != NULL)
        IAttributes_Release(itf);
    return ok;
}

static bool dispinterface_by_name(IUnknown *object)
{
    IUnknown *members = NULL;
    int32_t number = 0, a = 5;
    double later = 0;
    char text[300];
    BSTR b = SysAllocString(VIA_STR("17"));
    bool ok = true;
    EXPECT(via_invoke(object, "Members", &members) == S_OK);
    EXPECT(via_invoke(members, "Twice", 4, &number) == S_OK && number == 8);
    EXPECT(via_put(members, "Level", 6) == S_OK);
    EXPECT(via_get(members, "Level", &number) == S_OK && number == 6);
    EXPECT(via_invoke(members, "Swap", &a, &b) == S_OK && a == 17 && is_text(b, VIA_STR("5")));
    EXPECT(via_invoke(members, "Sum", 1, 2, 3, 4, &number) == S_OK && number == 10);
    EXPECT(via_invoke(members, "Later", 2.5, &later) == S_OK && later == 3.5);
    EXPECT(via_invoke(members, "Fail", "on purpose") == E_ABORT);
    EXPECT(strstr(via_error_message(E_ABORT, text, sizeof text), "on purpose") != NULL);
    EXPECT(via_invoke(members, "Twice", "x", &number) == DISP_E_TYPEMISMATCH);
end:
    SysFreeString(b);
    if (members != NULL)
        IUnknown_Release(members);
    return ok;
}

static bool dispinterface_late(IUnknown *object)
{
    IUnknown *members = NULL;
    IDispatch *dispatch = NULL;
    LPOLESTR names[] = {(LPOLESTR)VIA_STR("twice"), (LPOLESTR)VIA_STR("VALUE")};
    DISPID ids[2];
    VARIANT given[3] = {i4(1), i4(2), i4(3)}, result;
    bool ok = true;
    VariantInit(&result);
    EXPECT(via_invoke(object, "Members", &members) == S_OK);
    EXPECT(via_get_dispatch(members, &dispatch) == S_OK);
    EXPECT(IDispatch_GetIDsOfNames(dispatch, (REFIID)&none, names, 2, 0, ids) == S_OK);
    EXPECT(ids[0] == 3 && ids[1] == 0);
    EXPECT(invoke(dispatch, 6, DISPATCH_METHOD, given, 3, &result) == S_OK);
    EXPECT(V_VT(&result) == VT_I4 && V_I4(&result) == 6);
    EXPECT(invoke(dispatch, 99, DISPATCH_METHOD, NULL, 0, &result) == DISP_E_MEMBERNOTFOUND);
end:
    VariantClear(&result);
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    if (members != NULL)
        IUnknown_Release(members);
    return ok;
}

/* --- coclass, [default], [source]: events --- */

/* A sink of this process, and one of the object's. */
static bool hear(IUnknown *object, struct late_sink *sink)
{
    LONG n = 0, levels = 0;
    for (int i = 0; i < 500 && n < 4; i++) {
        late_sink_heard(sink, &n, &levels);
        if (n < 4)
            os_sleep_ms(10);
    }
    (void)object;
    return n == 4 && levels == 2 * (3 + 40);
}

static bool source_late(IUnknown *object)
{
    struct late_sink *sink = late_sink_new(0);
    DWORD cookies[2] = {0, 0};
    bool ok = true;
    EXPECT(sink != NULL);
    IUnknown *advised = late_sink_unknown(sink);
    EXPECT(via_advise(object, &DIID_DAttributeEvents, advised, &cookies[0]) == S_OK);
    EXPECT(via_advise(object, &IID_IAttributeEvents, advised, &cookies[1]) == S_OK);
    EXPECT(via_invoke(object, "Fire", 3, "three") == S_OK);
    EXPECT(via_invoke(object, "Fire", 40, "forty") == S_OK);
    EXPECT(hear(object, sink));
end:
    if (cookies[0] != 0)
        via_unadvise(object, &DIID_DAttributeEvents, cookies[0]);
    if (cookies[1] != 0)
        via_unadvise(object, &IID_IAttributeEvents, cookies[1]);
    if (sink != NULL)
        IUnknown_Release(late_sink_unknown(sink));
    return ok;
}

/* A sink of the other process, and an emitter of this one. */
static bool source_typed(IUnknown *object)
{
    IAttributes *itf = typed(object);
    IUnknown *own = attributes_object_new();
    IAttributes *source = own != NULL ? typed(own) : NULL;
    BSTR name = SysAllocString(VIA_STR("name"));
    LONG n = 0, levels = 0;
    bool ok = true;
    EXPECT(itf != NULL && source != NULL);
    EXPECT(attributes_typelib.coclasses[0].interfaces[1].flags ==
           (VIA_COCLASS_DEFAULT | VIA_COCLASS_SOURCE));
    EXPECT(IAttributes_Listen(itf, own) == S_OK);
    EXPECT(IAttributes_Fire(source, 3, name) == S_OK);
    for (int i = 0; i < 500 && n < 2; i++) {
        EXPECT(IAttributes_Heard(itf, &n, &levels) == S_OK);
        if (n < 2)
            os_sleep_ms(10);
    }
    EXPECT(n == 2 && levels == 6);
    EXPECT(IAttributes_StopListening(itf) == S_OK);
end:
    SysFreeString(name);
    if (source != NULL)
        IAttributes_Release(source);
    if (own != NULL)
        IUnknown_Release(own);
    if (itf != NULL)
        IAttributes_Release(itf);
    return ok;
}

/* --- const, typedef, importlib --- */

static bool const_typed(IUnknown *object)
{
    (void)object;
    bool ok = true;
    EXPECT(ATTRIBUTE_MOST == 42 && ATTRIBUTE_HALF == -0.5 && ATTRIBUTE_LOUD == VARIANT_TRUE);
    EXPECT(!strcmp(ATTRIBUTE_TEXT, "a \"text\"") &&
           !memcmp(ATTRIBUTE_YOU, VIA_STR("you?"), 5 * sizeof(WCHAR)));
end:
    return ok;
}

static bool typedef_typed(IUnknown *object)
{
    AttributeObject same = object;
    AttributeNumber number = -1;
    bool ok = true;
    EXPECT(sizeof number == sizeof(LONG) && number < 0 && same == object);
end:
    return ok;
}

static bool importlib_typed(IUnknown *object)
{
    (void)object;
    AttributeColour colour = ATTRIBUTE_BLUE;
    bool ok = true;
    EXPECT(method_of("Greet")->params[2].default_value->integer == colour);
end:
    return ok;
}

const struct attribute_check attribute_checks[] = {
    {"optional", "typed", optional_typed},
    {"optional", "by-name", optional_by_name},
    {"optional", "late", optional_late},
    {"defaultvalue", "typed", default_typed},
    {"defaultvalue", "by-name", default_by_name},
    {"defaultvalue", "late", default_late},
    {"vararg", "typed", vararg_typed},
    {"vararg", "by-name", vararg_by_name},
    {"vararg", "late", vararg_late},
    {"restricted", "typed", restricted_typed},
    {"restricted", "by-name", restricted_by_name},
    {"restricted", "late", restricted_late},
    {"hidden", "typed", hidden_typed},
    {"hidden", "by-name", hidden_by_name},
    {"hidden", "late", hidden_late},
    {"helpstring", "typed", help_typed},
    {"helpstring", "by-name", help_by_name},
    {"propputref", "typed", putref_typed},
    {"propputref", "by-name", putref_by_name},
    {"propputref", "late", putref_late},
    {"dispinterface", "typed", dispinterface_typed},
    {"dispinterface", "by-name", dispinterface_by_name},
    {"dispinterface", "late", dispinterface_late},
    {"source", "typed", source_typed},
    {"source", "late", source_late},
    {"const", "typed", const_typed},
    {"typedef", "typed", typedef_typed},
    {"importlib", "typed", importlib_typed},
};
const size_t n_attribute_checks = sizeof(attribute_checks) / sizeof(attribute_checks[0]);
