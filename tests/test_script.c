/*
 * What script engines give and take (com/dispatch/script.c): objects for arrays and structs, and
 * arrays, numbers and structs as an engine can hold them. First by itself, then in late-bound calls
 * of another process' object, as the in-process server of Windows' COM makes them.
 */
#include "tests/harness/harness.h"

#include <string.h>
#include <viaduct/late.h>
#include <viaduct/proxies.h>
#include <viaduct/runtime.h>
#include <viaduct/value.h>

#include "com/dispatch/invoke.h"
#include "com/dispatch/members.h"
#include "com/dispatch/missing.h"
#include "com/dispatch/record_view.h"
#include "com/dispatch/script.h"
#include "com/marshal/automation.h"
#include "com/marshal/marshal.h"
#include "com/marshal/plan.h"
#include "com/marshal/types.h"
#include "com/typelib/typelib.h"
#include "core/util/error.h"
#include "late.h"
#include "script.h"
#include "tests/remote/engine_object.h"
#include "tests/remote/late_scene.h"

static const GUID none;

/* --- types --- */

static const struct plan_struct *record_named(const struct via_typelib *lib, const char *name)
{
    CHECK_OK(typelib_catalog_add(lib));
    const struct plan_struct *structs = plan_structs(lib);
    for (uint16_t i = 0; structs != NULL && i < lib->n_structs; i++)
        if (strcmp(structs[i].name, name) == 0)
            return &structs[i];
    FAIL("there is no struct %s", name);
    return NULL;
}

static const struct plan_type *shape_type(void)
{
    return record_named(&late_typelib, "LateShape")->type;
}

/* The array of points in it. */
static const struct plan_type *points_type(void)
{
    return record_named(&late_typelib, "LateShape")->fields[4].type;
}

static const struct plan_type *numbers_type(void)
{
    static const struct plan_type number = {.kind = VIA_TYPE_I32, .size = 4};
    static const struct plan_type numbers = {.kind = VIA_TYPE_SAFEARRAY, .element = &number};
    return &numbers;
}

static VARIANT object_variant(struct engine_object *object)
{
    VARIANT value;
    VariantInit(&value);
    V_VT(&value) = VT_DISPATCH;
    V_DISPATCH(&value) = engine_object_dispatch(object);
    return value;
}

/* --- objects for arrays --- */

static struct engine_object *make_array(bool by_ex)
{
    struct engine_object *array = engine_object_new(by_ex);
    engine_object_put_number(array, "length", 3);
    engine_object_put_number(array, "0", 7);
    engine_object_put_text(array, "2", "two");
    return array;
}

static void check_array(const VARIANT *given)
{
    VARIANT made;
    if (!CHECK_OK(script_argument(numbers_type(), given, &made)))
        return;
    if (CHECK_EQ(V_VT(&made), VT_ARRAY | VT_VARIANT)) {
        const VARIANT *elements = V_ARRAY(&made)->pvData;
        CHECK_EQ(V_ARRAY(&made)->rgsabound[0].cElements, 3);
        CHECK_EQ(V_I4(&elements[0]), 7);
        CHECK_EQ(V_VT(&elements[1]), VT_EMPTY);
        CHECK_EQ(V_VT(&elements[2]), VT_BSTR);
    }
    automation_clear(&made);
}

/* Also behind references, which may lie at any multiple of 4. */
TEST(an_object_with_a_length_is_an_array)
{
    for (int by_ex = 0; by_ex < 2; by_ex++) {
        struct engine_object *array = make_array(by_ex);
        VARIANT given = object_variant(array), reference;
        _Alignas(8) char place[sizeof(VARIANT) + 4];
        check_array(&given);
        VariantInit(&reference);
        V_VT(&reference) = VT_BYREF | VT_VARIANT;
        V_BYREF(&reference) = place + 4;
        memcpy(place + 4, &given, sizeof given);
        check_array(&reference);
        V_VT(&reference) = VT_BYREF | VT_DISPATCH;
        memcpy(place + 4, &V_DISPATCH(&given), sizeof(IDispatch *));
        check_array(&reference);
        CHECK_EQ(engine_object_refs(array), 1);
        engine_object_release(array);
    }
}

