/*
 * Values as the VARIANTs of IDispatch::Invoke, and what that returns as values.
 *
 * What comes back is given a place of the parameter's type to refer to, as a compiled caller would
 * have it. The places own what is in them; the arguments are views of it. The array of a [vararg]
 * member is given as its elements, which who receives them makes an array of again.
 */
#include "com/dispatch/invoke.h"

#include <stdlib.h>
#include <string.h>

#include "com/abi/error_border.h"
#include "com/dispatch/dual.h"
#include "com/dispatch/exception.h"
#include "com/dispatch/members.h"
#include "com/dispatch/script.h"
#include "com/marshal/automation.h"
#include "com/marshal/by_name.h"
#include "com/marshal/plan.h"
#include "core/util/error.h"

/* One call of one method. */
struct passing {
    const struct marshal_method *method;
    struct dispatch_member member;
    unsigned n;         /* parameters that arguments are given for: all but a retval */
    UINT n_arguments;   /* more or fewer than that, with [vararg] */
    VARIANT *arguments; /* as DISPPARAMS has them, the last one first; for free() */
    VARIANT places[TYPELIB_MAX_PARAMS]; /* by parameter */
    VARTYPE types[TYPELIB_MAX_PARAMS];  /* of those that are referred to; else VT_EMPTY */
    VARIANT result;
    bool is_refused; /* by Invoke itself: the method has not been called */
};

/* --- in --- */

static uint32_t count_in(const struct marshal_method *method)
{
    uint32_t n = 0;
    for (uint16_t i = 0; i < method->n_params; i++)
        n += method->params[i].is_in;
    return n;
}

/* An empty place for what only comes out; VT_EMPTY where the parameter's type is no VARIANT's. */
static VARTYPE place_type(const struct plan_type *type)
{
    if (type->kind == VIA_TYPE_SAFEARRAY)
        return VT_ARRAY | automation_vartype(type->element);
    return type->kind == VIA_TYPE_VARIANT || type->kind == VIA_TYPE_STRUCT
               ? VT_EMPTY
               : automation_vartype(type);
}

static void refer(struct passing *self, unsigned i, VARIANT *to)
{
    VARIANT *place = &self->places[i];
    VARTYPE vt = self->method->params[i].type->kind == VIA_TYPE_VARIANT ? VT_EMPTY : V_VT(place);
    if (vt == VT_EMPTY || vt == VT_RECORD) {
        V_VT(to) = VT_BYREF | VT_VARIANT;
        V_VARIANTREF(to) = place;
        return;
    }
    self->types[i] = vt;
    V_VT(to) = VT_BYREF | vt;
    V_BYREF(to) = automation_place(place);
}

/* Of every parameter what goes in, or room for what comes out. */
static HRESULT make_places(struct passing *self, const struct via_value *in)
{
    uint32_t next = 0;
    HRESULT hr = S_OK;
    for (unsigned i = 0; i < self->n && SUCCEEDED(hr); i++) {
        const struct plan_param *plan = &self->method->params[i];
        if (plan->is_in)
            hr = marshal_value_to_variant(self->method, (uint16_t)i, &in->as.items[next++],
                                          &self->places[i]);
        else
            V_VT(&self->places[i]) = place_type(plan->type);
        if (self->member.is_scripts && !plan->is_out)
            script_simplify(&self->places[i]);
    }
    return hr;
}

static SAFEARRAY *rest_of(const struct passing *self)
{
    int rest = members_rest(self->method);
    const VARIANT *place = rest >= 0 ? &self->places[rest] : NULL;
    bool is_list = place != NULL && V_VT(place) == (VT_ARRAY | VT_VARIANT) &&
                   V_ARRAY(place) != NULL && V_ARRAY(place)->cDims == 1;
    return is_list ? V_ARRAY(place) : NULL;
}

