/*
 * Objects by name: the test implements ISink, of which it has no table, only the description that
 * another process gives; called through the vtable in this process, and by that process. The
 * generated header is there to call the vtable with.
 */
#include "tests/harness/harness.h"

#include <stdatomic.h>
#include <string.h>
#include <viaduct/implement.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/thread.h"
#include "sink.h"
#include "tests/remote/fixture.h"

#define N_THREADS 4
#define N_ROUNDS  100

/* What the handler answers with. */
enum mode {
    GOOD,
    TOO_MANY,
    TOO_FEW,
    NO_LIST,
    WRONG_TYPE,
    OUT_OF_RANGE,
    WRONG_SIZE,
    WRONG_ROOM,
    WRONG_OBJECT,
    FAILING
};

struct sink {
    enum mode mode;
    IUnknown *caller; /* to be called from within a call; may be NULL */
    atomic_int level;
    atomic_int noted;
    atomic_uint n_calls;
    atomic_uint n_released;
};

/* --- the handler --- */

static void set_integer(struct via_value *value, int64_t number)
{
    value->kind = VIA_VALUE_I64;
    value->as.i64 = number;
}

static void set_real(struct via_value *value, double number)
{
    value->kind = VIA_VALUE_F64;
    value->as.f64 = number;
}

static HRESULT set_text(struct via_value *value, const char *text)
{
    return via_value_set_string(value, text, strlen(text));
}

/* The rows as JSON: what counts them is left to be filled in, unless it is to be wrong. */
static HRESULT give_rows(struct sink *self, struct via_value *out)
{
    HRESULT hr = via_value_from_json(
        "[{\"id\": 1, \"name\": \"one\"}, {\"id\": 2, \"name\": null}]", &out->as.items[1]);
    if (self->mode == WRONG_SIZE)
        set_integer(&out->as.items[0], 3);
    if (self->mode == WRONG_TYPE)
        hr = set_text(&out->as.items[1].as.items[1].as.fields[0].value, "two");
    return hr;
}

static HRESULT give_names(struct sink *self, const struct via_value *in, struct via_value *out)
{
    uint32_t n = (uint32_t)in->as.items[0].as.i64 + (self->mode == WRONG_ROOM);
    HRESULT hr = via_value_set_list(&out->as.items[0], n);
    for (uint32_t i = 0; i < n && SUCCEEDED(hr); i++)
        hr = set_text(&out->as.items[0].as.items[i], "name");
    return hr;
}

static HRESULT fail_with_text(const WCHAR *text)
{
    ICreateErrorInfo *create = NULL;
    IErrorInfo *info = NULL;
    if (FAILED(CreateErrorInfo(&create)))
        return E_OUTOFMEMORY;
    ICreateErrorInfo_SetDescription(create, (LPOLESTR)text);
    if (SUCCEEDED(ICreateErrorInfo_QueryInterface(create, &IID_IErrorInfo, (void **)&info))) {
        SetErrorInfo(0, info);
        IErrorInfo_Release(info);
    }
    ICreateErrorInfo_Release(create);
    return E_ABORT;
}

/* By name to the process that calls us: three times twice. */
static HRESULT call_back(struct sink *self, const struct via_value *in, int64_t *result)
{
    struct via_value arguments = {0}, results = {0};
    HRESULT hr = via_value_set_list(&arguments, 3);
    if (FAILED(hr))
        return hr;
    via_value_set_object(&arguments.as.items[0], in->as.items[0].as.object);
    set_integer(&arguments.as.items[1], 5);
    set_integer(&arguments.as.items[2], 3);
    hr = via_invoke_values(self->caller, &IID_ISinkCaller, "CallTwice", &arguments, &results);
    if (SUCCEEDED(hr))
        *result = results.as.items[0].as.i64;
    via_value_clear(&arguments);
    via_value_clear(&results);
    return hr;
}

static HRESULT say(struct sink *self, const struct via_value *in, struct via_value *out)
{
    struct via_value *item;
    CHECK_EQ(in->n, 2);
    if (self->mode == FAILING)
        return fail_with_text(VIA_STR("the sink is full"));
    set_integer(&out->as.items[0], in->as.items[1].as.i64 + 1);
    if (self->mode == TOO_MANY)
        return via_value_append(out, &item);
    if (self->mode == TOO_FEW)
        return via_value_set_list(out, 1);
    if (self->mode == NO_LIST)
        via_value_clear(out);
    if (self->mode == WRONG_TYPE)
        set_integer(&out->as.items[1], 5);
    return self->mode == GOOD ? set_text(&out->as.items[1], in->as.items[0].as.string) : S_OK;
}

