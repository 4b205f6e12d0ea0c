/*
 * Late binding across processes: the objects of late_peer by IDispatch, of which this process
 * has no tables, only what the peer describes.
 */
#include "tests/harness/harness.h"

#include <string.h>
#include <viaduct/class_info.h>
#include <viaduct/late.h>
#include <viaduct/runtime.h>

#include "core/util/utf.h"
#include "late.h"
#include "tests/remote/late_scene.h"

static const GUID none = {0};

static IDispatch *dispatch_of(IUnknown *object)
{
    IDispatch *dispatch = NULL;
    CHECK_OK(IUnknown_QueryInterface(object, &IID_IDispatch, (void **)&dispatch));
    return dispatch;
}

static DISPID id_of(IDispatch *dispatch, const WCHAR *name)
{
    LPOLESTR names[] = {(LPOLESTR)name};
    DISPID id = DISPID_UNKNOWN;
    CHECK_OK(IDispatch_GetIDsOfNames(dispatch, (REFIID)&none, names, 1, 0, &id));
    return id;
}

static VARIANT bstr(const WCHAR *text)
{
    VARIANT variant;
    VariantInit(&variant);
    V_VT(&variant) = VT_BSTR;
    V_BSTR(&variant) = SysAllocString(text);
    return variant;
}

/* Arguments as DISPPARAMS have them, the last one first. */
static HRESULT invoke(IDispatch *dispatch, DISPID id, WORD flags, VARIANT *arguments, UINT n,
                      VARIANT *result, UINT *wrong)
{
    DISPPARAMS params = {.rgvarg = arguments, .cArgs = n};
    return IDispatch_Invoke(dispatch, id, (REFIID)&none, 0, flags, &params, result, NULL, wrong);
}

static HRESULT put(IDispatch *dispatch, DISPID id, WORD flags, VARIANT *arguments, UINT n)
{
    DISPID value = DISPID_PROPERTYPUT;
    DISPPARAMS params = {
        .rgvarg = arguments, .cArgs = n, .rgdispidNamedArgs = &value, .cNamedArgs = 1};
    return IDispatch_Invoke(dispatch, id, (REFIID)&none, 0, flags, &params, NULL, NULL, NULL);
}

/* --- IDispatch --- */

/* To an object that implements none itself, and back: it is the object that goes home. */
TEST(an_idispatch_in_a_variant_goes_home_and_comes_back)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "MakeUnknown")) {
        IDispatch *dispatch = dispatch_of(scene.late);
        IUnknown *before = NULL, *after = NULL;
        VARIANT argument, result;
        VariantInit(&result);
        V_VT(&argument) = VT_DISPATCH;
        V_DISPATCH(&argument) = dispatch;
        if (CHECK_OK(invoke(dispatch, id_of(dispatch, VIA_STR("Any")), DISPATCH_METHOD, &argument,
                            1, &result, NULL)) &&
            CHECK_EQ(V_VT(&result), VT_DISPATCH) && CHECK_NOT_NULL(V_DISPATCH(&result))) {
            CHECK_EQ(id_of(V_DISPATCH(&result), VIA_STR("Add")), 10);
            CHECK_OK(IDispatch_QueryInterface(dispatch, &IID_IUnknown, (void **)&before));
            CHECK_OK(IDispatch_QueryInterface(V_DISPATCH(&result), &IID_IUnknown, (void **)&after));
            CHECK_PTR_EQ(before, after);
            IUnknown_Release(before);
            IUnknown_Release(after);
        }
        V_DISPATCH(&argument) = NULL;
        VariantClear(&result);
        CHECK_OK(invoke(dispatch, id_of(dispatch, VIA_STR("Any")), DISPATCH_METHOD, &argument, 1,
                        &result, NULL));
        CHECK_EQ(V_VT(&result), VT_DISPATCH);
        CHECK_NULL(V_DISPATCH(&result));
        IDispatch_Release(dispatch);
    }
    late_scene_end(&scene);
}

