#include "com/typeinfo/functions.h"

#include <stdlib.h>
#include <strings.h>
#include <viaduct/value.h>

#include "com/dispatch/members.h"
#include "com/dispatch/missing.h"
#include "com/marshal/plan.h"
#include "com/typeinfo/base_types.h"
#include "com/typeinfo/type_desc.h"
#include "core/util/error.h"

/* --- which there are --- */

/* The seven of IDispatch in front of a dual one's members, or what IUnknown and IDispatch have. */
static UINT n_base_functions(const struct type_subject *subject)
{
    if (subject->lib == &base_library && subject->view == TYPE_VIEW_INTERFACE)
        return subject->index == BASE_UNKNOWN ? BASE_UNKNOWN_METHODS : BASE_DISPATCH_METHODS;
    return subject->view == TYPE_VIEW_DISPATCH && type_subject_is_dual(subject) ? BASE_METHODS : 0;
}

static UINT n_members(const struct type_subject *subject)
{
    if (subject->itf == NULL)
        return 0;
    return subject->view == TYPE_VIEW_DISPATCH ? (UINT)members_count(subject->itf)
                                               : type_subject_interface(subject)->n_methods;
}

UINT functions_count(const struct type_subject *subject)
{
    return n_base_functions(subject) + n_members(subject);
}

bool functions_at(const struct type_subject *subject, UINT index, struct type_function *function)
{
    UINT n_base = n_base_functions(subject);
    if (index >= functions_count(subject))
        return false;
    if (index < n_base) {
        bool is_dispatch = subject->lib == &base_library && subject->index == BASE_DISPATCH;
        unsigned slot = is_dispatch ? index + BASE_UNKNOWN_METHODS : index;
        const struct base_function *base = base_function(slot);
        *function = (struct type_function){.base = base, .slot = slot, .id = base->id};
        return true;
    }
    /* An interface's own methods are the last ones. */
    size_t first = members_count(subject->itf) - n_members(subject);
    const struct marshal_method *method = members_at(subject->itf, first + index - n_base);
    *function =
        (struct type_function){.method = method, .slot = method->slot, .id = members_id(method)};
    return true;
}

bool functions_with_id(const struct type_subject *subject, MEMBERID id,
                       struct type_function *function)
{
    for (UINT i = 0; functions_at(subject, i, function); i++)
        if (function->id == id)
            return true;
    return false;
}

bool functions_with_name(const struct type_subject *subject, const char *name, WORD kinds,
                         struct type_function *function)
{
    for (UINT i = 0; functions_at(subject, i, function); i++)
        if (!strcasecmp(function_name(function), name) &&
            (kinds == 0 || (function_kind(function) & kinds) != 0))
            return true;
    return false;
}

/* --- one --- */

const char *function_name(const struct type_function *function)
{
    return function->method != NULL ? function->method->method->name : function->base->name;
}

const char *function_help(const struct type_function *function)
{
    return function->method != NULL ? function->method->method->help : NULL;
}

INVOKEKIND function_kind(const struct type_function *function)
{
    return function->method != NULL ? (INVOKEKIND)members_form(function->method) : INVOKE_FUNC;
}

unsigned function_n_params(const struct type_subject *subject, const struct type_function *function)
{
    if (function->method == NULL)
        return function->base->n_params;
    return subject->view == TYPE_VIEW_DISPATCH ? members_n_arguments(function->method)
                                               : function->method->n_params;
}

const char *function_param_name(const struct type_function *function, unsigned index)
{
    return function->method != NULL ? function->method->method->params[index].name
                                    : function->base->params[index].name;
}

/* --- descriptions --- */

static USHORT param_flags(const struct via_param *param)
{
    USHORT flags = 0;
    if (param->flags & VIA_PARAM_IN)
        flags |= PARAMFLAG_FIN;
    if (param->flags & VIA_PARAM_OUT)
        flags |= PARAMFLAG_FOUT;
    if (param->flags & VIA_PARAM_RETVAL)
        flags |= PARAMFLAG_FRETVAL;
    if (param->flags & VIA_PARAM_OPTIONAL)
        flags |= PARAMFLAG_FOPT;
    return flags;
}

static WORD function_flags(const struct via_method *method)
{
    WORD flags = 0;
    if (method->flags & VIA_METHOD_RESTRICTED)
        flags |= FUNCFLAG_FRESTRICTED;
    if (method->flags & VIA_METHOD_HIDDEN)
        flags |= FUNCFLAG_FHIDDEN;
    return flags;
}

/* Those that may be left out and have no value then. */
static SHORT count_optional(const struct via_method *method)
{
    SHORT n = 0;
    if (method->flags & VIA_METHOD_VARARG)
        return -1;
    for (uint16_t i = 0; i < method->n_params; i++)
        n = (SHORT)(n + ((method->params[i].flags & VIA_PARAM_OPTIONAL) != 0 &&
                         method->params[i].default_value == NULL));
    return n;
}