static HRESULT pass(struct sink *self, const struct via_value *in, struct via_value *out)
{
    int64_t eight_times = 0;
    HRESULT hr = self->caller != NULL ? call_back(self, in, &eight_times) : S_OK;
    CHECK(self->caller == NULL || eight_times == 40);
    if (self->mode == WRONG_OBJECT)
        set_integer(&out->as.items[0], 1);
    else if (in->as.items[0].kind == VIA_VALUE_OBJECT)
        via_value_set_object(&out->as.items[0], in->as.items[0].as.object);
    return hr;
}

static HRESULT handle(void *context, const char *method, const struct via_value *in,
                      struct via_value *out)
{
    struct sink *self = context;
    atomic_fetch_add(&self->n_calls, 1);
    if (strcmp(method, "Twice") == 0)
        set_integer(&out->as.items[0], in->as.items[0].as.i64 * 2);
    else if (strcmp(method, "Say") == 0)
        return say(self, in, out);
    else if (strcmp(method, "Pass") == 0)
        return pass(self, in, out);
    else if (strcmp(method, "Fill") == 0)
        return give_names(self, in, out);
    else if (strcmp(method, "Rows") == 0)
        return give_rows(self, out);
    else if (strcmp(method, "Small") == 0 || strcmp(method, "Get") == 0)
        set_integer(&out->as.items[0], self->mode == OUT_OF_RANGE ? 256 : 255);
    else if (strcmp(method, "Scale") == 0)
        set_real(&out->as.items[0], in->as.items[0].as.f64 * (double)in->as.items[1].as.i64);
    else if (strcmp(method, "get_Level") == 0)
        set_integer(&out->as.items[0], atomic_load(&self->level));
    else if (strcmp(method, "put_Level") == 0)
        atomic_store(&self->level, (int)in->as.items[0].as.i64);
    else if (strcmp(method, "Note") == 0)
        atomic_store(&self->noted, (int)in->as.items[0].as.i64);
    else
        return E_UNEXPECTED;
    return strcmp(method, "Twice") == 0 ? S_FALSE : S_OK;
}

static void count_release(void *context)
{
    atomic_fetch_add(&((struct sink *)context)->n_released, 1);
}

/* --- the frame --- */

struct scene {
    struct peer_process peer;
    IUnknown *root; /* sink_peer's */
    ISink *sink;
    struct sink state;
};

static bool begin(struct scene *scene)
{
    memset(scene, 0, sizeof *scene);
    return fixture_begin() && peer_launch_program(&scene->peer, "sink_peer", "sinks") &&
           peer_connect(&scene->peer, &IID_IUnknown, (void **)&scene->root) &&
           CHECK_OK(via_implement(&IID_ISink, scene->root, handle, &scene->state, count_release,
                                  (void **)&scene->sink));
}

static void end(struct scene *scene)
{
    if (scene->sink != NULL) {
        ISink_Release(scene->sink);
        EVENTUALLY(atomic_load(&scene->state.n_released) == 1);
    }
    if (scene->root != NULL)
        IUnknown_Release(scene->root);
    peer_end(&scene->peer);
    SetErrorInfo(0, NULL);
    fixture_end();
    CHECK_EQ(atomic_load(&scene->state.n_released), scene->sink != NULL);
}

static bool text_is(BSTR text, const char *expected)
{
    size_t n = strlen(expected);
    bool same = SysStringLen(text) == n;
    for (size_t i = 0; same && i < n; i++)
        same = text[i] == (WCHAR)expected[i];
    return same;
}

static void clear_rows(ULONG n, struct SinkRow *rows)
{
    for (ULONG i = 0; i < n && rows != NULL; i++)
        SysFreeString(rows[i].name);
    CoTaskMemFree(rows);
}

static ULONG count_references(ISink *sink)
{
    ISink_AddRef(sink);
    return ISink_Release(sink);
}

/* --- in this process --- */