TEST(a_proxy_has_idispatch_from_its_description)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "MakeUnknown")) {
        IDispatch *dispatch = dispatch_of(scene.late);
        IUnknown *one = NULL, *two = NULL;
        VARIANT arguments[] = {late_i4(3), late_i4(4)}, result;
        CHECK_EQ(id_of(dispatch, VIA_STR("ADD")), 10);
        CHECK_OK(invoke(dispatch, 10, DISPATCH_METHOD, arguments, 2, &result, NULL));
        CHECK_EQ(V_VT(&result), VT_I4);
        CHECK_EQ(V_I4(&result), 7);
        CHECK_OK(IDispatch_QueryInterface(dispatch, &IID_IUnknown, (void **)&one));
        CHECK_OK(IUnknown_QueryInterface(scene.late, &IID_IUnknown, (void **)&two));
        CHECK_PTR_EQ(one, two);
        IUnknown_Release(one);
        IUnknown_Release(two);
        IDispatch_Release(dispatch);
    }
    late_scene_end(&scene);
}

TEST(members_of_bases_and_of_other_interfaces_have_ids)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "Make")) {
        IDispatch *dispatch = dispatch_of(scene.late);
        VARIANT arguments[] = {late_i4(3), late_i4(4)}, result;
        DISPID twice = id_of(dispatch, VIA_STR("Twice"));
        CHECK_OK(invoke(dispatch, twice, DISPATCH_METHOD, arguments, 1, &result, NULL));
        CHECK_EQ(V_I4(&result), 6);
        DISPID name = id_of(dispatch, VIA_STR("Name"));
        CHECK_OK(invoke(dispatch, name, DISPATCH_METHOD, NULL, 0, &result, NULL));
        CHECK_EQ(V_VT(&result), VT_BSTR);
        VariantClear(&result);
        DISPID other = id_of(dispatch, VIA_STR("ILateOther.Add"));
        CHECK(other != 10);
        CHECK_OK(invoke(dispatch, other, DISPATCH_METHOD, arguments, 2, &result, NULL));
        CHECK_EQ(V_I4(&result), 1);
        IDispatch_Release(dispatch);
    }
    late_scene_end(&scene);
}

TEST(named_arguments_go_to_their_parameters)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "Make")) {
        IDispatch *dispatch = dispatch_of(scene.late);
        LPOLESTR names[] = {(LPOLESTR)VIA_STR("Cell"), (LPOLESTR)VIA_STR("COLUMN"),
                            (LPOLESTR)VIA_STR("row"), (LPOLESTR)VIA_STR("depth")};
        DISPID ids[4];
        VARIANT arguments[] = {late_i4(5), late_i4(2), late_i4(1)}, result;
        CHECK_OK(IDispatch_GetIDsOfNames(dispatch, (REFIID)&none, names, 3, 0, ids));
        CHECK_EQ(ids[0], 13);
        CHECK_EQ(ids[1], 1);
        CHECK_EQ(ids[2], 0);
        CHECK_HR(IDispatch_GetIDsOfNames(dispatch, (REFIID)&none, names, 4, 0, ids),
                 DISP_E_UNKNOWNNAME);
        CHECK_EQ(ids[1], 1);
        CHECK_EQ(ids[3], DISPID_UNKNOWN);
        CHECK_OK(put(dispatch, ids[0], DISPATCH_PROPERTYPUT, arguments, 3)); /* cell (1, 2) = 5 */
        VARIANT named[] = {late_i4(2), late_i4(1)};
        DISPPARAMS params = {
            .rgvarg = named, .cArgs = 2, .rgdispidNamedArgs = &ids[1], .cNamedArgs = 2};
        CHECK_OK(IDispatch_Invoke(dispatch, ids[0], (REFIID)&none, 0, DISPATCH_PROPERTYGET, &params,
                                  &result, NULL, NULL));
        CHECK_EQ(V_VT(&result), VT_R8);
        CHECK(V_R8(&result) == 5.0);
        UINT wrong = 9;
        ids[2] = 7;
        CHECK_HR(IDispatch_Invoke(dispatch, ids[0], (REFIID)&none, 0, DISPATCH_PROPERTYGET, &params,
                                  &result, NULL, &wrong),
                 DISP_E_PARAMNOTFOUND);
        CHECK_EQ(wrong, 1);
        IDispatch_Release(dispatch);
    }
    late_scene_end(&scene);
}

