/* Of arguments: [optional], [defaultvalue], [vararg]. */
#include "tests/attributes/checks_parts.h"

#include <string.h>
#include <viaduct/late.h>

/* --- [optional] --- */

bool attribute_optional_typed(IUnknown *object)
{
    IAttributes *itf = attribute_face(object);
    VARIANT missing = attribute_missing();
    LONG also = 0, bits = 0;
    bool ok = true;
    EXPECT(itf != NULL);
    EXPECT(IAttributes_Missing(itf, missing, &missing, attribute_i4(7), NULL, NULL, NULL, &also,
                               &bits) == S_OK);
    EXPECT(bits == 0x3F && also == 5);
end:
    if (itf != NULL)
        IAttributes_Release(itf);
    return ok;
}

bool attribute_optional_by_name(IUnknown *object)
{
    int32_t bits = 0, also = 0;
    bool ok = true;
    EXPECT(via_invoke(object, "Missing", via_named("bits", &bits)) == S_OK);
    EXPECT(bits == 0x3F);
    EXPECT(via_invoke(object, "Missing", 1, via_named("fourth", "x"), via_named("also", &also),
                      via_named("bits", &bits)) == S_OK);
    EXPECT(bits == (0x3F & ~1 & ~8) && also == 5);
    EXPECT(via_invoke(object, "Missing", 1, 2, 3, "x", NULL, NULL, 4, &also, &bits) ==
           DISP_E_BADPARAMCOUNT);
end:
    return ok;
}

bool attribute_optional_late(IUnknown *object)
{
    IDispatch *dispatch = NULL;
    VARIANT given[2] = {attribute_i4(1), attribute_missing()}, result;
    bool ok = true;
    VariantInit(&result);
    EXPECT(via_get_dispatch(object, &dispatch) == S_OK);
    EXPECT(attribute_invoke(dispatch, 3, DISPATCH_METHOD, NULL, 0, &result) == S_OK);
    EXPECT(V_VT(&result) == VT_I4 && V_I4(&result) == 0x3F);
    EXPECT(attribute_invoke(dispatch, 3, DISPATCH_METHOD, given, 2, &result) == S_OK);
    EXPECT(V_I4(&result) == 0x3E);
    EXPECT(attribute_invoke(dispatch, 1, DISPATCH_METHOD, NULL, 0, &result) ==
           DISP_E_BADPARAMCOUNT);
    given[0] = attribute_missing();
    EXPECT(attribute_invoke(dispatch, 1, DISPATCH_METHOD, given, 1, &result) ==
           DISP_E_PARAMNOTOPTIONAL);
end:
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    return ok;
}

/* --- [defaultvalue] --- */

bool attribute_default_typed(IUnknown *object)
{
    const struct via_param *params = attribute_method("Add")->params;
    IAttributes *itf = attribute_face(object);
    double sum = 0;
    bool ok = true;
    EXPECT(itf != NULL);
    EXPECT(params[1].default_value->integer == ATTRIBUTE_MOST);
    EXPECT(params[2].default_value->real == -1.5 && params[2].flags & VIA_PARAM_OPTIONAL);
    EXPECT(!strcmp(attribute_method("Greet")->params[0].default_value->text, "you?"));
    EXPECT(IAttributes_Add(itf, 1, 2, 3, &sum) == S_OK && sum == 6);
end:
    if (itf != NULL)
        IAttributes_Release(itf);
    return ok;
}

bool attribute_default_by_name(IUnknown *object)
{
    double sum = 0;
    BSTR text = NULL;
    bool ok = true;
    EXPECT(via_invoke(object, "Add", 1, &sum) == S_OK && sum == 41.5);
    EXPECT(via_invoke(object, "Add", 1, 2, &sum) == S_OK && sum == 1.5);
    EXPECT(via_invoke(object, "Add", 1, via_named("c", 4.0), &sum) == DISP_E_PARAMNOTFOUND ||
           sum == 47);
    EXPECT(via_invoke(object, "Greet", &text) == S_OK &&
           attribute_is_text(text, VIA_STR("you?!4")));
    SysFreeString(text);
    text = NULL;
    EXPECT(via_invoke(object, "Greet", "me", false, "ATTRIBUTE_RED", &text) == S_OK);
    EXPECT(attribute_is_text(text, VIA_STR("me.1")));
end:
    SysFreeString(text);
    return ok;
}