TEST(is_a_com_object)
{
    struct scene scene;
    if (begin(&scene)) {
        IUnknown *unknown = NULL;
        ISinkBase *base = NULL;
        void *other = &scene;
        CHECK_OK(ISink_QueryInterface(scene.sink, &IID_IUnknown, (void **)&unknown));
        CHECK_OK(ISink_QueryInterface(scene.sink, &IID_ISinkBase, (void **)&base));
        CHECK_PTR_EQ(unknown, scene.sink);
        CHECK_PTR_EQ(base, scene.sink);
        CHECK_HR(ISink_QueryInterface(scene.sink, &IID_ISinkCaller, &other), E_NOINTERFACE);
        CHECK_NULL(other);
        CHECK_HR(ISink_QueryInterface(scene.sink, &IID_ISink, NULL), E_POINTER);
        CHECK_EQ(count_references(scene.sink), 3);
        IUnknown_Release(unknown);
        ISinkBase_Release(base);
        CHECK_EQ(count_references(scene.sink), 1);
        CHECK_EQ(atomic_load(&scene.state.n_released), 0);
    }
    end(&scene);
}

TEST(answers_through_its_vtable)
{
    struct scene scene;
    if (begin(&scene)) {
        LONG number = 0, count = 7, level = 0;
        BSTR text = SysAllocString(VIA_STR("hello")), answer = NULL, names[2] = {NULL};
        ULONG n = 0;
        struct SinkRow *rows = NULL;
        BYTE small = 0;
        double scaled = 0;
        IUnknown *same = NULL;
        CHECK_HR(ISink_Twice(scene.sink, 21, &number), S_FALSE);
        CHECK_EQ(number, 42);
        CHECK_OK(ISink_Say(scene.sink, text, &count, &answer));
        CHECK_EQ(count, 8);
        CHECK(text_is(answer, "hello"));
        CHECK_OK(ISink_Pass(scene.sink, (IUnknown *)scene.sink, &same));
        CHECK_PTR_EQ(same, scene.sink);
        CHECK_OK(ISink_Fill(scene.sink, 2, names));
        CHECK(text_is(names[1], "name"));
        CHECK_OK(ISink_Rows(scene.sink, &n, &rows));
        CHECK(n == 2 && rows[1].id == 2 && rows[1].name == NULL && text_is(rows[0].name, "one"));
        CHECK_OK(ISink_Small(scene.sink, &small));
        CHECK_EQ(small, 255);
        CHECK_OK(ISink_Scale(scene.sink, 1.5, 3, &scaled));
        CHECK(scaled == 4.5);
        CHECK_OK(ISink_put_Level(scene.sink, 9));
        CHECK_OK(ISink_get_Level(scene.sink, &level));
        CHECK_EQ(level, 9);
        CHECK_OK(ISink_Note(scene.sink, 4));
        CHECK_EQ(atomic_load(&scene.state.noted), 4);
        if (same != NULL)
            IUnknown_Release(same);
        SysFreeString(text);
        SysFreeString(answer);
        SysFreeString(names[0]);
        SysFreeString(names[1]);
        clear_rows(n, rows);
        CHECK_EQ(count_references(scene.sink), 1);
    }
    end(&scene);
}

static void check_refused(HRESULT hr, HRESULT expected, const char *part)
{
    if (!CHECK_HR(hr, expected))
        harness_note("%s", error_text(hr));
    CHECK_STR_HAS(error_text(hr), part);
}

static void check_say(struct scene *scene, enum mode mode, HRESULT expected, const char *part)
{
    LONG count = 7;
    BSTR text = SysAllocString(VIA_STR("hello"));
    BSTR answer = text; /* to be overwritten */
    scene->state.mode = mode;
    check_refused(ISink_Say(scene->sink, text, &count, &answer), expected, part);
    CHECK_EQ(count, 7);
    CHECK_NULL(answer);
    SysFreeString(text);
}

