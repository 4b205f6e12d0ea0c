/*
 * The test object's inside: test_object.c (its life, and the methods about calls),
 * test_object_handing.c (about objects), test_object_caller.c (about callers).
 */
#ifndef TESTS_REMOTE_TEST_OBJECT_PARTS_H
#define TESTS_REMOTE_TEST_OBJECT_PARTS_H

#include <stdatomic.h>
#include <stddef.h>
#include <viaduct/caller.h>

#include "core/os/thread.h"
#include "tests/remote/test_object.h"

struct apartment;

#define MAX_APPENDED 1024

struct test_object {
    ITestObject ITestObject_iface;
    ITestName ITestName_iface;
    atomic_uint refs;
    atomic_long last_block;
    atomic_int n_met;
    const struct apartment *apartment; /* read-only; whose thread alone calls it; NULL: any */
    struct os_mutex lock;
    ITestObject *kept;           /* lock */
    LONG appended[MAX_APPENDED]; /* lock */
    ULONG n_appended;            /* lock */
    BSTR name;                   /* lock */
    HRESULT noted;               /* lock: what via_call_current() returned */
    struct via_caller caller;    /* lock */
};

static inline struct test_object *test_object_of(ITestObject *iface)
{
    return (struct test_object *)((char *)iface - offsetof(struct test_object, ITestObject_iface));
}

/* Of ASCII. */
BSTR test_text(const char *text);

HRESULT STDMETHODCALLTYPE Test_Fail(ITestObject *iface, BSTR text);

/* --- test_object_handing.c --- */

HRESULT STDMETHODCALLTYPE Test_Keep(ITestObject *iface, ITestObject *object);
HRESULT STDMETHODCALLTYPE Test_GetKept(ITestObject *iface, ITestObject **object);
HRESULT STDMETHODCALLTYPE Test_MakeChild(ITestObject *iface, ITestObject **child);
HRESULT STDMETHODCALLTYPE Test_MakeSerialChild(ITestObject *iface, ITestObject **child);
HRESULT STDMETHODCALLTYPE Test_MakeSerialChildMeanwhile(ITestObject *iface, ITestObject *back,
                                                        ITestObject **child);
HRESULT STDMETHODCALLTYPE Test_MakeApartmentChild(ITestObject *iface, ITestObject **child);
HRESULT STDMETHODCALLTYPE Test_MakeLater(ITestObject *iface, ULONG ms, BSTR text,
                                         ITestObject **child);
HRESULT STDMETHODCALLTYPE Test_KeepRootOf(ITestObject *iface, BSTR address);
HRESULT STDMETHODCALLTYPE Test_HandKept(ITestObject *iface, BSTR address, LONG a, LONG b,
                                        LONG *sum);
HRESULT STDMETHODCALLTYPE Test_KeepKeptOf(ITestObject *iface, BSTR address);
HRESULT STDMETHODCALLTYPE Test_PackKept(ITestObject *iface, ULONG *size, BYTE **packet);

/* --- test_object_caller.c --- */

HRESULT STDMETHODCALLTYPE Test_GetCaller(ITestObject *iface, struct TestCaller *caller);
HRESULT STDMETHODCALLTYPE Test_AskCaller(ITestObject *iface, ITestObject *object,
                                         struct TestCaller *before, struct TestCaller *there,
                                         struct TestCaller *after);
HRESULT STDMETHODCALLTYPE Test_NoteCaller(ITestObject *iface);
HRESULT STDMETHODCALLTYPE Test_GetNoted(ITestObject *iface, struct TestCaller *caller);

#endif