TEST(properties_have_three_forms)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "Make")) {
        IDispatch *dispatch = dispatch_of(scene.late);
        VARIANT title = bstr(VIA_STR("a title")), result, object;
        CHECK_OK(put(dispatch, 12, DISPATCH_PROPERTYPUT, &title, 1));
        CHECK_OK(invoke(dispatch, 12, DISPATCH_PROPERTYGET, NULL, 0, &result, NULL));
        CHECK_EQ(V_VT(&result), VT_BSTR);
        CHECK_EQ(SysStringLen(V_BSTR(&result)), 7);
        VariantClear(&result);
        VariantClear(&title);
        CHECK_HR(put(dispatch, 12, DISPATCH_PROPERTYPUTREF, &title, 1), DISP_E_MEMBERNOTFOUND);
        CHECK_HR(invoke(dispatch, 12, DISPATCH_METHOD, NULL, 0, &result, NULL),
                 DISP_E_MEMBERNOTFOUND);
        CHECK_HR(invoke(dispatch, 12, DISPATCH_PROPERTYPUT, &title, 1, &result, NULL),
                 DISP_E_PARAMNOTFOUND);
        V_VT(&object) = VT_DISPATCH;
        V_DISPATCH(&object) = dispatch;
        CHECK_OK(put(dispatch, 14, DISPATCH_PROPERTYPUTREF, &object, 1));
        CHECK_OK(invoke(dispatch, 14, DISPATCH_PROPERTYGET, NULL, 0, &result, NULL));
        CHECK_EQ(V_VT(&result), VT_DISPATCH);
        CHECK_PTR_EQ(V_DISPATCH(&result), dispatch);
        VariantClear(&result);
        /* Friend(3): the default member of what Friend is. */
        VARIANT index = late_i4(3);
        CHECK_OK(invoke(dispatch, 14, DISPATCH_PROPERTYGET, &index, 1, &result, NULL));
        CHECK_EQ(V_VT(&result), VT_BSTR);
        VariantClear(&result);
        V_DISPATCH(&object) = NULL;
        CHECK_OK(put(dispatch, 14, DISPATCH_PROPERTYPUTREF, &object, 1));
        IDispatch_Release(dispatch);
    }
    late_scene_end(&scene);
}

TEST(results_go_where_arguments_refer_to)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "Make")) {
        IDispatch *dispatch = dispatch_of(scene.late);
        LONG count = 5;
        VARIANT rest, arguments[4], result;
        short whole = 0;
        VariantInit(&rest);
        V_VT(&arguments[0]) = VT_BYREF | VT_I4;
        V_I4REF(&arguments[0]) = &count;
        V_VT(&arguments[1]) = VT_BYREF | VT_VARIANT;
        V_VARIANTREF(&arguments[1]) = &rest;
        V_VT(&arguments[2]) = VT_BYREF | VT_I2;
        V_I2REF(&arguments[2]) = &whole;
        V_VT(&arguments[3]) = VT_R8;
        V_R8(&arguments[3]) = 2.25;
        CHECK_HR(invoke(dispatch, 11, DISPATCH_METHOD, arguments, 4, &result, NULL), S_FALSE);
        CHECK_EQ(count, 6);
        CHECK_EQ(whole, 2);
        CHECK_EQ(V_VT(&rest), VT_R8);
        CHECK(V_R8(&rest) == 0.25);
        CHECK_EQ(V_VT(&result), VT_EMPTY);
        IDispatch_Release(dispatch);
    }
    late_scene_end(&scene);
}