static void check_left(const struct plan_type *type, const VARIANT *given)
{
    VARIANT made;
    CHECK_HR(script_argument(type, given, &made), S_FALSE);
    CHECK_EQ(V_VT(&made), VT_EMPTY);
}

TEST(what_is_no_array_is_left_as_it_is)
{
    static const struct plan_type number = {.kind = VIA_TYPE_I32, .size = 4};
    static const LONG lengths[] = {-1, 16777217, INT32_MIN};
    struct engine_object *without = engine_object_new(false), *text = engine_object_new(false);
    VARIANT value = object_variant(without);
    check_left(numbers_type(), &value);
    check_left(&number, &value);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct engine_object *object = engine_object_new(false);
        engine_object_put_number(object, "length", lengths[i]);
        value = object_variant(object);
        check_left(numbers_type(), &value);
        engine_object_release(object);
    }
    engine_object_put_text(text, "length", "long");
    value = object_variant(text);
    check_left(numbers_type(), &value);
    V_DISPATCH(&value) = NULL;
    check_left(numbers_type(), &value);
    value = late_i4(3);
    check_left(numbers_type(), &value);
    check_left(shape_type(), &value);
    engine_object_release(without);
    engine_object_release(text);
}

TEST(an_object_that_fails_is_no_array)
{
    struct engine_object *array = make_array(false), *outer = engine_object_new(false);
    struct engine_object *bad = engine_object_new(false);
    VARIANT given = object_variant(outer), made;
    engine_object_put_number(outer, "length", 1);
    engine_object_put_object(outer, "0", bad);
    engine_object_put_number(bad, "x", 1);
    CHECK_HR(script_argument(points_type(), &given, &made), DISP_E_TYPEMISMATCH);
    CHECK_STR_HAS(error_get()->text, "no property y");
    CHECK_EQ(V_VT(&made), VT_EMPTY);
    engine_object_fail(bad, E_ABORT);
    CHECK_HR(script_argument(points_type(), &given, &made), E_ABORT);
    error_clear();
    given = object_variant(array);
    engine_object_fail(array, E_ABORT);
    check_left(numbers_type(), &given);
    engine_object_release(array);
    engine_object_release(outer);
}

/* --- objects for structs --- */

static struct engine_object *make_point(LONG x, LONG y)
{
    struct engine_object *point = engine_object_new(false);
    engine_object_put_number(point, "x", x);
    engine_object_put_number(point, "Y", y);
    return point;
}

static struct engine_object *make_shape(void)
{
    struct engine_object *shape = engine_object_new(true), *points = engine_object_new(true);
    engine_object_put_number(points, "length", 2);
    engine_object_put_object(points, "0", make_point(1, 2));
    engine_object_put_object(points, "1", make_point(3, 4));
    engine_object_put_text(shape, "name", "s");
    engine_object_put_text(shape, "colour", "LATE_BLUE");
    engine_object_put_object(shape, "corner", make_point(5, 6));
    engine_object_put_object(shape, "points", points);
    return shape;
}

#define SHAPE                                                      \
    "{\"name\": \"s\", \"colour\": \"LATE_BLUE\", \"corner\": "    \
    "{\"x\": 5, \"y\": 6}, \"count\": 2, \"points\": [{\"x\": 1, " \
    "\"y\": 2}, {\"x\": 3, \"y\": 4}]}"

static void check_record(const VARIANT *record, const char *expected)
{
    const struct plan_struct *of;
    struct via_value value = {0};
    char *text = NULL;
    if (CHECK_EQ(V_VT(record), VT_RECORD) &&
        CHECK_OK(marshal_record_from_variant(record, &of, &value)) &&
        CHECK_OK(via_value_to_json(&value, 0, &text)))
        CHECK_STR_EQ(text, expected);
    via_value_free_text(text);
    via_value_clear(&value);
}

