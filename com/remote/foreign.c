#include "com/remote/foreign.h"

#include "com/abi/error_border.h"
#include "com/abi/standard_proxy.h"
#include "com/dispatch/dual.h"
#include "com/marshal/beyond.h"
#include "com/marshal/marshal.h"
#include "com/marshal/plan.h"
#include "core/util/error.h"

struct by_invoke {
    IDispatch *dispatch;
    const struct marshal_method *method;
    bool is_refused;
};

static HRESULT pass_on(void *context, const char *name, const struct via_value *in,
                       struct via_value *out)
{
    struct by_invoke *self = context;
    (void)name;
    return dispatch_pass_on_dual(self->dispatch, self->method, in, out, &self->is_refused);
}

static HRESULT refuse(const struct marshal_method *method, const char *param)
{
    HRESULT hr =
        error_set(VIA_E_TYPE,
                  "%s: COM's own marshaler stands between this process and the object, and does "
                  "not know what "
                  "is behind the pointer %s: it would pass one value. Use the class in process",
                  marshal_method_name(method), param);
    error_border_publish(hr);
    return hr;
}

/* What COM's marshaler fails with, and has no words for. */
static HRESULT explain(const struct marshal_method *method, HRESULT hr)
{
    if (!standard_proxy_is_gone(hr))
        return hr;
    error_set(hr,
              "%s.%s: the local server, or the apartment, that the object was in has ended. Create "
              "another one",
              method->owner->name, marshal_method_name(method));
    error_border_publish(hr);
    return hr;
}

HRESULT foreign_call(struct marshal_invocation *invocation, const struct marshal_method *method,
                     void *pointer)
{
    struct by_invoke call = {.dispatch = pointer, .method = method, .is_refused = true};
    const char *param = marshal_method_param_beyond_com(method);
    if (param != NULL)
        return refuse(method, param);
    if (foreign_loses_errors() && marshal_method_is_dual(method)) {
        HRESULT hr =
            marshal_answer_values(method, marshal_invocation_arguments(invocation), pass_on, &call);
        if (!call.is_refused)
            return explain(method, hr);
        error_border_clear();
    }
    return explain(method, marshal_invoke(invocation, pointer));
}
