#include "com/remote/stand_in.h"

#include <stdlib.h>

#include "com/dispatch/invoke.h"
#include "com/dispatch/members.h"
#include "com/dispatch/script.h"
#include "com/marshal/plan.h"
#include "com/remote/describe.h"
#include "com/remote/implement.h"
#include "com/remote/import.h"
#include "com/typelib/builtin.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

/* Read-only. */
struct stand_in {
    IDispatch *script; /* a reference */
    const struct marshal_interface *itf;
};

static void end(void *context)
{
    struct stand_in *self = context;
    IDispatch_Release(self->script);
    free(self);
}

/* The member of the method's name, in the method's form; else the object itself is the function. */
static HRESULT find_member(const struct stand_in *self, const struct marshal_method *method,
                           struct dispatch_member *member)
{
    CLEANUP(cleanup_free) WCHAR *name = utf_to_wide(method->method->name);
    *member = (struct dispatch_member){.owner = method->owner->name,
                                       .name = method->method->name,
                                       .form = members_form(method),
                                       .is_scripts = true};
    if (name == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a callback of a script");
    HRESULT hr = script_get_id(self->script, name, &member->id);
    if (SUCCEEDED(hr) || member->form != DISPATCH_METHOD)
        return hr;
    member->id = DISPID_VALUE;
    return S_OK;
}

static HRESULT answer(void *context, const char *name, const struct via_value *in,
                      struct via_value *out)
{
    const struct stand_in *self = context;
    const struct marshal_method *method = marshal_interface_method_named(self->itf, name);
    struct dispatch_member member;
    bool is_called;
    if (method == NULL)
        return DISP_E_MEMBERNOTFOUND;
    HRESULT hr = find_member(self, method, &member);
    return FAILED(hr) ? hr
                      : dispatch_pass_on_as(self->script, &member, method, in, out, &is_called);
}

static HRESULT make(struct import *import, const GUID *iid, IDispatch *script, void **object)
{
    struct stand_in *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a callback of a script");
    HRESULT hr = describe_interface(import, iid, &self->itf);
    if (SUCCEEDED(hr))
        hr = implement_interface(self->itf, answer, self, end, object);
    if (FAILED(hr)) {
        free(self);
        return hr;
    }
    IDispatch_AddRef(script);
    self->script = script;
    return S_OK;
}

/* S_FALSE: it has the interface, or cannot be a script's: proxies are of objects that say what they
 * have. */
static HRESULT exchange(struct import *import, const GUID *iid, struct via_value *value)
{
    IUnknown *object = value->as.object;
    IDispatch *script = NULL;
    void *found = NULL;
    if (import_of(object) != NULL)
        return S_FALSE;
    if (SUCCEEDED(IUnknown_QueryInterface(object, iid, &found))) {
        IUnknown_Release((IUnknown *)found);
        return S_FALSE;
    }
    if (FAILED(IUnknown_QueryInterface(object, &builtin_iid_dispatch, (void **)&script)))
        return S_FALSE;
    HRESULT hr = make(import, iid, script, &found);
    IDispatch_Release(script);
    if (FAILED(hr))
        return hr;
    via_value_set_object(value, found);
    IUnknown_Release((IUnknown *)found);
    return S_OK;
}

static bool is_candidate(const struct plan_type *type, const struct via_value *value)
{
    return type->kind == VIA_TYPE_INTERFACE && !type->is_any && type->size_from == VIA_SIZE_NONE &&
           value->kind == VIA_VALUE_OBJECT && value->as.object != NULL;
}

/* What counts arrays is there, or is left out, all of it. */
static bool has_sizes(const struct marshal_method *method, const struct via_value *in)
{
    uint32_t n_in = 0;
    for (uint16_t i = 0; i < method->n_params; i++)
        n_in += method->params[i].is_in;
    return in->n == n_in;
}

HRESULT stand_in_for_arguments(struct import *import, const struct marshal_method *method,
                               struct via_value *in)
{
    bool with_sizes = has_sizes(method, in);
    uint32_t next = 0;
    HRESULT hr = S_OK;
    for (uint16_t i = 0; i < method->n_params && next < in->n && SUCCEEDED(hr); i++) {
        const struct plan_param *plan = &method->params[i];
        if (!plan->is_in || (plan->is_size_of_in && !with_sizes))
            continue;
        struct via_value *value = &in->as.items[next++];
        if (is_candidate(plan->type, value))
            hr = exchange(import, plan->type->iid, value);
        if (FAILED(hr))
            error_wrap(hr, "argument %s", plan->param->name);
    }
    return FAILED(hr) ? hr : S_OK;
}
