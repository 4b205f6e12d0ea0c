#include "com/remote/promise.h"

#include <stdlib.h>

#include "com/abi/error_border.h"
#include "com/marshal/marshal.h"
#include "com/remote/async.h"
#include "com/remote/frames.h"
#include "com/remote/import.h"
#include "com/remote/proxy.h"
#include "com/remote/runtime.h"
#include "core/util/error.h"

struct promise {
    unsigned index;
    struct os_mutex lock;
    struct via_call *call;      /* lock; a handle, until it is settled; then NULL */
    _Atomic(IUnknown *) object; /* what has come, a reference; set once */
    HRESULT code;               /* lock; why nothing has */
    struct error_record *error; /* lock */
};

HRESULT promise_new(struct via_call *call, unsigned index, const GUID *iid, void **object)
{
    struct promise *promise = calloc(1, sizeof *promise);
    if (promise == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a proxy");
    promise->index = index;
    os_mutex_init(&promise->lock);
    struct import *import;
    struct face *face;
    HRESULT hr = import_new_promise(call->import->peer, async_id(call), promise, &import);
    if (FAILED(hr)) {
        promise_free(promise);
        return hr;
    }
    async_hold(call);
    promise->call = call;
    hr = import_face(import, iid, &face);
    if (FAILED(hr)) {
        import_unref(import);
        return hr;
    }
    *object = face;
    return S_OK;
}

void promise_free(struct promise *promise)
{
    if (promise == NULL)
        return;
    IUnknown *object = atomic_load(&promise->object);
    if (object != NULL)
        object->lpVtbl->Release(object);
    via_call_release(promise->call);
    error_record_free(promise->error);
    os_mutex_deinit(&promise->lock);
    free(promise);
}

/* --- while it is to come --- */

/* The call, with a handle; NULL: it is settled. */
static struct via_call *hold_call(struct promise *promise)
{
    os_mutex_lock(&promise->lock);
    struct via_call *call = promise->call;
    if (call != NULL)
        async_hold(call);
    os_mutex_unlock(&promise->lock);
    return call;
}

bool promise_enter(struct promise *promise, struct via_call **call)
{
    *call = hold_call(promise);
    if (*call != NULL && async_is_kept(*call) && !async_is_over(*call))
        return true;
    via_call_release(*call);
    return false;
}

void promise_aim(const struct promise *promise, uint8_t *body)
{
    frame_aim_at_result(body, promise->index);
}

/* --- when it has come --- */

static void settle(struct import *import, struct promise *promise, IUnknown *object, HRESULT code)
{
    uint32_t timeout_ms = atomic_load_explicit(&import->timeout_ms, memory_order_relaxed);
    os_mutex_lock(&promise->lock);
    struct via_call *call = promise->call;
    promise->call = NULL;
    if (call != NULL && object != NULL) {
        atomic_store_explicit(&promise->object, object, memory_order_release);
        object = NULL;
    } else if (call != NULL) {
        promise->code = code;
        promise->error = error_take();
    }
    os_mutex_unlock(&promise->lock);
    struct import *real = import_of(atomic_load(&promise->object));
    if (call != NULL && timeout_ms != 0 && real != NULL)
        atomic_store_explicit(&real->timeout_ms, timeout_ms, memory_order_relaxed);
    if (object != NULL)
        object->lpVtbl->Release(object); /* another thread was first */
    via_call_release(call);
}

static HRESULT failure_of(struct promise *promise)
{
    os_mutex_lock(&promise->lock);
    HRESULT code = promise->code;
    error_give(error_record_copy(promise->error));
    os_mutex_unlock(&promise->lock);
    if (code == E_POINTER && error_get() == NULL)
        return error_set(code, "the call that was to return the object has returned none");
    return error_wrap(code, "the call that was to return the object has failed");
}

/* Borrowed from the promise, which keeps it. */
static HRESULT wait_for(struct import *import, IUnknown **result)
{
    struct promise *promise = import->promise;
    *result = atomic_load_explicit(&promise->object, memory_order_acquire);
    if (*result != NULL)
        return S_OK;
    struct via_call *call = hold_call(promise);
    if (call != NULL) {
        IUnknown *object = NULL;
        bool is_over;
        HRESULT hr =
            async_object(call, promise->index, runtime_deadline(import), &object, &is_over);
        if (is_over)
            settle(import, promise, object, FAILED(hr) ? hr : E_POINTER);
        via_call_release(call);
        if (!is_over)
            return hr;
    }
    *result = atomic_load_explicit(&promise->object, memory_order_acquire);
    return *result != NULL ? S_OK : failure_of(promise);
}

HRESULT promise_object(struct import *import, IUnknown **object)
{
    HRESULT hr = wait_for(import, object);
    if (SUCCEEDED(hr))
        (*object)->lpVtbl->AddRef(*object);
    return hr;
}

HRESULT promise_unwrap(IUnknown *pointer, IUnknown **object, struct import **import)
{
    *object = pointer;
    *import = import_of(pointer);
    if (*import == NULL || (*import)->promise == NULL) {
        pointer->lpVtbl->AddRef(pointer);
        return S_OK;
    }
    HRESULT hr = promise_object(*import, object);
    if (SUCCEEDED(hr))
        *import = import_of(*object);
    return hr;
}

HRESULT promise_query(struct import *import, const GUID *iid, void **object)
{
    IUnknown *real;
    struct face *face;
    struct via_call *call = NULL;
    bool is_promised = !IsEqualGUID(iid, &IID_IUnknown) && import_known(import, iid, &face) == S_OK;
    error_clear();
    if (is_promised && (call = hold_call(import->promise)) != NULL) {
        bool is_pending = !async_is_over(call);
        via_call_release(call);
        if (is_pending) {
            import_ref(import);
            *object = face;
            return S_OK;
        }
    }
    HRESULT hr = wait_for(import, &real);
    return SUCCEEDED(hr) ? real->lpVtbl->QueryInterface(real, iid, object) : hr;
}

/* --- calls --- */

/* On what has come. */
static HRESULT pass_on(struct face *face, IUnknown *object, const struct marshal_method *method,
                       void **arguments)
{
    IUnknown *pointer;
    HRESULT hr = object->lpVtbl->QueryInterface(object, &face->iid, (void **)&pointer);
    if (SUCCEEDED(hr)) {
        error_border_clear();
        hr = marshal_pass_on(method, pointer, arguments);
        if (FAILED(hr))
            error_border_capture(hr);
        pointer->lpVtbl->Release(pointer);
    } else {
        marshal_clear_results(method, arguments);
    }
    return hr;
}

HRESULT promise_call(struct face *face, const struct marshal_method *method, void **arguments)
{
    struct via_call *call;
    struct import *import = face->import;
    if (!marshal_method_is_oneway(method) && promise_enter(import->promise, &call)) {
        HRESULT hr = proxy_call_typed(face, method, arguments);
        via_call_release(call);
        if (hr != VIA_E_ELSEWHERE)
            return hr;
        error_clear();
    }
    IUnknown *object;
    HRESULT hr = wait_for(import, &object);
    if (SUCCEEDED(hr))
        return pass_on(face, object, method, arguments);
    marshal_clear_results(method, arguments);
    return hr;
}

/* --- the API --- */

static HRESULT object_of(struct via_call *call, unsigned result, const GUID *iid, void **object)
{
    IUnknown *found;
    bool is_over;
    if (!marshal_method_has_object(call->method, result))
        return error_set(E_INVALIDARG, "%s has no result %u that is an object",
                         marshal_method_name(call->method), result);
    if (!async_is_over(call))
        return promise_new(call, result, iid, object);
    HRESULT hr = async_object(call, result, LINK_NO_DEADLINE, &found, &is_over);
    if (FAILED(hr))
        return hr;
    if (found == NULL)
        return error_set(E_POINTER, "%s has returned no object", marshal_method_name(call->method));
    hr = found->lpVtbl->QueryInterface(found, iid, object);
    found->lpVtbl->Release(found);
    return hr;
}

HRESULT via_call_object(struct via_call *call, unsigned result, REFIID iid, void **object)
{
    *object = NULL;
    return runtime_publish(object_of(call, result, iid, object));
}
