/*
 * The events of an object, one line of JSON each.
 *
 * The sinks are made by name from what the live object describes, so that this program needs to
 * know nothing of it. Lines are printed by the runtime's threads, one at a time.
 */
#include "cli/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/events.h>
#include <viaduct/implement.h>
#include <viaduct/runtime.h>

#include "cli/cli.h"
#include "cli/live.h"
#include "com/typelib/typelib.h"
#include "core/os/clock.h"
#include "core/os/program.h"
#include "core/os/thread.h"
#include "core/util/error.h"

#define MAX_SOURCES 16

/* What the sinks and the waiting thread share. */
struct watch {
    struct os_mutex lock;
    struct os_cond changed;
    unsigned n_events;  /* lock */
    unsigned max;       /* read-only; 0: any number */
    bool is_stopped;    /* lock: by a signal, or a line that could not be printed */
    IUnknown *object;   /* read-only */
    const char *filter; /* read-only: the one interface's name; NULL: all */
};

/* One source interface. */
struct source {
    struct watch *watch;
    struct via_typelib *lib; /* its description, for typelib_free() */
    uint16_t index;
    IUnknown *sink; /* a reference; NULL: not advised */
    DWORD cookie;
};

/* --- one event --- */

/* "get_Level" is called what its description calls Level. */
static const struct via_method *find_event(const struct source *self, const char *name)
{
    const struct via_interface *itf = &self->lib->interfaces[self->index];

    for (uint16_t i = 0; i < itf->n_methods; i++) {
        size_t length = strlen(itf->methods[i].name), given = strlen(name);

        if (given >= length && strcmp(name + given - length, itf->methods[i].name) == 0)
            return &itf->methods[i];
    }
    return NULL;
}

static HRESULT set_text(struct via_value *record, const char *field, const char *text)
{
    struct via_value *value;
    HRESULT hr = via_value_add_field(record, field, &value);

    return SUCCEEDED(hr) ? via_value_set_string(value, text, strlen(text)) : hr;
}

/* The arguments are lent to `line`, and given back. */
static HRESULT print_line(struct via_value *line, const struct via_method *method,
                          const struct via_value *in)
{
    struct via_value *arguments, *field;
    char *text = NULL;
    uint32_t used = 0;
    HRESULT hr = via_value_add_field(line, "arguments", &arguments);

    for (uint16_t i = 0; SUCCEEDED(hr) && i < method->n_params && used < in->n; i++) {
        if (!(method->params[i].flags & VIA_PARAM_IN))
            continue;
        hr = via_value_add_field(arguments, method->params[i].name, &field);
        if (SUCCEEDED(hr))
            *field = in->as.items[used++];
    }
    if (SUCCEEDED(hr))
        hr = via_value_to_json(line, 0, &text);
    for (uint32_t i = 0; arguments && i < used; i++)
        memset(&arguments->as.fields[i].value, 0, sizeof(struct via_value));
    if (SUCCEEDED(hr) && (puts(text) < 0 || fflush(stdout) != 0))
        hr = E_FAIL;
    via_value_free_text(text);
    return hr;
}

static HRESULT on_event(void *context, const char *name, const struct via_value *in,
                        struct via_value *out)
{
    struct source *self = context;
    struct watch *watch = self->watch;
    const struct via_method *method = find_event(self, name);
    struct via_value line = {.kind = VIA_VALUE_NULL};
    HRESULT hr = method ? S_OK : E_NOTIMPL;

    (void)out;
    os_mutex_lock(&watch->lock);
    if (watch->max > 0 && watch->n_events == watch->max)
        hr = S_FALSE; /* who waits is about to end */
    if (hr == S_OK)
        hr = set_text(&line, "interface", self->lib->interfaces[self->index].name);
    if (hr == S_OK)
        hr = set_text(&line, "event", method->name);
    if (hr == S_OK)
        hr = print_line(&line, method, in);
    watch->n_events += hr == S_OK;
    watch->is_stopped |= FAILED(hr) && method;
    os_cond_signal(&watch->changed);
    os_mutex_unlock(&watch->lock);
    via_value_clear(&line);
    return FAILED(hr) ? hr : S_OK;
}

/* --- which events there are --- */

static int describe(struct watch *watch, const GUID *iid, struct source *source)
{
    BSTR json = NULL;
    char *text;
    HRESULT hr = via_describe(watch->object, iid, &json);

    if (FAILED(hr))
        return cli_fail_runtime(hr);
    text = cli_text(json);
    SysFreeString(json);
    hr = typelib_from_json(text, strlen(text), &source->lib);
    free(text);
    if (FAILED(hr))
        return cli_fail_record(hr);
    source->index = typelib_find_interface(source->lib, iid);
    if (source->index == VIA_NO_INDEX)
        return cli_fail(VIA_E_TYPE, "the object's owner describes another interface than its own");
    return -1;
}

static int advise(struct watch *watch, const GUID *iid, struct source *source)
{
    HRESULT hr;
    int code = describe(watch, iid, source);

    if (code >= 0)
        return code;
    if (watch->filter && strcmp(watch->filter, source->lib->interfaces[source->index].name) != 0)
        return -1;
    source->watch = watch;
    hr = via_implement(iid, watch->object, on_event, source, NULL, (void **)&source->sink);
    if (SUCCEEDED(hr))
        hr = via_advise(watch->object, iid, source->sink, &source->cookie);
    return SUCCEEDED(hr) ? -1 : cli_fail_runtime(hr);
}