TEST(an_object_with_the_properties_is_a_struct)
{
    struct engine_object *shape = make_shape();
    VARIANT given = object_variant(shape), made;
    if (CHECK_OK(script_argument(shape_type(), &given, &made)))
        check_record(&made, SHAPE);
    automation_clear(&made);
    engine_object_release(shape);
}

TEST(objects_in_an_array_of_vbscript_are_structs)
{
    SAFEARRAY *array = SafeArrayCreateVector(VT_VARIANT, 0, 2);
    VARIANT *elements = array->pvData, given, reference, made;
    elements[0] = object_variant(make_point(1, 2));
    elements[1] = object_variant(make_point(3, 4));
    V_VT(&given) = VT_ARRAY | VT_VARIANT;
    V_ARRAY(&given) = array;
    V_VT(&reference) = VT_BYREF | VT_VARIANT;
    V_VARIANTREF(&reference) = &given;
    if (CHECK_OK(script_argument(points_type(), &reference, &made))) {
        const VARIANT *records = V_ARRAY(&made)->pvData;
        check_record(&records[0], "{\"x\": 1, \"y\": 2}");
        check_record(&records[1], "{\"x\": 3, \"y\": 4}");
    }
    CHECK_EQ(V_VT(&elements[0]), VT_DISPATCH); /* the script's is as it was */
    automation_clear(&made);
    check_left(numbers_type(), &given);
    VariantClear(&given);
}

TEST(an_object_that_is_a_part_of_itself_is_refused)
{
    const struct plan_type *type = record_named(&script_typelib, "ScriptLink")->type;
    struct engine_object *link = engine_object_new(false);
    VARIANT given = object_variant(link), made;
    engine_object_put_number(link, "n", 1);
    engine_object_put_weak(link, "next", link);
    CHECK_HR(script_argument(type, &given, &made), VIA_E_LIMIT);
    CHECK_STR_HAS(error_get()->text, "nested too deeply");
    CHECK_EQ(V_VT(&made), VT_EMPTY);
    error_clear();
    CHECK_EQ(engine_object_refs(link), 1);
    engine_object_release(link);
}

/* --- what an engine can hold --- */

static HRESULT get_member(IDispatch *object, const WCHAR *name, VARIANT *value)
{
    DISPPARAMS params = {0};
    DISPID id;
    VariantInit(value);
    HRESULT hr = script_get_id(object, name, &id);
    return FAILED(hr) ? hr
                      : IDispatch_Invoke(object, id, (REFIID)&none, 0, DISPATCH_PROPERTYGET,
                                         &params, value, NULL, NULL);
}

static LONG number_of(IDispatch *object, const WCHAR *name)
{
    VARIANT value;
    bool is = CHECK_OK(get_member(object, name, &value)) && CHECK_EQ(V_VT(&value), VT_I4);
    LONG number = is ? V_I4(&value) : -1;
    VariantClear(&value);
    return number;
}

static IDispatch *view_of_shape(void)
{
    struct engine_object *shape = make_shape();
    VARIANT given = object_variant(shape), made;
    CHECK_OK(script_argument(shape_type(), &given, &made));
    engine_object_release(shape);
    script_simplify(&made);
    return CHECK_EQ(V_VT(&made), VT_DISPATCH) ? V_DISPATCH(&made) : NULL;
}

/* "shape.points(i)". */
static void check_element(IDispatch *view, LONG i, HRESULT expected)
{
    VARIANT index = late_i4(i), value;
    DISPPARAMS params = {.rgvarg = &index, .cArgs = 1};
    DISPID id;
    CHECK_OK(script_get_id(view, VIA_STR("points"), &id));
    CHECK_HR(IDispatch_Invoke(view, id, (REFIID)&none, 0, DISPATCH_PROPERTYGET | DISPATCH_METHOD,
                              &params, &value, NULL, NULL),
             expected);
    if (SUCCEEDED(expected) && CHECK_EQ(V_VT(&value), VT_DISPATCH))
        CHECK_EQ(number_of(V_DISPATCH(&value), VIA_STR("y")), 4);
    VariantClear(&value);
    error_clear();
    SetErrorInfo(0, NULL);
}

