/*
 * Lists of classes, in pages: this host's own, with what their processes do, then those of its
 * peers. Where a page ended is said by the name of its last class, and not by a position, so that
 * the next one goes on there whatever was installed or removed meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "com/registry/versions.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "host/host.h"
#include "host/text.h"

/* What a peer may take to give a page. */
#define ASK_PEER_MS 5000u

/* --- one class --- */

void class_info_deinit(struct ClassInfo *info)
{
    SysFreeString(info->progid);
    SysFreeString(info->description);
    SysFreeString(info->host);
    SysFreeString(info->component);
    SysFreeString(info->manifest);
}

/* What is known of a class, wherever from. */
struct facts {
    const GUID *clsid;
    const char *progid, *description, *component, *manifest;
    unsigned activation;
    bool is_current;
};

static HRESULT fill(struct host *host, const struct facts *facts, struct ClassInfo *info)
{
    struct server_status status;

    memset(info, 0, sizeof(*info));
    servers_status(host->servers, facts->manifest, &status);
    info->clsid = *facts->clsid;
    info->activation = (enum ClassActivation)facts->activation;
    info->state = status.state;
    info->processId = status.process_id;
    info->isCurrent = facts->is_current;
    info->progid = text_to_bstr(facts->progid);
    info->description = text_to_bstr(facts->description);
    info->host = text_to_bstr("");
    info->component = text_to_bstr(facts->component);
    info->manifest = text_to_bstr(facts->manifest);
    if (info->progid && info->description && info->host && info->component && info->manifest)
        return S_OK;
    class_info_deinit(info);
    memset(info, 0, sizeof(*info));
    return error_set(E_OUTOFMEMORY, "no memory for a class");
}

HRESULT class_info_fill(struct host *host, const struct registry_entry *entry,
                        struct ClassInfo *info)
{
    struct facts facts = {
        .clsid = &entry->class->clsid,
        .progid = entry->class->progid,
        .description = entry->class->description,
        .component = entry->manifest->component,
        .manifest = entry->manifest->path,
        .activation = (unsigned)entry->manifest->activation,
        .is_current = entry->is_current,
    };

    return fill(host, &facts, info);
}

/* --- a page --- */

/* A page that is being filled. */
struct filling {
    struct class_page *page;
    size_t n_bytes;
    char next[CLASS_NAME_PROGID_SIZE + CLASS_NAME_HOST_SIZE];
};

static bool is_full(const struct filling *filling)
{
    return filling->page->count >= filling->page->limit || filling->n_bytes >= CLASS_PAGE_MAX_BYTES;
}

static HRESULT add_own(struct host *host, const struct catalogue *catalogue, uint32_t index,
                       struct filling *filling)
{
    const struct catalogue_class *class = &catalogue->classes[index];
    const struct catalogue_file *file = &catalogue->files[class->file];
    char *path = catalogue_path(catalogue, class->file);
    struct facts facts = {
        .clsid = &class->clsid,
        .progid = catalogue_text(catalogue, class->progid),
        .description = catalogue_text(catalogue, class->description),
        .component = catalogue_text(catalogue, file->component),
        .manifest = path,
        .activation = file->activation,
        .is_current = version_is_current(catalogue, index),
    };
    HRESULT hr = path ? fill(host, &facts, &filling->page->classes[filling->page->count])
                      : error_set(E_OUTOFMEMORY, "no memory for a path");

    if (SUCCEEDED(hr)) {
        filling->page->count++;
        filling->n_bytes += 2 * (strlen(facts.progid) + strlen(facts.description) +
                                 strlen(facts.component) + strlen(path));
    }
    free(path);
    return hr;
}

static HRESULT add_all_own(struct host *host, const char *after, bool is_next,
                           struct filling *filling)
{
    struct catalogue *catalogue;
    HRESULT hr = registry_list(host->registry, is_next, &catalogue);
    uint32_t at;

    if (FAILED(hr))
        return hr;
    for (at = catalogue_behind(catalogue, after);
         SUCCEEDED(hr) && at < catalogue->n_used && !is_full(filling); at++)
        hr = add_own(host, catalogue, catalogue->order[at], filling);
    if (SUCCEEDED(hr) && at < catalogue->n_used)
        snprintf(filling->next, sizeof(filling->next), "%s",
                 catalogue_text(catalogue, catalogue->classes[catalogue->order[at - 1]].progid));
    catalogue_unref(catalogue);
    return hr;
}

/* Moves the peer's classes behind those that are there, under the peer's name. More of them than
 * were asked for are dropped: a peer is not believed. */
static HRESULT append(struct filling *filling, const char *name, ULONG n_more,
                      struct ClassInfo *more)
{
    struct class_page *page = filling->page;
    HRESULT hr = S_OK;

