/*
 * A client of the laboratory (lab/) on Linux: sinks of every kind for its events, called where the
 * events are fired and on a thread of another apartment there, and callbacks that it keeps.
 *
 *     lab_client CLASS        writes a line for each event, in the order of the calls, which wait
 * for it lab_client CLASS NAME   publishes an object under that name, and lets it fire for 10 s
 *
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <viaduct/events.h>
#include <viaduct/implement.h>
#include <viaduct/late.h>
#include <viaduct/object.h>
#include <viaduct/runtime.h>
#include <viaduct/type_info.h>

#include "lab_sink.h"

static const GUID iid_events = {
    0xb8f3a1d0, 0x6a53, 0x4f0e, {0x9c, 0x55, 0x3d, 0x9b, 0x6d, 0x1d, 0x0a, 0x03}};

static const GUID iid_ilab = {
    0xb8f3a1d0, 0x6a53, 0x4f0e, {0x9c, 0x55, 0x3d, 0x9b, 0x6d, 0x1d, 0x0a, 0x05}};

static const GUID iid_lab = {
    0xb8f3a1d0, 0x6a53, 0x4f0e, {0x9c, 0x55, 0x3d, 0x9b, 0x6d, 0x1d, 0x0a, 0x04}};

static int n_failed;

static void check(const char *what, HRESULT hr)
{
    char text[1024];
    if (SUCCEEDED(hr))
        return;
    n_failed++;
    printf("%s: %08x %s\n", what, (unsigned)hr, via_error_message(hr, text, sizeof text));
}

static void print_bstr(BSTR text)
{
    for (UINT i = 0; i < SysStringLen(text); i++)
        putchar(text[i] < 128 ? (char)text[i] : '?');
}

/* --- a sink with a vtable of its own --- */

static atomic_uint n_refs = 1;

static HRESULT STDMETHODCALLTYPE Sink_QueryInterface(ILabSink *iface, REFIID iid, void **object)
{
    *object = NULL;
    if (!IsEqualGUID(iid, &IID_IUnknown) && !IsEqualGUID(iid, &IID_IDispatch) &&
        !IsEqualGUID(iid, &IID_ILabSink))
        return E_NOINTERFACE;
    n_refs++;
    *object = iface;
    return S_OK;
}

static ULONG STDMETHODCALLTYPE Sink_AddRef(ILabSink *iface)
{
    (void)iface;
    return ++n_refs;
}

static ULONG STDMETHODCALLTYPE Sink_Release(ILabSink *iface)
{
    (void)iface;
    return --n_refs;
}

static HRESULT STDMETHODCALLTYPE Sink_GetTypeInfoCount(ILabSink *iface, UINT *count)
{
    (void)iface;
    *count = 0;
    return S_OK;
}

