/* via_invoke(): which method a name means, and its arguments as values. */
#include <string.h>
#include <viaduct/late.h>

#include "com/dispatch/arguments.h"
#include "com/dispatch/set.h"
#include "com/marshal/marshal.h"
#include "com/remote/import.h"
#include "com/remote/promise.h"
#include "com/remote/interfaces.h"
#include "com/remote/invoke.h"
#include "com/remote/late.h"
#include "com/remote/late_unknown.h"
#include "com/remote/runtime.h"
#include "core/util/error.h"

/* The interface that the object was received as, when that has the member: nobody is asked then. */
static const struct marshal_method *find_received(struct import *import, const char *name,
                                                  WORD flags)
{
    struct dispatch_set set = {.n = 1};
    GUID iid;
    if (!import_default(import, &iid))
        return NULL;
    set.interfaces[0] = marshal_interface_find(&iid);
    const struct marshal_method *method =
        set.interfaces[0] != NULL ? dispatch_set_named(&set, name, flags) : NULL;
    if (method == NULL)
        error_clear();
    return method;
}

/* The forms that a call may mean, the likelier first; a name with a prefix says it itself. */
static const struct marshal_method *find_form(const struct dispatch_set *set, const char *name,
                                              uint32_t form)
{
    static const WORD first[] = {DISPATCH_METHOD | DISPATCH_PROPERTYGET, DISPATCH_PROPERTYGET,
                                 DISPATCH_PROPERTYPUT};
    static const WORD second[] = {0, DISPATCH_PROPERTYGET, DISPATCH_PROPERTYPUTREF};
    const struct marshal_method *method = dispatch_set_named(set, name, first[form]);
    return method != NULL ? method : dispatch_set_named(set, name, second[form]);
}

/* What the object has, and the method in it. *has_dispatch: on failure, its own IDispatch may know
 * more. */
static HRESULT find_method(IUnknown *object, struct import *import, const char *name, uint32_t form,
                           const struct marshal_method **method, bool *has_dispatch)
{
    struct dispatch_set own;
    const struct dispatch_set *set = &own;
    *has_dispatch = false;
    if (form > VIA_LATE_PUT)
        return error_set(E_INVALIDARG, "a call has no form %u", form);
    if (import != NULL &&
        (*method = find_received(import, name,
                                 form == VIA_LATE_PUT ? DISPATCH_PROPERTYPUT
                                                      : DISPATCH_METHOD | DISPATCH_PROPERTYGET)))
        return S_OK;
    HRESULT hr = import != NULL ? late_resolve(import, &set, has_dispatch)
                                : interfaces_of_object(object, &own, has_dispatch);
    if (FAILED(hr))
        return hr;
    *method = find_form(set, name, form);
    return *method != NULL ? S_OK : error_get()->code;
}

static HRESULT call(IUnknown *object, struct import *import, struct arguments *arguments,
                    bool *is_published)
{
    struct via_value in = {0}, out = {0};
    bool is_called = false;
    HRESULT hr = arguments_to_values(arguments, &in);
    if (SUCCEEDED(hr) && import != NULL)
        hr = invoke_proxy(import, arguments->method, &in, &out, &is_called);
    else if (SUCCEEDED(hr))
        hr = invoke_object(object, arguments->method, &in, &out, &is_called);
    *is_published = FAILED(hr) && is_called && import == NULL;
    if (SUCCEEDED(hr)) {
        HRESULT given = arguments_from_values(arguments, &out);
        hr = FAILED(given) ? given : hr;
    }
    via_value_clear(&in);
    via_value_clear(&out);
    return hr;
}

/* No description has the member, which is what the thread's error says. */
static HRESULT ask_object(IUnknown *object, uint32_t form, const struct via_argument *list,
                          size_t n, HRESULT undescribed)
{
    struct error_record *members = error_take();
    HRESULT hr = late_unknown_invoke(object, form, list, n);
    if (hr != DISP_E_UNKNOWNNAME || members == NULL) {
        error_record_free(members);
        return hr;
    }
    error_give(members); /* which says what there is */
    return runtime_publish(undescribed);
}

static HRESULT invoke_list(IUnknown *object, struct import *import, uint32_t form,
                           const struct via_argument *list, size_t n)
{
    const struct marshal_method *method = NULL;
    struct arguments arguments;
    bool is_published = false;
    bool has_dispatch;
    HRESULT hr = find_method(object, import, list[0].as.text, form, &method, &has_dispatch);
    if (FAILED(hr) && has_dispatch)
        return ask_object(object, form, list, n, hr);
    if (SUCCEEDED(hr))
        hr = arguments_match(&arguments, method, list + 1, n - 1);
    arguments_clear_results(SUCCEEDED(hr) ? &arguments : NULL, list + 1, n - 1);
    if (SUCCEEDED(hr))
        hr = call(object, import, &arguments, &is_published);
    return is_published ? hr : runtime_publish(hr);
}

HRESULT via_invoke_list(IUnknown *object, uint32_t form, const struct via_argument *list, size_t n)
{
    struct import *import;
    IUnknown *real;
    if (n == 0 || list[0].kind != VIA_ARGUMENT_TEXT)
        return runtime_publish(error_set(E_INVALIDARG, "a call by name begins with the name"));
    if (object == NULL)
        return runtime_publish(error_set(E_POINTER, "%s was called on NULL", list[0].as.text));
    HRESULT hr = promise_unwrap(object, &real, &import);
    if (FAILED(hr))
        return runtime_publish(hr);
    hr = invoke_list(real, import, form, list, n);
    real->lpVtbl->Release(real);
    return hr;
}
