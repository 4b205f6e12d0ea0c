#include "com/remote/late.h"

#include <stdlib.h>
#include <string.h>

#include "com/dispatch/invoke.h"
#include "com/marshal/marshal.h"
#include "com/remote/guest.h"
#include "com/remote/import.h"
#include "com/remote/invoke.h"
#include "com/remote/proxy.h"
#include "com/remote/runtime.h"
#include "com/remote/stand_in.h"
#include "com/typelib/builtin.h"
#include "core/os/thread.h"
#include "core/util/error.h"

struct late_face {
    struct face face;        /* first: the import frees it as that */
    atomic_bool is_resolved; /* set once, behind the rest */
    bool has_dispatch;       /* under `lock` until is_resolved */
    struct dispatch_set set; /* the same */
};

static struct os_mutex lock = OS_MUTEX_INITIALIZER; /* who may resolve; held for copying only */

/* --- what the object has --- */

static struct late_face *late_from_face(struct face *face)
{
    return (struct late_face *)(void *)face;
}

static HRESULT find_late(struct import *import, struct late_face **late)
{
    struct face *face;
    HRESULT hr = import_face(import, &IID_IDispatch, &face);
    if (SUCCEEDED(hr))
        *late = late_from_face(face);
    return hr;
}

static HRESULT resolve(struct late_face *self)
{
    struct dispatch_set set;
    bool has_dispatch;
    if (atomic_load_explicit(&self->is_resolved, memory_order_acquire))
        return S_OK;
    HRESULT hr = interfaces_of_import(self->face.import, &set, &has_dispatch);
    if (FAILED(hr))
        return hr;
    os_mutex_lock(&lock);
    if (!atomic_load_explicit(&self->is_resolved, memory_order_relaxed)) {
        self->set = set;
        self->has_dispatch = has_dispatch;
        atomic_store_explicit(&self->is_resolved, true, memory_order_release);
    }
    os_mutex_unlock(&lock);
    return S_OK;
}

HRESULT late_resolve(struct import *import, const struct dispatch_set **set, bool *has_dispatch)
{
    struct late_face *late;
    HRESULT hr = find_late(import, &late);
    if (SUCCEEDED(hr))
        hr = resolve(late);
    if (FAILED(hr))
        return hr;
    *set = &late->set;
    *has_dispatch = late->has_dispatch;
    return S_OK;
}

bool late_has_dispatch(struct import *import)
{
    const struct dispatch_set *set;
    bool has_dispatch = false;
    if (FAILED(late_resolve(import, &set, &has_dispatch)))
        error_clear();
    return has_dispatch;
}

/* --- IDispatch --- */

/* The pointer is that of a dispinterface. */
static bool is_own(const struct face *face)
{
    return face->itf != NULL && marshal_interface_is_dispinterface(face->itf);
}

static const struct marshal_interface *type_info_subject(const struct face *face,
                                                         const struct late_face *late)
{
    return is_own(face) ? face->itf : late_type_info_subject(&late->set, late->has_dispatch);
}

static HRESULT STDMETHODCALLTYPE late_GetTypeInfoCount(void *pointer, UINT *count)
{
    struct late_face *late;
    if (count == NULL)
        return E_POINTER;
    *count = 0;
    HRESULT hr = find_late(((struct face *)pointer)->import, &late);
    if (SUCCEEDED(hr))
        hr = resolve(late);
    if (SUCCEEDED(hr))
        *count = type_info_subject(pointer, late) != NULL;
    return runtime_publish(hr);
}

static HRESULT STDMETHODCALLTYPE late_GetTypeInfo(void *pointer, UINT index, LCID lcid,
                                                  ITypeInfo **info)
{
    struct late_face *late;
    (void)lcid;
    if (info == NULL)
        return E_POINTER;
    *info = NULL;
    HRESULT hr = find_late(((struct face *)pointer)->import, &late);
    if (SUCCEEDED(hr))
        hr = resolve(late);
    if (SUCCEEDED(hr))
        hr = late_type_info(type_info_subject(pointer, late), index, info);
    return runtime_publish(hr);
}

static HRESULT STDMETHODCALLTYPE late_GetIDsOfNames(void *pointer, REFIID iid, LPOLESTR *names,
                                                    UINT n_names, LCID lcid, DISPID *ids)
{
    struct face *face = pointer;
    struct import *import = face->import;
    struct late_face *late;
    HRESULT hr = dispatch_check_names(iid, names, n_names, ids);
    if (SUCCEEDED(hr) && is_own(face)) {
        const struct dispatch_set set = {.n = 1, .interfaces = {face->itf}};
        return runtime_publish(dispatch_set_get_ids(&set, names, n_names, ids));
    }
    if (SUCCEEDED(hr))
        hr = find_late(import, &late);
    if (SUCCEEDED(hr))
        hr = resolve(late);
    if (FAILED(hr))
        return runtime_publish(hr);
    hr = E_NOTIMPL;
    if (late->has_dispatch)
        hr = late_remote_get_ids(import, &IID_IDispatch, names, n_names, lcid, ids);
    if (hr == E_NOTIMPL)
        hr = dispatch_set_get_ids(&late->set, names, n_names, ids);
    return runtime_publish(hr);
}