/* As what a caller by name would have passed. */
static void describe_default(const struct marshal_method *method, unsigned i,
                             struct type_block *block, PARAMDESC *desc)
{
    struct via_value value = {0};
    PARAMDESCEX *extra = type_block_take(block, sizeof *extra);
    extra->cBytes = sizeof *extra;
    HRESULT hr = missing_value(method, i, &value);
    if (SUCCEEDED(hr))
        hr = marshal_value_to_variant(method, (uint16_t)i, &value, &extra->varDefaultValue);
    via_value_clear(&value);
    if (FAILED(hr)) {
        error_clear();
        return; /* it is optional still */
    }
    desc->pparamdescex = extra;
    desc->wParamFlags |= PARAMFLAG_FHASDEFAULT;
}

static void describe_base(const struct type_subject *subject, const struct base_function *base,
                          struct type_block *block, FUNCDESC *desc)
{
    bool is_restricted = subject->view == TYPE_VIEW_DISPATCH;
    desc->elemdescFunc.tdesc.vt =
        is_restricted && base->result == VT_HRESULT ? VT_VOID : base->result;
    desc->wFuncFlags = is_restricted ? FUNCFLAG_FRESTRICTED : 0;
    for (unsigned i = 0; i < base->n_params; i++) {
        const struct base_param *param = &base->params[i];
        ELEMDESC *element = &desc->lprgelemdescParam[i];
        type_desc_make_simple(subject, param->vt, param->n_pointers, block, &element->tdesc);
        element->paramdesc.wParamFlags = param->flags;
    }
}

static void describe_member(const struct type_subject *subject, const struct marshal_method *method,
                            struct type_block *block, FUNCDESC *desc)
{
    bool is_vtable = subject->view == TYPE_VIEW_INTERFACE;
    int result = members_result(method);
    desc->wFuncFlags = function_flags(method->method);
    desc->cParamsOpt = count_optional(method->method);
    desc->elemdescFunc.tdesc.vt = is_vtable ? VT_HRESULT : VT_VOID;
    if (!is_vtable && result >= 0)
        type_desc_make(subject, method->lib, method->method->params[result].type, false, block,
                       &desc->elemdescFunc.tdesc);
    for (SHORT i = 0; i < desc->cParams; i++) {
        const struct via_param *param = &method->method->params[i];
        ELEMDESC *element = &desc->lprgelemdescParam[i];
        type_desc_make(subject, method->lib, param->type, (param->flags & VIA_PARAM_BY_REF) != 0,
                       block, &element->tdesc);
        element->paramdesc.wParamFlags = param_flags(param);
        if (param->default_value != NULL)
            describe_default(method, (unsigned)i, block, &element->paramdesc);
    }
}

/* Room for the types of all parameters, and of the result. */
static size_t extra_size(const struct type_function *function)
{
    size_t size = 0;
    const struct marshal_method *method = function->method;
    for (unsigned i = 0; method != NULL && i < method->n_params; i++)
        size += type_desc_extra(method->lib, method->method->params[i].type, true) +
                (method->method->params[i].default_value != NULL ? sizeof(PARAMDESCEX) : 0);
    for (unsigned i = 0; method == NULL && i < function->base->n_params; i++)
        size += function->base->params[i].n_pointers * sizeof(TYPEDESC);
    return size;
}

FUNCDESC *function_describe(const struct type_subject *subject,
                            const struct type_function *function)
{
    struct type_block block;
    unsigned n_params = function_n_params(subject, function);
    FUNCDESC *desc =
        type_block_new(&block, sizeof *desc, n_params * sizeof(ELEMDESC) + extra_size(function));
    bool has_slot = subject->view == TYPE_VIEW_INTERFACE || type_subject_is_dual(subject);
    if (desc == NULL)
        return NULL;
    desc->memid = function->id;
    desc->lprgelemdescParam =
        n_params > 0 ? type_block_take(&block, n_params * sizeof(ELEMDESC)) : NULL;
    desc->funckind = subject->view == TYPE_VIEW_DISPATCH ? FUNC_DISPATCH : FUNC_PUREVIRTUAL;
    desc->invkind = function_kind(function);
    desc->callconv = CC_STDCALL;
    desc->cParams = (SHORT)n_params;
    desc->oVft = has_slot ? (SHORT)(function->slot * sizeof(void *)) : 0;
    if (function->method != NULL)
        describe_member(subject, function->method, &block, desc);
    else
        describe_base(subject, function->base, &block, desc);
    return desc;
}

void function_free(FUNCDESC *desc)
{
    for (SHORT i = 0; desc != NULL && i < desc->cParams; i++)
        if (desc->lprgelemdescParam[i].paramdesc.pparamdescex != NULL)
            VariantClear(&desc->lprgelemdescParam[i].paramdesc.pparamdescex->varDefaultValue);
    free(desc);
}
