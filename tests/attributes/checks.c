#include "tests/attributes/checks.h"
#include "tests/attributes/checks_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

static char failure[400];
const GUID attribute_no_iid = {0};

const char *attribute_check_failure(void)
{
    return failure;
}

bool attribute_failed(int line, const char *what)
{
    char text[200];
    snprintf(failure, sizeof failure, "line %d: %s (%s)", line, what,
             via_error_message(S_OK, text, sizeof text));
    return false;
}

bool attribute_is_text(BSTR text, const WCHAR *expected)
{
    size_t n = 0;
    while (expected[n])
        n++;
    return text != NULL && SysStringLen(text) == n && !memcmp(text, expected, n * sizeof(WCHAR));
}

bool attribute_has_text(BSTR text, const char *part)
{
    UINT n = SysStringLen(text);
    size_t size = strlen(part);
    for (UINT i = 0; i + size <= n; i++) {
        size_t same = 0;
        while (same < size && text[i + same] == (WCHAR)(unsigned char)part[same])
            same++;
        if (same == size)
            return true;
    }
    return false;
}

IAttributes *attribute_face(IUnknown *object)
{
    IAttributes *result = NULL;
    IUnknown_QueryInterface(object, &IID_IAttributes, (void **)&result);
    return result;
}

HRESULT attribute_invoke(IDispatch *dispatch, DISPID id, WORD form, const VARIANT *arguments,
                         UINT n, VARIANT *result)
{
    VARIANT reversed[4];
    DISPID put = DISPID_PROPERTYPUT;
    bool is_put = form & (DISPATCH_PROPERTYPUT | DISPATCH_PROPERTYPUTREF);
    DISPPARAMS params = {.rgvarg = reversed,
                         .cArgs = n,
                         .rgdispidNamedArgs = is_put ? &put : NULL,
                         .cNamedArgs = is_put};
    for (UINT i = 0; i < n; i++)
        reversed[n - 1 - i] = arguments[i];
    return IDispatch_Invoke(dispatch, id, (REFIID)&attribute_no_iid, 0, form, &params, result, NULL,
                            NULL);
}

VARIANT attribute_i4(LONG number)
{
    VARIANT variant;
    VariantInit(&variant);
    V_VT(&variant) = VT_I4;
    V_I4(&variant) = number;
    return variant;
}

VARIANT attribute_missing(void)
{
    VARIANT variant;
    VariantInit(&variant);
    V_VT(&variant) = VT_ERROR;
    V_ERROR(&variant) = DISP_E_PARAMNOTFOUND;
    return variant;
}

const struct via_method *attribute_method(const char *name)
{
    for (uint16_t i = 0; i < attributes_typelib.n_interfaces; i++)
        for (uint16_t j = 0; j < attributes_typelib.interfaces[i].n_methods; j++)
            if (!strcmp(attributes_typelib.interfaces[i].methods[j].name, name))
                return &attributes_typelib.interfaces[i].methods[j];
    abort();
}

const struct attribute_check attribute_checks[] = {
    {"optional", "typed", attribute_optional_typed},
    {"optional", "by-name", attribute_optional_by_name},
    {"optional", "late", attribute_optional_late},
    {"defaultvalue", "typed", attribute_default_typed},
    {"defaultvalue", "by-name", attribute_default_by_name},
    {"defaultvalue", "late", attribute_default_late},
    {"vararg", "typed", attribute_vararg_typed},
    {"vararg", "by-name", attribute_vararg_by_name},
    {"vararg", "late", attribute_vararg_late},
    {"restricted", "typed", attribute_restricted_typed},
    {"restricted", "by-name", attribute_restricted_by_name},
    {"restricted", "late", attribute_restricted_late},
    {"hidden", "typed", attribute_hidden_typed},
    {"hidden", "by-name", attribute_hidden_by_name},
    {"hidden", "late", attribute_hidden_late},
    {"helpstring", "typed", attribute_help_typed},
    {"helpstring", "by-name", attribute_help_by_name},
    {"propputref", "typed", attribute_putref_typed},
    {"propputref", "by-name", attribute_putref_by_name},
    {"propputref", "late", attribute_putref_late},
    {"dispinterface", "typed", attribute_dispinterface_typed},
    {"dispinterface", "by-name", attribute_dispinterface_by_name},
    {"dispinterface", "late", attribute_dispinterface_late},
    {"source", "typed", attribute_source_typed},
    {"source", "late", attribute_source_late},
    {"const", "typed", attribute_const_typed},
    {"typedef", "typed", attribute_typedef_typed},
    {"typedef", "by-name", attribute_typedef_by_name},
    {"typedef", "late", attribute_typedef_late},
    {"importlib", "typed", attribute_importlib_typed},
};
const size_t n_attribute_checks = sizeof(attribute_checks) / sizeof(attribute_checks[0]);