TEST(a_struct_is_an_object_of_its_fields)
{
    IDispatch *view = view_of_shape();
    VARIANT value;
    REQUIRE_NOT_NULL(view);
    CHECK_EQ(number_of(view, VIA_STR("COLOUR")), LATE_BLUE);
    CHECK_EQ(number_of(view, VIA_STR("count")), 2);
    if (CHECK_OK(get_member(view, VIA_STR("corner"), &value)) &&
        CHECK_EQ(V_VT(&value), VT_DISPATCH))
        CHECK_EQ(number_of(V_DISPATCH(&value), VIA_STR("y")), 6);
    VariantClear(&value);
    if (CHECK_OK(get_member(view, VIA_STR("points"), &value)) &&
        CHECK_EQ(V_VT(&value), VT_ARRAY | VT_VARIANT)) {
        const VARIANT *points = V_ARRAY(&value)->pvData;
        CHECK_EQ(V_ARRAY(&value)->rgsabound[0].cElements, 2);
        CHECK_EQ(number_of(V_DISPATCH(&points[1]), VIA_STR("x")), 3);
    }
    VariantClear(&value);
    check_element(view, 1, S_OK);
    check_element(view, 2, DISP_E_BADINDEX);
    CHECK_HR(get_member(view, VIA_STR("colours"), &value), DISP_E_UNKNOWNNAME);
    IDispatch_Release(view);
}

TEST(a_struct_is_a_value_that_stays)
{
    IDispatch *view = view_of_shape();
    VARIANT argument = late_i4(1);
    DISPPARAMS none_given = {0}, one = {.rgvarg = &argument, .cArgs = 1};
    LPOLESTR names[] = {(LPOLESTR)VIA_STR("name"), (LPOLESTR)VIA_STR("index")};
    DISPID ids[2];
    UINT count = 7;
    ITypeInfo *info = (ITypeInfo *)&count;
    REQUIRE_NOT_NULL(view);
    CHECK_HR(
        IDispatch_Invoke(view, 1, (REFIID)&none, 0, DISPATCH_PROPERTYPUT, &one, NULL, NULL, NULL),
        DISP_E_MEMBERNOTFOUND);
    CHECK_STR_HAS(error_get()->text, "LateShape.name cannot be set");
    CHECK_HR(
        IDispatch_Invoke(view, 1, (REFIID)&none, 0, DISPATCH_PROPERTYGET, &one, NULL, NULL, NULL),
        DISP_E_BADPARAMCOUNT);
    for (DISPID id = 0; id <= 6; id += 6)
        CHECK_HR(IDispatch_Invoke(view, id, (REFIID)&none, 0, DISPATCH_PROPERTYGET, &none_given,
                                  NULL, NULL, NULL),
                 DISP_E_MEMBERNOTFOUND);
    CHECK_HR(IDispatch_Invoke(view, 1, &IID_ILate, 0, DISPATCH_PROPERTYGET, &none_given, NULL, NULL,
                              NULL),
             DISP_E_UNKNOWNINTERFACE);
    CHECK_OK(IDispatch_Invoke(view, 1, (REFIID)&none, 0, DISPATCH_PROPERTYGET, &none_given, NULL,
                              NULL, NULL));
    CHECK_HR(IDispatch_GetIDsOfNames(view, (REFIID)&none, names, 2, 0, ids), DISP_E_UNKNOWNNAME);
    CHECK_OK(IDispatch_GetTypeInfoCount(view, &count));
    CHECK_EQ(count, 0);
    CHECK_HR(IDispatch_GetTypeInfo(view, 0, 0, &info), E_NOTIMPL);
    CHECK_NULL(info);
    IDispatch_Release(view);
    error_clear();
    SetErrorInfo(0, NULL);
}

