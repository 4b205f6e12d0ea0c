/* What an application can ask about a proxy: whose it is, and whether its owner is still there. */
#include <viaduct/runtime.h>

#include <limits.h>
#include <string.h>

#include "com/remote/import.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
#include "com/remote/promise.h"
#include "com/remote/runtime.h"
#include "com/remote/text.h"
#include "com/remote/watch.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"

HRESULT via_get_peer(IUnknown *proxy, struct via_peer_info *result)
{
    struct via_peer_info info = {.size = result->size};
    struct import *import;
    IUnknown *object;
    HRESULT hr = promise_unwrap(proxy, &object, &import);
    if (FAILED(hr))
        return runtime_publish(hr);
    if (import != NULL) {
        memcpy(&info.node, &import->owner, sizeof info.node);
        info.object_id = import->id;
        info.is_dead = import_is_dead(import);
    }
    if (import != NULL && import->peer != NULL) {
        const struct link_peer *peer = peer_info(import->peer);
        info.process_id = peer->process_id;
        info.is_windows = peer->is_windows;
        info.is_wine = peer->is_wine;
        text_copy(info.address, sizeof info.address, peer->address);
        text_copy(info.agent, sizeof info.agent, peer->agent);
    }
    object->lpVtbl->Release(object);
    memcpy(result, &info, result->size < sizeof info ? result->size : sizeof info);
    return import != NULL ? S_OK : S_FALSE;
}

HRESULT via_death_watch(IUnknown *proxy, via_death_callback died, void *context, uint64_t *cookie)
{
    *cookie = 0;
    struct import *import;
    IUnknown *object;
    HRESULT hr = promise_unwrap(proxy, &object, &import);
    if (FAILED(hr))
        return runtime_publish(hr);
    hr = import != NULL ? watch_add(import, died, context, cookie)
                        : error_set(E_INVALIDARG,
                                    "only a proxy can be watched: this object is the process' own");
    object->lpVtbl->Release(object);
    return runtime_publish(hr);
}

HRESULT via_death_unwatch(uint64_t cookie)
{
    struct node *node = runtime_node();
    if (node == NULL)
        return runtime_publish(error_get()->code);
    return watch_remove(node, cookie);
}

/* The error information, if there is any, in UTF-8; for free(). It stays the thread's. */
static char *peek_error_text(void)
{
    IErrorInfo *info = NULL;
    BSTR description = NULL;
    if (GetErrorInfo(0, &info) != S_OK)
        return NULL;
    SetErrorInfo(0, info);
    IErrorInfo_GetDescription(info, &description);
    IErrorInfo_Release(info);
    char *text = description != NULL ? text_from_bstr(description) : NULL;
    SysFreeString(description);
    return text;
}

char *via_error_message(HRESULT code, char *buffer, size_t size)
{
    if (size == 0)
        return buffer;
    CLEANUP(cleanup_free) char *text = peek_error_text();
    if (text != NULL && text[0] != '\0')
        text_copy(buffer, size, text);
    else
        error_format(NULL, code, buffer, (unsigned)(size < UINT_MAX ? size : UINT_MAX));
    return buffer;
}

const char *via_error_name(HRESULT code)
{
    return error_code_name(code);
}
