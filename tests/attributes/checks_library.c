/* Of what a library has: dispinterfaces, classes and their events, constants, typedefs. */
#include "tests/attributes/checks_parts.h"

#include <string.h>
#include <viaduct/events.h>
#include <viaduct/late.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "tests/attributes/object.h"

/* --- dispinterface --- */

bool attribute_dispinterface_typed(IUnknown *object)
{
    IAttributes *itf = attribute_face(object);
    DAttributes *members = NULL;
    IDispatch *dispatch = NULL;
    VARIANT given[2] = {attribute_i4(21), attribute_missing()}, result;
    EXCEPINFO exception = {0};
    DISPPARAMS params = {.rgvarg = given, .cArgs = 1};
    bool ok = true;
    VariantInit(&result);
    EXPECT(itf != NULL && IAttributes_Members(itf, &members) == S_OK);
    EXPECT(DAttributes_Invoke(members, 3, (REFIID)&attribute_no_iid, 0, DISPATCH_METHOD, &params,
                              &result, NULL, NULL) == S_OK);
    EXPECT(V_VT(&result) == VT_I4 && V_I4(&result) == 42);
    EXPECT(DAttributes_QueryInterface(members, &IID_IDispatch, (void **)&dispatch) == S_OK);
    EXPECT(attribute_invoke(dispatch, 1, DISPATCH_PROPERTYPUT, given, 1, NULL) == S_OK);
    EXPECT(attribute_invoke(dispatch, 1, DISPATCH_PROPERTYGET, NULL, 0, &result) == S_OK);
    EXPECT(V_I4(&result) == 21);
    EXPECT(attribute_invoke(dispatch, 2, DISPATCH_PROPERTYPUT, given, 1, NULL) ==
           DISP_E_MEMBERNOTFOUND);
    V_VT(&given[0]) = VT_BSTR;
    V_BSTR(&given[0]) = SysAllocString(VIA_STR("on purpose"));
    HRESULT hr = DAttributes_Invoke(members, 5, (REFIID)&attribute_no_iid, 0, DISPATCH_METHOD,
                                    &params, NULL, &exception, NULL);
    VariantClear(&given[0]);
    EXPECT(hr == DISP_E_EXCEPTION && exception.scode == E_ABORT);
    EXPECT(attribute_is_text(exception.bstrDescription, VIA_STR("on purpose")));
end:
    SysFreeString(exception.bstrDescription);
    SysFreeString(exception.bstrSource);
    SysFreeString(exception.bstrHelpFile);
    VariantClear(&result);
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    if (members != NULL)
        DAttributes_Release(members);
    if (itf != NULL)
        IAttributes_Release(itf);
    return ok;
}

bool attribute_dispinterface_by_name(IUnknown *object)
{
    IUnknown *members = NULL;
    int32_t number = 0, a = 5;
    double later = 0;
    char text[300];
    BSTR b = SysAllocString(VIA_STR("17"));
    bool ok = true;
    EXPECT(via_invoke(object, "Members", &members) == S_OK);
    EXPECT(via_invoke(members, "Twice", 4, &number) == S_OK && number == 8);
    EXPECT(via_put(members, "Level", 6) == S_OK);
    EXPECT(via_get(members, "Level", &number) == S_OK && number == 6);
    EXPECT(via_invoke(members, "Swap", &a, &b) == S_OK && a == 17 &&
           attribute_is_text(b, VIA_STR("5")));
    EXPECT(via_invoke(members, "Sum", 1, 2, 3, 4, &number) == S_OK && number == 10);
    EXPECT(via_invoke(members, "Later", 2.5, &later) == S_OK && later == 3.5);
    EXPECT(via_invoke(members, "Fail", "on purpose") == E_ABORT);
    EXPECT(strstr(via_error_message(E_ABORT, text, sizeof text), "on purpose") != NULL);
    EXPECT(via_invoke(members, "Twice", "x", &number) == DISP_E_TYPEMISMATCH);
end:
    SysFreeString(b);
    if (members != NULL)
        IUnknown_Release(members);
    return ok;
}

