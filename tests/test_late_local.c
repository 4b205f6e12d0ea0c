/*
 * Late binding to objects of this process, whose interfaces it has registered: IDispatch where the
 * object has none, and what another process makes of such an object.
 */
#include "tests/harness/harness.h"

#include <string.h>
#include <viaduct/late.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "tests/remote/fixture.h"
#include "tests/remote/late_object.h"

static const GUID none = {0};

static IUnknown *begin(void)
{
    ILate *late = NULL;
    if (fixture_begin() && CHECK_OK(via_register_typelib(&late_typelib)))
        late = late_object_new();
    CHECK_NOT_NULL(late);
    return (IUnknown *)late;
}

TEST(an_object_without_idispatch_gets_one)
{
    IUnknown *object = begin(), *one = NULL;
    IDispatch *dispatch = NULL, *again = NULL;
    VARIANT arguments[2], result;
    DISPPARAMS params = {.rgvarg = arguments, .cArgs = 2};
    LPOLESTR names[] = {(LPOLESTR)VIA_STR("add")};
    DISPID id = 0;
    REQUIRE(object != NULL);
    CHECK_HR(IUnknown_QueryInterface(object, &IID_IDispatch, (void **)&dispatch), E_NOINTERFACE);
    CHECK_OK(via_get_dispatch(object, &dispatch));
    CHECK_OK(IDispatch_QueryInterface(dispatch, &IID_IUnknown, (void **)&one));
    CHECK_PTR_EQ(one, object);
    CHECK_OK(IDispatch_QueryInterface(dispatch, &IID_IDispatch, (void **)&again));
    CHECK_PTR_EQ(again, dispatch);
    CHECK_OK(IDispatch_GetIDsOfNames(dispatch, (REFIID)&none, names, 1, 0, &id));
    V_VT(&arguments[0]) = V_VT(&arguments[1]) = VT_I4;
    V_I4(&arguments[0]) = 1;
    V_I4(&arguments[1]) = 2;
    CHECK_OK(IDispatch_Invoke(dispatch, id, (REFIID)&none, 0, DISPATCH_METHOD, &params, &result,
                              NULL, NULL));
    CHECK_EQ(V_I4(&result), 3);
    IDispatch_Release(again);
    IUnknown_Release(one);
    IUnknown_Release(object);
    CHECK_EQ(late_objects(), 1); /* the dispatch keeps it */
    IDispatch_Release(dispatch);
    CHECK_EQ(late_objects(), 0);
    fixture_end();
}

TEST(an_object_with_idispatch_keeps_its_own)
{
    IUnknown *object = begin();
    ILateDual *dual = late_dual_new();
    IDispatch *dispatch = NULL;
    REQUIRE(object != NULL && dual != NULL);
    CHECK_OK(via_get_dispatch((IUnknown *)dual, &dispatch));
    CHECK_PTR_EQ(dispatch, dual);
    IDispatch_Release(dispatch);
    ILateDual_Release(dual);
    IUnknown_Release(object);
    CHECK_HR(via_get_dispatch(late_nothing_new(), &dispatch), E_NOINTERFACE);
    CHECK_NULL(dispatch);
    CHECK_HR(via_get_dispatch(NULL, &dispatch), E_POINTER);
    CHECK_EQ(late_objects(), 0);
    fixture_end();
}

TEST(one_call_without_a_connection)
{
    IUnknown *object = begin();
    int32_t sum = 0;
    char *text = NULL;
    char message[512];
    REQUIRE(object != NULL);
    CHECK_OK(via_invoke(object, "Add", 20, via_named("b", 22), &sum));
    CHECK_EQ(sum, 42);
    CHECK_OK(via_put(object, "Title", "local"));
    CHECK_OK(via_get(object, "Title", &text));
    CHECK_STR_EQ(text, "local");
    via_value_free_text(text);
    CHECK_HR(via_invoke(object, "Fail", (int)E_ABORT, "on purpose"), E_ABORT);
    CHECK_STR_HAS(via_error_message(E_ABORT, message, sizeof message), "on purpose");
    CHECK_HR(via_invoke(object, "Add", 1, "x", &sum), DISP_E_TYPEMISMATCH);
    CHECK_STR_HAS(via_error_message(E_ABORT, message, sizeof message), "argument b");
    IUnknown_Release(object);
    CHECK_EQ(late_objects(), 0);
    fixture_end();
}

TEST(another_process_calls_it_by_idispatch)
{
    struct peer_process peer;
    IUnknown *object = begin(), *root = NULL;
    IDispatch *dispatch = NULL;
    int32_t result = 0;
    REQUIRE(object != NULL);
    if (peer_launch_program(&peer, "late_peer", "late") &&
        peer_connect(&peer, &IID_IUnknown, (void **)&root) &&
        CHECK_OK(via_get_dispatch(object, &dispatch))) {
        CHECK_OK(via_invoke(root, "CallTwice", dispatch, 4, &result));
        CHECK_EQ(result, 8);
        IDispatch_Release(dispatch);
        IUnknown_Release(root);
    }
    peer_end(&peer);
    IUnknown_Release(object);
    EVENTUALLY(late_objects() == 0);
    fixture_end();
}

HARNESS_MAIN("late_local", TEST_ENTRY(an_object_without_idispatch_gets_one),
             TEST_ENTRY(an_object_with_idispatch_keeps_its_own),
             TEST_ENTRY(one_call_without_a_connection),
             TEST_ENTRY(another_process_calls_it_by_idispatch))