TEST(names_the_result_that_does_not_fit)
{
    struct scene scene;
    if (begin(&scene)) {
        BSTR names[2];
        BYTE small = 1;
        ULONG n = 5;
        struct SinkRow *rows = (struct SinkRow *)&scene;
        IUnknown *same = scene.root;
        check_say(&scene, TOO_MANY, DISP_E_BADPARAMCOUNT, "ISink.Say: 3 results do not fit Say(");
        check_say(&scene, TOO_FEW, DISP_E_BADPARAMCOUNT, "ISink.Say: 1 results");
        check_say(&scene, NO_LIST, DISP_E_BADPARAMCOUNT, "ISink.Say: 0 results");
        check_say(&scene, WRONG_TYPE, DISP_E_TYPEMISMATCH, "ISink.Say: argument answer");
        check_refused(ISink_Rows(scene.sink, &n, &rows), DISP_E_TYPEMISMATCH,
                      "ISink.Rows: argument rows[1].id");
        CHECK(n == 0 && rows == NULL);
        scene.state.mode = WRONG_SIZE;
        check_refused(ISink_Rows(scene.sink, &n, &rows), DISP_E_TYPEMISMATCH,
                      "ISink.Rows: argument n");
        scene.state.mode = WRONG_ROOM;
        memset(names, 0xA5, sizeof names);
        check_refused(ISink_Fill(scene.sink, 2, names), DISP_E_TYPEMISMATCH,
                      "ISink.Fill: argument names");
        CHECK(names[0] == NULL && names[1] == NULL);
        scene.state.mode = OUT_OF_RANGE;
        check_refused(ISink_Small(scene.sink, &small), DISP_E_OVERFLOW,
                      "ISink.Small: argument value");
        CHECK_EQ(small, 0);
        scene.state.mode = WRONG_OBJECT;
        check_refused(ISink_Pass(scene.sink, scene.root, &same), DISP_E_TYPEMISMATCH,
                      "ISink.Pass: argument same");
        CHECK_NULL(same);
    }
    end(&scene);
}

TEST(refuses_null_arguments)
{
    struct scene scene;
    if (begin(&scene)) {
        LONG count = 1;
        check_refused(ISink_Twice(scene.sink, 1, NULL), E_POINTER,
                      "ISinkBase.Twice: argument result");
        check_refused(ISink_Say(scene.sink, NULL, &count, NULL), E_POINTER,
                      "ISink.Say: argument answer");
        check_refused(ISink_Fill(scene.sink, 3, NULL), E_POINTER, "ISink.Fill: argument names");
        CHECK_OK(ISink_Fill(scene.sink, 0, NULL));
        CHECK_EQ(atomic_load(&scene.state.n_calls), 1);
    }
    end(&scene);
}

TEST(answers_idispatch)
{
    struct scene scene;
    if (begin(&scene)) {
        ISinkDispatch *object = NULL;
        IDispatch *dispatch = NULL;
        ITypeInfo *info = (ITypeInfo *)&scene;
        WCHAR name[] = {'G', 'e', 't', 0};
        LPOLESTR names[] = {name};
        DISPID id = 7;
        UINT n = 3;
        LONG value = 0;
        GUID no_iid = {0};
        DISPPARAMS params = {0};
        VARIANT result;
        struct sink state = {.mode = GOOD};
        CHECK_OK(via_implement(&IID_ISinkDispatch, scene.root, handle, &state, count_release,
                               (void **)&object));
        CHECK_OK(ISinkDispatch_QueryInterface(object, &IID_IDispatch, (void **)&dispatch));
        CHECK_PTR_EQ(dispatch, object);
        CHECK_OK(ISinkDispatch_Get(object, &value));
        CHECK_EQ(value, 255);
        CHECK_OK(dispatch->lpVtbl->GetTypeInfoCount(dispatch, &n));
        CHECK_EQ(n, 1);
        CHECK_OK(dispatch->lpVtbl->GetTypeInfo(dispatch, 0, 0, &info));
        ITypeInfo_Release(info);
        CHECK_OK(dispatch->lpVtbl->GetIDsOfNames(dispatch, &no_iid, names, 1, 0, &id));
        CHECK_EQ(id, 1);
        CHECK_OK(dispatch->lpVtbl->Invoke(dispatch, 1, &no_iid, 0, DISPATCH_METHOD, &params,
                                          &result, NULL, NULL));
        CHECK_EQ(V_VT(&result), VT_I4);
        CHECK_EQ(V_I4(&result), 255);
        dispatch->lpVtbl->Release(dispatch);
        CHECK_EQ(ISinkDispatch_Release(object), 0);
        CHECK_EQ(atomic_load(&state.n_released), 1);
    }
    end(&scene);
}

