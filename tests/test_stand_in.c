/*
 * Objects of script engines where a method takes an interface of slots (com/remote/stand_in.c):
 * what stands in for them is called through its vtable here, as an object's own process would.
 */
#include "tests/harness/harness.h"

#include <string.h>
#include <viaduct/value.h>

#include "com/marshal/marshal.h"
#include "com/remote/stand_in.h"
#include "com/typelib/typelib.h"
#include "core/util/error.h"
#include "late.h"
#include "tests/remote/engine_object.h"

static const struct marshal_method *method_named(const char *name)
{
    CHECK_OK(typelib_catalog_add(&late_typelib));
    const struct marshal_interface *itf = marshal_interface_find(&IID_ILate);
    return CHECK_NOT_NULL(itf) ? marshal_interface_method_named(itf, name) : NULL;
}

/* As the one argument of putref_Friend, which is an ILate. */
static HRESULT exchange(IUnknown *object, struct via_value *in)
{
    const struct marshal_method *method = method_named("putref_Friend");
    memset(in, 0, sizeof *in);
    CHECK_OK(via_value_set_list(in, 1));
    via_value_set_object(&in->as.items[0], object);
    return stand_in_for_arguments(NULL, method, in);
}

static ILate *stand_in_of(struct engine_object *object)
{
    struct via_value in;
    void *late = NULL;
    if (CHECK_OK(exchange((IUnknown *)(void *)object, &in)))
        CHECK_OK(IUnknown_QueryInterface(in.as.items[0].as.object, &IID_ILate, &late));
    via_value_clear(&in);
    return late;
}

struct script {
    unsigned n_calls;
    char name[32]; /* of what was called last */
    UINT n_arguments;
    HRESULT hr;
};

static HRESULT run(void *context, const char *name, const DISPPARAMS *params, VARIANT *result)
{
    struct script *script = context;
    script->n_calls++;
    strcpy(script->name, name);
    script->n_arguments = params->cArgs;
    if (FAILED(script->hr) || result == NULL)
        return script->hr;
    V_VT(result) = VT_I4;
    V_I4(result) = params->cArgs == 2 ? V_I4(&params->rgvarg[1]) * 10 + V_I4(&params->rgvarg[0])
                                      : (LONG)params->cArgs;
    return S_OK;
}

TEST(a_method_of_that_name_is_called)
{
    for (int by_ex = 0; by_ex < 2; by_ex++) {
        struct script script = {0};
        struct engine_object *object = engine_object_new(by_ex);
        LONG sum = 0;
        engine_object_put_method(object, "add");
        engine_object_put_method(object, "");
        engine_object_set_function(object, run, &script);
        ILate *late = stand_in_of(object);
        REQUIRE_NOT_NULL(late);
        CHECK_OK(ILate_Add(late, 4, 2, &sum));
        CHECK_EQ(sum, 42);
        CHECK_STR_EQ(script.name, "add");
        ILate_Release(late);
        CHECK_EQ(engine_object_refs(object), 1);
        engine_object_release(object);
    }
}

/* But for properties: what a function returns is the value of none. */
TEST(a_function_is_called_whatever_the_method)
{
    struct script script = {0};
    struct engine_object *object = engine_object_new(false);
    LONG sum = 0;
    BSTR title = NULL;
    engine_object_put_method(object, "");
    engine_object_set_function(object, run, &script);
    ILate *late = stand_in_of(object);
    REQUIRE_NOT_NULL(late);
    CHECK_OK(ILate_Add(late, 4, 2, &sum));
    CHECK_EQ(sum, 42);
    CHECK_OK(ILate_Twice(late, 9, &sum));
    CHECK_EQ(sum, 1);
    CHECK_EQ(script.n_arguments, 1);
    CHECK_OK(ILate_Quit(late));
    CHECK_EQ(script.n_calls, 3);
    CHECK_HR(ILate_get_Title(late, &title), DISP_E_UNKNOWNNAME);
    CHECK_NULL(title);
    CHECK_EQ(script.n_calls, 3);
    ILate_Release(late);
    engine_object_release(object);
    error_clear();
    SetErrorInfo(0, NULL);
}

TEST(a_property_of_that_name_is_read)
{
    struct engine_object *object = engine_object_new(false);
    BSTR title = NULL;
    engine_object_put_text(object, "Title", "of a script");
    ILate *late = stand_in_of(object);
    REQUIRE_NOT_NULL(late);
    if (CHECK_OK(ILate_get_Title(late, &title)))
        CHECK_EQ(SysStringLen(title), 11);
    SysFreeString(title);
    ILate_Release(late);
    engine_object_release(object);
}

/* Objects for structs, both ways: Draw(shape) of the script returns one. */
static HRESULT draw(void *context, const char *name, const DISPPARAMS *params, VARIANT *result)
{
    (void)name;
    struct engine_object **drawn = context;
    if (!CHECK_EQ(params->cArgs, 1) || !CHECK_EQ(V_VT(&params->rgvarg[0]), VT_DISPATCH) ||
        result == NULL)
        return E_INVALIDARG;
    V_VT(result) = VT_DISPATCH;
    V_DISPATCH(result) = engine_object_dispatch(*drawn);
    IDispatch_AddRef(V_DISPATCH(result));
    return S_OK;
}

