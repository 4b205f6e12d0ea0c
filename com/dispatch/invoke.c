#include "com/dispatch/invoke.h"

#include <stdlib.h>
#include <string.h>

#include "com/dispatch/exception.h"
#include "com/dispatch/members.h"
#include "com/dispatch/missing.h"
#include "com/dispatch/script.h"
#include "com/marshal/automation.h"
#include "com/marshal/plan.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/utf.h"

#define ALL_FORMS \
    (DISPATCH_METHOD | DISPATCH_PROPERTYGET | DISPATCH_PROPERTYPUT | DISPATCH_PROPERTYPUTREF)
#define PUT_FORMS (DISPATCH_PROPERTYPUT | DISPATCH_PROPERTYPUTREF)

/* Of the default member of a property's object, of the default member of that ...: at most so deep.
 */
#define MAX_DEFAULTS 8

/* --- names --- */

HRESULT dispatch_check_names(REFIID iid, LPOLESTR *names, UINT n_names, DISPID *ids)
{
    static const GUID none = {0};
    if (names == NULL || ids == NULL || n_names == 0)
        return error_set(E_INVALIDARG, "GetIDsOfNames needs names, and room for their ids");
    for (UINT i = 0; i < n_names; i++)
        ids[i] = DISPID_UNKNOWN;
    if (iid != NULL && !IsEqualGUID(iid, &none))
        return error_set(DISP_E_UNKNOWNINTERFACE, "GetIDsOfNames takes IID_NULL");
    return S_OK;
}

static char *name_text(LPOLESTR name)
{
    return name != NULL ? utf_from_wide(name, utf16_length(name)) : NULL;
}

HRESULT dispatch_get_ids(const struct marshal_method *method, LPOLESTR *names, UINT n_names,
                         DISPID *ids)
{
    HRESULT hr = S_OK;
    ids[0] = members_id(method);
    for (UINT i = 1; i < n_names; i++) {
        CLEANUP(cleanup_free) char *argument = name_text(names[i]);
        int index = argument != NULL ? members_argument(method, argument) : -1;
        ids[i] = index < 0 ? DISPID_UNKNOWN : index;
        if (index < 0)
            hr = error_set(DISP_E_UNKNOWNNAME, "%s.%s has no parameter %s", method->owner->name,
                           method->method->name, argument != NULL ? argument : "(NULL)");
    }
    return hr;
}

/* --- arguments --- */

/* One call of one method. */
struct request {
    const struct marshal_method *method;
    const DISPPARAMS *params;
    bool is_for_scripts; /* the target's */
    bool leaves_sizes;   /* what counts arrays was not given */
    bool leaves_results; /* nor what comes out: `lone` becomes the result */
    unsigned lone;
    unsigned n_arguments;
    const VARIANT *given[TYPELIB_MAX_PARAMS]; /* by parameter; NULL: not given */
    UINT n_rest; /* what was given beyond the others; in rgvarg, behind those with names */
    UINT wrong;  /* index in rgvarg */
};

HRESULT dispatch_check_params(REFIID iid, const DISPPARAMS *params)
{
    static const GUID none = {0};
    if (iid != NULL && !IsEqualGUID(iid, &none))
        return error_set(DISP_E_UNKNOWNINTERFACE, "Invoke takes IID_NULL");
    if (params == NULL || params->cNamedArgs > params->cArgs ||
        (params->cArgs > 0 && params->rgvarg == NULL) ||
        (params->cNamedArgs > 0 && params->rgdispidNamedArgs == NULL))
        return error_set(E_INVALIDARG, "Invoke needs DISPPARAMS that fit together");
    return S_OK;
}

static bool is_left_out(const struct request *self, unsigned i)
{
    const struct plan_param *plan = &self->method->params[i];
    return plan->is_in ? self->leaves_sizes && plan->is_size_of_in : self->leaves_results;
}

static HRESULT wrong_count(const struct request *self)
{
    return error_set(DISP_E_BADPARAMCOUNT, "%s.%s takes %u arguments, not %u",
                     self->method->owner->name, self->method->method->name, self->n_arguments,
                     self->params->cArgs);
}

/* The one argument that only comes out, but for those that count its elements; -1: the method has a
 * result, or others come out as well. */
static int find_lone(const struct request *self)
{
    int lone = -1;
    if (members_result(self->method) >= 0)
        return -1;
    for (unsigned i = 0; i < self->n_arguments; i++) {
        const struct plan_param *plan = &self->method->params[i];
        if (!plan->is_out || (plan->is_size_of_out && !plan->is_in))
            continue;
        if (plan->is_in || lone >= 0)
            return -1;
        lone = (int)i;
    }
    return lone;
}

