/*
 * via_invoke() across processes: the objects of late_peer, of which this process has no tables,
 * only what the peer describes.
 */
#include "tests/harness/harness.h"

#include <string.h>
#include <viaduct/late.h>
#include <viaduct/runtime.h>

#include "late.h"
#include "tests/remote/late_scene.h"

TEST(one_call_for_everything)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "Make")) {
        int32_t sum = 0, whole = 0, count = 5;
        double rest = 0;
        char *text = NULL;
        BSTR wide = NULL;
        bool is = true;
        short boolean = 0;
        CHECK_OK(via_invoke(scene.late, "Add", 2, 3, &sum));
        CHECK_EQ(sum, 5);
        CHECK_OK(via_invoke(scene.late, "ILateOther.Add", 2, 3, &sum));
        CHECK_EQ(sum, -1);
        CHECK_OK(via_invoke(scene.late, "add", via_named("b", 1), via_named("A", 5), &sum));
        CHECK_EQ(sum, 6);
        CHECK_OK(via_put(scene.late, "Title", "\xC3\xA4 title"));
        CHECK_OK(via_get(scene.late, "Title", &text));
        CHECK_STR_EQ(text, "\xC3\xA4 title");
        via_value_free_text(text);
        CHECK_OK(via_put(scene.late, "title", VIA_STR("wide")));
        CHECK_OK(via_invoke(scene.late, "get_Title", &wide));
        CHECK_EQ(SysStringLen(wide), 4);
        SysFreeString(wide);
        CHECK_HR(via_invoke(scene.late, "Split", 2.25, &whole, &rest, &count), S_FALSE);
        CHECK(whole == 2 && rest == 0.25 && count == 6);
        CHECK_OK(via_put(scene.late, "Cell", 1, 2, 2.5f));
        CHECK_OK(via_get(scene.late, "Cell", 1, 2, &rest));
        CHECK(rest == 2.5);
        CHECK_OK(via_invoke(scene.late, "Not", true, &is));
        CHECK(!is);
        CHECK_OK(via_invoke(scene.late, "Not", (bool)false, &boolean));
        CHECK_EQ(boolean, VARIANT_TRUE);
        CHECK_OK(via_invoke(scene.late, "Paint", "LATE_BLUE", &text));
        CHECK_STR_EQ(text, "LATE_RED");
        via_value_free_text(text);
        CHECK_OK(via_invoke(scene.late, "Quit"));
    }
    late_scene_end(&scene);
}

TEST(structs_lists_and_objects_by_one_call)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "Make")) {
        static const char shape[] = "{\"name\": \"s\", \"colour\": \"LATE_RED\", "
                                    "\"corner\": {\"x\": 1, \"y\": 2}, "
                                    "\"points\": [{\"x\": 3, \"y\": 4}]}";
        int32_t sum = 0;
        char *json = NULL;
        struct via_value rows = {0};
        IUnknown *friend_ = NULL;
        IDispatch *dispatch = NULL;
        VARIANT any;
        GUID same;
        CHECK_OK(via_invoke(scene.late, "Sum", via_json("[1, 2, 3]"), &sum));
        CHECK_EQ(sum, 6);
        CHECK_OK(via_invoke(scene.late, "Sum", 3, via_json("[1, 2, 3]"), &sum));
        CHECK_OK(via_invoke(scene.late, "Draw", via_json(shape), via_json_result(&json)));
        CHECK_STR_HAS(json, "\"LATE_GREEN\"");
        CHECK_STR_HAS(json, "{\"x\": 4, \"y\": 3}");
        via_value_free_text(json);
        CHECK_OK(via_invoke(scene.late, "Rows", 2, via_ignore(), &rows));
        CHECK_EQ(rows.n, 2);
        via_value_clear(&rows);
        CHECK_OK(via_invoke(scene.late, "putref_Friend", scene.late));
        CHECK_OK(via_get(scene.late, "Friend", &friend_));
        CHECK_PTR_EQ(friend_, scene.late);
        CHECK_OK(via_get(scene.late, "Friend", &dispatch));
        CHECK_NOT_NULL(dispatch);
        IUnknown_Release(friend_);
        IDispatch_Release(dispatch);
        CHECK_OK(via_put(scene.late, "Friend", NULL));
        CHECK_OK(via_invoke(scene.late, "Any", late_i4(7), &any));
        CHECK_EQ(V_I4(&any), 7);
        CHECK_HR(via_invoke(scene.late, "Wide", NULL, IID_ILate, &same), S_FALSE);
        CHECK(IsEqualGUID(&same, &IID_ILate));
        CHECK_OK(via_invoke(scene.late, "Wide", "text", &IID_ILate, &same));
    }
    late_scene_end(&scene);
}