TEST(says_what_cannot_be_implemented)
{
    static const GUID nobodys = {
        0x5a1d7c00, 0x92f1, 0x4c63, {0x8b, 0x0e, 0x7d, 0x6f, 0x0c, 0x3e, 0x1b, 0xff}};
    struct scene scene;
    if (begin(&scene)) {
        void *object = &scene;
        struct sink state = {.mode = GOOD};
        HRESULT hr = via_implement(&nobodys, NULL, handle, &state, count_release, &object);
        check_refused(hr, REGDB_E_IIDNOTREG, "5A1D7C00-92F1-4C63-8B0E-7D6F0C3E1BFF");
        CHECK_NULL(object);
        hr = via_implement(&nobodys, scene.root, handle, &state, count_release, &object);
        check_refused(hr, REGDB_E_IIDNOTREG, "neither here nor by the object's owner");
        hr = via_implement(&IID_ISink, NULL, NULL, &state, count_release, &object);
        check_refused(hr, E_POINTER, "handler");
        CHECK_EQ(atomic_load(&state.n_released), 0);
        /* Known by now; nobody has to be asked, nor told of the end. */
        CHECK_OK(via_implement(&IID_ISink, NULL, handle, &state, NULL, &object));
        CHECK_EQ(ISink_Release((ISink *)object), 0);
    }
    end(&scene);
}

TEST(survives_failing_allocations)
{
    struct scene scene;
    if (begin(&scene)) {
        bool has_failed = true;
        size_t n = 0;
        for (; n < 200 && has_failed; n++) {
            struct sink state = {.mode = GOOD};
            ISink *sink = NULL;
            ULONG n_rows = 0;
            struct SinkRow *rows = NULL;
            harness_fail_allocation(n);
            HRESULT hr =
                via_implement(&IID_ISink, NULL, handle, &state, count_release, (void **)&sink);
            if (SUCCEEDED(hr))
                hr = ISink_Rows(sink, &n_rows, &rows);
            has_failed = harness_allocation_failed();
            CHECK(FAILED(hr) || (n_rows == 2 && rows != NULL));
            CHECK(has_failed || SUCCEEDED(hr));
            clear_rows(n_rows, rows);
            if (sink != NULL)
                ISink_Release(sink);
            CHECK_EQ(atomic_load(&state.n_released), sink != NULL);
            SetErrorInfo(0, NULL);
        }
        CHECK(n > 5 && n < 200);
    }
    end(&scene);
}

/* --- from another process --- */

/* Calls a method of sink_peer's root with the sink and more arguments, as JSON behind a null. */
static HRESULT call_peer(struct scene *scene, const char *method, const char *json,
                         struct via_value *results)
{
    struct via_value arguments = {0};
    HRESULT hr = via_value_from_json(json, &arguments);
    if (SUCCEEDED(hr)) {
        via_value_set_object(&arguments.as.items[0], (IUnknown *)scene->sink);
        hr = via_invoke_values(scene->root, &IID_ISinkCaller, method, &arguments, results);
    }
    via_value_clear(&arguments);
    return hr;
}

static void check_peer(struct scene *scene, const char *method, const char *json,
                       const char *expected)
{
    struct via_value results = {0};
    char *text = NULL;
    HRESULT hr = call_peer(scene, method, json, &results);
    if (!CHECK(SUCCEEDED(hr)))
        harness_note("%s: %s", method, error_text(hr));
    else if (CHECK_OK(via_value_to_json(&results, 0, &text)))
        CHECK_STR_EQ(text, expected);
    via_value_free_text(text);
    via_value_clear(&results);
}

TEST(answers_another_process)
{
    struct scene scene;
    if (begin(&scene)) {
        struct via_value results = {0};
        check_peer(&scene, "CallTwice", "[null, 3, 4]", "[48]");
        check_peer(&scene, "CallRows", "[null]",
                   "[2, [{\"id\": 1, \"name\": \"one\"}, {\"id\": 2, \"name\": null}], 2, "
                   "[\"name\", \"name\"]]");
        check_peer(&scene, "CallSmall", "[null]", "[255]");
        check_peer(&scene, "CallScale", "[null, 1.5, 3]", "[4.5]");
        CHECK_OK(call_peer(&scene, "CallSay", "[null, \"hello\", 7]", &results));
        if (CHECK_EQ(results.n, 3)) {
            CHECK_EQ(results.as.items[0].as.i64, 8);
            CHECK_STR_EQ(results.as.items[1].as.string, "hello");
            CHECK_PTR_EQ(results.as.items[2].as.object, scene.sink);
        }
        via_value_clear(&results);
        EVENTUALLY(count_references(scene.sink) == 1);
    }
    end(&scene);
}

/* A call of ours, in which the peer calls the sink, whose handler calls the peer, which calls the
 * sink: all on this thread. */