/* What a call has returned goes into the next one. */
TEST(such_an_object_is_a_struct_again)
{
    IDispatch *view = view_of_shape();
    VARIANT given, made;
    REQUIRE_NOT_NULL(view);
    V_VT(&given) = VT_DISPATCH;
    V_DISPATCH(&given) = view;
    if (CHECK_OK(script_argument(shape_type(), &given, &made)))
        check_record(&made, SHAPE);
    automation_clear(&made);
    CHECK_HR(script_argument(record_named(&script_typelib, "ScriptLink")->type, &given, &made),
             DISP_E_TYPEMISMATCH);
    error_clear();
    IDispatch_Release(view);
}

static void check_number(VARIANT value, VARTYPE vt, double expected)
{
    script_simplify(&value);
    CHECK_EQ(V_VT(&value), vt);
    CHECK(vt == VT_I4 ? (double)V_I4(&value) == expected : V_R8(&value) == expected);
}

TEST(numbers_are_longs_and_doubles)
{
    VARIANT value;
    VariantInit(&value);
    V_VT(&value) = VT_UI4;
    V_UI4(&value) = 7;
    check_number(value, VT_I4, 7);
    V_UI4(&value) = 0x80000000u;
    check_number(value, VT_R8, 2147483648.0);
    V_VT(&value) = VT_I8;
    V_I8(&value) = -3;
    check_number(value, VT_I4, -3);
    V_I8(&value) = (int64_t)1 << 40;
    check_number(value, VT_R8, 1099511627776.0);
    V_VT(&value) = VT_I1;
    V_I1(&value) = -1;
    check_number(value, VT_I4, -1);
}

TEST(arrays_are_of_variants)
{
    static const uint32_t numbers[] = {1, 2, 3, 4, 5, 0xFFFFFFFFu};
    SAFEARRAYBOUND bounds[] = {{.cElements = 2, .lLbound = 1}, {.cElements = 3, .lLbound = -1}};
    VARIANT value, *elements;
    V_VT(&value) = VT_ARRAY | VT_UI4;
    V_ARRAY(&value) = SafeArrayCreate(VT_UI4, 2, bounds);
    memcpy(V_ARRAY(&value)->pvData, numbers, sizeof numbers);
    script_simplify(&value);
    if (CHECK_EQ(V_VT(&value), VT_ARRAY | VT_VARIANT)) {
        LONG low = 0, high = 0;
        CHECK_OK(SafeArrayGetLBound(V_ARRAY(&value), 1, &low));
        CHECK_OK(SafeArrayGetUBound(V_ARRAY(&value), 2, &high));
        CHECK(low == 1 && high == 1);
        elements = V_ARRAY(&value)->pvData;
        CHECK_EQ(V_I4(&elements[4]), 5);
        CHECK(V_VT(&elements[5]) == VT_R8 && V_R8(&elements[5]) == 4294967295.0);
        V_VT(&elements[0]) = VT_UI4; /* what is in one of VARIANTs, too */
    }
    script_simplify(&value);
    elements = V_ARRAY(&value)->pvData;
    CHECK_EQ(V_VT(&elements[0]), VT_I4);
    VariantClear(&value);
    V_VT(&value) = VT_ARRAY | VT_BSTR;
    V_ARRAY(&value) = NULL;
    script_simplify(&value);
    CHECK_EQ(V_VT(&value), VT_ARRAY | VT_BSTR);
}

/* --- what is left out --- */

TEST(a_variant_that_is_left_out_says_so)
{
    static const char *const expected[] = {"{\"vt\": \"error\", \"value\": -2147352572}",
                                           "{\"vt\": \"error\", \"value\": -2147352572}", "null",
                                           "null", "3"};
    CHECK_OK(typelib_catalog_add(&script_typelib));
    const struct marshal_interface *itf = marshal_interface_find(&IID_IScriptLinks);
    REQUIRE_NOT_NULL(itf);
    const struct marshal_method *method = marshal_interface_method_named(itf, "Leave");
    for (unsigned i = 0; i < 5; i++) {
        struct via_value value = {0};
        char *text = NULL;
        CHECK_OK(missing_value(method, i, &value));
        CHECK_OK(via_value_to_json(&value, 0, &text));
        CHECK_STR_EQ(text, expected[i]);
        via_value_free_text(text);
        via_value_clear(&value);
    }
}

