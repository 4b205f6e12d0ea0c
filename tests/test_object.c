/* <viaduct/object.h>: objects with two interfaces, their ends, and class objects. */
#include <viaduct/object.h>

#include "tests/harness/harness.h"

static const IID IID_IOne = {0x5a1d7c00, 0x92f1, 0x4c63, {0x8b, 0x0e, 0x7d, 0x6f, 0, 0, 1, 1}};
static const IID IID_ITwo = {0x5a1d7c00, 0x92f1, 0x4c63, {0x8b, 0x0e, 0x7d, 0x6f, 0, 0, 1, 2}};
static const IID IID_IBase = {0x5a1d7c00, 0x92f1, 0x4c63, {0x8b, 0x0e, 0x7d, 0x6f, 0, 0, 1, 3}};
static const IID IID_INone = {0x5a1d7c00, 0x92f1, 0x4c63, {0x8b, 0x0e, 0x7d, 0x6f, 0, 0, 1, 4}};

typedef IUnknown IOne;
typedef IUnknown ITwo;

struct pair {
    struct via_object object;
    IOne IOne_iface;
    int value;
    ITwo ITwo_iface; /* also asked for as IBase */
};

static struct via_module module;
static int n_ended;

VIA_OBJECT_METHODS(One, struct pair, IOne)
VIA_OBJECT_METHODS(Two, struct pair, ITwo)

static const IUnknownVtbl one_vtable = {One_QueryInterface, One_AddRef, One_Release};
static const IUnknownVtbl two_vtable = {Two_QueryInterface, Two_AddRef, Two_Release};

static const struct via_object_interface interfaces[] = {
    VIA_OBJECT_INTERFACE(struct pair, IOne, one_vtable),
    VIA_OBJECT_INTERFACE(struct pair, ITwo, two_vtable),
    {&IID_IBase, offsetof(struct pair, ITwo_iface), NULL},
    {.iid = NULL},
};

static void end(struct via_object *object)
{
    CHECK_EQ(((struct pair *)object)->value, 7);
    n_ended++;
}

static const struct via_object_kind kind = {
    .size = sizeof(struct pair), .interfaces = interfaces, .module = &module, .end = end};

TEST(an_object_has_its_interfaces_and_one_identity)
{
    struct pair *pair = via_object_new(&kind);
    IUnknown *two, *base, *identity;
    void *none = pair;

    REQUIRE_NOT_NULL(pair);
    pair->value = 7;
    n_ended = 0;
    CHECK_FALSE(via_module_is_idle(&module));
    CHECK_OK(IUnknown_QueryInterface(&pair->IOne_iface, &IID_ITwo, (void **)&two));
    CHECK_PTR_EQ(two, &pair->ITwo_iface);
    CHECK_PTR_EQ(VIA_OBJECT_OF(two, struct pair, ITwo), pair);
    CHECK_OK(IUnknown_QueryInterface(two, &IID_IBase, (void **)&base));
    CHECK_PTR_EQ(base, two);
    CHECK_OK(IUnknown_QueryInterface(two, &IID_IUnknown, (void **)&identity));
    CHECK_PTR_EQ(identity, &pair->IOne_iface);
    CHECK_HR(IUnknown_QueryInterface(two, &IID_INone, &none), E_NOINTERFACE);
    CHECK_NULL(none);
    CHECK_HR(IUnknown_QueryInterface(two, &IID_ITwo, NULL), E_POINTER);
    CHECK_EQ(IUnknown_Release(identity), 3);
    CHECK_EQ(IUnknown_Release(base), 2);
    CHECK_EQ(IUnknown_AddRef(two), 3);
    CHECK_EQ(IUnknown_Release(two), 2);
    CHECK_EQ(IUnknown_Release(two), 1);
    CHECK_EQ(n_ended, 0);
    CHECK_EQ(IUnknown_Release(&pair->IOne_iface), 0);
    CHECK_EQ(n_ended, 1);
    CHECK(via_module_is_idle(&module));
}

static HRESULT make(REFIID iid, void **object)
{
    struct pair *pair = via_object_new(&kind);

    if (!pair)
        return E_OUTOFMEMORY;
    pair->value = 7;
    return via_object_give(&pair->object, iid, object);
}

TEST(a_class_object_makes_objects)
{
    static struct via_factory factory = VIA_FACTORY(&kind, make);
    IClassFactory *class_object;
    IUnknown *two;
    void *none = &factory;

    CHECK_HR(via_factory_get(&factory, &IID_ITwo, &none), E_NOINTERFACE);
    CHECK_NULL(none);
    REQUIRE_OK(via_factory_get(&factory, &IID_IClassFactory, (void **)&class_object));
    CHECK_OK(IClassFactory_CreateInstance(class_object, NULL, &IID_ITwo, (void **)&two));
    CHECK_EQ(VIA_OBJECT_OF(two, struct pair, ITwo)->value, 7);
    CHECK_EQ(IUnknown_Release(two), 0);
    CHECK_HR(IClassFactory_CreateInstance(class_object, (IUnknown *)class_object, &IID_ITwo, &none),
             CLASS_E_NOAGGREGATION);
    n_ended = 0;
    CHECK_HR(IClassFactory_CreateInstance(class_object, NULL, &IID_INone, &none), E_NOINTERFACE);
    CHECK_EQ(n_ended, 1); /* what was made has gone again */
    CHECK(via_module_is_idle(&module));
    CHECK_OK(IClassFactory_LockServer(class_object, TRUE));
    CHECK_FALSE(via_module_is_idle(&module));
    CHECK_OK(IClassFactory_LockServer(class_object, FALSE));
    CHECK(via_module_is_idle(&module));
    IClassFactory_Release(class_object);
}

HARNESS_MAIN("object", TEST_ENTRY(an_object_has_its_interfaces_and_one_identity),
             TEST_ENTRY(a_class_object_makes_objects))