TEST(arguments_are_coerced_or_refused)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "Make")) {
        IDispatch *dispatch = dispatch_of(scene.late);
        VARIANT arguments[] = {bstr(VIA_STR("4")), late_i4(3)}, result;
        UINT wrong = 9;
        CHECK_OK(invoke(dispatch, 10, DISPATCH_METHOD, arguments, 2, &result, &wrong));
        CHECK_EQ(V_I4(&result), 7);
        VariantClear(&arguments[0]);
        arguments[0] = bstr(VIA_STR("four"));
        CHECK_HR(invoke(dispatch, 10, DISPATCH_METHOD, arguments, 2, &result, &wrong),
                 DISP_E_TYPEMISMATCH);
        CHECK_EQ(wrong, 0);
        CHECK_STR_HAS(error_text(DISP_E_TYPEMISMATCH), "argument b");
        CHECK_HR(invoke(dispatch, 10, DISPATCH_METHOD, arguments + 1, 1, &result, &wrong),
                 DISP_E_BADPARAMCOUNT);
        VARIANT three[] = {late_i4(1), late_i4(2), late_i4(3)}, big = late_i4(300);
        CHECK_HR(invoke(dispatch, 10, DISPATCH_METHOD, three, 3, &result, &wrong),
                 DISP_E_BADPARAMCOUNT);
        CHECK_HR(invoke(dispatch, 23, DISPATCH_METHOD, &big, 1, &result, &wrong), DISP_E_OVERFLOW);
        V_VT(&three[1]) = VT_ERROR;
        V_ERROR(&three[1]) = DISP_E_PARAMNOTFOUND;
        wrong = 9;
        CHECK_HR(invoke(dispatch, 10, DISPATCH_METHOD, three, 2, &result, &wrong),
                 DISP_E_PARAMNOTOPTIONAL);
        CHECK_EQ(wrong, 1);
        VariantClear(&arguments[0]);
        IDispatch_Release(dispatch);
    }
    late_scene_end(&scene);
}

TEST(nonsense_is_refused)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "Make")) {
        IDispatch *dispatch = dispatch_of(scene.late);
        LPOLESTR names[] = {(LPOLESTR)VIA_STR("Subtract"), NULL};
        DISPID ids[2] = {5, 5};
        VARIANT result, empty;
        DISPPARAMS params = {.cArgs = 2};
        VariantInit(&empty);
        CHECK_HR(IDispatch_GetIDsOfNames(dispatch, (REFIID)&none, names, 2, 0, ids),
                 DISP_E_UNKNOWNNAME);
        CHECK_EQ(ids[0], DISPID_UNKNOWN);
        CHECK_EQ(ids[1], DISPID_UNKNOWN);
        CHECK_STR_HAS(error_text(DISP_E_UNKNOWNNAME), "Add, Split, Title");
        CHECK_HR(IDispatch_GetIDsOfNames(dispatch, &IID_IUnknown, names, 1, 0, ids),
                 IsEqualGUID(&IID_IUnknown, &none) ? DISP_E_UNKNOWNNAME : DISP_E_UNKNOWNINTERFACE);
        CHECK_HR(IDispatch_GetIDsOfNames(dispatch, (REFIID)&none, NULL, 1, 0, ids), E_INVALIDARG);
        CHECK_HR(IDispatch_GetIDsOfNames(dispatch, (REFIID)&none, names, 0, 0, ids), E_INVALIDARG);
        CHECK_HR(IDispatch_GetIDsOfNames(dispatch, (REFIID)&none, names + 1, 1, 0, ids),
                 DISP_E_UNKNOWNNAME);
        CHECK_HR(invoke(dispatch, 4711, DISPATCH_METHOD, NULL, 0, &result, NULL),
                 DISP_E_MEMBERNOTFOUND);
        CHECK_HR(invoke(dispatch, 0x5B010000, DISPATCH_METHOD, NULL, 0, &result, NULL),
                 DISP_E_MEMBERNOTFOUND);
        CHECK_HR(invoke(dispatch, 0x5A00FFFF, DISPATCH_METHOD, NULL, 0, &result, NULL),
                 DISP_E_MEMBERNOTFOUND);
        CHECK_HR(invoke(dispatch, 10, 0, NULL, 0, &result, NULL), E_INVALIDARG);
        CHECK_HR(IDispatch_Invoke(dispatch, 10, (REFIID)&none, 0, 1, NULL, NULL, NULL, NULL),
                 E_INVALIDARG);
        CHECK_HR(IDispatch_Invoke(dispatch, 10, (REFIID)&none, 0, 1, &params, NULL, NULL, NULL),
                 E_INVALIDARG);
        params = (DISPPARAMS){.cNamedArgs = 1};
        CHECK_HR(IDispatch_Invoke(dispatch, 10, (REFIID)&none, 0, 1, &params, NULL, NULL, NULL),
                 E_INVALIDARG);
        CHECK_HR(IDispatch_Invoke(dispatch, 10, &IID_ILate, 0, 1, &params, NULL, NULL, NULL),
                 DISP_E_UNKNOWNINTERFACE);
        VARIANT hole[] = {{.vt = VT_BYREF | VT_I4}, late_i4(1)};
        CHECK_HR(invoke(dispatch, 10, DISPATCH_METHOD, hole, 2, &result, NULL), E_POINTER);
        V_VT(&hole[0]) = 0x7777;
        CHECK(FAILED(invoke(dispatch, 10, DISPATCH_METHOD, hole, 2, &result, NULL)));
        IDispatch_Release(dispatch);
    }
    late_scene_end(&scene);
}

