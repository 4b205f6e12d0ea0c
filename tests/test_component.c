/* Class objects and descriptions, in this process and in another one. */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/host.h>
#include <viaduct/runtime.h>
#include <viaduct/server.h>
#include <viaduct/value.h>

#include "com/typelib/typelib.h"
#include "core/os/clock.h"
#include "core/os/thread.h"
#include "tests/remote/fixture.h"
#include "tests/remote/test_component.h"
#include "tests/remote/test_object.h"

/* Connects to a helper program whose root object is the provider of the test component. */
static bool component_start(struct peer_process *peer, IViaductSurrogate **provider)
{
    *provider = NULL;
    return peer_launch(peer, "component") &&
           peer_connect(peer, &IID_IViaductSurrogate, (void **)provider);
}

static IClassFactory *class_object(IViaductSurrogate *provider, const CLSID *clsid)
{
    IUnknown *object = NULL;
    void *factory = NULL;

    if (!CHECK_OK(IViaductSurrogate_GetClassObject(provider, clsid, &object)))
        return NULL;
    CHECK_OK(IUnknown_QueryInterface(object, &IID_IClassFactory, &factory));
    IUnknown_Release(object);
    return factory;
}

struct caller {
    struct os_thread *thread;
    ITestObject *object;
    HRESULT hr;
    LONG most;
};

static void run_overlap(void *argument)
{
    struct caller *caller = argument;

    caller->hr = ITestObject_Overlap(caller->object, 100, &caller->most);
}

/* How many of two calls ran at once, one of each object. */
static LONG most_overlap(ITestObject *first, ITestObject *second)
{
    struct caller callers[2] = {{.object = first}, {.object = second}};

    for (int i = 0; i < 2; i++)
        CHECK_OK(os_thread_start(run_overlap, &callers[i], "caller", &callers[i].thread));
    for (int i = 0; i < 2; i++) {
        os_thread_join(callers[i].thread);
        CHECK_OK(callers[i].hr);
    }
    return callers[0].most > callers[1].most ? callers[0].most : callers[1].most;
}

/* --- descriptions --- */

/* What a peer could say of the test's interfaces that is not so. */
static HRESULT adopt_wrong_library(void)
{
    struct via_typelib *lib = NULL;
    char *json = NULL, *name;
    HRESULT hr = typelib_to_json(&remote_test_typelib, 0, &json);

    if (SUCCEEDED(hr) && CHECK_NOT_NULL(name = strstr(json, "GetName"))) {
        memcpy(name, "Renamed", 7);
        hr = typelib_from_json(json, strlen(json), &lib);
    }
    free(json);
    return SUCCEEDED(hr) ? typelib_catalog_adopt(lib) : hr;
}

static void check_registered_wins(IUnknown *root)
{
    struct via_value in = {.kind = VIA_VALUE_LIST}, out = {.kind = VIA_VALUE_NULL};
    void *old = NULL, *now = NULL;
    BSTR text = NULL;

    CHECK_HR(via_invoke_values(root, &IID_ITestName, "Renamed", &in, &out), VIA_E_MISMATCH);
    CHECK_OK(IUnknown_QueryInterface(root, &IID_ITestName, &old));
    CHECK_OK(via_register_typelib(&remote_test_typelib));
    CHECK_OK(IUnknown_QueryInterface(root, &IID_ITestName, &now));
    CHECK(now != old);
    CHECK_OK(ITestName_GetName((ITestName *)now, &text));
    SysFreeString(text);
    text = NULL;
    CHECK_HR(ITestName_GetName((ITestName *)old, &text), VIA_E_MISMATCH);
    CHECK_NULL(text);
    IUnknown_Release((IUnknown *)old);
    IUnknown_Release((IUnknown *)now);
    via_value_clear(&out);
    SetErrorInfo(0, NULL);
}

/* First in the suite: nobody has registered the test's interfaces yet. */
TEST(a_peer_s_wrong_description_yields_to_the_registered_one)
{
    static bool is_done;
    struct peer_process peer;
    IUnknown *root = NULL;

    if (is_done)
        return; /* what is registered stays for as long as the process */
    is_done = true;
    REQUIRE_OK(via_initialize(NULL));
    CHECK_OK(adopt_wrong_library());
    if (peer_launch(&peer, "a") && peer_connect(&peer, &IID_IUnknown, (void **)&root)) {
        check_registered_wins(root);
        IUnknown_Release(root);
    }
    peer_end(&peer);
    via_uninitialize();
}

