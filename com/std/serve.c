/*
 * A process that is a component's own: it reports to the host and waits for a reason to end. It
 * ends when the host says so, when the host is gone, or when nobody has held an object of the
 * component for a while. Once it has decided to end it refuses everything that would make an
 * object, so that none is lost; the host then waits for its end and starts another one.
 */
#include <viaduct/host.h>
#include <viaduct/server.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "com/abi/error_border.h"
#include "com/remote/apartment.h"
#include "com/remote/export.h"
#include "com/remote/node.h"
#include "com/remote/runtime.h"
#include "com/std/provider.h"
#include "core/os/clock.h"
#include "core/os/path.h"
#include "core/os/thread.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "core/util/utf.h"

#define IDLE_DEFAULT_MS 10000u
/* A method that does not return must not keep the process: how long it may take to end. */
#define END_MS 2000u
/* What peers hold that is not the component's: the provider itself. */
#define OWN_EXPORTS 1u

static struct {
    struct os_mutex lock;
    struct os_cond changed;
    bool ending;       /* lock */
    bool ended;        /* lock; the runtime is down */
    uint32_t n_asking; /* lock; questions to the component that are not answered */
    uint64_t asked_ns; /* lock; when the latest was answered */
} the_server = {.lock = OS_MUTEX_INITIALIZER};

static void shut_down(const char *why)
{
    os_mutex_lock(&the_server.lock);
    if (!the_server.ending)
        log_debug("server", "ending: %s", why);
    the_server.ending = true;
    os_cond_broadcast(&the_server.changed);
    os_mutex_unlock(&the_server.lock);
}

static uint32_t count_objects(void)
{
    struct node *node = runtime_node();
    size_t count = 0;

    if (!node)
        return 0;
    os_mutex_lock(&node->lock);
    count = node->exports.n_links;
    os_mutex_unlock(&node->lock);
    return count > OWN_EXPORTS ? (uint32_t)(count - OWN_EXPORTS) : 0;
}

static bool begin_asking(void)
{
    bool open;

    os_mutex_lock(&the_server.lock);
    open = !the_server.ending;
    if (open)
        the_server.n_asking++;
    os_mutex_unlock(&the_server.lock);
    return open;
}

static void end_asking(void)
{
    os_mutex_lock(&the_server.lock);
    the_server.n_asking--;
    the_server.asked_ns = os_now_ns();
    os_mutex_unlock(&the_server.lock);
}

static const struct provider_events server_events = {begin_asking, end_asking, count_objects,
                                                     shut_down};

static void host_died(void *context, const char *reason)
{
    (void)context;
    (void)reason;
    shut_down("the host is gone");
}

static HRESULT listen_all(char *addresses)
{
    char *rest = NULL;

    for (char *address = strtok_r(addresses, "\n", &rest); address;
         address = strtok_r(NULL, "\n", &rest)) {
        HRESULT hr = via_listen(address);

        if (FAILED(hr))
            return hr;
    }
    return S_OK;
}

static HRESULT report(IViaductHost *host, const char *token, IViaductSurrogate *provider)
{
    WCHAR *wide = utf_to_wide(token);
    BSTR text = wide ? SysAllocString(wide) : NULL;
    uint64_t cookie;
    HRESULT hr = via_death_watch((IUnknown *)host, host_died, NULL, &cookie);

    if (SUCCEEDED(hr))
        hr = text ? IViaductHost_RegisterSurrogate(host, text, provider) : E_OUTOFMEMORY;
    SysFreeString(text);
    free(wide);
    return hr;
}