/* --- what comes out only --- */

/* Each [out] argument becomes 7. */
static HRESULT give_sevens(void *context, const struct marshal_method *method,
                           const struct via_value *in, struct via_value *out, bool *is_called)
{
    (void)context, (void)in;
    *is_called = true;
    CHECK_OK(via_value_set_list(out, 0));
    for (uint16_t i = 0; i < method->n_params; i++) {
        struct via_value *value;
        if (!method->params[i].is_out || !CHECK_OK(via_value_append(out, &value)))
            continue;
        value->kind = VIA_VALUE_I64;
        value->as.i64 = 7;
    }
    return S_OK;
}

static HRESULT call_link(const char *name, bool is_for_scripts, VARIANT *arguments, UINT n,
                         VARIANT *result)
{
    CHECK_OK(typelib_catalog_add(&script_typelib));
    const struct dispatch_target target = {.itf = marshal_interface_find(&IID_IScriptLinks),
                                           .call = give_sevens,
                                           .is_for_scripts = is_for_scripts};
    const struct marshal_method *method = marshal_interface_method_named(target.itf, name);
    DISPPARAMS params = {.rgvarg = arguments, .cArgs = n};
    HRESULT hr =
        dispatch_invoke(&target, members_id(method), DISPATCH_METHOD, &params, result, NULL, NULL);
    error_clear();
    return hr;
}

TEST(one_result_that_is_left_out_is_what_is_returned)
{
    LONG n = 3;
    VARIANT arguments[2], result;
    arguments[0] = late_i4(3);
    CHECK_OK(call_link("Next", true, arguments, 1, &result));
    CHECK(V_VT(&result) == VT_I4 && V_I4(&result) == 7);
    CHECK_HR(call_link("Next", false, arguments, 1, &result), DISP_E_BADPARAMCOUNT);
    /* Given, it goes there. */
    V_VT(&arguments[0]) = VT_BYREF | VT_I4;
    V_I4REF(&arguments[0]) = &n;
    arguments[1] = late_i4(3);
    CHECK_OK(call_link("Next", true, arguments, 2, &result));
    CHECK(n == 7 && V_VT(&result) == VT_EMPTY);
    /* What goes in as well has to be given. */
    n = 3;
    CHECK_OK(call_link("Step", true, arguments, 1, &result));
    CHECK(n == 7 && V_VT(&result) == VT_EMPTY);
    CHECK_HR(call_link("Step", true, arguments, 0, &result), DISP_E_BADPARAMCOUNT);
    CHECK_HR(call_link("Both", true, arguments, 1, &result), DISP_E_BADPARAMCOUNT);
    CHECK_EQ(V_VT(&result), VT_EMPTY);
}

/* --- short of memory --- */

TEST(nothing_is_lost_when_memory_is_short)
{
    struct engine_object *shape = make_shape();
    const struct plan_type *type = shape_type();
    VARIANT given = object_variant(shape), made;
    HRESULT hr = S_OK;
    size_t n = 0;
    do {
        harness_fail_allocation(n++);
        hr = script_argument(type, &given, &made);
        script_simplify(&made);
        automation_clear(&made);
        error_clear();
    } while (harness_allocation_failed());
    CHECK_OK(hr);
    CHECK(n > 10);
    engine_object_release(shape);
}

/* --- in calls --- */

