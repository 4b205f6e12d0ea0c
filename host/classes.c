/*
 * Finding a class and getting an object of it: here, or from the one peer that has it.
 *
 * Without a host in its name a class is this host's own if it is registered here; else every
 * connected peer is asked. Peers that are not connected are named in the error, since they might
 * have it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "com/abi/guid.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "host/exposed.h"
#include "host/host.h"
#include "host/text.h"

/* A component's process may end, being idle, in the moment in which it is asked for something. */
#define MAX_ATTEMPTS 3
/* What a peer may take to say whether it has a class. */
#define ASK_PEER_MS 5000u

/* --- where a class is --- */

struct place {
    struct registry_entry entry; /* manifest NULL: at a peer */
    IViaductHost *peer;
    char host[CLASS_NAME_HOST_SIZE];                          /* the peer's name */
    char name[CLASS_NAME_PROGID_SIZE + CLASS_NAME_HOST_SIZE]; /* for the peer: "ProgID@local" */
};

static void place_deinit(struct place *place)
{
    if (place->entry.manifest)
        registry_entry_deinit(&place->entry);
    if (place->peer)
        IViaductHost_Release(place->peer);
}

static void name_for_peer(const struct class_name *name, char *buffer, size_t size)
{
    char class[CLASS_NAME_PROGID_SIZE];

    snprintf(buffer, size, "%s@%s", class_name_format(name, class), CLASS_NAME_LOCAL);
}

static void place_set_peer(struct place *place, IViaductHost *peer, const char *host,
                           const struct class_name *name)
{
    place->peer = peer;
    snprintf(place->host, sizeof(place->host), "%s", host);
    name_for_peer(name, place->name, sizeof(place->name));
}

/* REGDB_E_CLASSNOTREG: the peer does not have it. */
static HRESULT ask_peer_for_class(IViaductHost *peer, const char *name, struct ClassInfo *info)
{
    uint32_t before = via_thread_set_deadline(ASK_PEER_MS);
    BSTR string = text_to_bstr(name);
    HRESULT hr = string ? IViaductHost_FindClass(peer, string, info)
                        : error_set(E_OUTOFMEMORY, "no memory for a name");

    via_thread_set_deadline(before);
    if (string && FAILED(hr))
        text_take_error(hr);
    SysFreeString(string);
    return hr;
}

/* S_FALSE: the peer does not have it. */
static HRESULT ask_peer(IViaductHost *peer, const struct class_name *name)
{
    char text[CLASS_NAME_PROGID_SIZE + CLASS_NAME_HOST_SIZE];
    struct ClassInfo info = {.processId = 0};
    HRESULT hr;

    name_for_peer(name, text, sizeof(text));
    hr = ask_peer_for_class(peer, text, &info);
    if (hr == REGDB_E_CLASSNOTREG) {
        error_clear();
        return S_FALSE;
    }
    if (SUCCEEDED(hr))
        class_info_deinit(&info);
    return hr;
}

/* The notes that go into an error: who has it, or who could not be asked. */
struct notes {
    char text[512];
    size_t used;
};

static void note(struct notes *notes, const char *before, const char *text)
{
    if (notes->used < sizeof(notes->text))
        notes->used +=
            (size_t)snprintf(notes->text + notes->used, sizeof(notes->text) - notes->used, "%s%s",
                             notes->used ? before : "", text);
}