/* --- class objects --- */

TEST(a_class_object_of_another_process_makes_objects)
{
    struct peer_process peer;
    IViaductSurrogate *provider;
    IClassFactory *factory = NULL;
    ITestObject *object = NULL;
    ITestName *name = NULL;
    IUnknown *unknown = NULL;
    ULONG pid = 0;

    REQUIRE(fixture_begin());
    if (component_start(&peer, &provider) &&
        (factory = class_object(provider, &test_clsid_free)) != NULL) {
        CHECK_OK(IClassFactory_CreateInstance(factory, NULL, &IID_ITestObject, (void **)&object));
        CHECK_OK(ITestObject_GetProcessId(object, &pid));
        struct via_peer_info info = {.size = sizeof info};
        CHECK_OK(via_get_peer((IUnknown *)provider, &info));
        CHECK_EQ(pid, info.process_id);
        CHECK_OK(IClassFactory_CreateInstance(factory, NULL, &IID_ITestName, (void **)&name));
        CHECK_OK(IClassFactory_CreateInstance(factory, NULL, &IID_IUnknown, (void **)&unknown));
        ITestObject_Release(object);
        ITestName_Release(name);
        IUnknown_Release(unknown);
        IClassFactory_Release(factory);
    }
    if (provider)
        IViaductSurrogate_Release(provider);
    peer_end(&peer);
    fixture_end();
}

TEST(a_class_object_of_another_process_refuses_clearly)
{
    struct peer_process peer;
    IViaductSurrogate *provider;
    IClassFactory *factory = NULL;
    ITestObject *mine = NULL;

    REQUIRE(fixture_begin());
    if (component_start(&peer, &provider) &&
        (factory = class_object(provider, &test_clsid_serial)) != NULL) {
        void *object = &peer;
        HRESULT hr;

        CHECK_HR(IClassFactory_CreateInstance(factory, NULL, &IID_ITestMissing, &object),
                 E_NOINTERFACE);
        CHECK_NULL(object);
        mine = test_object_new("mine");
        object = &peer;
        hr = IClassFactory_CreateInstance(factory, (IUnknown *)mine, &IID_IUnknown, &object);
        CHECK_HR(hr, CLASS_E_NOAGGREGATION);
        CHECK_NULL(object);
        CHECK_STR_HAS(error_text(hr), "cannot be aggregated");
        CHECK_OK(IClassFactory_LockServer(factory, TRUE));
        CHECK_OK(IClassFactory_LockServer(factory, FALSE));
        CHECK_HR(IClassFactory_LockServer(factory, FALSE), E_UNEXPECTED);
        ITestObject_Release(mine);
        IClassFactory_Release(factory);
    }
    if (provider)
        IViaductSurrogate_Release(provider);
    peer_end(&peer);
    fixture_end();
}

TEST(what_a_class_object_makes_is_as_serial_as_its_class)
{
    struct peer_process peer;
    IViaductSurrogate *provider;
    IClassFactory *factory = NULL;
    ITestObject *serial = NULL, *child = NULL;
    IUnknown *created = NULL;
    void *object = NULL;

    REQUIRE(fixture_begin());
    if (component_start(&peer, &provider) &&
        (factory = class_object(provider, &test_clsid_serial)) != NULL) {
        CHECK_OK(IClassFactory_CreateInstance(factory, NULL, &IID_ITestObject, (void **)&serial));
        CHECK_EQ(most_overlap(serial, serial), 1);
        ITestObject_Release(serial);
        CHECK_OK(IViaductSurrogate_CreateInstance(provider, &test_clsid_serial, &IID_ITestObject,
                                                  &created));
        CHECK_OK(IUnknown_QueryInterface(created, &IID_ITestObject, &object));
        CHECK_EQ(most_overlap(object, object), 1);
        /* What it hands out is in its context. */
        CHECK_OK(ITestObject_MakeChild((ITestObject *)object, &child));
        CHECK_EQ(most_overlap(object, child), 1);
        ITestObject_Release(child);
        IUnknown_Release((IUnknown *)object);
        IUnknown_Release(created);
        IClassFactory_Release(factory);
    }
    if (provider)
        IViaductSurrogate_Release(provider);
    peer_end(&peer);
    fixture_end();
}

