#include "com/remote/node_object.h"

#include <stdlib.h>
#include <string.h>
#include <viaduct/node.h>

#include "com/remote/crosswait.h"
#include "com/remote/forward.h"
#include "com/remote/gate.h"
#include "com/remote/import.h"
#include "com/remote/interfaces.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
#include "com/remote/reference.h"
#include "com/remote/runtime.h"
#include "com/remote/text.h"
#include "com/typelib/typelib.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/os/unix_calls.h"
#include "core/util/buffer.h"
#include "core/util/cleanup.h"
#include "core/util/error.h"

/* The JSON of statistics: some counters for each connection. */
#define STATISTICS_LIMIT (1u << 20)

struct node_object {
    INode INode_iface;
    IForwarder IForwarder_iface;
    atomic_uint refs;
    struct node *node; /* borrowed: it holds us */
};

static struct node_object *from_INode(INode *iface)
{
    return (struct node_object *)((char *)iface - offsetof(struct node_object, INode_iface));
}

static HRESULT STDMETHODCALLTYPE Node_QueryInterface(INode *iface, REFIID iid, void **object)
{
    struct node_object *self = from_INode(iface);
    *object = NULL;
    if (IsEqualGUID(iid, &IID_IUnknown) || IsEqualGUID(iid, &IID_INode))
        *object = iface;
    else if (IsEqualGUID(iid, &IID_IForwarder))
        *object = &self->IForwarder_iface;
    if (*object != NULL) {
        atomic_fetch_add_explicit(&self->refs, 1, memory_order_relaxed);
        return S_OK;
    }
    /* What a program adds to its root has its own identity in this process; to peers they are one.
     */
    IUnknown *extra = node_root(self->node);
    if (extra == NULL)
        return E_NOINTERFACE;
    HRESULT hr = extra->lpVtbl->QueryInterface(extra, iid, object);
    extra->lpVtbl->Release(extra);
    return hr;
}

static ULONG STDMETHODCALLTYPE Node_AddRef(INode *iface)
{
    struct node_object *self = from_INode(iface);
    return (ULONG)atomic_fetch_add_explicit(&self->refs, 1, memory_order_relaxed) + 1;
}

static ULONG STDMETHODCALLTYPE Node_Release(INode *iface)
{
    struct node_object *self = from_INode(iface);
    ULONG refs = (ULONG)atomic_fetch_sub_explicit(&self->refs, 1, memory_order_acq_rel) - 1;
    if (refs == 0)
        free(self);
    return refs;
}

static HRESULT STDMETHODCALLTYPE Node_GetIdentity(INode *iface, struct NodeIdentity *identity)
{
    struct node *node = from_INode(iface)->node;
    const char *agent = node->settings.link.agent;
    memset(identity, 0, sizeof *identity);
    memcpy(&identity->node, link_node_id(node->link), sizeof identity->node);
    identity->processId = os_process_id();
    const char *native = os_path_separator == '\\' ? "windows" : "linux";
    identity->system = text_to_bstr(os_is_wine() ? "wine" : native);
    identity->version = text_to_bstr(VIADUCT_VERSION);
    identity->agent = text_to_bstr(agent != NULL ? agent : "");
    if (identity->system != NULL && identity->version != NULL && identity->agent != NULL)
        return S_OK;
    SysFreeString(identity->system);
    SysFreeString(identity->version);
    SysFreeString(identity->agent);
    memset(identity, 0, sizeof *identity);
    return E_OUTOFMEMORY;
}

static HRESULT STDMETHODCALLTYPE Node_GetInterfaceDescription(INode *iface, const GUID *iid,
                                                              BSTR *json)
{
    (void)iface;
    *json = NULL;
    const struct via_typelib *lib;
    uint16_t index;
    CLEANUP(cleanup_free) char *text = NULL;
    HRESULT hr = typelib_catalog_find(iid, &lib, &index);
    if (SUCCEEDED(hr))
        hr = typelib_to_json(lib, 0, &text);
    if (SUCCEEDED(hr) && (*json = text_to_bstr(text)) == NULL)
        hr = error_set(E_OUTOFMEMORY, "no memory for the description of an interface");
    return runtime_publish(hr);
}

struct statistics {
    struct buffer text;
    unsigned n_connections;
    struct link_counters sum;
};

static void add_connection(void *argument, struct link_connection *connection)
{
    struct statistics *statistics = argument;
    struct link_counters counters;
    struct peer *peer = peer_of(connection);
    if (peer == NULL)
        return;
    link_connection_counters(connection, &counters);
    os_mutex_lock(&peer->lock);
    size_t n_objects = peer->entries.n_links;
    os_mutex_unlock(&peer->lock);
    buffer_print(
        &statistics->text,
        "%s{\"process\":%u,\"objects\":%zu,\"calls_sent\":%llu,\"calls_received\":%llu,"
        "\"bytes_sent\":%llu,\"bytes_received\":%llu}",
        statistics->n_connections++ > 0 ? "," : "",
        (unsigned)link_connection_peer(connection)->process_id, n_objects,
        (unsigned long long)counters.calls_sent, (unsigned long long)counters.calls_received,
        (unsigned long long)counters.bytes_sent, (unsigned long long)counters.bytes_received);
}