static void spread(struct passing *self, unsigned i)
{
    const SAFEARRAY *rest = rest_of(self);
    VARIANT *items = rest != NULL ? rest->pvData : NULL;
    UINT n = rest != NULL ? rest->rgsabound[0].cElements : 0;
    for (UINT k = 0; k < n; k++) {
        VARIANT *to = &self->arguments[n - 1 - k];
        if (self->method->params[i].is_out) {
            V_VT(to) = VT_BYREF | VT_VARIANT;
            V_VARIANTREF(to) = &items[k];
        } else {
            *to = items[k];
        }
    }
}

static HRESULT fill(struct passing *self)
{
    int rest_param = members_rest(self->method);
    const SAFEARRAY *rest = rest_of(self);
    UINT n_rest = rest != NULL ? rest->rgsabound[0].cElements : 0;
    self->n_arguments = rest_param < 0 ? self->n : self->n - 1 + n_rest;
    self->arguments = calloc((size_t)self->n_arguments + 1, sizeof *self->arguments);
    if (self->arguments == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the arguments of a late-bound call");
    for (unsigned i = 0; i < self->n; i++) {
        if ((int)i == rest_param)
            spread(self, i);
        else if (self->method->params[i].is_out)
            refer(self, i, &self->arguments[self->n_arguments - 1 - i]);
        else
            self->arguments[self->n_arguments - 1 - i] = self->places[i];
    }
    return S_OK;
}

static HRESULT begin(struct passing *self, const struct dispatch_member *member,
                     const struct marshal_method *method, const struct via_value *in)
{
    memset(self, 0, sizeof *self);
    self->method = method;
    self->member = *member;
    self->n = members_n_arguments(method);
    if (in->n != count_in(method))
        return by_name_wrong_count(method, in->n, "arguments");
    HRESULT hr = make_places(self, in);
    return SUCCEEDED(hr) ? fill(self) : hr;
}

static void end(struct passing *self)
{
    for (unsigned i = 0; i < self->n; i++)
        VariantClear(&self->places[i]);
    VariantClear(&self->result);
    free(self->arguments);
}

/* --- the call --- */

/* What an Invoke says before it calls a method: it has none, or not such arguments. What a method
 * says comes as DISP_E_EXCEPTION. */
static bool is_refusal(HRESULT hr)
{
    static const HRESULT refusals[] = {
        E_NOTIMPL,           DISP_E_UNKNOWNINTERFACE, DISP_E_MEMBERNOTFOUND,
        DISP_E_TYPEMISMATCH, DISP_E_PARAMNOTFOUND,    DISP_E_PARAMNOTOPTIONAL,
        DISP_E_BADVARTYPE,   DISP_E_BADPARAMCOUNT,    DISP_E_NONAMEDARGS,
    };
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        if (hr == refusals[i])
            return true;
    return false;
}

/* A failure becomes the thread's record and its error information. */
static HRESULT invoke(struct passing *self, IDispatch *dispatch)
{
    static const GUID none = {0};
    WORD form = self->member.form;
    bool is_put = (form & (DISPATCH_PROPERTYPUT | DISPATCH_PROPERTYPUTREF)) != 0;
    DISPID value = DISPID_PROPERTYPUT;
    DISPPARAMS params = {.rgvarg = self->arguments,
                         .cArgs = self->n_arguments,
                         .rgdispidNamedArgs = is_put ? &value : NULL,
                         .cNamedArgs = is_put};
    EXCEPINFO exception = {0};
    UINT wrong = 0;
    error_border_clear();
    HRESULT hr = IDispatch_Invoke(dispatch, self->member.id, (REFIID)&none, 0, form, &params,
                                  members_result(self->method) < 0 ? NULL : &self->result,
                                  &exception, &wrong);
    for (unsigned i = 0; i < self->n; i++)
        if (self->types[i] != VT_EMPTY)
            V_VT(&self->places[i]) = self->types[i]; /* over which a DECIMAL lies */
    /* The method's own failure stays as it says it. */
    bool is_told = hr == DISP_E_EXCEPTION;
    self->is_refused = is_refusal(hr);
    if (is_told) {
        exception_complete(dispatch, &exception);
        hr = exception_raise(hr, &exception);
    } else {
        exception_clear(&exception);
    }
    if (SUCCEEDED(hr))
        return hr;
    error_border_capture(hr);
    const char *owner = self->member.owner;
    if (!is_told)
        error_wrap(hr, "%s%s%s", owner != NULL ? owner : "", owner != NULL ? "." : "",
                   self->member.name);
    error_border_publish(hr);
    return hr;
}

/* --- out --- */

/* An engine has objects for arrays and structs. */
static HRESULT take_result(const struct passing *self, unsigned i, const VARIANT *from,
                           struct via_value *item)
{
    VARIANT made;
    VariantInit(&made);
    HRESULT hr = self->member.is_scripts
                     ? script_argument(self->method->params[i].type, from, &made)
                     : S_FALSE;
    if (SUCCEEDED(hr))
        hr = marshal_value_from_variant(self->method, (uint16_t)i, hr == S_OK ? &made : from, item);
    automation_clear(&made);
    return hr;
}

static HRESULT take_results(struct passing *self, struct via_value *out)
{
    HRESULT hr = via_value_set_list(out, 0);
    for (unsigned i = 0; i < self->method->n_params && SUCCEEDED(hr); i++) {
        struct via_value *item;
        const VARIANT *from = i < self->n ? &self->places[i] : &self->result;
        if (!self->method->params[i].is_out)
            continue;
        hr = via_value_append(out, &item);
        if (FAILED(hr))
            error_set(hr, "no memory for the results of %s", self->method->method->name);
        else
            hr = take_result(self, i, from, item);
    }
    return hr;
}

HRESULT dispatch_pass_on_as(IDispatch *dispatch, const struct dispatch_member *member,
                            const struct marshal_method *method, const struct via_value *in,
                            struct via_value *out, bool *is_called)
{
    struct passing self;
    HRESULT hr = begin(&self, member, method, in);
    *is_called = SUCCEEDED(hr);
    if (SUCCEEDED(hr))
        hr = invoke(&self, dispatch);
    if (*is_called && SUCCEEDED(hr)) {
        HRESULT taken = take_results(&self, out);
        if (FAILED(taken))
            error_border_publish(taken);
        hr = FAILED(taken) ? taken : hr;
    }
    end(&self);
    return hr;
}

/* What the description says of itself. */
static struct dispatch_member described(const struct marshal_method *method)
{
    return (struct dispatch_member){.owner = method->owner->name,
                                    .name = method->method->name,
                                    .id = members_id(method),
                                    .form = members_form(method)};
}

HRESULT dispatch_pass_on(IDispatch *dispatch, const struct marshal_method *method,
                         const struct via_value *in, struct via_value *out, bool *is_called)
{
    struct dispatch_member member = described(method);
    return dispatch_pass_on_as(dispatch, &member, method, in, out, is_called);
}

HRESULT dispatch_pass_on_dual(IDispatch *dispatch, const struct marshal_method *method,
                              const struct via_value *in, struct via_value *out, bool *is_refused)
{
    struct passing self;
    struct dispatch_member member = described(method);
    HRESULT hr = begin(&self, &member, method, in);
    *is_refused = FAILED(hr);
    if (SUCCEEDED(hr)) {
        hr = invoke(&self, dispatch);
        *is_refused = FAILED(hr) && self.is_refused;
        if (SUCCEEDED(hr))
            hr = take_results(&self, out);
    }
    end(&self);
    return hr;
}

HRESULT dispatch_notify(IDispatch *dispatch, const struct marshal_method *method,
                        const struct via_value *in)
{
    struct passing self;
    struct dispatch_member member = described(method);
    HRESULT hr = begin(&self, &member, method, in);
    if (SUCCEEDED(hr))
        hr = invoke(&self, dispatch);
    end(&self);
    return hr;
}