static HRESULT call_by_values(void *context, const struct marshal_method *method,
                              const struct via_value *in, struct via_value *out, bool *is_called)
{
    return runtime_publish(invoke_proxy(context, method, in, out, is_called));
}

static HRESULT stand_in(void *context, const struct marshal_method *method, struct via_value *in)
{
    return stand_in_for_arguments(context, method, in);
}

static HRESULT invoke(struct late_face *late, DISPID id, LCID lcid, WORD flags, DISPPARAMS *params,
                      VARIANT *result, EXCEPINFO *exception, UINT *wrong)
{
    struct import *import = late->face.import;
    HRESULT hr = E_NOTIMPL;
    if (late->has_dispatch)
        hr = late_remote_invoke(import, &IID_IDispatch, id, lcid, flags, params, result, exception,
                                wrong);
    if (hr != E_NOTIMPL)
        return hr;
    struct dispatch_target target = {.call = call_by_values,
                                     .adapt = stand_in,
                                     .context = import,
                                     .is_for_scripts = guest_is_there()};
    target.itf = dispatch_set_find(&late->set, &id);
    if (target.itf == NULL)
        return DISP_E_MEMBERNOTFOUND;
    return dispatch_invoke(&target, id, flags, params, result, exception, wrong);
}

static HRESULT STDMETHODCALLTYPE late_Invoke(void *pointer, DISPID id, REFIID iid, LCID lcid,
                                             WORD flags, DISPPARAMS *params, VARIANT *result,
                                             EXCEPINFO *exception, UINT *wrong)
{
    struct face *face = pointer;
    struct late_face *late;
    HRESULT hr = dispatch_check_params(iid, params);
    if (SUCCEEDED(hr) && is_own(face)) {
        hr = late_remote_invoke(face->import, &face->iid, id, lcid, flags, params, result,
                                exception, wrong);
        return hr == DISP_E_EXCEPTION ? hr : runtime_publish(hr);
    }
    if (SUCCEEDED(hr))
        hr = find_late(face->import, &late);
    if (SUCCEEDED(hr))
        hr = resolve(late);
    if (SUCCEEDED(hr))
        hr = invoke(late, id, lcid, flags, params, result, exception, wrong);
    /* Why the method failed is in `exception`, or, without one, the thread's already. */
    return hr == DISP_E_EXCEPTION ? hr : runtime_publish(hr);
}

const void *const late_proxy_slots[4] = {
    (const void *)(uintptr_t)late_GetTypeInfoCount,
    (const void *)(uintptr_t)late_GetTypeInfo,
    (const void *)(uintptr_t)late_GetIDsOfNames,
    (const void *)(uintptr_t)late_Invoke,
};

static const void *const late_vtable[7] = {
    (const void *)(uintptr_t)proxy_QueryInterface, (const void *)(uintptr_t)proxy_AddRef,
    (const void *)(uintptr_t)proxy_Release,        (const void *)(uintptr_t)late_GetTypeInfoCount,
    (const void *)(uintptr_t)late_GetTypeInfo,     (const void *)(uintptr_t)late_GetIDsOfNames,
    (const void *)(uintptr_t)late_Invoke,
};

/* --- the face --- */

struct face *late_face_new(struct import *import)
{
    struct late_face *late = calloc(1, sizeof *late);
    if (late == NULL)
        return NULL;
    late->face.vtable = late_vtable;
    late->face.import = import;
    late->face.iid = IID_IDispatch;
    atomic_init(&late->is_resolved, false);
    return &late->face;
}

/* Received as an interface that this process has a description of: nobody needs to be asked. */
static bool is_described(struct import *import)
{
    GUID iid;
    bool is = import_default(import, &iid) && marshal_interface_find(&iid) != NULL;
    if (!is)
        error_clear();
    return is;
}

HRESULT late_query(struct import *import, struct face **face)
{
    struct late_face *late;
    HRESULT hr = find_late(import, &late);
    if (SUCCEEDED(hr) && !is_described(import))
        hr = resolve(late);
    if (SUCCEEDED(hr))
        *face = &late->face;
    return hr;
}