static HRESULT STDMETHODCALLTYPE Sink_GetTypeInfo(ILabSink *iface, UINT index, LCID lcid,
                                                  ITypeInfo **info)
{
    (void)iface, (void)index, (void)lcid;
    *info = NULL;
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE Sink_GetIDsOfNames(ILabSink *iface, REFIID iid, LPOLESTR *names,
                                                    UINT n, LCID lcid, DISPID *ids)
{
    (void)iface, (void)iid, (void)names, (void)n, (void)lcid, (void)ids;
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE Sink_Invoke(ILabSink *iface, DISPID id, REFIID iid, LCID lcid,
                                             WORD flags, DISPPARAMS *params, VARIANT *result,
                                             EXCEPINFO *exception, UINT *wrong)
{
    (void)iface, (void)id, (void)iid, (void)lcid, (void)flags, (void)params, (void)result;
    (void)exception, (void)wrong;
    return E_NOTIMPL;
}

static HRESULT STDMETHODCALLTYPE Sink_Noted(ILabSink *iface, BSTR text, LONG number)
{
    (void)iface;
    printf("typed: ");
    print_bstr(text);
    printf(" %d\n", (int)number);
    return S_OK;
}

static const ILabSinkVtbl sink_vtable = {
    Sink_QueryInterface, Sink_AddRef,        Sink_Release, Sink_GetTypeInfoCount,
    Sink_GetTypeInfo,    Sink_GetIDsOfNames, Sink_Invoke,  Sink_Noted,
};

static ILabSink the_sink = {(ILabSinkVtbl *)&sink_vtable};

/* --- sinks by name --- */

/* What Met has brought, and on which thread it was while it did. */
static struct {
    IUnknown *who;
    int32_t thread;
} the_met;

static void meet(IUnknown *who)
{
    who->lpVtbl->AddRef(who);
    the_met.who = who;
    check("Thread", via_invoke(who, "Thread", &the_met.thread));
}

static HRESULT on_call(void *context, const char *method, const struct via_value *in,
                       struct via_value *out)
{
    (void)out;
    if (strcmp(method, "Met") == 0 && in->n > 0 && in->as.items[0].kind == VIA_VALUE_OBJECT)
        meet(in->as.items[0].as.object);
    printf("%s: %s", (const char *)context, method);
    for (uint32_t i = 0; i < in->n; i++)
        if (in->as.items[i].kind == VIA_VALUE_STRING)
            printf(" %s", in->as.items[i].as.string);
        else if (in->as.items[i].kind == VIA_VALUE_I64)
            printf(" %lld", (long long)in->as.items[i].as.i64);
    printf("\n");
    return S_OK;
}

static void say(IUnknown *lab, const char *text, int number)
{
    printf("Say %s\n", text);
    check("Say", via_invoke(lab, "Say", text, number));
    printf("SayElsewhere %s\n", text);
    check("SayElsewhere", via_invoke(lab, "SayElsewhere", text, number));
}

static void try_sinks(IUnknown *lab)
{
    DWORD typed = 0, late = 0, named = 0;
    IUnknown *late_sink = NULL, *named_sink = NULL;
    check("typed sink", via_advise(lab, &IID_ILabSink, (IUnknown *)&the_sink, &typed));
    say(lab, "one", 1);
    check("no typed sink", via_unadvise(lab, &IID_ILabSink, typed));
    check("implement",
          via_implement(&iid_events, lab, on_call, "event", NULL, (void **)&late_sink));
    check("event sink", via_advise(lab, &iid_events, late_sink, &late));
    say(lab, "two", 2);
    check("implement",
          via_implement(&IID_ILabSink, lab, on_call, "by name", NULL, (void **)&named_sink));
    check("sink by name", via_advise(lab, &IID_ILabSink, named_sink, &named));
    say(lab, "three", 3);
    check("no event sink", via_unadvise(lab, &iid_events, late));
    check("no sink by name", via_unadvise(lab, &IID_ILabSink, named));
    say(lab, "nobody", 4);
    IUnknown_Release(late_sink);
    IUnknown_Release(named_sink);
}

/* --- what methods give by reference --- */

static void try_results(IUnknown *lab)
{
    char *head = NULL, *tail = NULL;
    VARIANT left, right;
    VariantInit(&left);
    VariantInit(&right);
    check("Split", via_invoke(lab, "Split", "abcdef", &head, &tail));
    printf("split: %s %s\n", head != NULL ? head : "nothing", tail != NULL ? tail : "nothing");
    via_value_free_text(head);
    via_value_free_text(tail);
    V_VT(&left) = VT_I4;
    V_I4(&left) = 1;
    V_VT(&right) = VT_R8;
    V_R8(&right) = 2.5;
    check("Swap", via_invoke(lab, "Swap", &left, &right));
    printf("swapped: %g %d\n", V_VT(&left) == VT_R8 ? V_R8(&left) : 0,
           V_VT(&right) == VT_I4 ? (int)V_I4(&right) : 0);
    VariantClear(&left);
    VariantClear(&right);
}

/* --- calls as scripts make them --- */

struct asking {
    LCID lcid;
    WORD form;
    VARIANT argument; /* VT_EMPTY: none */
    VARIANT result;
    EXCEPINFO exception;
};

static HRESULT ask(IUnknown *object, const WCHAR *name, struct asking *asking)
{
    static const GUID none;
    LPOLESTR names[] = {(LPOLESTR)name};
    IDispatch *dispatch;
    DISPID id;
    DISPPARAMS params = {.rgvarg = &asking->argument, .cArgs = V_VT(&asking->argument) != VT_EMPTY};
    HRESULT hr = via_get_dispatch(object, &dispatch);
    if (FAILED(hr))
        return hr;
    hr = IDispatch_GetIDsOfNames(dispatch, (REFIID)&none, names, 1, asking->lcid, &id);
    if (SUCCEEDED(hr))
        hr = IDispatch_Invoke(dispatch, id, (REFIID)&none, asking->lcid, asking->form, &params,
                              &asking->result, &asking->exception, NULL);
    IDispatch_Release(dispatch);
    return hr;
}

static void print_locale(IUnknown *object, const char *what, const WCHAR *name, LCID lcid)
{
    struct asking asking = {.lcid = lcid, .form = DISPATCH_PROPERTYGET};
    HRESULT hr = ask(object, name, &asking);
    if (FAILED(hr))
        printf("%s in %x: %08x\n", what, (unsigned)lcid, (unsigned)hr);
    else
        printf("%s in %x: %x\n", what, (unsigned)lcid, (unsigned)V_I4(&asking.result));
}

/* The object is told the caller's language: members may have names in several. */
static void try_languages(IUnknown *lab, IUnknown *disp)
{
    print_locale(lab, "Locale", VIA_STR("Locale"), 0x0409);
    print_locale(lab, "Gebietsschema", VIA_STR("Gebietsschema"), 0x0409);
    print_locale(lab, "Gebietsschema", VIA_STR("Gebietsschema"), 0x0407);
    print_locale(disp, "a dispinterface's", VIA_STR("Locale"), 0x0407);
}

/* What is filled in later is known before it leaves the object's process: by whoever has called
 * there. Between two processes that is COM's marshaler; Wine's does not. */
static void try_late_failures(IUnknown *lab, IUnknown *disp)
{
    static const char *const owners[] = {"ILab", "DLab"};
    IUnknown *const objects[] = {lab, disp};
    for (int i = 0; i < 2; i++) {
        struct asking asking = {.form = DISPATCH_METHOD};
        V_VT(&asking.argument) = VT_I4;
        V_I4(&asking.argument) = 3;
        HRESULT hr = ask(objects[i], VIA_STR("Fail"), &asking);
        const EXCEPINFO *exception = &asking.exception;
        printf("%s's late failure %08x %08x: ", owners[i], (unsigned)hr,
               (unsigned)exception->scode);
        print_bstr(exception->bstrSource);
        printf(", ");
        print_bstr(exception->bstrDescription);
        printf(", ");
        print_bstr(exception->bstrHelpFile);
        printf(", %u%s\n", (unsigned)exception->dwHelpContext,
               exception->pfnDeferredFillIn != NULL ? ", to be filled in" : "");
        SysFreeString(exception->bstrSource);
        SysFreeString(exception->bstrDescription);
        SysFreeString(exception->bstrHelpFile);
    }
}

/* --- an object of another apartment --- */

/* It is called on its thread, whoever calls: this client, while Met is under way and later, and
 * the class' own object, to which it is passed. */
static void try_meeting(IUnknown *lab)
{
    int32_t thread = 0, later = 0, kept = 0;
    DWORD cookie = 0;
    IUnknown *sink = NULL;
    check("implement", via_implement(&iid_events, lab, on_call, "event", NULL, (void **)&sink));
    check("event sink", via_advise(lab, &iid_events, sink, &cookie));
    check("Meet", via_invoke(lab, "Meet", &thread));
    if (the_met.who != NULL) {
        check("Thread", via_invoke(the_met.who, "Thread", &later));
        check("Keep", via_invoke(lab, "Keep", the_met.who));
        check("CallKept", via_invoke(lab, "CallKept", "Where", 0, &kept));
        check("Keep nothing", via_invoke(lab, "Keep", (IUnknown *)NULL));
        IUnknown_Release(the_met.who);
    }
    printf("on its thread: %s, %s, %s\n", the_met.thread == thread ? "during" : "elsewhere",
           later == thread ? "later" : "elsewhere", kept == thread ? "kept" : "elsewhere");
    check("no event sink", via_unadvise(lab, &iid_events, cookie));
    IUnknown_Release(sink);
}

/* The class' own object is passed to one of the multithreaded apartment, which calls it: where
 * it belongs, if it belongs to a thread. */
static void try_passing(IUnknown *lab, bool has_thread)
{
    int32_t thread = 0, kept = 0;
    DWORD cookie = 0;
    IUnknown *sink = NULL;
    check("implement", via_implement(&iid_events, lab, on_call, "event", NULL, (void **)&sink));
    check("event sink", via_advise(lab, &iid_events, sink, &cookie));
    the_met.who = NULL;
    check("MeetFree", via_invoke(lab, "MeetFree"));
    check("Thread", via_invoke(lab, "Thread", &thread));
    if (the_met.who != NULL) {
        check("Keep", via_invoke(the_met.who, "Keep", lab));
        check("CallKept", via_invoke(the_met.who, "CallKept", "Where", 0, &kept));
        check("Keep nothing", via_invoke(the_met.who, "Keep", (IUnknown *)NULL));
        IUnknown_Release(the_met.who);
    }
    printf("passed on, it is called %s\n",
           kept != 0 && (kept == thread || !has_thread) ? "where it may be" : "elsewhere");
    check("no event sink", via_unadvise(lab, &iid_events, cookie));
    IUnknown_Release(sink);
}

/* --- errors --- */

/* `has_iid`: not what comes by an Invoke, whose EXCEPINFO has no room for it. */
static void try_errors(IUnknown *lab, bool has_iid)
{
    IErrorInfo *info = NULL;
    BSTR source = NULL, text = NULL, file = NULL;
    DWORD context = 0;
    GUID iid;
    HRESULT hr = via_invoke(lab, "Fail", 1);
    memset(&iid, 0, sizeof iid);
    printf("error %08x: ", (unsigned)hr);
    if (GetErrorInfo(0, &info) != S_OK)
        return;
    IErrorInfo_GetSource(info, &source);
    IErrorInfo_GetDescription(info, &text);
    IErrorInfo_GetHelpFile(info, &file);
    IErrorInfo_GetHelpContext(info, &context);
    IErrorInfo_GetGUID(info, &iid);
    IErrorInfo_Release(info);
    print_bstr(source);
    printf(", ");
    print_bstr(text);
    printf(", ");
    print_bstr(file);
    printf(", %u, %s\n", (unsigned)context,
           !has_iid || IsEqualGUID(&iid, &iid_ilab) ? "of ILab" : "of another interface");
    SysFreeString(source);
    SysFreeString(text);
    SysFreeString(file);
}

/* Wine does not pass this on to a local server, and it is said what does instead. */
static void try_lock(const char *class)
{
    IClassFactory *factory = NULL;
    char text[1024];
    check("class object", via_get_class_object(class, &IID_IClassFactory, (void **)&factory));
    if (factory == NULL)
        return;
    HRESULT hr = IClassFactory_LockServer(factory, TRUE);
    if (hr == E_NOTIMPL)
        printf("lock: %s\n", strstr(via_error_message(hr, text, sizeof text),
                                    "Keep an object of the class instead") != NULL
                                 ? "understood"
                                 : text);
    else if (SUCCEEDED(hr) && SUCCEEDED(hr = IClassFactory_LockServer(factory, FALSE)))
        printf("lock: understood\n");
    check("LockServer", hr == E_NOTIMPL ? S_OK : hr);
    IClassFactory_Release(factory);
}

/* --- callbacks --- */

static void try_callbacks(IUnknown *lab)
{
    IUnknown *callback = NULL;
    check("implement", via_implement(&iid_lab, lab, on_call, "kept", NULL, (void **)&callback));
    check("Keep", via_invoke(lab, "Keep", callback));
    IUnknown_Release(callback);
    check("CallKept", via_invoke(lab, "CallKept", "Fail", 2, via_ignore()));
    check("CallKeptElsewhere", via_invoke(lab, "CallKeptElsewhere", "Fail", 3, via_ignore()));
    check("CallKept", via_invoke(lab, "CallKept", "Fail", 0, via_ignore()));
    check("Keep nothing", via_invoke(lab, "Keep", (IUnknown *)NULL));
}

static void publish(IUnknown *lab, const char *name)
{
    const struct timespec pause = {0, 50000000};
    check("publish", via_publish(name, lab));
    for (int i = 0; i < 200 && n_failed == 0; i++) {
        check("Say", via_invoke(lab, "Say", "tick", i));
        nanosleep(&pause, NULL);
    }
}

int main(int argc, char **argv)
{
    IUnknown *lab = NULL;
    IUnknown *disp = NULL;
    if (argc < 2 || argc > 3 || FAILED(via_initialize(NULL)))
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    check("description", via_register_typelib(&lab_sink_typelib));
    check("object", via_create_instance(argv[1], &IID_IUnknown, (void **)&lab));
    if (lab != NULL && argc == 3) {
        publish(lab, argv[2]);
    } else if (lab != NULL) {
        check("Disp", via_invoke(lab, "Disp", &disp));
        try_results(lab);
        if (disp != NULL) {
            try_late_failures(lab, disp);
            try_languages(lab, disp);
        }
        try_sinks(lab);
        try_callbacks(lab);
        try_meeting(lab);
        try_passing(lab, strstr(argv[1], "Apartment") != NULL);
        try_errors(lab, strstr(argv[1], "Local") == NULL);
        try_lock(argv[1]);
    }
    if (disp != NULL)
        IUnknown_Release(disp);
    if (lab != NULL)
        IUnknown_Release(lab);
    via_uninitialize();
    return n_failed;
}