static void check_refused(HRESULT hr, HRESULT expected, const char *text)
{
    CHECK_HR(hr, expected);
    CHECK_STR_HAS(error_text(hr), text);
}

TEST(an_opaque_argument_goes_nowhere)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "Make")) {
        LONG items[1] = {1};
        ILate *late = NULL;
        void *pointer = NULL;
        CHECK_OK(IUnknown_QueryInterface(scene.late, &IID_ILate, &pointer));
        late = pointer;
        CHECK_HR(ILate_Blind(late, 1, items), VIA_E_TYPE);
        CHECK_STR_HAS(error_text(VIA_E_TYPE), "items");
        CHECK_STR_HAS(error_text(VIA_E_TYPE), "its description does not say what it is");
        check_refused(via_invoke(scene.late, "Blind", 1, 2), VIA_E_TYPE, "items");
        check_refused(via_invoke(scene.late, "Blind", 1, NULL), VIA_E_TYPE, "items");
        ILate_Release(late);
    }
    late_scene_end(&scene);
}

TEST(wrong_calls_say_what_is_wrong)
{
    struct late_scene scene;
    if (late_scene_begin(&scene, "Make")) {
        int32_t sum = 77;
        signed char small = 7;
        char *text = (char *)&scene;
        IUnknown *object = (IUnknown *)&scene;
        check_refused(via_invoke(scene.late, "Subtract", 1, 2, &sum), DISP_E_UNKNOWNNAME,
                      "no member Subtract; it has");
        check_refused(via_invoke(scene.late, "Add", 1, &sum), DISP_E_BADPARAMCOUNT,
                      "too few values");
        check_refused(via_invoke(scene.late, "Add", 1, 2, 3, &sum), DISP_E_BADPARAMCOUNT,
                      "too many values");
        check_refused(via_invoke(scene.late, "Add", 1, 2, &sum, &sum), DISP_E_BADPARAMCOUNT,
                      "too many pointers");
        check_refused(via_invoke(scene.late, "Add", 1, via_named("c", 2), &sum),
                      DISP_E_PARAMNOTFOUND, "no parameter c");
        check_refused(via_invoke(scene.late, "Add", 1, via_named("a", 2), &sum),
                      DISP_E_PARAMNOTFOUND, "given twice");
        check_refused(via_invoke(scene.late, "Add", via_named("a", 2), via_named("a", 2), &sum),
                      DISP_E_PARAMNOTFOUND, "given twice");
        check_refused(via_invoke(scene.late, "Add", via_named("a", &sum), 2, &sum),
                      DISP_E_PARAMNOTFOUND, "goes in");
        check_refused(via_invoke(scene.late, "Add", 1, "two", &sum), DISP_E_TYPEMISMATCH,
                      "argument b");
        check_refused(via_invoke(scene.late, "Add", 1, (void *)&sum, &sum), E_INVALIDARG,
                      "pointer to void");
        check_refused(via_invoke(scene.late, "Small", 256, &sum), DISP_E_OVERFLOW,
                      "argument value");
        check_refused(via_invoke(scene.late, "Add", 100, 100, &small), DISP_E_OVERFLOW,
                      "result sum");
        check_refused(via_invoke(scene.late, "Add", 1, 2, &object), DISP_E_TYPEMISMATCH,
                      "result sum");
        CHECK_NULL(object);
        check_refused(via_invoke(scene.late, "Sum", via_json("[1, "), &sum), E_INVALIDARG, "JSON");
        check_refused(via_invoke(scene.late, "Fail", (int)E_ABORT, "no paint"), E_ABORT,
                      "no paint");
        check_refused(via_put(scene.late, "Add", 1), DISP_E_MEMBERNOTFOUND, "Add");
        CHECK_OK(via_get(scene.late, "Title")); /* whose result is of no interest */
        CHECK_HR(via_invoke(NULL, "Add", 1, 2, &sum), E_POINTER);
        CHECK_HR(via_invoke(scene.late, "Nothing", &text), DISP_E_UNKNOWNNAME);
        CHECK_NULL(text);
        CHECK_EQ(sum, 77);
        CHECK_EQ(small, 7);
    }
    late_scene_end(&scene);
}

HARNESS_MAIN("late_invoke", TEST_ENTRY(one_call_for_everything),
             TEST_ENTRY(structs_lists_and_objects_by_one_call),
             TEST_ENTRY(an_opaque_argument_goes_nowhere), TEST_ENTRY(wrong_calls_say_what_is_wrong))