static HRESULT ask_peers(struct host *host, const struct class_name *name, struct place *place)
{
    struct notes having = {.used = 0}, missing = {.used = 0};
    char class[CLASS_NAME_PROGID_SIZE], text[400];
    HRESULT hr = REGDB_E_CLASSNOTREG;

    for (size_t i = 0; i < peers_count(host->peers); i++) {
        IViaductHost *peer = NULL;
        HRESULT asked = peers_get(host->peers, i, &peer);

        if (SUCCEEDED(asked))
            asked = ask_peer(peer, name);
        if (FAILED(asked))
            note(&missing, "; ", error_format(error_get(), asked, text, sizeof(text)));
        if (asked == S_OK) {
            note(&having, ", ", peers_name(host->peers, i));
            if (place->peer)
                hr = VIA_E_AMBIGUOUS;
            else if (hr == REGDB_E_CLASSNOTREG)
                hr = S_OK;
        }
        if (asked == S_OK && !place->peer)
            place_set_peer(place, peer, peers_name(host->peers, i), name);
        else if (peer)
            IViaductHost_Release(peer);
    }
    class_name_format(name, class);
    if (hr == VIA_E_AMBIGUOUS)
        return error_set(hr, "several hosts have class %s: %s; name one, as in %s@%.*s", class,
                         having.text, class, (int)strcspn(having.text, ","), having.text);
    if (hr == REGDB_E_CLASSNOTREG)
        return error_set(hr, "no connected peer has it%s%s", missing.used ? "; " : "",
                         missing.text);
    return hr;
}

/* The local registry's complaint, with what the peers say behind it. */
static HRESULT not_anywhere(struct error_record *local)
{
    char peers[ERROR_TEXT_SIZE], here[ERROR_TEXT_SIZE];

    error_format(error_get(), REGDB_E_CLASSNOTREG, peers, sizeof(peers));
    error_format(local, REGDB_E_CLASSNOTREG, here, sizeof(here));
    error_record_free(local);
    return error_set(REGDB_E_CLASSNOTREG, "%s; %s", here, peers);
}

static HRESULT find_here(struct host *host, const struct class_name *name, struct place *place)
{
    char text[CLASS_NAME_PROGID_SIZE];
    HRESULT hr = registry_find(host->registry, name, &place->entry);
    if (hr != REGDB_E_CLASSNOTREG)
        return hr;
    struct error_record *unknown = error_take();
    bool is_com = exposed_is_com_class(name);
    error_clear();
    if (unknown)
        error_give(unknown);
    return is_com ? error_wrap(hr,
                               "%s is a COM class of this system, which the host's configuration "
                               "does not expose (\"com\": {\"expose\": [...]})",
                               class_name_format(name, text))
                  : hr;
}

static HRESULT find(struct host *host, const char *text, struct place *place)
{
    struct error_record *local;
    struct class_name name;
    IViaductHost *peer;
    HRESULT hr = class_name_parse(text, &name);

    memset(place, 0, sizeof(*place));
    if (FAILED(hr))
        return hr;
    if (name.host[0] && strcmp(name.host, CLASS_NAME_LOCAL) != 0 &&
        strcmp(name.host, host->configuration->name) != 0) {
        hr = peers_find(host->peers, name.host, &peer);
        if (SUCCEEDED(hr))
            place_set_peer(place, peer, name.host, &name);
        return hr;
    }
    hr = find_here(host, &name, place);
    if (hr != REGDB_E_CLASSNOTREG || name.host[0] || peers_count(host->peers) == 0)
        return hr;
    local = error_take();
    hr = ask_peers(host, &name, place);
    if (hr == REGDB_E_CLASSNOTREG)
        return not_anywhere(local);
    error_record_free(local);
    if (FAILED(hr))
        place_deinit(place);
    return hr;
}

/* --- what provides it --- */

static HRESULT get_provider(struct host *host, struct manifest *manifest,
                            IViaductSurrogate **provider)
{
    if (manifest->activation == MANIFEST_IN_HOST)
        return modules_get(host->modules, manifest->component, provider);
    return servers_get(host->servers, manifest, provider);
}

/* Something that is asked of a component; `error` records come from the runtime. */
struct question {
    const GUID *iid; /* for objects */
    IUnknown **object;
    BSTR *json;
};

static HRESULT ask_provider(IViaductSurrogate *provider, const GUID *clsid,
                            const struct question *question)
{
    if (question->json)
        return IViaductSurrogate_DescribeClass(provider, clsid, question->json);
    if (question->iid)
        return IViaductSurrogate_CreateInstance(provider, clsid, question->iid, question->object);
    return IViaductSurrogate_GetClassObject(provider, clsid, question->object);
}