static struct engine_object *make_drawn(void)
{
    struct engine_object *drawn = engine_object_new(false), *corner = engine_object_new(false);
    struct engine_object *points = engine_object_new(false);
    engine_object_put_number(corner, "x", 3);
    engine_object_put_number(corner, "y", 4);
    engine_object_put_number(points, "length", 0);
    engine_object_put_text(drawn, "name", "drawn");
    engine_object_put_number(drawn, "colour", LATE_GREEN);
    engine_object_put_object(drawn, "corner", corner);
    engine_object_put_object(drawn, "points", points);
    return drawn;
}

TEST(structs_are_objects_for_a_script)
{
    struct engine_object *object = engine_object_new(false), *made = make_drawn();
    struct LateShape shape = {.colour = LATE_RED}, drawn;
    memset(&drawn, 0, sizeof drawn);
    engine_object_put_method(object, "Draw");
    engine_object_set_function(object, draw, &made);
    ILate *late = stand_in_of(object);
    REQUIRE_NOT_NULL(late);
    if (CHECK_OK(ILate_Draw(late, &shape, &drawn)))
        CHECK(drawn.colour == LATE_GREEN && drawn.corner.y == 4 && drawn.count == 0);
    SysFreeString(drawn.name);
    CoTaskMemFree(drawn.points);
    ILate_Release(late);
    CHECK_EQ(engine_object_refs(made), 1);
    engine_object_release(made);
    engine_object_release(object);
}

TEST(a_failure_of_the_script_is_the_methods)
{
    struct script script = {.hr = E_ABORT};
    struct engine_object *object = engine_object_new(false);
    LONG sum = 7;
    engine_object_put_method(object, "Add");
    engine_object_set_function(object, run, &script);
    ILate *late = stand_in_of(object);
    REQUIRE_NOT_NULL(late);
    CHECK_HR(ILate_Add(late, 4, 2, &sum), E_ABORT);
    ILate_Release(late);
    engine_object_release(object);
    error_clear();
    SetErrorInfo(0, NULL);
}

/* --- what is left as it is --- */

static HRESULT STDMETHODCALLTYPE Plain_QueryInterface(IUnknown *iface, REFIID iid, void **object)
{
    *object = IsEqualGUID(iid, &IID_IUnknown) ? iface : NULL;
    return *object != NULL ? S_OK : E_NOINTERFACE;
}

static ULONG STDMETHODCALLTYPE Plain_AddRef(IUnknown *iface)
{
    (void)iface;
    return 1;
}

static void check_left(IUnknown *object)
{
    struct via_value in;
    CHECK_OK(exchange(object, &in));
    CHECK_PTR_EQ(in.as.items[0].as.object, object);
    via_value_clear(&in);
}

TEST(others_are_left_as_they_are)
{
    static const IUnknownVtbl vtable = {Plain_QueryInterface, Plain_AddRef, Plain_AddRef};
    IUnknown plain = {(IUnknownVtbl *)&vtable};
    struct engine_object *object = engine_object_new(false);
    struct via_value in = {0};
    check_left(&plain); /* neither IDispatch nor the interface: it is refused later */
    CHECK_OK(exchange(NULL, &in));
    CHECK_EQ(in.as.items[0].kind, VIA_VALUE_NULL);
    via_value_clear(&in);
    ILate *late = stand_in_of(object);
    REQUIRE_NOT_NULL(late);
    check_left((IUnknown *)(void *)late); /* which has the interface */
    ILate_Release(late);
    engine_object_claim(object, &IID_ILate);
    check_left((IUnknown *)(void *)object);
    CHECK_EQ(engine_object_refs(object), 1);
    /* Numbers and arrays: nothing to do. Left-out sizes are counted along. */
    CHECK_OK(via_value_from_json("[[1, 2]]", &in));
    CHECK_OK(stand_in_for_arguments(NULL, method_named("Sum"), &in));
    via_value_clear(&in);
    CHECK_OK(via_value_from_json("[2, [1, 2]]", &in));
    CHECK_OK(stand_in_for_arguments(NULL, method_named("Sum"), &in));
    via_value_clear(&in);
    engine_object_release(object);
}

TEST(nothing_is_lost_when_memory_is_short)
{
    struct engine_object *object = engine_object_new(false);
    const struct marshal_method *method = method_named("putref_Friend");
    HRESULT hr = S_OK;
    size_t n = 0;
    do {
        struct via_value in;
        memset(&in, 0, sizeof in);
        CHECK_OK(via_value_set_list(&in, 1));
        via_value_set_object(&in.as.items[0], (IUnknown *)(void *)object);
        harness_fail_allocation(n++);
        hr = stand_in_for_arguments(NULL, method, &in);
        bool failed = harness_allocation_failed();
        via_value_clear(&in);
        CHECK_EQ(engine_object_refs(object), 1);
        error_clear();
        if (!failed)
            break;
    } while (n < 100);
    CHECK_OK(hr);
    CHECK(n > 1 && n < 100);
    engine_object_release(object);
}

HARNESS_MAIN("stand_in", TEST_ENTRY(a_method_of_that_name_is_called),
             TEST_ENTRY(a_function_is_called_whatever_the_method),
             TEST_ENTRY(a_property_of_that_name_is_read),
             TEST_ENTRY(structs_are_objects_for_a_script),
             TEST_ENTRY(a_failure_of_the_script_is_the_methods),
             TEST_ENTRY(others_are_left_as_they_are),
             TEST_ENTRY(nothing_is_lost_when_memory_is_short))
