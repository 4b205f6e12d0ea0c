/* Of methods: [restricted], [hidden], [helpstring], [propputref]. */
#include "tests/attributes/checks_parts.h"

#include <string.h>
#include <viaduct/late.h>
#include <viaduct/runtime.h>

/* --- [restricted], [hidden], [helpstring], [propputref] --- */

bool attribute_restricted_typed(IUnknown *object)
{
    IAttributes *itf = attribute_face(object);
    LONG secret = 0;
    bool ok = true;
    EXPECT(itf != NULL && attribute_method("Secret")->flags & VIA_METHOD_RESTRICTED);
    EXPECT(IAttributes_Secret(itf, &secret) == S_OK && secret == 4711);
end:
    if (itf != NULL)
        IAttributes_Release(itf);
    return ok;
}

bool attribute_restricted_by_name(IUnknown *object)
{
    int32_t secret = 0;
    bool ok = true;
    EXPECT(via_invoke(object, "Secret", &secret) == DISP_E_UNKNOWNNAME && secret == 0);
end:
    return ok;
}

bool attribute_restricted_late(IUnknown *object)
{
    IDispatch *dispatch = NULL;
    LPOLESTR names[] = {(LPOLESTR)VIA_STR("Secret")};
    DISPID id = 0;
    VARIANT result;
    bool ok = true;
    VariantInit(&result);
    EXPECT(via_get_dispatch(object, &dispatch) == S_OK);
    EXPECT(IDispatch_GetIDsOfNames(dispatch, (REFIID)&attribute_no_iid, names, 1, 0, &id) ==
           DISP_E_UNKNOWNNAME);
    EXPECT(attribute_invoke(dispatch, 6, DISPATCH_METHOD, NULL, 0, &result) ==
           DISP_E_MEMBERNOTFOUND);
    /* _NewEnum is what "for each" needs. */
    EXPECT(attribute_invoke(dispatch, DISPID_NEWENUM, DISPATCH_PROPERTYGET, NULL, 0, &result) ==
           S_OK);
    EXPECT(V_VT(&result) == VT_UNKNOWN && V_UNKNOWN(&result) != NULL);
end:
    VariantClear(&result);
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    return ok;
}

bool attribute_hidden_typed(IUnknown *object)
{
    (void)object;
    bool ok = true;
    EXPECT(attribute_method("Quiet")->flags & VIA_METHOD_HIDDEN);
    EXPECT(attributes_typelib.coclasses[1].flags & VIA_CLASS_HIDDEN);
end:
    return ok;
}

bool attribute_hidden_by_name(IUnknown *object)
{
    int32_t quiet = 0;
    bool ok = true;
    EXPECT(via_invoke(object, "Quiet", &quiet) == S_OK && quiet == 1);
end:
    return ok;
}

bool attribute_hidden_late(IUnknown *object)
{
    IDispatch *dispatch = NULL;
    VARIANT result;
    bool ok = true;
    EXPECT(via_get_dispatch(object, &dispatch) == S_OK);
    EXPECT(attribute_invoke(dispatch, 7, DISPATCH_METHOD, NULL, 0, &result) == S_OK &&
           V_I4(&result) == 1);
end:
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    return ok;
}

bool attribute_help_typed(IUnknown *object)
{
    (void)object;
    bool ok = true;
    EXPECT(!strcmp(attribute_method("Add")->help, "Adds what is given."));
    EXPECT(!strcmp(attributes_typelib.help, "Attributes\tand more"));
    EXPECT(!strcmp(attributes_typelib.enums[0].help, "Red, or blue."));
    EXPECT(!strcmp(attributes_typelib.structs[0].help, "What there is of something."));
    EXPECT(!strcmp(attributes_typelib.coclasses[0].help, "An object with all of them"));
end:
    return ok;
}

bool attribute_help_by_name(IUnknown *object)
{
    BSTR json = NULL;
    bool ok = true;
    EXPECT(via_describe(object, &IID_IAttributes, &json) == S_OK);
    EXPECT(attribute_has_text(json, "Adds what is given.") &&
           attribute_has_text(json, "Attributes\\tand more"));
    EXPECT(attribute_has_text(json, "Red, or blue."));
end:
    SysFreeString(json);
    return ok;
}

bool attribute_putref_typed(IUnknown *object)
{
    IAttributes *itf = attribute_face(object);
    LONG how = 0;
    bool ok = true;
    EXPECT(itf != NULL);
    EXPECT(IAttributes_putref_Friend(itf, NULL) == S_OK);
    EXPECT(IAttributes_HowPut(itf, &how) == S_OK && how == 2);
end:
    if (itf != NULL)
        IAttributes_Release(itf);
    return ok;
}

bool attribute_putref_by_name(IUnknown *object)
{
    int32_t how = 0;
    bool ok = true;
    EXPECT(via_put(object, "Friend", (IUnknown *)NULL) == S_OK);
    EXPECT(via_invoke(object, "HowPut", &how) == S_OK && how == 1);
    EXPECT(via_invoke(object, "putref_Friend", (IUnknown *)NULL) == S_OK);
    EXPECT(via_invoke(object, "HowPut", &how) == S_OK && how == 2);
end:
    return ok;
}

bool attribute_putref_late(IUnknown *object)
{
    IDispatch *dispatch = NULL;
    VARIANT none_yet, result;
    bool ok = true;
    VariantInit(&none_yet);
    V_VT(&none_yet) = VT_UNKNOWN;
    V_UNKNOWN(&none_yet) = NULL;
    EXPECT(via_get_dispatch(object, &dispatch) == S_OK);
    EXPECT(attribute_invoke(dispatch, 8, DISPATCH_PROPERTYPUTREF, &none_yet, 1, NULL) == S_OK);
    EXPECT(attribute_invoke(dispatch, 9, DISPATCH_METHOD, NULL, 0, &result) == S_OK &&
           V_I4(&result) == 2);
    EXPECT(attribute_invoke(dispatch, 8, DISPATCH_PROPERTYPUT, &none_yet, 1, NULL) == S_OK);
    EXPECT(attribute_invoke(dispatch, 9, DISPATCH_METHOD, NULL, 0, &result) == S_OK &&
           V_I4(&result) == 1);
end:
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    return ok;
}