    for (ULONG i = 0; i < n_more; i++) {
        if (FAILED(hr) || page->count == page->limit) {
            class_info_deinit(&more[i]);
            continue;
        }
        SysFreeString(more[i].host);
        more[i].host = text_to_bstr(name);
        if (!more[i].host)
            hr = error_set(E_OUTOFMEMORY, "no memory for the list of classes");
        page->classes[page->count++] = more[i];
    }
    CoTaskMemFree(more);
    return hr;
}

static void warn_of_peer(const char *name, HRESULT hr)
{
    char text[ERROR_TEXT_SIZE];

    log_warning("host", "peer %s does not list its classes: %s", name,
                via_error_message(hr, text, sizeof(text)));
}

/* A peer that cannot be asked is left out; `viaduct status` says why. */
static HRESULT add_peer(struct host *host, size_t index, const char *after, struct filling *filling)
{
    const char *name = peers_name(host->peers, index);
    struct ClassInfo *more = NULL;
    BSTR string, next = NULL;
    IViaductHost *peer;
    uint32_t before;
    ULONG n_more = 0;
    char *text;
    HRESULT hr = peers_get(host->peers, index, &peer);

    if (FAILED(hr)) {
        error_clear();
        return S_FALSE;
    }
    string = text_to_bstr(after);
    before = via_thread_set_deadline(ASK_PEER_MS);
    hr = IViaductHost_ListClasses(peer, VARIANT_FALSE, string,
                                  filling->page->limit - filling->page->count, &next, &n_more,
                                  &more);
    via_thread_set_deadline(before);
    SysFreeString(string);
    IViaductHost_Release(peer);
    if (FAILED(hr)) {
        warn_of_peer(name, hr);
        return S_FALSE;
    }
    text = text_from_bstr(next);
    SysFreeString(next);
    /* Always further on: a peer that says otherwise must not make the list endless. */
    if (text && strcmp(text, after) > 0)
        snprintf(filling->next, sizeof(filling->next), "%.*s@%s", CLASS_NAME_PROGID_SIZE - 1, text,
                 name);
    free(text);
    return append(filling, name, n_more, more);
}

/* Splits "ProgID@PEER"; `*first` is the peer to go on with, or the number of peers for none. */
static HRESULT find_start(struct host *host, const char *after, char *progid, size_t *first)
{
    const char *at = strchr(after, '@');
    size_t n_peers = peers_count(host->peers), length = at ? (size_t)(at - after) : strlen(after);

    *first = n_peers;
    if (length >= CLASS_NAME_PROGID_SIZE)
        return error_set(E_INVALIDARG, "\"%.100s\" names no class to go on behind", after);
    memcpy(progid, after, length);
    progid[length] = 0;
    if (!at)
        return S_OK;
    *first = 0;
    while (*first < n_peers && strcmp(peers_name(host->peers, *first), at + 1) != 0)
        (*first)++;
    return *first < n_peers ? S_OK : error_set(E_INVALIDARG, "no peer is named \"%.100s\"", at + 1);
}

/* Goes on with the own classes or, behind "ProgID@PEER", with that peer's. */
static HRESULT fill_page(struct host *host, const char *after, struct filling *filling)
{
    char progid[CLASS_NAME_PROGID_SIZE];
    size_t n_peers = peers_count(host->peers), peer;
    HRESULT hr = find_start(host, after, progid, &peer);

    if (SUCCEEDED(hr) && peer == n_peers) {
        hr = add_all_own(host, progid, *after != 0, filling);
        progid[0] = 0;
        peer = 0;
    }
    for (; SUCCEEDED(hr) && filling->page->with_peers && !filling->next[0] && peer < n_peers;
         peer++) {
        if (is_full(filling))
            snprintf(filling->next, sizeof(filling->next), "@%s", peers_name(host->peers, peer));
        else
            hr = add_peer(host, peer, progid, filling);
        progid[0] = 0;
    }
    return FAILED(hr) ? hr : S_OK;
}

HRESULT host_list_classes(struct host *host, const char *after, struct class_page *page)
{
    struct filling filling = {.page = page};
    HRESULT hr;

    if (page->limit == 0)
        page->limit = CLASS_PAGE_DEFAULT;
    if (page->limit > CLASS_PAGE_MAX)
        page->limit = CLASS_PAGE_MAX;
    page->classes = CoTaskMemAlloc(page->limit * sizeof(*page->classes));
    hr = page->classes ? fill_page(host, after, &filling) : E_OUTOFMEMORY;
    if (SUCCEEDED(hr) && !(page->next = text_to_bstr(filling.next)))
        hr = E_OUTOFMEMORY;
    if (SUCCEEDED(hr))
        return S_OK;
    if (hr == E_OUTOFMEMORY)
        error_set(hr, "no memory for the list of classes");
    for (ULONG i = 0; i < page->count; i++)
        class_info_deinit(&page->classes[i]);
    CoTaskMemFree(page->classes);
    return hr;
}