bool attribute_default_late(IUnknown *object)
{
    IDispatch *dispatch = NULL;
    VARIANT given[3] = {attribute_i4(1), attribute_missing(), attribute_i4(3)}, result;
    bool ok = true;
    VariantInit(&result);
    EXPECT(via_get_dispatch(object, &dispatch) == S_OK);
    EXPECT(attribute_invoke(dispatch, 1, DISPATCH_METHOD, given, 1, &result) == S_OK);
    EXPECT(V_VT(&result) == VT_R8 && V_R8(&result) == 41.5);
    EXPECT(attribute_invoke(dispatch, 1, DISPATCH_METHOD, given, 3, &result) == S_OK);
    EXPECT(V_R8(&result) == 46);
    EXPECT(attribute_invoke(dispatch, 2, DISPATCH_METHOD, NULL, 0, &result) == S_OK);
    EXPECT(V_VT(&result) == VT_BSTR && attribute_is_text(V_BSTR(&result), VIA_STR("you?!4")));
end:
    VariantClear(&result);
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    return ok;
}

/* --- [vararg] --- */

bool attribute_vararg_typed(IUnknown *object)
{
    IAttributes *itf = attribute_face(object);
    SAFEARRAY *parts = SafeArrayCreateVector(VT_VARIANT, 0, 2);
    BSTR separator = SysAllocString(VIA_STR("-")), text = NULL;
    bool ok = true;
    EXPECT(itf != NULL && parts != NULL && attribute_method("Join")->flags & VIA_METHOD_VARARG);
    ((VARIANT *)parts->pvData)[0] = attribute_i4(1);
    ((VARIANT *)parts->pvData)[1] = attribute_i4(2);
    EXPECT(IAttributes_Join(itf, separator, parts, &text) == S_OK);
    EXPECT(attribute_is_text(text, VIA_STR("1-2")));
end:
    SysFreeString(text);
    SysFreeString(separator);
    SafeArrayDestroy(parts);
    if (itf != NULL)
        IAttributes_Release(itf);
    return ok;
}

bool attribute_vararg_by_name(IUnknown *object)
{
    BSTR text = NULL;
    bool ok = true;
    EXPECT(via_invoke(object, "Join", "-", 1, "a", 2.5, &text) == S_OK);
    EXPECT(attribute_is_text(text, VIA_STR("1-a-2.5")));
    SysFreeString(text);
    text = NULL;
    EXPECT(via_invoke(object, "Join", "-", &text) == S_OK && attribute_is_text(text, VIA_STR("")));
end:
    SysFreeString(text);
    return ok;
}

bool attribute_vararg_late(IUnknown *object)
{
    IDispatch *dispatch = NULL;
    LONG numbers[2] = {1, 10};
    VARIANT given[3] = {attribute_i4(0), attribute_i4(1), attribute_i4(2)}, result;
    bool ok = true;
    VariantInit(&result);
    EXPECT(via_get_dispatch(object, &dispatch) == S_OK);
    EXPECT(attribute_invoke(dispatch, 4, DISPATCH_METHOD, given, 3, &result) == S_OK);
    EXPECT(V_VT(&result) == VT_BSTR && attribute_is_text(V_BSTR(&result), VIA_STR("102")));
    VariantClear(&result);
    for (int i = 0; i < 2; i++) {
        V_VT(&given[i]) = VT_BYREF | VT_I4;
        V_I4REF(&given[i]) = &numbers[i];
    }
    EXPECT(attribute_invoke(dispatch, 5, DISPATCH_METHOD, given, 2, NULL) == S_OK);
    EXPECT(numbers[0] == 2 && numbers[1] == 11);
    EXPECT(attribute_invoke(dispatch, 4, DISPATCH_METHOD, NULL, 0, &result) != S_OK);
end:
    VariantClear(&result);
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    return ok;
}