TEST(a_failure_fills_the_exception)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "Make")) {
        IDispatch *dispatch = dispatch_of(scene.late);
        VARIANT arguments[] = {bstr(VIA_STR("the paint is out")), late_i4(E_ABORT)}, result;
        DISPPARAMS params = {.rgvarg = arguments, .cArgs = 2};
        EXCEPINFO exception;
        memset(&exception, 0xAA, sizeof exception);
        CHECK_HR(IDispatch_Invoke(dispatch, 21, (REFIID)&none, 0, DISPATCH_METHOD, &params, &result,
                                  &exception, NULL),
                 DISP_E_EXCEPTION);
        CHECK_EQ(exception.scode, E_ABORT);
        CHECK_EQ(exception.wCode, 0);
        CHECK_EQ(SysStringLen(exception.bstrDescription), 16);
        CHECK_EQ(SysStringLen(exception.bstrSource), 4);
        SysFreeString(exception.bstrDescription);
        SysFreeString(exception.bstrSource);
        CHECK_HR(invoke(dispatch, 21, DISPATCH_METHOD, arguments, 2, &result, NULL),
                 DISP_E_EXCEPTION);
        CHECK_STR_HAS(error_text(DISP_E_EXCEPTION), "the paint is out");
        peer_kill(&scene.peer);
        arguments[1] = late_i4(1);
        CHECK_HR(invoke(dispatch, 10, DISPATCH_METHOD, (VARIANT[]){late_i4(1), late_i4(2)}, 2,
                        &result, NULL),
                 RPC_E_DISCONNECTED);
        VariantClear(&arguments[0]);
        IDispatch_Release(dispatch);
    }
    late_scene_end(&scene);
}