/* What counts arrays may be left out, all of it, when then everything else is there. An engine that
 * passes no references, as JScript, leaves out what comes out. */
static void decide_what_is_left(struct request *self)
{
    UINT n = self->params->cArgs;
    unsigned n_sizes = 0, n_results = 0;
    int lone = self->is_for_scripts && self->params->cNamedArgs == 0 ? find_lone(self) : -1;
    for (unsigned i = 0; i < self->n_arguments; i++) {
        n_sizes += self->method->params[i].is_in && self->method->params[i].is_size_of_in;
        n_results += !self->method->params[i].is_in;
    }
    self->leaves_sizes = n_sizes > 0 && n == self->n_arguments - n_sizes;
    if (self->leaves_sizes || lone < 0 || n > self->n_arguments - n_results)
        return;
    self->leaves_results = true;
    self->lone = (unsigned)lone;
    self->leaves_sizes = n_sizes > 0 && n == self->n_arguments - n_results - n_sizes;
}

static bool is_put(const struct request *self)
{
    return (members_form(self->method) & PUT_FORMS) != 0;
}

static HRESULT place_named(struct request *self)
{
    const DISPPARAMS *params = self->params;
    if (is_put(self) &&
        (params->cNamedArgs == 0 || params->rgdispidNamedArgs[0] != DISPID_PROPERTYPUT))
        return error_set(DISP_E_PARAMNOTFOUND,
                         "%s.%s: the new value of a property is the argument DISPID_PROPERTYPUT",
                         self->method->owner->name, self->method->method->name);
    for (UINT j = 0; j < params->cNamedArgs; j++) {
        DISPID id = params->rgdispidNamedArgs[j];
        int64_t i = is_put(self) && id == DISPID_PROPERTYPUT ? (int64_t)self->n_arguments - 1 : id;
        if (i >= 0 && i < self->n_arguments && self->given[i] == NULL) {
            self->given[i] = &params->rgvarg[j];
            continue;
        }
        self->wrong = j;
        return error_set(DISP_E_PARAMNOTFOUND, "%s.%s has no parameter %d, or it was given twice",
                         self->method->owner->name, self->method->method->name, (int)id);
    }
    return S_OK;
}

static HRESULT place_all(struct request *self)
{
    const DISPPARAMS *params = self->params;
    UINT n_placed = 0;
    UINT n_positional = params->cArgs - params->cNamedArgs;
    decide_what_is_left(self);
    HRESULT hr = place_named(self);
    if (FAILED(hr))
        return hr;
    for (unsigned i = 0; i < self->n_arguments && n_placed < n_positional; i++) {
        if (self->given[i] != NULL || is_left_out(self, i))
            continue;
        if ((int)i == members_rest(self->method)) {
            self->n_rest = n_positional - n_placed;
            return S_OK;
        }
        self->given[i] = &params->rgvarg[params->cArgs - 1 - n_placed];
        n_placed++;
    }
    return n_placed == n_positional ? S_OK : wrong_count(self);
}

static HRESULT not_optional(struct request *self, unsigned i)
{
    const DISPPARAMS *params = self->params;
    const VARIANT *given = self->given[i];
    /* The new value of a property is one of as many as there are, not one picked by its name. */
    bool is_in_order =
        params->cNamedArgs == 0 || (params->cNamedArgs == 1 && is_put(self) &&
                                    params->rgdispidNamedArgs[0] == DISPID_PROPERTYPUT);
    bool is_short = params->cArgs < self->n_arguments && is_in_order;
    if (given == NULL && is_short)
        return wrong_count(self);
    self->wrong = given != NULL ? (UINT)(given - params->rgvarg) : 0;
    return error_set(DISP_E_PARAMNOTOPTIONAL, "%s.%s: argument %s is not optional",
                     self->method->owner->name, self->method->method->name,
                     self->method->method->params[i].name);
}

/* One of what goes into the array of [vararg], the first one first. */
static const VARIANT *rest_at(const struct request *self, UINT k)
{
    return &self->params->rgvarg[self->params->cNamedArgs + self->n_rest - 1 - k];
}

static HRESULT take_rest(struct request *self, unsigned i, struct via_value *value)
{
    HRESULT hr = via_value_set_list(value, self->n_rest);
    for (UINT k = 0; k < self->n_rest && SUCCEEDED(hr); k++) {
        const VARIANT *given = rest_at(self, k);
        hr = marshal_item_from_variant(self->method, (uint16_t)i, given, &value->as.items[k]);
        if (FAILED(hr))
            self->wrong = (UINT)(given - self->params->rgvarg);
    }
    return hr;
}