static HRESULT ask_here(struct host *host, const struct registry_entry *entry,
                        const struct question *question)
{
    HRESULT hr = E_FAIL;
    bool again = true;

    for (int attempt = 0; again && attempt < MAX_ATTEMPTS; attempt++) {
        IViaductSurrogate *provider;

        hr = get_provider(host, entry->manifest, &provider);
        if (FAILED(hr))
            return hr;
        hr = ask_provider(provider, &entry->class->clsid, question);
        if (FAILED(hr))
            text_take_error(hr);
        again = FAILED(hr) && servers_settle(host->servers, entry->manifest, provider, hr);
        IViaductSurrogate_Release(provider);
    }
    return hr;
}

static HRESULT ask_there(const struct place *place, const struct question *question)
{
    BSTR name = text_to_bstr(place->name);
    HRESULT hr;

    if (!name)
        return error_set(E_OUTOFMEMORY, "no memory for a name");
    if (question->json)
        hr = IViaductHost_DescribeClass(place->peer, name, question->json);
    else if (question->iid)
        hr = IViaductHost_CreateInstance(place->peer, name, question->iid, question->object);
    else
        hr = IViaductHost_GetClassObject(place->peer, name, question->object);
    SysFreeString(name);
    return FAILED(hr) ? text_take_error(hr) : hr;
}

/* The owner of an object that a peer has given may die, and then the peer knows how. */
static void note_origin(struct host *host, IViaductHost *peer, IUnknown *object)
{
    struct via_peer_info info = {.size = sizeof(info)};

    if (object && via_get_peer(object, &info) == S_OK)
        peers_note_node(host->peers, peer, &info.node);
}

static HRESULT ask(struct host *host, const char *name, const struct question *question)
{
    struct place place;
    HRESULT hr = find(host, name, &place);

    if (FAILED(hr))
        return hr;
    hr = place.peer ? ask_there(&place, question) : ask_here(host, &place.entry, question);
    if (SUCCEEDED(hr) && place.peer && question->object)
        note_origin(host, place.peer, *question->object);
    place_deinit(&place);
    return hr;
}

HRESULT host_create_instance(struct host *host, const char *name, REFIID iid, IUnknown **object)
{
    struct question question = {.iid = iid, .object = object};

    return ask(host, name, &question);
}

HRESULT host_get_class_object(struct host *host, const char *name, IUnknown **object)
{
    struct question question = {.object = object};

    return ask(host, name, &question);
}

HRESULT host_describe_class(struct host *host, const char *name, BSTR *json)
{
    struct question question = {.json = json};

    return ask(host, name, &question);
}

HRESULT host_find_class(struct host *host, const char *name, struct ClassInfo *info)
{
    struct place place;
    HRESULT hr = find(host, name, &place);

    if (FAILED(hr))
        return hr;
    if (!place.peer) {
        hr = class_info_fill(host, &place.entry, info);
    } else {
        hr = ask_peer_for_class(place.peer, place.name, info);
        if (SUCCEEDED(hr)) {
            SysFreeString(info->host);
            info->host = text_to_bstr(place.host);
        }
    }
    place_deinit(&place);
    return hr;
}

/* --- registering --- */

HRESULT host_register(struct host *host, const char *text, char **path)
{
    struct manifest *manifest;
    HRESULT hr = manifest_parse(text, strlen(text), "the manifest", &manifest);

    if (FAILED(hr))
        return hr;
    hr = registry_install(host->registry, manifest, path);
    if (SUCCEEDED(hr))
        log_info("host", "registered %s as %s", manifest->component, *path);
    manifest_unref(manifest);
    return hr;
}

HRESULT host_unregister(struct host *host, const char *text)
{
    struct class_name name;
    HRESULT hr = class_name_parse(text, &name);

    if (SUCCEEDED(hr) && name.host[0] && strcmp(name.host, CLASS_NAME_LOCAL) != 0)
        hr = error_set(E_INVALIDARG,
                       "a class is unregistered at its own host, not through another one");
    if (SUCCEEDED(hr))
        hr = registry_uninstall(host->registry, &name);
    if (SUCCEEDED(hr))
        log_info("host", "unregistered %s", text);
    return hr;
}