bool attribute_dispinterface_late(IUnknown *object)
{
    IUnknown *members = NULL;
    IDispatch *dispatch = NULL;
    LPOLESTR names[] = {(LPOLESTR)VIA_STR("twice"), (LPOLESTR)VIA_STR("VALUE")};
    DISPID ids[2];
    VARIANT given[3] = {attribute_i4(1), attribute_i4(2), attribute_i4(3)}, result;
    bool ok = true;
    VariantInit(&result);
    EXPECT(via_invoke(object, "Members", &members) == S_OK);
    EXPECT(via_get_dispatch(members, &dispatch) == S_OK);
    EXPECT(IDispatch_GetIDsOfNames(dispatch, (REFIID)&attribute_no_iid, names, 2, 0, ids) == S_OK);
    EXPECT(ids[0] == 3 && ids[1] == 0);
    EXPECT(attribute_invoke(dispatch, 6, DISPATCH_METHOD, given, 3, &result) == S_OK);
    EXPECT(V_VT(&result) == VT_I4 && V_I4(&result) == 6);
    EXPECT(attribute_invoke(dispatch, 99, DISPATCH_METHOD, NULL, 0, &result) ==
           DISP_E_MEMBERNOTFOUND);
end:
    VariantClear(&result);
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    if (members != NULL)
        IUnknown_Release(members);
    return ok;
}

/* --- coclass, [default], [source]: events --- */

/* A sink of this process, and one of the object's. */
static bool hear(IUnknown *object, struct late_sink *sink)
{
    LONG n = 0, levels = 0;
    for (int i = 0; i < 500 && n < 4; i++) {
        late_sink_heard(sink, &n, &levels);
        if (n < 4)
            os_sleep_ms(10);
    }
    (void)object;
    return n == 4 && levels == 2 * (3 + 40);
}

bool attribute_source_late(IUnknown *object)
{
    struct late_sink *sink = late_sink_new(0);
    DWORD cookies[2] = {0, 0};
    bool ok = true;
    EXPECT(sink != NULL);
    IUnknown *advised = late_sink_unknown(sink);
    EXPECT(via_advise(object, &DIID_DAttributeEvents, advised, &cookies[0]) == S_OK);
    EXPECT(via_advise(object, &IID_IAttributeEvents, advised, &cookies[1]) == S_OK);
    EXPECT(via_invoke(object, "Fire", 3, "three") == S_OK);
    EXPECT(via_invoke(object, "Fire", 40, "forty") == S_OK);
    EXPECT(hear(object, sink));
end:
    if (cookies[0] != 0)
        via_unadvise(object, &DIID_DAttributeEvents, cookies[0]);
    if (cookies[1] != 0)
        via_unadvise(object, &IID_IAttributeEvents, cookies[1]);
    if (sink != NULL)
        IUnknown_Release(late_sink_unknown(sink));
    return ok;
}

/* A sink of the other process, and an emitter of this one. */
bool attribute_source_typed(IUnknown *object)
{
    IAttributes *itf = attribute_face(object);
    IUnknown *own = attributes_object_new();
    IAttributes *source = own != NULL ? attribute_face(own) : NULL;
    BSTR name = SysAllocString(VIA_STR("name"));
    LONG n = 0, levels = 0;
    bool ok = true;
    EXPECT(itf != NULL && source != NULL);
    EXPECT(attributes_typelib.coclasses[0].interfaces[1].flags ==
           (VIA_COCLASS_DEFAULT | VIA_COCLASS_SOURCE));
    EXPECT(IAttributes_Listen(itf, own) == S_OK);
    EXPECT(IAttributes_Fire(source, 3, name) == S_OK);
    for (int i = 0; i < 500 && n < 2; i++) {
        EXPECT(IAttributes_Heard(itf, &n, &levels) == S_OK);
        if (n < 2)
            os_sleep_ms(10);
    }
    EXPECT(n == 2 && levels == 6);
    EXPECT(IAttributes_StopListening(itf) == S_OK);
end:
    SysFreeString(name);
    if (source != NULL)
        IAttributes_Release(source);
    if (own != NULL)
        IUnknown_Release(own);
    if (itf != NULL)
        IAttributes_Release(itf);
    return ok;
}

/* --- const, typedef, importlib --- */

bool attribute_const_typed(IUnknown *object)
{
    (void)object;
    bool ok = true;
    EXPECT(ATTRIBUTE_MOST == 42 && ATTRIBUTE_HALF == -0.5 && ATTRIBUTE_LOUD == VARIANT_TRUE);
    EXPECT(!strcmp(ATTRIBUTE_TEXT, "a \"text\"") &&
           !memcmp(ATTRIBUTE_YOU, VIA_STR("you?"), 5 * sizeof(WCHAR)));
end:
    return ok;
}