TEST(variants_and_arrays_cross)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "Make")) {
        IDispatch *dispatch = dispatch_of(scene.late);
        VARIANT n = late_i4(4), list, sum, same;
        CHECK_OK(invoke(dispatch, 20, DISPATCH_METHOD, &n, 1, &list, NULL));
        CHECK_EQ(V_VT(&list), VT_ARRAY | VT_I4);
        CHECK_OK(invoke(dispatch, 15, DISPATCH_METHOD, &list, 1, &sum, NULL)); /* without count */
        CHECK_EQ(V_I4(&sum), 0 + 1 + 4 + 9);
        VARIANT counted[] = {list, late_i4(4)};
        CHECK_OK(invoke(dispatch, 15, DISPATCH_METHOD, counted, 2, &sum, NULL));
        CHECK_EQ(V_I4(&sum), 14);
        counted[1] = late_i4(5);
        CHECK_HR(invoke(dispatch, 15, DISPATCH_METHOD, counted, 2, &sum, NULL),
                 DISP_E_TYPEMISMATCH);
        CHECK_OK(invoke(dispatch, 19, DISPATCH_METHOD, &list, 1, &same, NULL));
        CHECK_EQ(V_VT(&same), VT_ARRAY | VT_I4);
        VariantClear(&same);
        VariantClear(&list);
        VARIANT money[3];
        DATE later = 0;
        V_VT(&money[0]) = VT_BYREF | VT_DATE;
        V_DATEREF(&money[0]) = &later;
        V_VT(&money[1]) = VT_R8;
        V_R8(&money[1]) = 10.5;
        money[2] = bstr(VIA_STR("12.25"));
        CHECK_OK(invoke(dispatch, 22, DISPATCH_METHOD, money, 3, &sum, NULL));
        CHECK_EQ(V_VT(&sum), VT_CY);
        CHECK_EQ(V_CY(&sum).int64, 245000);
        CHECK(later == 11.5);
        VariantClear(&money[2]);
        IDispatch_Release(dispatch);
    }
    late_scene_end(&scene);
}

TEST(an_own_idispatch_is_called)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "MakeDual")) {
        IDispatch *dispatch = dispatch_of(scene.late);
        VARIANT number = late_i4(8), result, arguments[2];
        LONG counter = 41;
        CHECK_EQ(id_of(dispatch, VIA_STR("Half")), 1);
        CHECK_OK(invoke(dispatch, 1, DISPATCH_METHOD, &number, 1, &result, NULL));
        CHECK_EQ(V_VT(&result), VT_BSTR);
        VariantClear(&result);
        CHECK_EQ(id_of(dispatch, VIA_STR("Hidden")), 77);
        V_VT(&arguments[0]) = VT_BYREF | VT_I4;
        V_I4REF(&arguments[0]) = &counter;
        arguments[1] = bstr(VIA_STR(""));
        CHECK_OK(invoke(dispatch, 77, DISPATCH_METHOD, arguments, 2, &result, NULL));
        CHECK_EQ(counter, 42);
        CHECK_EQ(V_VT(&result), VT_DISPATCH);
        CHECK_PTR_EQ(V_DISPATCH(&result), dispatch);
        VariantClear(&result);
        VariantClear(&arguments[1]);
        arguments[1] = bstr(VIA_STR("on purpose"));
        DISPPARAMS params = {.rgvarg = arguments, .cArgs = 2};
        EXCEPINFO exception = {0};
        CHECK_HR(
            IDispatch_Invoke(dispatch, 77, (REFIID)&none, 0, 1, &params, &result, &exception, NULL),
            DISP_E_EXCEPTION);
        CHECK_EQ(exception.wCode, 1234);
        CHECK_EQ(exception.dwHelpContext, 5);
        CHECK_EQ(SysStringLen(exception.bstrDescription), 10);
        SysFreeString(exception.bstrDescription);
        SysFreeString(exception.bstrHelpFile);
        UINT wrong = 9;
        VariantClear(&arguments[1]);
        CHECK_HR(invoke(dispatch, 77, 1, arguments, 2, &result, &wrong), DISP_E_TYPEMISMATCH);
        CHECK_EQ(wrong, 1);
        CHECK_HR(invoke(dispatch, 78, 1, arguments, 2, &result, &wrong), DISP_E_MEMBERNOTFOUND);
        IDispatch_Release(dispatch);
    }
    late_scene_end(&scene);
}

