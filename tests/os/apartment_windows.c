#include "tests/os/apartment_windows.h"

#include "core/os/clock.h"
#include "tests/harness/harness.h"

static struct apartment_caller *caller_from_IEnumUnknown(IEnumUnknown *iface)
{
    return CONTAINING_RECORD(iface, struct apartment_caller, IEnumUnknown_iface);
}

static HRESULT STDMETHODCALLTYPE Counter_QueryInterface(IEnumUnknown *iface, REFIID iid,
                                                        void **object)
{
    bool known = IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_IEnumUnknown);
    *object = known ? iface : NULL;
    return known ? S_OK : E_NOINTERFACE;
}

/* It lives on the test's stack. */
static ULONG STDMETHODCALLTYPE Counter_AddRef(IEnumUnknown *iface)
{
    (void)iface;
    return 2;
}

static ULONG STDMETHODCALLTYPE Counter_Release(IEnumUnknown *iface)
{
    (void)iface;
    return 1;
}

static HRESULT STDMETHODCALLTYPE Counter_Next(IEnumUnknown *iface, ULONG count, IUnknown **objects,
                                              ULONG *n_fetched)
{
    (void)iface;
    (void)count;
    (void)objects;
    (void)n_fetched;
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE Counter_Skip(IEnumUnknown *iface, ULONG count)
{
    (void)iface;
    (void)count;
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE Counter_Reset(IEnumUnknown *iface)
{
    struct apartment_caller *self = caller_from_IEnumUnknown(iface);
    if (GetCurrentThreadId() != self->apartment_thread)
        self->on_other_thread = true;
    self->n_calls++;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Counter_Clone(IEnumUnknown *iface, IEnumUnknown **clone)
{
    (void)iface;
    *clone = NULL;
    return E_NOTIMPL;
}

static IEnumUnknownVtbl counter_vtable = {Counter_QueryInterface, Counter_AddRef, Counter_Release,
                                          Counter_Next,           Counter_Skip,   Counter_Reset,
                                          Counter_Clone};

static void call_object(void *argument)
{
    struct apartment_caller *caller = argument;
    IEnumUnknown *object;
    CoInitializeEx(NULL, COINIT_MULTITHREADED);
    caller->unmarshalled =
        CoGetInterfaceAndReleaseStream(caller->stream, &IID_IEnumUnknown, (void **)&object);
    if (SUCCEEDED(caller->unmarshalled)) {
        os_sleep_ms(caller->delay_ms);
        for (int i = 0; i < APARTMENT_N_CALLS; i++) {
            uint64_t start = os_now_ns();
            caller->called = object->lpVtbl->Reset(object);
            uint64_t time = os_now_ns() - start;
            caller->slowest_ns = time > caller->slowest_ns ? time : caller->slowest_ns;
        }
        if (caller->then != NULL)
            caller->then(caller->argument);
        object->lpVtbl->Release(object);
    }
    os_waiter_wake(&caller->waiter);
    CoUninitialize();
}

bool apartment_caller_start(struct apartment_caller *caller, uint32_t delay_ms,
                            void (*then)(void *), void *argument)
{
    *caller = (struct apartment_caller){.IEnumUnknown_iface = {&counter_vtable},
                                        .apartment_thread = GetCurrentThreadId(),
                                        .delay_ms = delay_ms,
                                        .then = then,
                                        .argument = argument,
                                        .unmarshalled = E_FAIL,
                                        .called = E_FAIL};
    if (!CHECK(os_thread_is_apartment()) ||
        !CHECK_OK(CoMarshalInterThreadInterfaceInStream(
            &IID_IEnumUnknown, (IUnknown *)&caller->IEnumUnknown_iface, &caller->stream)))
        return false;
    os_waiter_init(&caller->waiter);
    return CHECK_OK(os_thread_start(call_object, caller, "caller", &caller->thread));
}

void apartment_caller_end(struct apartment_caller *caller)
{
    CHECK_OK(os_waiter_wait(&caller->waiter, os_deadline_ms(10000)));
    os_thread_join(caller->thread);
    os_waiter_deinit(&caller->waiter);
    CHECK_OK(caller->unmarshalled);
    CHECK_OK(caller->called);
    CHECK_EQ(caller->n_calls, APARTMENT_N_CALLS);
    CHECK_FALSE(caller->on_other_thread);
}