static HRESULT list_sources(IUnknown *object, GUID *iids, unsigned *n)
{
    IConnectionPointContainer *container = NULL;
    IEnumConnectionPoints *points = NULL;
    IConnectionPoint *point;
    HRESULT hr =
        IUnknown_QueryInterface(object, &IID_IConnectionPointContainer, (void **)&container);

    *n = 0;
    if (SUCCEEDED(hr))
        hr = IConnectionPointContainer_EnumConnectionPoints(container, &points);
    while (SUCCEEDED(hr) && *n < MAX_SOURCES &&
           IEnumConnectionPoints_Next(points, 1, &point, NULL) == S_OK) {
        hr = IConnectionPoint_GetConnectionInterface(point, &iids[*n]);
        *n += SUCCEEDED(hr);
        IConnectionPoint_Release(point);
    }
    if (points)
        IEnumConnectionPoints_Release(points);
    if (container)
        IConnectionPointContainer_Release(container);
    return hr;
}

/* --- watching --- */

static void wait_for_signal(void *argument)
{
    struct watch *watch = argument;

    os_program_wait_stop();
    os_mutex_lock(&watch->lock);
    watch->is_stopped = true;
    os_cond_signal(&watch->changed);
    os_mutex_unlock(&watch->lock);
}

static void on_death(void *argument, const char *reason)
{
    struct watch *watch = argument;

    os_mutex_lock(&watch->lock);
    if (!watch->is_stopped)
        fprintf(stderr, "viaduct: the object is gone: %s\n", reason);
    watch->is_stopped = true;
    os_cond_signal(&watch->changed);
    os_mutex_unlock(&watch->lock);
}

static void wait_for_end(struct watch *watch, unsigned timeout_ms)
{
    uint64_t deadline =
        timeout_ms ? os_now_ns() + (uint64_t)timeout_ms * UINT64_C(1000000) : UINT64_MAX;

    os_mutex_lock(&watch->lock);
    while (!watch->is_stopped && (watch->max == 0 || watch->n_events < watch->max) &&
           os_cond_wait(&watch->changed, &watch->lock, deadline))
        continue;
    os_mutex_unlock(&watch->lock);
}

static int act_and_wait(struct watch *watch, const struct watching *how)
{
    uint64_t cookie = 0;
    int code;

    via_death_watch(watch->object, on_death, watch, &cookie);
    code = how->act ? how->act(how->argument) : -1;
    if (code < 0) {
        fprintf(stderr, "watching\n");
        wait_for_end(watch, how->timeout_ms);
    }
    via_death_unwatch(cookie);
    return code;
}

static int watch_object(struct watch *watch, const struct watching *how)
{
    static struct source sources[MAX_SOURCES];
    GUID iids[MAX_SOURCES];
    unsigned n = 0, n_advised = 0;
    int code = -1;
    HRESULT hr = list_sources(watch->object, iids, &n);

    if (hr == E_NOINTERFACE)
        return cli_fail(CONNECT_E_NOCONNECTION, "the object has no events");
    if (FAILED(hr))
        return cli_fail_runtime(hr);
    for (unsigned i = 0; code < 0 && i < n; i++) {
        code = advise(watch, &iids[i], &sources[i]);
        n_advised += sources[i].sink != NULL;
    }
    if (code < 0 && n_advised == 0)
        code = cli_fail(E_NOINTERFACE, "the object has no events of interface %s",
                        watch->filter ? watch->filter : "any");
    if (code < 0)
        code = act_and_wait(watch, how);
    for (unsigned i = 0; i < n; i++) {
        if (sources[i].cookie)
            via_unadvise(watch->object, &iids[i], sources[i].cookie);
        if (sources[i].sink)
            IUnknown_Release(sources[i].sink);
    }
    return code;
}

int watch_prepare(void)
{
    HRESULT hr = os_program_catch_stop();

    return FAILED(hr) ? cli_fail_record(hr) : -1;
}

int watch_events(IUnknown *object, const struct watching *how)
{
    static struct watch watch; /* for events that are under way when it has ended, too */
    struct os_thread *thread;
    HRESULT hr;
    int code;

    os_mutex_init(&watch.lock);
    os_cond_init(&watch.changed);
    watch.object = object;
    watch.max = how->count;
    watch.filter = how->filter;
    hr = os_thread_start(wait_for_signal, &watch, "signals", &thread);
    if (FAILED(hr))
        return cli_fail_record(hr);
    code = watch_object(&watch, how);
    os_program_ask_stop();
    os_thread_join(thread);
    return code;
}

/* --- viaduct watch --- */

static HRESULT open_object(const char *name, IUnknown **object)
{
    const char *running = live_name(name);

    return running ? via_lookup(running, &IID_IUnknown, (void **)object)
                   : via_create_instance(name, &IID_IUnknown, (void **)object);
}

int command_watch(int argc, char **argv)
{
    struct watching how = {0};
    struct cli_options options;
    IUnknown *object;
    int code = cli_read_options(argc, argv, "watch", 1, 2, &options);
    HRESULT hr;

    if (code >= 0)
        return code;
    how.count = options.count;
    how.filter = options.n_arguments > 1 ? options.arguments[1] : NULL;
    how.timeout_ms = options.timeout_ms; /* of the watching, not of calls */
    options.timeout_ms = 0;
    code = watch_prepare();
    if (code < 0)
        code = cli_initialize(&options);
    if (code >= 0)
        return code;
    hr = open_object(options.arguments[0], &object);
    if (FAILED(hr)) {
        code = cli_fail_runtime(hr);
    } else {
        code = watch_events(object, &how);
        IUnknown_Release(object);
    }
    via_uninitialize();
    return code < 0 ? CLI_OK : code;
}
