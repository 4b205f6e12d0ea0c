#include "host/modules.h"

#include <stdlib.h>
#include <string.h>
#include <viaduct/host.h>
#include <viaduct/server.h>

#include "core/os/thread.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "host/text.h"

struct loaded {
    struct loaded *next;
    char *path;
    IViaductSurrogate *provider;
};

struct modules {
    struct os_mutex lock; /* held while a module loads, so that it is loaded once */
    struct loaded *first; /* lock */
};

struct modules *modules_new(void)
{
    struct modules *modules = calloc(1, sizeof(*modules));

    if (modules)
        os_mutex_init(&modules->lock);
    return modules;
}

void modules_free(struct modules *modules)
{
    if (!modules)
        return;
    while (modules->first) {
        struct loaded *loaded = modules->first;

        modules->first = loaded->next;
        IViaductSurrogate_Release(loaded->provider);
        free(loaded->path);
        free(loaded);
    }
    os_mutex_deinit(&modules->lock);
    free(modules);
}

static HRESULT load_locked(struct modules *modules, const char *path, struct loaded **out)
{
    const struct via_component *component;
    struct loaded *loaded = calloc(1, sizeof(*loaded));
    HRESULT hr = S_OK;

    if (!loaded || !(loaded->path = strdup(path)))
        hr = error_set(E_OUTOFMEMORY, "no memory for a component");
    if (SUCCEEDED(hr)) {
        hr = via_component_load(path, &component);
        if (SUCCEEDED(hr))
            hr = via_component_provide(component, &loaded->provider);
        if (FAILED(hr))
            hr = text_take_error(hr);
    }
    if (FAILED(hr)) {
        free(loaded ? loaded->path : NULL);
        free(loaded);
        return hr;
    }
    log_info("host", "loaded %s", path);
    loaded->next = modules->first;
    modules->first = loaded;
    *out = loaded;
    return S_OK;
}

HRESULT modules_get(struct modules *modules, const char *path, IViaductSurrogate **provider)
{
    struct loaded *loaded;
    HRESULT hr = S_OK;

    os_mutex_lock(&modules->lock);
    for (loaded = modules->first; loaded && strcmp(loaded->path, path) != 0; loaded = loaded->next)
        continue;
    if (!loaded)
        hr = load_locked(modules, path, &loaded);
    if (SUCCEEDED(hr)) {
        *provider = loaded->provider;
        IViaductSurrogate_AddRef(*provider);
    }
    os_mutex_unlock(&modules->lock);
    return hr;
}