static HRESULT take_given(struct request *self, unsigned i, const VARIANT *given,
                          struct via_value *value)
{
    VARIANT made;
    HRESULT hr = script_argument(self->method->params[i].type, given, &made);
    if (SUCCEEDED(hr))
        hr = marshal_value_from_variant(self->method, (uint16_t)i, hr == S_OK ? &made : given,
                                        value);
    automation_clear(&made);
    if (FAILED(hr))
        self->wrong = (UINT)(given - self->params->rgvarg);
    return hr;
}

/* The value of an [in] argument. */
static HRESULT take_argument(struct request *self, unsigned i, struct via_value *value)
{
    const struct plan_param *plan = &self->method->params[i];
    const VARIANT *given = self->given[i];
    bool takes_anything = plan->type->kind == VIA_TYPE_VARIANT;
    if (given == NULL && (int)i == members_rest(self->method))
        return take_rest(self, i, value);
    if (given == NULL || missing_is(given)) {
        HRESULT hr = missing_value(self->method, i, value);
        if (hr != S_FALSE)
            return hr;
        bool may_be_null = plan->is_nullable || plan->type->is_nullable;
        if (given == NULL || (!takes_anything && !may_be_null))
            return not_optional(self, i);
        if (!takes_anything)
            return S_OK;
    }
    return take_given(self, i, given, value);
}

static HRESULT take_arguments(struct request *self, struct via_value *in)
{
    HRESULT hr = via_value_set_list(in, 0);
    for (unsigned i = 0; i < self->method->n_params && SUCCEEDED(hr); i++) {
        struct via_value *item;
        const struct plan_param *plan = &self->method->params[i];
        if (!plan->is_in) {
            bool is_optional = (plan->param->flags & VIA_PARAM_OPTIONAL) || is_left_out(self, i);
            if (plan->is_out && i < self->n_arguments && self->given[i] == NULL && !is_optional)
                hr = not_optional(self, i);
            continue;
        }
        if (is_left_out(self, i))
            continue;
        hr = via_value_append(in, &item);
        if (SUCCEEDED(hr))
            hr = take_argument(self, i, item);
    }
    return hr;
}

/* --- results --- */

/* What the method left in the array goes to where the caller's arguments refer. */
static HRESULT give_rest(struct request *self, VARIANT *array)
{
    VARIANT *items = V_VT(array) == (VT_ARRAY | VT_VARIANT) && V_ARRAY(array) != NULL
                         ? V_ARRAY(array)->pvData
                         : NULL;
    UINT n =
        items != NULL && V_ARRAY(array)->cDims == 1 ? V_ARRAY(array)->rgsabound[0].cElements : 0;
    HRESULT hr = S_OK;
    for (UINT k = 0; k < n && k < self->n_rest && SUCCEEDED(hr); k++) {
        VARIANT *to = (VARIANT *)rest_at(self, k);
        hr = marshal_replace_variant(to, &items[k]);
        if (FAILED(hr))
            self->wrong = (UINT)(to - self->params->rgvarg);
    }
    VariantClear(array);
    return FAILED(hr) ? hr : S_OK;
}

static HRESULT give_results(struct request *self, const struct via_value *out, VARIANT *result)
{
    uint32_t next = 0;
    HRESULT hr = S_OK;
    for (unsigned i = 0; i < self->method->n_params && SUCCEEDED(hr); i++) {
        VARIANT made;
        if (!self->method->params[i].is_out || next >= out->n)
            continue;
        const struct via_value *value = &out->as.items[next++];
        bool is_result = i >= self->n_arguments || (self->leaves_results && i == self->lone);
        VARIANT *to = is_result ? result : (VARIANT *)self->given[i];
        bool is_rest = to == NULL && self->n_rest > 0 && (int)i == members_rest(self->method);
        if (to == NULL && !is_rest)
            continue;
        hr = marshal_value_to_variant(self->method, (uint16_t)i, value, &made);
        if (FAILED(hr))
            return hr;
        if (is_rest) {
            hr = give_rest(self, &made);
            continue;
        }
        if (self->is_for_scripts && (is_result || V_VT(to) == (VT_BYREF | VT_VARIANT)))
            script_simplify(&made);
        if (is_result) {
            *to = made;
            continue;
        }
        hr = marshal_replace_variant(to, &made);
        if (hr != S_OK)
            VariantClear(&made);
        if (FAILED(hr))
            self->wrong = (UINT)(to - self->params->rgvarg);
    }
    return hr;
}

