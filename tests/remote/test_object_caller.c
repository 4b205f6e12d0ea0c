/* What the object says of who calls it. */
#include "tests/remote/test_object_parts.h"

#include <string.h>
#include <viaduct/caller.h>

static void describe_caller(HRESULT hr, const struct via_caller *from, struct TestCaller *to)
{
    *to = (struct TestCaller){.isCalled = hr == S_OK,
                              .known = from->known,
                              .uid = from->uid,
                              .gid = from->gid,
                              .pid = from->pid,
                              .processId = from->process_id,
                              .remainingMs = from->remaining_ms,
                              .isOneway = from->is_oneway,
                              .isCancelled = from->is_cancelled,
                              .isWindows = from->is_windows,
                              .isWine = from->is_wine,
                              .node = from->node,
                              .agent = test_text(from->agent),
                              .transport = test_text(from->transport),
                              .sid = test_text(from->sid)};
}

void test_object_caller(struct TestCaller *caller)
{
    struct via_caller found = {.size = sizeof found};
    HRESULT hr = via_call_current(&found);
    describe_caller(hr, &found, caller);
}

void test_caller_clear(struct TestCaller *caller)
{
    SysFreeString(caller->agent);
    SysFreeString(caller->transport);
    SysFreeString(caller->sid);
    memset(caller, 0, sizeof *caller);
}

HRESULT STDMETHODCALLTYPE Test_GetCaller(ITestObject *iface, struct TestCaller *caller)
{
    (void)iface;
    test_object_caller(caller);
    return S_OK;
}

HRESULT STDMETHODCALLTYPE Test_AskCaller(ITestObject *iface, ITestObject *object,
                                         struct TestCaller *before, struct TestCaller *there,
                                         struct TestCaller *after)
{
    (void)iface;
    test_object_caller(before);
    HRESULT hr = ITestObject_GetCaller(object, there);
    test_object_caller(after);
    return hr;
}

HRESULT STDMETHODCALLTYPE Test_NoteCaller(ITestObject *iface)
{
    struct test_object *self = test_object_of(iface);
    os_mutex_lock(&self->lock);
    self->caller.size = sizeof self->caller;
    self->noted = via_call_current(&self->caller);
    os_mutex_unlock(&self->lock);
    return S_OK;
}

HRESULT STDMETHODCALLTYPE Test_GetNoted(ITestObject *iface, struct TestCaller *caller)
{
    struct test_object *self = test_object_of(iface);
    os_mutex_lock(&self->lock);
    describe_caller(self->noted, &self->caller, caller);
    os_mutex_unlock(&self->lock);
    return S_OK;
}
