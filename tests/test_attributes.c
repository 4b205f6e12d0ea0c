/*
 * Attributes: the checks of tests/attributes on an object of this process and on one of another,
 * and sinks that have an IDispatch only.
 */
#include "tests/harness/harness.h"

#include <stdatomic.h>
#include <string.h>
#include <viaduct/events.h>
#include <viaduct/implement.h>
#include <viaduct/late.h>
#include <viaduct/runtime.h>

#include "attributes.h"
#include "core/os/clock.h"
#include "tests/attributes/checks.h"
#include "tests/attributes/object.h"
#include "tests/remote/fixture.h"

static IUnknown *begin(void)
{
    IUnknown *object = NULL;
    if (fixture_begin() && CHECK_OK(via_register_typelib(&attributes_typelib)))
        object = attributes_object_new();
    CHECK_NOT_NULL(object);
    return object;
}

static void run_checks(IUnknown *object)
{
    for (size_t i = 0; i < n_attribute_checks; i++) {
        const struct attribute_check *check = &attribute_checks[i];
        if (!CHECK(check->run(object)))
            harness_note("%s, %s: %s", check->row, check->form, attribute_check_failure());
    }
}

TEST(what_attributes_say_holds_here)
{
    IUnknown *object = begin();
    REQUIRE(object != NULL);
    run_checks(object);
    IUnknown_Release(object);
    EVENTUALLY(attributes_object_count() == 0);
    fixture_end();
}

TEST(what_attributes_say_holds_in_another_process)
{
    struct peer_process peer;
    IUnknown *object = begin(), *root = NULL;
    REQUIRE(object != NULL);
    if (peer_launch_program(&peer, "attributes", "attributes") &&
        peer_connect(&peer, &IID_IUnknown, (void **)&root)) {
        run_checks(root);
        IUnknown_Release(root);
    }
    peer_end(&peer);
    IUnknown_Release(object);
    EVENTUALLY(attributes_object_count() == 0);
    fixture_end();
}

static LONG heard_by(struct late_sink *sink)
{
    LONG n = 0, levels = 0;
    late_sink_heard(sink, &n, &levels);
    return n;
}

/* Of three sinks one does not return and one has a process that dies. */
TEST(a_slow_or_dead_late_sink_harms_nobody)
{
    struct peer_process peer;
    struct late_sink *slow = late_sink_new(300), *quick = late_sink_new(0);
    IUnknown *object = begin(), *root = NULL;
    DWORD cookies[2] = {0, 0};
    REQUIRE(object != NULL && slow != NULL && quick != NULL);
    CHECK_OK(via_advise(object, &DIID_DAttributeEvents, late_sink_unknown(slow), &cookies[0]));
    CHECK_OK(via_advise(object, &DIID_DAttributeEvents, late_sink_unknown(quick), &cookies[1]));
    if (peer_launch_program(&peer, "attributes", "dead") &&
        peer_connect(&peer, &IID_IUnknown, (void **)&root)) {
        CHECK_OK(via_invoke(root, "Listen", object));
        CHECK_OK(via_invoke(object, "Fire", 1, "one"));
        EVENTUALLY(heard_by(quick) == 1);
        peer_kill(&peer);
        for (int i = 0; i < 10; i++)
            CHECK_OK(via_invoke(object, "Fire", i, "more"));
        EVENTUALLY(heard_by(quick) == 11);
        CHECK(heard_by(slow) < 11);
        IUnknown_Release(root);
    }
    peer_end(&peer);
    CHECK_OK(via_unadvise(object, &DIID_DAttributeEvents, cookies[0]));
    CHECK_OK(via_unadvise(object, &DIID_DAttributeEvents, cookies[1]));
    IUnknown_Release(late_sink_unknown(slow));
    IUnknown_Release(late_sink_unknown(quick));
    IUnknown_Release(object);
    EVENTUALLY(attributes_object_count() == 0);
    fixture_end();
}

/* An object that has neither the interface nor an IDispatch of its own is no sink, also where the
 * runtime would make an IDispatch for it. */
TEST(an_object_without_idispatch_is_no_late_sink)
{
    struct peer_process peer;
    IUnknown *object = begin(), *root = NULL;
    DWORD cookie = 0;
    REQUIRE(object != NULL);
    CHECK_HR(via_advise(object, &DIID_DAttributeEvents, object, &cookie), CONNECT_E_CANNOTCONNECT);
    if (peer_launch_program(&peer, "attributes", "none") &&
        peer_connect(&peer, &IID_IUnknown, (void **)&root)) {
        CHECK_HR(via_advise(object, &DIID_DAttributeEvents, root, &cookie),
                 CONNECT_E_CANNOTCONNECT);
        IUnknown_Release(root);
    }
    peer_end(&peer);
    IUnknown_Release(object);
    EVENTUALLY(attributes_object_count() == 0);
    fixture_end();
}

/* By name: what `viaduct watch` does. */
static HRESULT on_event(void *context, const char *method, const struct via_value *in,
                        struct via_value *out)
{
    atomic_long *level = context;
    (void)out;
    if (strcmp(method, "Changed") != 0 || in->n != 2 || in->as.items[0].kind != VIA_VALUE_I64)
        return E_UNEXPECTED;
    atomic_store(level, (long)in->as.items[0].as.i64);
    return S_OK;
}

TEST(a_sink_by_name_hears_a_dispinterface)
{
    struct peer_process peer;
    atomic_long level = 0;
    IUnknown *root = NULL, *sink = NULL;
    DWORD cookie = 0;
    REQUIRE(fixture_begin());
    if (peer_launch_program(&peer, "attributes", "by-name") &&
        peer_connect(&peer, &IID_IUnknown, (void **)&root)) {
        CHECK_OK(
            via_implement(&DIID_DAttributeEvents, root, on_event, &level, NULL, (void **)&sink));
        CHECK_OK(via_advise(root, &DIID_DAttributeEvents, sink, &cookie));
        CHECK_OK(via_invoke(root, "Fire", 12, "twelve"));
        EVENTUALLY(atomic_load(&level) == 12);
        CHECK_OK(via_unadvise(root, &DIID_DAttributeEvents, cookie));
        if (sink != NULL)
            IUnknown_Release(sink);
        IUnknown_Release(root);
    }
    peer_end(&peer);
    fixture_end();
}

HARNESS_MAIN("attributes", TEST_ENTRY(what_attributes_say_holds_here),
             TEST_ENTRY(what_attributes_say_holds_in_another_process),
             TEST_ENTRY(a_slow_or_dead_late_sink_harms_nobody),
             TEST_ENTRY(an_object_without_idispatch_is_no_late_sink),
             TEST_ENTRY(a_sink_by_name_hears_a_dispinterface))