/* --- the call --- */

static HRESULT run(const struct dispatch_target *target, struct request *request, VARIANT *result,
                   EXCEPINFO *exception)
{
    struct via_value in = {0}, out = {0};
    bool is_called = false;
    HRESULT code = S_OK;
    HRESULT hr = place_all(request);
    if (SUCCEEDED(hr))
        hr = take_arguments(request, &in);
    if (SUCCEEDED(hr) && target->adapt != NULL)
        hr = target->adapt(target->context, request->method, &in);
    if (SUCCEEDED(hr)) {
        code = target->call(target->context, request->method, &in, &out, &is_called);
        hr = code;
    }
    if (FAILED(hr) && is_called)
        hr = exception_fill(hr, exception);
    else if (SUCCEEDED(hr))
        hr = give_results(request, &out, result);
    via_value_clear(&in);
    via_value_clear(&out);
    return FAILED(hr) ? hr : code;
}

/* "object.Items(3)": a property without parameters, whose object's default member takes them, or
 * whose array has such an element. */
static bool is_indexed_result(const struct marshal_method *method, const DISPPARAMS *params)
{
    return members_form(method) == DISPATCH_PROPERTYGET && members_n_arguments(method) == 0 &&
           params->cArgs > 0 && members_result(method) >= 0;
}

static bool may_be_indexed(const struct marshal_method *method)
{
    uint8_t kind = method->params[members_result(method)].type->kind;
    return kind == VIA_TYPE_INTERFACE || kind == VIA_TYPE_VARIANT || kind == VIA_TYPE_SAFEARRAY;
}

static HRESULT invoke_default(const struct dispatch_target *target, struct request *request,
                              WORD flags, DISPPARAMS *params, VARIANT *result, EXCEPINFO *exception,
                              UINT *wrong)
{
    static _Thread_local unsigned depth;
    static const GUID none = {0};
    DISPPARAMS empty = {0};
    VARIANT object;
    HRESULT hr = S_OK;
    VariantInit(&object);
    request->params = &empty;
    if (may_be_indexed(request->method))
        hr = run(target, request, &object, exception);
    if (SUCCEEDED(hr) && V_VT(&object) == VT_DISPATCH && V_DISPATCH(&object) != NULL &&
        depth < MAX_DEFAULTS) {
        depth++;
        hr = IDispatch_Invoke(V_DISPATCH(&object), DISPID_VALUE, (REFIID)&none, 0, flags, params,
                              result, exception, wrong);
        depth--;
    } else if (SUCCEEDED(hr)) {
        VARIANT element;
        hr = script_element(&object, params, &element);
        if (hr == S_FALSE)
            hr = error_set(DISP_E_NOTACOLLECTION, "%s.%s takes no arguments, and is no collection",
                           request->method->owner->name, request->method->method->name);
        if (result != NULL)
            *result = element;
        else
            VariantClear(&element);
    }
    VariantClear(&object);
    return hr;
}

static HRESULT not_found(const struct marshal_interface *itf, DISPID id)
{
    uint16_t index = typelib_find_interface(itf->lib, &itf->iid);
    return error_set(DISP_E_MEMBERNOTFOUND, "interface %s has no member %d of that form",
                     itf->lib->interfaces[index].name, (int)id);
}

HRESULT dispatch_invoke(const struct dispatch_target *target, DISPID id, WORD flags,
                        DISPPARAMS *params, VARIANT *result, EXCEPINFO *exception, UINT *wrong)
{
    if (result != NULL)
        VariantInit(result);
    if ((flags & ALL_FORMS) == 0)
        return error_set(E_INVALIDARG, "Invoke was told to do nothing: its flags are 0x%x", flags);
    /* JScript's Enumerator calls it as a method, others read it. */
    if (id == DISPID_NEWENUM && (flags & DISPATCH_METHOD))
        flags |= DISPATCH_PROPERTYGET;
    const struct marshal_method *method = members_find(target->itf, id, flags & ALL_FORMS);
    if (method == NULL)
        return not_found(target->itf, id);
    struct request request = {.method = method,
                              .params = params,
                              .is_for_scripts = target->is_for_scripts,
                              .n_arguments = members_n_arguments(method)};
    if (is_indexed_result(method, params))
        return invoke_default(target, &request, flags, params, result, exception, wrong);
    HRESULT hr = run(target, &request, result, exception);
    if (FAILED(hr) && wrong != NULL)
        *wrong = request.wrong;
    return hr;
}
