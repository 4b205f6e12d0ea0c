/* The list of classes: this host's own, with what their processes do, and those of its peers. */
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/util/error.h"
#include "core/util/log.h"
#include "host/host.h"
#include "host/text.h"

/* What a peer may take to list its classes. */
#define ASK_PEER_MS 5000u

static void info_deinit(struct ClassInfo *info)
{
    SysFreeString(info->progid);
    SysFreeString(info->description);
    SysFreeString(info->host);
    SysFreeString(info->component);
    SysFreeString(info->manifest);
}

void host_free_classes(ULONG count, struct ClassInfo *classes)
{
    for (ULONG i = 0; i < count; i++)
        info_deinit(&classes[i]);
    CoTaskMemFree(classes);
}

static HRESULT fill(struct host *host, const struct registry_entry *entry, struct ClassInfo *info)
{
    struct server_status status;

    memset(info, 0, sizeof(*info));
    servers_status(host->servers, entry->manifest, &status);
    info->clsid = entry->class->clsid;
    info->activation = (enum ClassActivation)entry->manifest->activation;
    info->state = status.state;
    info->processId = status.process_id;
    info->progid = text_to_bstr(entry->class->progid);
    info->description = text_to_bstr(entry->class->description);
    info->host = text_to_bstr("");
    info->component = text_to_bstr(entry->manifest->component);
    info->manifest = text_to_bstr(entry->manifest->path);
    if (info->progid && info->description && info->host && info->component && info->manifest)
        return S_OK;
    info_deinit(info);
    return error_set(E_OUTOFMEMORY, "no memory for the list of classes");
}

static HRESULT list_own(struct host *host, ULONG *count, struct ClassInfo **classes)
{
    struct registry_entry *entries;
    size_t n_entries;
    HRESULT hr = registry_list(host->registry, &entries, &n_entries);

    if (FAILED(hr))
        return hr;
    *classes = CoTaskMemAlloc((n_entries + 1) * sizeof(**classes));
    if (!*classes)
        hr = error_set(E_OUTOFMEMORY, "no memory for the list of classes");
    for (size_t i = 0; SUCCEEDED(hr) && i < n_entries; i++) {
        hr = fill(host, &entries[i], &(*classes)[i]);
        *count += SUCCEEDED(hr);
    }
    registry_list_free(entries, n_entries);
    return hr;
}

/* Moves the peer's classes behind those that are there, under the peer's name. */
static HRESULT append(const char *name, ULONG n_more, struct ClassInfo *more, ULONG *count,
                      struct ClassInfo **classes)
{
    struct ClassInfo *larger =
        CoTaskMemRealloc(*classes, (*count + n_more + 1) * sizeof(**classes));

    if (!larger) {
        host_free_classes(n_more, more);
        return error_set(E_OUTOFMEMORY, "no memory for the list of classes");
    }
    *classes = larger;
    for (ULONG i = 0; i < n_more; i++) {
        larger[*count] = more[i];
        SysFreeString(larger[*count].host);
        larger[(*count)++].host = text_to_bstr(name);
    }
    CoTaskMemFree(more);
    return S_OK;
}

/* A peer that cannot be asked is left out; `viaduct status` says why. */
static HRESULT list_peer(struct host *host, size_t index, ULONG *count, struct ClassInfo **classes)
{
    struct ClassInfo *more = NULL;
    IViaductHost *peer;
    uint32_t before;
    ULONG n_more = 0;
    HRESULT hr = peers_get(host->peers, index, &peer);

    if (FAILED(hr)) {
        error_clear();
        return S_FALSE;
    }
    before = via_thread_set_deadline(ASK_PEER_MS);
    hr = IViaductHost_ListClasses(peer, VARIANT_FALSE, &n_more, &more);
    via_thread_set_deadline(before);
    IViaductHost_Release(peer);
    if (FAILED(hr)) {
        char text[ERROR_TEXT_SIZE];

        log_warning("host", "peer %s does not list its classes: %s", peers_name(host->peers, index),
                    via_error_message(hr, text, sizeof(text)));
        return S_FALSE;
    }
    return append(peers_name(host->peers, index), n_more, more, count, classes);
}

HRESULT host_list_classes(struct host *host, bool with_peers, ULONG *count,
                          struct ClassInfo **classes)
{
    HRESULT hr;

    *count = 0;
    *classes = NULL;
    hr = list_own(host, count, classes);
    for (size_t i = 0; with_peers && SUCCEEDED(hr) && i < peers_count(host->peers); i++)
        hr = list_peer(host, i, count, classes);
    if (FAILED(hr)) {
        host_free_classes(*count, *classes);
        *count = 0;
        *classes = NULL;
        return hr;
    }
    return S_OK;
}