TEST(a_class_object_of_this_process_makes_objects)
{
    IViaductSurrogate *provider = NULL;
    IClassFactory *factory;
    ITestObject *object = NULL;
    IUnknown *one = NULL, *two = NULL;

    REQUIRE(fixture_begin());
    CHECK_OK(via_component_provide(&test_component, &provider));
    factory = class_object(provider, &test_clsid_serial);
    if (CHECK_NOT_NULL(factory)) {
        CHECK_OK(IClassFactory_CreateInstance(factory, NULL, &IID_ITestObject, (void **)&object));
        CHECK_OK(IClassFactory_QueryInterface(factory, &IID_IUnknown, (void **)&one));
        CHECK_OK(IUnknown_QueryInterface(one, &IID_IUnknown, (void **)&two));
        CHECK_PTR_EQ(one, two);
        IUnknown_Release(one);
        IUnknown_Release(two);
        ITestObject_Release(object);
        IClassFactory_Release(factory);
    }
    IViaductSurrogate_Release(provider);
    CHECK_EQ(test_object_count(), 0);
    fixture_end();
}

/* It is given back, so that the next one can be made. */
TEST(an_object_that_cannot_be_made_serial_is_given_back)
{
    struct peer_process peer;
    IViaductSurrogate *provider;
    IClassFactory *factory = NULL;

    REQUIRE(fixture_begin());
    if (component_start(&peer, &provider) &&
        (factory = class_object(provider, &test_clsid_faceless)) != NULL) {
        for (int i = 0; i < 3; i++) {
            IUnknown *object = (IUnknown *)factory;
            HRESULT hr = IViaductSurrogate_CreateInstance(provider, &test_clsid_faceless,
                                                          &IID_IUnknown, &object);

            CHECK_HR(hr, E_NOINTERFACE);
            CHECK_NULL(object);
            CHECK_STR_HAS(error_text(hr), "component test has not created the object");
            CHECK_STR_HAS(error_text(hr), "does not answer QueryInterface for IUnknown");
            hr = IClassFactory_CreateInstance(factory, NULL, &IID_IUnknown, (void **)&object);
            CHECK_HR(hr, E_NOINTERFACE);
        }
        IClassFactory_Release(factory);
    }
    if (provider)
        IViaductSurrogate_Release(provider);
    peer_end(&peer);
    fixture_end();
}

/* --- mistakes --- */

TEST(an_apartment_needs_a_process_of_its_own)
{
    struct via_component_class class = test_component.classes[0];
    struct via_component component = test_component;
    IViaductSurrogate *provider = NULL;

    REQUIRE(fixture_begin());
    class.threading = VIA_THREADING_APARTMENT;
    component.classes = &class;
    component.n_classes = 1;
    CHECK_HR(via_component_provide(&component, &provider), VIA_E_TYPE);
    CHECK_NULL(provider);
    CHECK_STR_HAS(error_text(VIA_E_TYPE), "in a process of its own only");
    fixture_end();
}

TEST(options_without_a_size_are_refused)
{
    struct via_options options = {.agent = "no size"};

    CHECK_HR(via_initialize(&options), E_INVALIDARG);
    CHECK_STR_HAS(error_text(E_INVALIDARG), "via_options.size is 0");
    options.size = sizeof(options) - sizeof(uint64_t);
    CHECK_HR(via_initialize(&options), E_INVALIDARG);
    options.size = sizeof(options);
    CHECK_OK(via_initialize(&options));
    via_uninitialize();
}

HARNESS_MAIN("component", TEST_ENTRY(a_peer_s_wrong_description_yields_to_the_registered_one),
             TEST_ENTRY(a_class_object_of_another_process_makes_objects),
             TEST_ENTRY(a_class_object_of_another_process_refuses_clearly),
             TEST_ENTRY(what_a_class_object_makes_is_as_serial_as_its_class),
             TEST_ENTRY(a_class_object_of_this_process_makes_objects),
             TEST_ENTRY(an_object_that_cannot_be_made_serial_is_given_back),
             TEST_ENTRY(an_apartment_needs_a_process_of_its_own),
             TEST_ENTRY(options_without_a_size_are_refused))