TEST(what_only_the_object_knows_is_called_by_name)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "MakeDual")) {
        int32_t number = 0;
        char *text = NULL;
        CHECK_OK(via_put(scene.late, "Tag", 7));
        CHECK_OK(via_get(scene.late, "Tag", &number));
        CHECK_EQ(number, 7);
        CHECK_OK(via_invoke(scene.late, "Tag", "5", &number));
        CHECK_EQ(number, 12);
        CHECK_OK(via_invoke(scene.late, "Tag", 1, &text));
        CHECK_STR_EQ(text, "8");
        via_value_free_text(text);
        CHECK_HR(via_invoke(scene.late, "Tag", via_named("x", 1), &number), DISP_E_NONAMEDARGS);
        CHECK_HR(via_invoke(scene.late, "Tag", &number, &number), DISP_E_BADPARAMCOUNT);
        CHECK_HR(via_invoke(scene.late, "Tag", 1, 2, &number), DISP_E_BADPARAMCOUNT);
        CHECK_HR(via_invoke(scene.late, "Hidden", "", 5), DISP_E_TYPEMISMATCH);
        CHECK_HR(via_invoke(scene.late, "Nobody"), DISP_E_UNKNOWNNAME);
        CHECK_STR_HAS(error_text(DISP_E_UNKNOWNNAME), "it has Half");
        CHECK_OK(via_invoke(scene.late, "Half", 8, &number)); /* described: by its vtable */
        CHECK_EQ(number, 4);
    }
    late_scene_end(&scene);
}

TEST(an_object_that_nobody_describes_has_none)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "MakeNothing")) {
        IDispatch *dispatch = (IDispatch *)&scene;
        CHECK_HR(IUnknown_QueryInterface(scene.late, &IID_IDispatch, (void **)&dispatch),
                 E_NOINTERFACE);
        CHECK_NULL(dispatch);
        CHECK_HR(via_invoke(scene.late, "Anything"), E_NOINTERFACE);
        CHECK_STR_HAS(error_text(E_NOINTERFACE), "describes none of its interfaces");
    }
    late_scene_end(&scene);
}

TEST(the_other_side_calls_by_idispatch_too)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "Make")) {
        IDispatch *dispatch = dispatch_of(scene.late);
        int32_t result = 0;
        CHECK_OK(via_invoke(scene.root, "CallTwice", dispatch, 21, &result));
        CHECK_EQ(result, 42);
        IDispatch_Release(dispatch);
    }
    late_scene_end(&scene);
}

/* --- type information --- */

static bool is_named(ITypeInfo *info, const WCHAR *name)
{
    BSTR text = NULL;
    CHECK_OK(ITypeInfo_GetDocumentation(info, MEMBERID_NIL, &text, NULL, NULL, NULL));
    bool is_equal = text != NULL && SysStringByteLen(text) == 2 * utf16_length(name) &&
                    !memcmp(text, name, SysStringByteLen(text));
    SysFreeString(text);
    return is_equal;
}

static void check_type(IDispatch *dispatch, const WCHAR *name, WORD flags)
{
    ITypeInfo *info = NULL;
    TYPEATTR *attr = NULL;
    UINT n = 0;
    CHECK_OK(IDispatch_GetTypeInfoCount(dispatch, &n));
    CHECK_EQ(n, 1);
    CHECK_HR(IDispatch_GetTypeInfo(dispatch, 1, 0, &info), DISP_E_BADINDEX);
    REQUIRE_OK(IDispatch_GetTypeInfo(dispatch, 0, 0, &info));
    CHECK(is_named(info, name));
    CHECK_OK(ITypeInfo_GetTypeAttr(info, &attr));
    CHECK_EQ(attr->typekind, TKIND_DISPATCH);
    CHECK_EQ(attr->wTypeFlags & TYPEFLAG_FDUAL, flags);
    ITypeInfo_ReleaseTypeAttr(info, attr);
    ITypeInfo_Release(info);
}