TEST(may_call_from_within_a_call)
{
    struct scene scene;
    if (begin(&scene)) {
        struct via_value results = {0};
        scene.state.caller = scene.root;
        CHECK_OK(call_peer(&scene, "CallSay", "[null, \"hello\", 7]", &results));
        CHECK(results.n == 3 && results.as.items[2].as.object == (IUnknown *)scene.sink);
        via_value_clear(&results);
        CHECK_EQ(atomic_load(&scene.state.n_calls), 2 + 3);
        EVENTUALLY(count_references(scene.sink) == 1);
    }
    end(&scene);
}

TEST(tells_another_process_why_it_failed)
{
    struct scene scene;
    if (begin(&scene)) {
        struct via_value results = {0};
        LONG count = 0;
        BSTR answer = NULL;
        scene.state.mode = FAILING;
        check_refused(ISink_Say(scene.sink, NULL, &count, &answer), E_ABORT, "the sink is full");
        check_refused(call_peer(&scene, "CallSay", "[null, \"hello\", 7]", &results), E_ABORT,
                      "the sink is full");
        scene.state.mode = WRONG_TYPE;
        check_refused(call_peer(&scene, "CallSay", "[null, \"hello\", 7]", &results),
                      DISP_E_TYPEMISMATCH, "ISink.Say: argument answer");
        scene.state.mode = OUT_OF_RANGE;
        check_refused(call_peer(&scene, "CallSmall", "[null]", &results), DISP_E_OVERFLOW,
                      "ISink.Small: argument value");
    }
    end(&scene);
}

TEST(lives_as_long_as_another_process_holds_it)
{
    struct scene scene;
    if (begin(&scene)) {
        struct via_value results = {0};
        ISink *sink = scene.sink;
        CHECK_OK(call_peer(&scene, "Keep", "[null]", &results));
        via_value_clear(&results);
        CHECK(ISink_Release(sink) > 0);
        CHECK_EQ(atomic_load(&scene.state.n_released), 0);
        scene.sink = NULL;
        CHECK_OK(call_peer(&scene, "Keep", "[null]", &results));
        via_value_clear(&results);
        EVENTUALLY(atomic_load(&scene.state.n_released) == 1);
        atomic_store(&scene.state.n_released, 0);
    }
    end(&scene);
}

struct worker {
    struct scene *scene;
    struct os_thread *thread;
    bool is_remote;
    HRESULT hr;
    unsigned n_right;
};

static void work(void *argument)
{
    struct worker *self = argument;
    for (LONG i = 0; i < N_ROUNDS && SUCCEEDED(self->hr); i++) {
        struct via_value results = {0};
        char json[48];
        LONG result = 0;
        snprintf(json, sizeof json, "[null, %d, 1]", (int)i);
        if (!self->is_remote)
            self->hr = ISink_Twice(self->scene->sink, i, &result);
        else if (SUCCEEDED(self->hr = call_peer(self->scene, "CallTwice", json, &results)))
            result = (LONG)results.as.items[0].as.i64;
        self->n_right += result == 2 * i;
        via_value_clear(&results);
    }
}

TEST(answers_many_threads_at_once)
{
    struct scene scene;
    if (begin(&scene)) {
        struct worker workers[2 * N_THREADS];
        memset(workers, 0, sizeof workers);
        for (int i = 0; i < 2 * N_THREADS; i++) {
            workers[i].scene = &scene;
            workers[i].is_remote = i % 2;
            CHECK_OK(os_thread_start(work, &workers[i], "caller", &workers[i].thread));
        }
        for (int i = 0; i < 2 * N_THREADS; i++) {
            os_thread_join(workers[i].thread);
            CHECK(SUCCEEDED(workers[i].hr));
            CHECK_EQ(workers[i].n_right, N_ROUNDS);
        }
        CHECK_EQ(atomic_load(&scene.state.n_calls), 2 * N_THREADS * N_ROUNDS);
        EVENTUALLY(count_references(scene.sink) == 1);
    }
    end(&scene);
}

HARNESS_MAIN("implement", TEST_ENTRY(is_a_com_object), TEST_ENTRY(answers_through_its_vtable),
             TEST_ENTRY(names_the_result_that_does_not_fit), TEST_ENTRY(refuses_null_arguments),
             TEST_ENTRY(answers_idispatch), TEST_ENTRY(says_what_cannot_be_implemented),
             TEST_ENTRY(survives_failing_allocations), TEST_ENTRY(answers_another_process),
             TEST_ENTRY(may_call_from_within_a_call),
             TEST_ENTRY(tells_another_process_why_it_failed),
             TEST_ENTRY(lives_as_long_as_another_process_holds_it),
             TEST_ENTRY(answers_many_threads_at_once))