static HRESULT STDMETHODCALLTYPE Node_GetStatistics(INode *iface, BSTR *json)
{
    struct node *node = from_INode(iface)->node;
    struct statistics statistics = {0};
    *json = NULL;
    buffer_init(&statistics.text, STATISTICS_LIMIT);
    os_mutex_lock(&node->lock);
    size_t n_exports = node->exports.n_links;
    size_t n_imports = node->imports.n_links;
    size_t n_provides = node->provides.n_links;
    os_mutex_unlock(&node->lock);
    buffer_print(&statistics.text,
                 "{\"exports\":%zu,\"imports\":%zu,\"handed_on\":%zu,\"failed_one_way_calls\":%llu,"
                 "\"connections\":[",
                 n_exports, n_imports, n_provides,
                 (unsigned long long)atomic_load(&node->n_failed_oneways));
    link_node_each(node->link, add_connection, &statistics);
    buffer_print(&statistics.text, "]}");
    HRESULT hr = buffer_result(&statistics.text);
    CLEANUP(cleanup_free) char *text = buffer_take_text(&statistics.text);
    buffer_deinit(&statistics.text);
    if (SUCCEEDED(hr) && (text == NULL || (*json = text_to_bstr(text)) == NULL))
        hr = error_set(E_OUTOFMEMORY, "no memory for statistics");
    return runtime_publish(hr);
}

static HRESULT STDMETHODCALLTYPE Node_Probe(INode *iface, const GUID *wait, const GUID *chain,
                                            ULONGLONG call, ULONG hops, BSTR path)
{
    (void)iface;
    const struct link_current *current = link_current();
    if (current == NULL)
        return runtime_publish(error_set(E_UNEXPECTED, "a probe comes from a peer"));
    struct probe probe = {.n_hops = hops};
    struct gate_call waits_in = {.peer = peer_of(current->connection), .call_id = call};
    CLEANUP(cleanup_free) char *text = text_from_bstr(path);
    if (text == NULL || strlen(text) >= sizeof probe.path)
        return runtime_publish(
            error_set(E_INVALIDARG, "a probe's path has at most %zu bytes", sizeof probe.path - 1));
    memcpy(probe.path, text, strlen(text) + 1);
    memcpy(&probe.wait, wait, sizeof probe.wait);
    memcpy(&waits_in.chain, chain, sizeof waits_in.chain);
    crosswait_received(&probe, &waits_in);
    return S_OK;
}

static const INodeVtbl node_vtable = {
    Node_QueryInterface,          Node_AddRef,        Node_Release, Node_GetIdentity,
    Node_GetInterfaceDescription, Node_GetStatistics, Node_Probe,
};

/* --- IForwarder --- */

static struct node_object *from_IForwarder(IForwarder *iface)
{
    return (struct node_object *)((char *)iface - offsetof(struct node_object, IForwarder_iface));
}

static HRESULT STDMETHODCALLTYPE Forwarder_QueryInterface(IForwarder *iface, REFIID iid,
                                                          void **object)
{
    return Node_QueryInterface(&from_IForwarder(iface)->INode_iface, iid, object);
}

static ULONG STDMETHODCALLTYPE Forwarder_AddRef(IForwarder *iface)
{
    return Node_AddRef(&from_IForwarder(iface)->INode_iface);
}

static ULONG STDMETHODCALLTYPE Forwarder_Release(IForwarder *iface)
{
    return Node_Release(&from_IForwarder(iface)->INode_iface);
}

static HRESULT STDMETHODCALLTYPE Forwarder_Forward(IForwarder *iface, const GUID *owner,
                                                   ULONGLONG id, const GUID *t1, const GUID *t2,
                                                   IUnknown **object)
{
    const struct link_current *current = link_current();
    struct reference_third third = {.n_addresses = 0}; /* where it is connected already */
    *object = NULL;
    if (current == NULL)
        return runtime_publish(error_set(E_UNEXPECTED, "a peer asks for that"));
    memcpy(&third.owner, owner, sizeof third.owner);
    memcpy(&third.t1, t1, sizeof third.t1);
    memcpy(&third.t2, t2, sizeof third.t2);
    return runtime_publish(
        forward_give(from_IForwarder(iface)->node, id, &third, current->deadline_ns, object));
}

static const IForwarderVtbl forwarder_vtable = {
    Forwarder_QueryInterface,
    Forwarder_AddRef,
    Forwarder_Release,
    Forwarder_Forward,
};

HRESULT node_object_new(struct node *node, IUnknown **object)
{
    struct node_object *self = calloc(1, sizeof *self);
    if (self == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for the root object");
    self->INode_iface.lpVtbl = (void *)&node_vtable;
    self->IForwarder_iface.lpVtbl = (void *)&forwarder_vtable;
    atomic_init(&self->refs, 1);
    self->node = node;
    *object = (IUnknown *)&self->INode_iface;
    return S_OK;
}