TEST(proxies_have_type_information)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "MakeUnknown")) {
        IDispatch *dispatch = dispatch_of(scene.late);
        ITypeInfo *info = NULL;
        VARIANT arguments[] = {late_i4(3), late_i4(4)}, result;
        DISPPARAMS params = {.rgvarg = arguments, .cArgs = 2};
        check_type(dispatch, VIA_STR("ILate"), 0);
        REQUIRE_OK(IDispatch_GetTypeInfo(dispatch, 0, 0, &info));
        CHECK_OK(
            ITypeInfo_Invoke(info, dispatch, 10, DISPATCH_METHOD, &params, &result, NULL, NULL));
        CHECK_EQ(V_I4(&result), 7);
        ITypeInfo_Release(info);
        IDispatch_Release(dispatch);
    }
    late_scene_end(&scene);
    if (late_scene_begin(&scene, "MakeDual")) {
        IDispatch *dispatch = dispatch_of(scene.late);
        check_type(dispatch, VIA_STR("ILateDual"), TYPEFLAG_FDUAL);
        IDispatch_Release(dispatch);
    }
    late_scene_end(&scene);
}

TEST(proxies_know_their_class)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "MakeUnknown")) {
        IProvideClassInfo2 *provider = NULL;
        IUnknown *one = NULL, *two = NULL;
        ITypeInfo *info = NULL;
        GUID guid;
        REQUIRE_OK(
            IUnknown_QueryInterface(scene.late, &IID_IProvideClassInfo2, (void **)&provider));
        CHECK_OK(IProvideClassInfo2_GetClassInfo(provider, &info));
        REQUIRE_NOT_NULL(info);
        CHECK(is_named(info, VIA_STR("Late")));
        CHECK_HR(IProvideClassInfo2_GetGUID(provider, GUIDKIND_DEFAULT_SOURCE_DISP_IID, &guid),
                 E_UNEXPECTED);
        CHECK_HR(IProvideClassInfo2_GetGUID(provider, 2, &guid), E_INVALIDARG);
        CHECK_OK(IProvideClassInfo2_QueryInterface(provider, &IID_IUnknown, (void **)&one));
        CHECK_OK(IUnknown_QueryInterface(scene.late, &IID_IUnknown, (void **)&two));
        CHECK_PTR_EQ(one, two);
        IUnknown_Release(one);
        IUnknown_Release(two);
        ITypeInfo_Release(info);
        IProvideClassInfo2_Release(provider);
    }
    late_scene_end(&scene);
    if (late_scene_begin(&scene, "MakeDual")) {
        void *provider = NULL;
        CHECK_HR(IUnknown_QueryInterface(scene.late, &IID_IProvideClassInfo, &provider),
                 E_NOINTERFACE);
        CHECK_NULL(provider);
    }
    late_scene_end(&scene);
}

HARNESS_MAIN("late", TEST_ENTRY(an_idispatch_in_a_variant_goes_home_and_comes_back),
             TEST_ENTRY(a_proxy_has_idispatch_from_its_description),
             TEST_ENTRY(members_of_bases_and_of_other_interfaces_have_ids),
             TEST_ENTRY(named_arguments_go_to_their_parameters),
             TEST_ENTRY(properties_have_three_forms),
             TEST_ENTRY(results_go_where_arguments_refer_to),
             TEST_ENTRY(arguments_are_coerced_or_refused), TEST_ENTRY(nonsense_is_refused),
             TEST_ENTRY(a_failure_fills_the_exception), TEST_ENTRY(variants_and_arrays_cross),
             TEST_ENTRY(an_own_idispatch_is_called),
             TEST_ENTRY(what_only_the_object_knows_is_called_by_name),
             TEST_ENTRY(proxies_have_type_information), TEST_ENTRY(proxies_know_their_class),
             TEST_ENTRY(an_object_that_nobody_describes_has_none),
             TEST_ENTRY(the_other_side_calls_by_idispatch_too))