static HRESULT invoke(IUnknown *object, const WCHAR *name, VARIANT *arguments, UINT n,
                      VARIANT *result)
{
    DISPPARAMS params = {.rgvarg = arguments, .cArgs = n};
    IDispatch *dispatch = NULL;
    DISPID id;
    VariantInit(result);
    if (!CHECK_OK(IUnknown_QueryInterface(object, &IID_IDispatch, (void **)&dispatch)))
        return E_FAIL;
    HRESULT hr = script_get_id(dispatch, name, &id);
    if (SUCCEEDED(hr))
        hr = IDispatch_Invoke(dispatch, id, (REFIID)&none, 0, DISPATCH_METHOD, &params, result,
                              NULL, NULL);
    IDispatch_Release(dispatch);
    return hr;
}

/* Rows(n, [out] count, [out] rows), Split(value, [out] whole, [out] rest, [in, out] count). */
static void leave_results_out(IUnknown *late)
{
    VARIANT arguments[3], result;
    arguments[0] = late_i4(2);
    if (CHECK_OK(invoke(late, VIA_STR("Rows"), arguments, 1, &result)) &&
        CHECK_EQ(V_VT(&result), VT_ARRAY | VT_VARIANT)) {
        const VARIANT *rows = V_ARRAY(&result)->pvData;
        CHECK_EQ(V_ARRAY(&result)->rgsabound[0].cElements, 2);
        CHECK_EQ(V_VT(&rows[0]), VT_DISPATCH);
    }
    VariantClear(&result);
    CHECK_HR(invoke(late, VIA_STR("Rows"), arguments, 0, &result), DISP_E_BADPARAMCOUNT);
    arguments[1] = late_i4(2);
    CHECK_HR(invoke(late, VIA_STR("Rows"), arguments, 2, &result), DISP_E_BADPARAMCOUNT);
    CHECK_HR(invoke(late, VIA_STR("Split"), arguments, 1, &result), DISP_E_BADPARAMCOUNT);
    CHECK_HR(invoke(late, VIA_STR("Split"), arguments, 2, &result), DISP_E_BADPARAMCOUNT);
}

static void draw(IUnknown *late)
{
    struct engine_object *shape = make_shape();
    VARIANT given = object_variant(shape), result;
    if (CHECK_OK(invoke(late, VIA_STR("Draw"), &given, 1, &result)) &&
        CHECK_EQ(V_VT(&result), VT_DISPATCH)) {
        VARIANT again;
        CHECK_EQ(number_of(V_DISPATCH(&result), VIA_STR("count")), 2);
        CHECK_OK(invoke(late, VIA_STR("Draw"), &result, 1, &again));
        CHECK_EQ(V_VT(&again), VT_DISPATCH);
        VariantClear(&again);
    }
    VariantClear(&result);
    engine_object_release(shape);
}

TEST(scripts_see_into_what_calls_return)
{
    static const struct via_proxy_guest guest = {.size = sizeof(guest)};
    struct late_scene scene;
    via_set_proxy_guest(&guest);
    if (late_scene_begin(&scene, "Make")) {
        leave_results_out(scene.late);
        draw(scene.late);
    }
    late_scene_end(&scene);
    via_set_proxy_guest(NULL);
}

HARNESS_MAIN("script", TEST_ENTRY(an_object_with_a_length_is_an_array),
             TEST_ENTRY(what_is_no_array_is_left_as_it_is),
             TEST_ENTRY(an_object_that_fails_is_no_array),
             TEST_ENTRY(an_object_with_the_properties_is_a_struct),
             TEST_ENTRY(objects_in_an_array_of_vbscript_are_structs),
             TEST_ENTRY(an_object_that_is_a_part_of_itself_is_refused),
             TEST_ENTRY(a_struct_is_an_object_of_its_fields),
             TEST_ENTRY(a_struct_is_a_value_that_stays),
             TEST_ENTRY(such_an_object_is_a_struct_again),
             TEST_ENTRY(numbers_are_longs_and_doubles), TEST_ENTRY(arrays_are_of_variants),
             TEST_ENTRY(a_variant_that_is_left_out_says_so),
             TEST_ENTRY(one_result_that_is_left_out_is_what_is_returned),
             TEST_ENTRY(nothing_is_lost_when_memory_is_short),
             TEST_ENTRY(scripts_see_into_what_calls_return))