/* Until there is a reason to end. */
static void wait_for_end(const struct via_component *component, uint32_t idle_ms)
{
    uint64_t idle_since = os_now_ns();

    os_mutex_lock(&the_server.lock);
    while (!the_server.ending) {
        uint64_t now;

        os_cond_wait(&the_server.changed, &the_server.lock, os_deadline_ms(idle_ms / 8 + 10));
        os_mutex_unlock(&the_server.lock);
        now = os_now_ns();
        if (count_objects() > 0 ||
            (component->can_unload_now && component->can_unload_now() != S_OK))
            idle_since = now;
        os_mutex_lock(&the_server.lock);
        /* An object that has just been made may not have been counted yet. */
        if (the_server.n_asking > 0 || the_server.asked_ns > idle_since)
            idle_since = the_server.n_asking > 0 ? now : the_server.asked_ns;
        the_server.ending = the_server.ending || now - idle_since >= idle_ms * 1000000ull;
    }
    os_mutex_unlock(&the_server.lock);
}

static void enforce_end(void *argument)
{
    uint64_t deadline = os_deadline_ms(END_MS);

    (void)argument;
    os_mutex_lock(&the_server.lock);
    while (!the_server.ended && os_cond_wait(&the_server.changed, &the_server.lock, deadline))
        continue;
    if (!the_server.ended)
        _Exit(0);
    os_mutex_unlock(&the_server.lock);
}

/* Takes the runtime down; a method that still runs does not hold it up for long. */
static void leave(struct apartment *apartment)
{
    struct os_thread *thread = NULL;

    if (FAILED(os_thread_start(enforce_end, NULL, "via-end", &thread)))
        error_clear();
    via_uninitialize();
    apartment_free(apartment);
    os_mutex_lock(&the_server.lock);
    the_server.ended = true;
    os_cond_broadcast(&the_server.changed);
    os_mutex_unlock(&the_server.lock);
    if (thread)
        os_thread_join(thread);
}

/* What asks for an apartment is created there, and so is all that its objects hand out. */
static HRESULT enter_apartment(const struct via_component *component, IViaductSurrogate *provider,
                               struct apartment **apartment)
{
    HRESULT hr;

    if (!component_wants_apartment(component))
        return S_OK;
    hr = apartment_new(apartment);
    if (SUCCEEDED(hr))
        hr = export_mark((IUnknown *)provider, apartment_context(*apartment));
    return hr;
}

static HRESULT serve(const struct via_component *component, const char *token, char *addresses,
                     uint32_t idle_ms)
{
    struct apartment *apartment = NULL;
    IViaductSurrogate *provider = NULL;
    IViaductHost *host = NULL;
    struct error_record *failure = NULL;
    HRESULT hr = via_initialize(NULL);

    if (FAILED(hr))
        return hr;
    hr = provider_new(component, &server_events, &provider);
    if (SUCCEEDED(hr))
        hr = listen_all(addresses);
    if (SUCCEEDED(hr))
        hr = via_host(&IID_IViaductHost, (void **)&host);
    if (SUCCEEDED(hr))
        hr = enter_apartment(component, provider, &apartment);
    if (SUCCEEDED(hr))
        hr = report(host, token, provider);
    if (SUCCEEDED(hr))
        wait_for_end(component, idle_ms);
    /* Going down takes calls of its own, which leave nothing of this. */
    if (FAILED(hr)) {
        error_border_capture(hr);
        failure = error_take();
    }
    if (host)
        IViaductHost_Release(host);
    if (provider)
        IViaductSurrogate_Release(provider);
    leave(apartment);
    if (failure)
        error_give(failure);
    return runtime_publish(hr);
}

HRESULT via_component_serve(const struct via_component *component)
{
    CLEANUP(cleanup_free) char *token = os_environment("VIADUCT_TOKEN");
    CLEANUP(cleanup_free) char *addresses = os_environment("VIADUCT_LISTEN");
    CLEANUP(cleanup_free) char *idle = os_environment("VIADUCT_IDLE_MS");
    unsigned long idle_ms = idle ? strtoul(idle, NULL, 10) : IDLE_DEFAULT_MS;

    if (!token || !addresses)
        return runtime_publish(error_set(
            CO_E_SERVER_EXEC_FAILURE, "this process was not started by a host: VIADUCT_TOKEN and "
                                      "VIADUCT_LISTEN are not set"));
    os_cond_init(&the_server.changed);
    return serve(component, token, addresses, idle_ms ? (uint32_t)idle_ms : IDLE_DEFAULT_MS);
}
