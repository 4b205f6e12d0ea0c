#include "tests/remote/test_object_parts.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/caller.h>
#include <viaduct/runtime.h>

#include "com/remote/apartment.h"
#include "core/os/clock.h"
#include "core/os/process.h"
#include "core/os/thread.h"

static atomic_long the_count;

static struct test_object *from_name(ITestName *iface)
{
    return (struct test_object *)((char *)iface - offsetof(struct test_object, ITestName_iface));
}

BSTR test_text(const char *text)
{
    size_t n = strlen(text);
    BSTR string = SysAllocStringLen(NULL, (UINT)n);
    for (size_t i = 0; string != NULL && i < n; i++)
        string[i] = (WCHAR)text[i];
    return string;
}

/* --- IUnknown --- */

static HRESULT query(struct test_object *self, REFIID iid, void **object)
{
    if (IsEqualIID(iid, &IID_IUnknown) || IsEqualIID(iid, &IID_ITestObject))
        *object = &self->ITestObject_iface;
    else if (IsEqualIID(iid, &IID_ITestName))
        *object = &self->ITestName_iface;
    else
        *object = NULL;
    if (*object == NULL)
        return E_NOINTERFACE;
    atomic_fetch_add(&self->refs, 1);
    return S_OK;
}

/* What it keeps is asked to call what that keeps in turn. */
static void say_farewell(ITestObject *to)
{
    ITestObject *theirs = NULL;
    LONG sum;
    if (FAILED(ITestObject_GetKept(to, &theirs)) || theirs == NULL)
        return;
    ITestObject_CallAdd(to, theirs, 1, 2, &sum);
    ITestObject_Release(theirs);
}

static bool is_named(const struct test_object *self, const char *name)
{
    size_t n = strlen(name);
    bool same = SysStringLen(self->name) == n;
    for (size_t i = 0; i < n && same; i++)
        same = self->name[i] == (WCHAR)name[i];
    return same;
}

static ULONG release(struct test_object *self)
{
    ULONG refs = (ULONG)atomic_fetch_sub(&self->refs, 1) - 1;
    if (refs > 0)
        return refs;
    if (self->kept != NULL && is_named(self, TEST_OBJECT_FAREWELL))
        say_farewell(self->kept);
    if (self->kept != NULL)
        ITestObject_Release(self->kept);
    SysFreeString(self->name);
    os_mutex_deinit(&self->lock);
    free(self);
    atomic_fetch_sub(&the_count, 1);
    return 0;
}

static HRESULT STDMETHODCALLTYPE Test_QueryInterface(ITestObject *iface, REFIID iid, void **object)
{
    return query(test_object_of(iface), iid, object);
}

static ULONG STDMETHODCALLTYPE Test_AddRef(ITestObject *iface)
{
    return (ULONG)atomic_fetch_add(&test_object_of(iface)->refs, 1) + 1;
}

static ULONG STDMETHODCALLTYPE Test_Release(ITestObject *iface)
{
    return release(test_object_of(iface));
}

static HRESULT STDMETHODCALLTYPE Name_QueryInterface(ITestName *iface, REFIID iid, void **object)
{
    return query(from_name(iface), iid, object);
}

static ULONG STDMETHODCALLTYPE Name_AddRef(ITestName *iface)
{
    return (ULONG)atomic_fetch_add(&from_name(iface)->refs, 1) + 1;
}

static ULONG STDMETHODCALLTYPE Name_Release(ITestName *iface)
{
    return release(from_name(iface));
}

/* --- ITestObject --- */

static HRESULT look_where(ITestObject *iface)
{
    const struct apartment *apartment = test_object_of(iface)->apartment;
    return apartment == NULL || apartment_is_current(apartment) ? S_OK : E_UNEXPECTED;
}

static HRESULT STDMETHODCALLTYPE Test_Add(ITestObject *iface, LONG a, LONG b, LONG *sum)
{
    *sum = a + b;
    return look_where(iface);
}