bool attribute_typedef_typed(IUnknown *object)
{
    IAttributes *itf = attribute_face(object);
    AttributeObject same = object;
    AttributeNumber number = -1;
    double sum = 0;
    bool ok = true;
    const struct via_method *add = attribute_method("Add");
    uint16_t alias = attributes_typelib.types[add->params[0].type].alias;
    EXPECT(sizeof number == sizeof(LONG) && number < 0 && same == object);
    EXPECT(alias > 0 && !strcmp(attributes_typelib.aliases[alias - 1].name, "AttributeNumber"));
    EXPECT(itf != NULL && IAttributes_Add(itf, number, 43, 0.5, &sum) == S_OK && sum == 42.5);
end:
    if (itf != NULL)
        IAttributes_Release(itf);
    return ok;
}

bool attribute_typedef_by_name(IUnknown *object)
{
    BSTR json = NULL;
    double sum = 0;
    bool ok = true;
    EXPECT(via_describe(object, &IID_IAttributes, &json) == S_OK);
    EXPECT(attribute_has_text(json, "\"alias\":\"AttributeNumber\"") &&
           attribute_has_text(json, "\"alias\":\"AttributeObject\""));
    EXPECT(via_invoke(object, "Add", -1, 43, 0.5, &sum) == S_OK && sum == 42.5);
end:
    SysFreeString(json);
    return ok;
}

/* What its first argument is declared by. */
static HRESULT get_argument_type(ITypeInfo *info, MEMBERID id, ITypeInfo **type)
{
    FUNCDESC *desc = NULL;
    HRESULT hr = TYPE_E_ELEMENTNOTFOUND;
    *type = NULL;
    for (UINT i = 0; FAILED(hr) && SUCCEEDED(ITypeInfo_GetFuncDesc(info, i, &desc)); i++) {
        if (desc->memid == id && desc->cParams > 0 &&
            desc->lprgelemdescParam[0].tdesc.vt == VT_USERDEFINED)
            hr = ITypeInfo_GetRefTypeInfo(info, desc->lprgelemdescParam[0].tdesc.hreftype, type);
        ITypeInfo_ReleaseFuncDesc(info, desc);
    }
    return hr;
}

bool attribute_typedef_late(IUnknown *object)
{
    IDispatch *dispatch = NULL;
    ITypeInfo *info = NULL, *alias = NULL;
    TYPEATTR *attr = NULL;
    BSTR name = NULL;
    VARIANT arguments[2] = {attribute_i4(40), attribute_i4(3)}, result;
    bool ok = true;
    VariantInit(&result);
    EXPECT(via_get_dispatch(object, &dispatch) == S_OK);
    EXPECT(IDispatch_GetTypeInfo(dispatch, 0, 0, &info) == S_OK);
    EXPECT(get_argument_type(info, 1, &alias) == S_OK);
    EXPECT(ITypeInfo_GetDocumentation(alias, MEMBERID_NIL, &name, NULL, NULL, NULL) == S_OK);
    EXPECT(attribute_is_text(name, VIA_STR("AttributeNumber")));
    EXPECT(ITypeInfo_GetTypeAttr(alias, &attr) == S_OK);
    EXPECT(attr->typekind == TKIND_ALIAS && attr->tdescAlias.vt == VT_I4);
    EXPECT(attribute_invoke(dispatch, 1, DISPATCH_METHOD, arguments, 2, &result) == S_OK);
    EXPECT(V_VT(&result) == VT_R8 && V_R8(&result) == 41.5);
end:
    SysFreeString(name);
    if (attr != NULL)
        ITypeInfo_ReleaseTypeAttr(alias, attr);
    if (alias != NULL)
        ITypeInfo_Release(alias);
    if (info != NULL)
        ITypeInfo_Release(info);
    if (dispatch != NULL)
        IDispatch_Release(dispatch);
    return ok;
}

bool attribute_importlib_typed(IUnknown *object)
{
    (void)object;
    AttributeColour colour = ATTRIBUTE_BLUE;
    bool ok = true;
    EXPECT(attribute_method("Greet")->params[2].default_value->integer == colour);
end:
    return ok;
}