static HRESULT STDMETHODCALLTYPE Test_GetProcessId(ITestObject *iface, ULONG *pid)
{
    (void)iface;
    *pid = os_process_id();
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Test_CountObjects(ITestObject *iface, LONG *n)
{
    (void)iface;
    *n = (LONG)test_object_count();
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Test_Echo(ITestObject *iface, ITestObject *object,
                                           ITestObject **same)
{
    (void)iface;
    *same = object;
    if (object != NULL)
        ITestObject_AddRef(object);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Test_IsSame(ITestObject *iface, IUnknown *a, IUnknown *b,
                                             VARIANT_BOOL *same)
{
    (void)iface;
    void *left = NULL;
    void *right = NULL;
    if (a != NULL && SUCCEEDED(a->lpVtbl->QueryInterface(a, &IID_IUnknown, &left)))
        ((IUnknown *)left)->lpVtbl->Release(left);
    if (b != NULL && SUCCEEDED(b->lpVtbl->QueryInterface(b, &IID_IUnknown, &right)))
        ((IUnknown *)right)->lpVtbl->Release(right);
    *same = left == right ? VARIANT_TRUE : VARIANT_FALSE;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Test_CallBack(ITestObject *iface, ITestObject *object, LONG depth,
                                               LONG *levels)
{
    LONG below = 0;
    HRESULT hr = look_where(iface);
    if (SUCCEEDED(hr) && depth > 1)
        hr = ITestObject_CallBack(object, iface, depth - 1, &below);
    *levels = below + 1;
    return hr;
}

static HRESULT STDMETHODCALLTYPE Test_CallAdd(ITestObject *iface, ITestObject *object, LONG a,
                                              LONG b, LONG *sum)
{
    (void)iface;
    return ITestObject_Add(object, a, b, sum);
}

static HRESULT STDMETHODCALLTYPE Test_Block(ITestObject *iface, ULONG ms, LONG *cancelled)
{
    struct test_object *self = test_object_of(iface);
    uint64_t end = os_deadline_ms(ms);
    atomic_store(&self->last_block, 0);
    while (os_now_ns() < end && !via_call_is_cancelled())
        os_sleep_ms(1);
    *cancelled = via_call_is_cancelled();
    atomic_store(&self->last_block, *cancelled ? 1 : -1);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Test_GetLastBlock(ITestObject *iface, LONG *cancelled)
{
    *cancelled = (LONG)atomic_load(&test_object_of(iface)->last_block);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Test_Append(ITestObject *iface, LONG value, ULONG ms)
{
    struct test_object *self = test_object_of(iface);
    if (ms > 0)
        os_sleep_ms(ms);
    os_mutex_lock(&self->lock);
    if (self->n_appended < MAX_APPENDED)
        self->appended[self->n_appended++] = value;
    os_mutex_unlock(&self->lock);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Test_GetAppended(ITestObject *iface, ULONG *count, LONG **values)
{
    struct test_object *self = test_object_of(iface);
    os_mutex_lock(&self->lock);
    *count = self->n_appended;
    *values = CoTaskMemAlloc(*count * sizeof **values + 1);
    if (*values != NULL)
        memcpy(*values, self->appended, *count * sizeof **values);
    os_mutex_unlock(&self->lock);
    return *values != NULL ? S_OK : E_OUTOFMEMORY;
}

/* Of all objects of the process. */
static atomic_int n_inside, most_inside;

static HRESULT STDMETHODCALLTYPE Test_Overlap(ITestObject *iface, ULONG ms, LONG *most)
{
    (void)iface;
    int inside = atomic_fetch_add(&n_inside, 1) + 1;
    int seen = atomic_load(&most_inside);
    while (inside > seen && !atomic_compare_exchange_weak(&most_inside, &seen, inside))
        ;
    os_sleep_ms(ms);
    atomic_fetch_sub(&n_inside, 1);
    *most = (LONG)atomic_load(&most_inside);
    return S_OK;
}

HRESULT STDMETHODCALLTYPE Test_Fail(ITestObject *iface, BSTR text)
{
    (void)iface;
    ICreateErrorInfo *info;
    if (FAILED(CreateErrorInfo(&info)))
        return E_OUTOFMEMORY;
    BSTR source = test_text("Test.Object");
    ICreateErrorInfo_SetDescription(info, text);
    ICreateErrorInfo_SetSource(info, source);
    ICreateErrorInfo_SetHelpFile(info, (LPOLESTR)VIA_STR("drawers.hlp"));
    ICreateErrorInfo_SetHelpContext(info, 42);
    ICreateErrorInfo_SetGUID(info, &IID_ITestObject);
    SysFreeString(source);
    IErrorInfo *error;
    if (SUCCEEDED(ICreateErrorInfo_QueryInterface(info, &IID_IErrorInfo, (void **)&error))) {
        SetErrorInfo(0, error);
        IErrorInfo_Release(error);
    }
    ICreateErrorInfo_Release(info);
    return E_ABORT;
}

static HRESULT STDMETHODCALLTYPE Test_Exit(ITestObject *iface, LONG code)
{
    (void)iface;
    _Exit((int)code);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Test_Meet(ITestObject *iface, LONG n)
{
    struct test_object *self = test_object_of(iface);
    atomic_fetch_add(&self->n_met, 1);
    while (atomic_load(&self->n_met) < n && !via_call_is_cancelled())
        os_sleep_ms(1);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Test_Cross(ITestObject *iface, ITestObject *gate, LONG n,
                                            ITestObject *via, ITestObject *other, LONG *sum)
{
    (void)iface;
    HRESULT hr = ITestObject_Meet(gate, n);
    if (FAILED(hr))
        return hr;
    return via != NULL ? ITestObject_CallAdd(via, other, 20, 3, sum)
                       : ITestObject_Add(other, 20, 3, sum);
}

static HRESULT STDMETHODCALLTYPE Test_CallAround(ITestObject *iface, ITestObject *next,
                                                 ITestObject *last, ITestObject *gate, LONG depth,
                                                 LONG *levels)
{
    LONG below = 0;
    HRESULT hr = look_where(iface);
    if (SUCCEEDED(hr) && depth > 1)
        hr = ITestObject_CallAround(next, last, iface, gate, depth - 1, &below);
    else if (SUCCEEDED(hr) && gate != NULL)
        hr = ITestObject_Meet(gate, 2);
    *levels = below + 1;
    return hr;
}

/* Some take a while: what comes behind them is read by other threads then, and has to wait. */
static HRESULT STDMETHODCALLTYPE Test_Pour(ITestObject *iface, ITestObject *object, LONG n,
                                           ULONG ms)
{
    (void)iface;
    HRESULT hr = S_OK;
    for (LONG i = 0; i < n && SUCCEEDED(hr); i++)
        hr = ITestObject_Append(object, i, i % 100 == 50 ? 1 : 0);
    os_sleep_ms(ms);
    return hr;
}

/* Fails where it is called without a list. */
static HRESULT STDMETHODCALLTYPE Test_SumList(ITestObject *iface, struct TestList *list, LONG *sum)
{
    (void)iface;
    if (list == NULL || list->first == NULL)
        return E_UNEXPECTED;
    *sum = 0;
    for (const struct TestNode *node = list->first; node != NULL; node = node->next)
        *sum += node->value;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Test_MakeList(ITestObject *iface, LONG n, struct TestNode **list)
{
    (void)iface;
    *list = NULL;
    for (LONG i = n; i > 0; i--) {
        struct TestNode *node = CoTaskMemAlloc(sizeof *node);
        if (node == NULL)
            return E_OUTOFMEMORY;
        *node = (struct TestNode){.value = i, .next = *list};
        *list = node;
    }
    return S_OK;
}

static const ITestObjectVtbl test_vtable = {
    Test_QueryInterface, Test_AddRef,
    Test_Release,        Test_Add,
    Test_GetProcessId,   Test_CountObjects,
    Test_MakeChild,      Test_MakeSerialChild,
    Test_Echo,           Test_IsSame,
    Test_Keep,           Test_GetKept,
    Test_CallBack,       Test_CallAdd,
    Test_Block,          Test_GetLastBlock,
    Test_Append,         Test_GetAppended,
    Test_Overlap,        Test_Fail,
    Test_KeepRootOf,     Test_HandKept,
    Test_Exit,           Test_Meet,
    Test_Cross,          Test_Pour,
    Test_KeepKeptOf,     Test_MakeLater,
    Test_CallAround,     Test_GetCaller,
    Test_AskCaller,      Test_NoteCaller,
    Test_GetNoted,       Test_MakeApartmentChild,
    Test_PackKept,       Test_MakeSerialChildMeanwhile,
    Test_SumList,        Test_MakeList,
};

/* --- ITestName --- */

static HRESULT STDMETHODCALLTYPE Name_GetName(ITestName *iface, BSTR *name)
{
    struct test_object *self = from_name(iface);
    os_mutex_lock(&self->lock);
    *name = SysAllocString(self->name);
    os_mutex_unlock(&self->lock);
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Name_SetName(ITestName *iface, BSTR name)
{
    struct test_object *self = from_name(iface);
    os_mutex_lock(&self->lock);
    SysFreeString(self->name);
    self->name = SysAllocString(name);
    os_mutex_unlock(&self->lock);
    return S_OK;
}

static const ITestNameVtbl name_vtable = {
    Name_QueryInterface, Name_AddRef, Name_Release, Name_GetName, Name_SetName,
};

ITestObject *test_object_new(const char *name)
{
    struct test_object *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->ITestObject_iface.lpVtbl = (void *)&test_vtable;
    self->ITestName_iface.lpVtbl = (void *)&name_vtable;
    atomic_init(&self->refs, 1);
    os_mutex_init(&self->lock);
    self->name = test_text(name);
    atomic_fetch_add(&the_count, 1);
    return &self->ITestObject_iface;
}

int test_object_met(ITestObject *object)
{
    return atomic_load(&test_object_of(object)->n_met);
}

long test_object_count(void)
{
    return atomic_load(&the_count);
}
