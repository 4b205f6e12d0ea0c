#include "com/remote/packet.h"

#include <viaduct/proxies.h>

#include <stdlib.h>
#include <string.h>

#include "com/remote/export.h"
#include "com/remote/handoff.h"
#include "com/remote/import.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
#include "com/remote/proxy.h"
#include "com/remote/reference.h"
#include "com/remote/runtime.h"
#include "core/os/clock.h"
#include "core/util/error.h"
#include "core/wire/scalar.h"

#define PACKET_HEADER 16u
#define PACKET_MAX    (PACKET_HEADER + WIRE_REFERENCE_MAX_ENTRY)

#define MAGIC   0x50414956u /* "VIAP" */
#define VERSION 1u

/* Of a node at a time; an owner keeps fewer than PEER_MAX_PROVIDES for one peer. */
#define MAX_PACKETS 1024u

enum { AT_MAGIC = 0, AT_VERSION = 4, AT_FLAGS = 6, AT_SIZE = 8, AT_ZERO = 12 };

/* One that this process has made. In node->packets under node->lock, the oldest first. */
struct packet {
    struct list link;
    struct import *import; /* a COM reference */
    struct link_id t1;
    uint64_t expires_ns;
};

/* --- who makes one --- */

bool packet_is_possible(const struct import *import)
{
    return import->promise == NULL && import->peer != NULL &&
           peer_info(import->peer)->addresses != NULL &&
           peer_info(import->peer)->addresses[0] != NULL;
}

size_t packet_size(const struct import *import)
{
    struct wire_reference reference;
    reference_describe_third(import, &reference);
    return PACKET_HEADER + wire_reference_size(&reference);
}

static struct packet *new_packet(struct import *import)
{
    struct packet *packet = calloc(1, sizeof *packet);
    if (packet == NULL) {
        error_set(E_OUTOFMEMORY, "no memory for a packet");
        return NULL;
    }
    packet->import = import;
    import_ref(import);
    return packet;
}

static void free_packet(struct packet *packet)
{
    import_unref(packet->import);
    free(packet);
}

static void free_packets(struct list *packets)
{
    while (!list_is_empty(packets))
        free_packet(list_entry(list_pop(packets), struct packet, link));
}

static void lapse(void *argument);

/* One timer serves all: they live equally long. Without it a packet's proxy lives until the next
 * packet sets one, or the node stops. */
static void start_timer_locked(struct node *node)
{
    struct link_timer *timer;
    if (node->packet_timer_runs || list_is_empty(&node->packets) || atomic_load(&node->closed))
        return;
    uint64_t expires_ns = list_entry(node->packets.next, struct packet, link)->expires_ns;
    if (FAILED(link_node_timer(node->link, expires_ns, lapse, node, &timer))) {
        error_clear();
        return;
    }
    node->packet_timer = timer;
    node->packet_timer_runs = true;
}

/* [worker] */
static void lapse(void *argument)
{
    struct node *node = argument;
    struct list over;
    uint64_t now_ns = os_now_ns();
    list_init(&over);
    os_mutex_lock(&node->lock);
    while (!list_is_empty(&node->packets) &&
           list_entry(node->packets.next, struct packet, link)->expires_ns <= now_ns) {
        list_append(&over, list_pop(&node->packets));
        node->n_packets--;
    }
    struct link_timer *timer = node->packet_timer;
    node->packet_timer = NULL;
    node->packet_timer_runs = false;
    start_timer_locked(node);
    os_mutex_unlock(&node->lock);
    if (timer != NULL)
        link_timer_cancel(timer);
    free_packets(&over);
}

/* False: there are too many, or the node has stopped. */
static bool list_packet(struct node *node, struct packet *packet)
{
    packet->expires_ns = os_now_ns() + node->settings.handoff_timeout_ms * UINT64_C(1000000);
    os_mutex_lock(&node->lock);
    bool room = node->n_packets < MAX_PACKETS && !atomic_load(&node->closed);
    if (room) {
        list_append(&node->packets, &packet->link);
        node->n_packets++;
        start_timer_locked(node);
    }
    os_mutex_unlock(&node->lock);
    return room;
}

static void write_packet(const struct import *import, const struct link_id *t1,
                         const struct link_id *t2, uint8_t *bytes, size_t *size)
{
    struct wire_reference reference;
    reference_describe_third(import, &reference);
    memcpy(reference.t1, t1, sizeof reference.t1);
    memcpy(reference.t2, t2, sizeof reference.t2);
    size_t entry = wire_reference_size(&reference);
    memset(bytes, 0, PACKET_HEADER);
    wire_store32(bytes + AT_MAGIC, MAGIC);
    wire_store16(bytes + AT_VERSION, VERSION);
    wire_store32(bytes + AT_SIZE, (uint32_t)entry);
    wire_reference_write(bytes + PACKET_HEADER, &reference);
    *size = PACKET_HEADER + entry;
}

/* The owner knows of it when this returns: who reads the packet need not wait. */
static HRESULT promise(struct packet *packet, struct link_id *t1, struct link_id *t2)
{
    struct import *import = packet->import;
    struct node *node = import->node;
    HRESULT hr = handoff_provide(import, NULL, t1, t2);
    if (FAILED(hr))
        return hr;
    packet->t1 = *t1;
    hr = handoff_settle(import, os_deadline_ms(node->settings.call_timeout_ms));
    if (SUCCEEDED(hr) && !list_packet(node, packet))
        hr = error_set(VIA_E_LIMIT,
                       "this process has passed on %u objects that it has to keep for those who "
                       "come for them, and not one more",
                       MAX_PACKETS);
    if (FAILED(hr))
        handoff_withdraw(import, t1);
    return hr;
}

/* `bytes` has room for PACKET_MAX. */
static HRESULT make(struct import *import, uint8_t *bytes, size_t *size, struct link_id *t1)
{
    struct link_id t2;
    if (import_is_dead(import))
        return peer_disconnected(import->peer);
    struct packet *packet = new_packet(import);
    if (packet == NULL)
        return E_OUTOFMEMORY;
    HRESULT hr = promise(packet, t1, &t2);
    if (FAILED(hr)) {
        free_packet(packet);
        return hr;
    }
    write_packet(import, t1, &t2, bytes, size);
    return S_OK;
}

void packet_stop(struct node *node)
{
    struct list all;
    list_init(&all);
    os_mutex_lock(&node->lock);
    struct link_timer *timer = node->packet_timer;
    node->packet_timer = NULL;
    node->packet_timer_runs = true; /* no other is started */
    while (!list_is_empty(&node->packets))
        list_append(&all, list_pop(&node->packets));
    node->n_packets = 0;
    os_mutex_unlock(&node->lock);
    if (timer != NULL)
        link_timer_cancel(timer);
    free_packets(&all);
}

/* --- who has one --- */

static HRESULT bad(const char *what)
{
    return error_set(RPC_E_INVALID_DATA, "this is no packet of Viaduct: %s", what);
}

/* What follows the header. */
static HRESULT read_header(const uint8_t header[PACKET_HEADER], size_t *size)
{
    if (wire_load32(header + AT_MAGIC) != MAGIC)
        return bad("it does not begin like one");
    if (wire_load16(header + AT_VERSION) != VERSION)
        return error_set(RPC_E_INVALID_DATA,
                         "a packet of Viaduct has version %u, and this process reads version %u: "
                         "use the same version of Viaduct in both processes",
                         wire_load16(header + AT_VERSION), VERSION);
    *size = wire_load32(header + AT_SIZE);
    if (wire_load16(header + AT_FLAGS) != 0 || wire_load32(header + AT_ZERO) != 0)
        return bad("its header has bits that nobody knows");
    return *size <= WIRE_REFERENCE_MAX_ENTRY ? S_OK : bad("it is too long");
}

static HRESULT read_entry(const uint8_t *entry, size_t size, struct wire_reference *reference)
{
    HRESULT hr = wire_references_check(entry, size, 1);
    if (SUCCEEDED(hr))
        hr = wire_reference_next(&entry, &size, reference);
    if (FAILED(hr))
        return error_wrap(RPC_E_INVALID_DATA, "this is no packet of Viaduct");
    if (reference->kind != WIRE_REFERENCE_THIRD)
        return bad("it names no object");
    struct link_id t1;
    memcpy(&t1, reference->t1, sizeof t1);
    return handoff_is_for_anybody(&t1) ? S_OK : bad("its token is another process'");
}

static HRESULT read_all(IStream *stream, uint8_t *bytes, size_t size)
{
    while (size > 0) {
        ULONG n = 0;
        HRESULT hr = stream->lpVtbl->Read(stream, bytes, (ULONG)size, &n);
        if (FAILED(hr))
            return error_set(hr, "a packet cannot be read from its stream");
        if (n == 0 || n > size)
            return bad("the stream ends within it");
        bytes += n;
        size -= n;
    }
    return S_OK;
}

static HRESULT read_packet(IStream *stream, struct wire_reference *reference)
{
    uint8_t bytes[PACKET_MAX];
    size_t size = 0;
    HRESULT hr = read_all(stream, bytes, PACKET_HEADER);
    if (SUCCEEDED(hr))
        hr = read_header(bytes, &size);
    if (SUCCEEDED(hr))
        hr = read_all(stream, bytes + PACKET_HEADER, size);
    return SUCCEEDED(hr) ? read_entry(bytes + PACKET_HEADER, size, reference) : hr;
}

/* An object of this process itself, whose proxy another one has sent back. */
static HRESULT take_own(struct node *node, const struct reference_third *third, uint64_t id,
                        REFIID iid, void **object)
{
    struct exported *exported;
    HRESULT hr = handoff_accept_own(node, id, third, &exported);
    if (FAILED(hr))
        return hr;
    hr = export_lend(exported, iid, object);
    export_unref(exported);
    return hr;
}

static HRESULT take(struct node *node, const struct wire_reference *reference, REFIID iid,
                    void **object)
{
    struct import *import;
    struct reference_third third;
    reference_read_third(reference, &third);
    if (memcmp(&third.owner, link_node_id(node->link), sizeof third.owner) == 0)
        return take_own(node, &third, reference->object, iid, object);
    HRESULT hr = handoff_accept(node, reference->object, &third,
                                os_deadline_ms(node->settings.call_timeout_ms), &import);
    if (FAILED(hr))
        return hr;
    hr = proxy_query(import, iid, object);
    import_unref(import);
    return hr;
}

/* The packet of this process' own with that T1, out of the list, or NULL. */
static struct packet *take_back(struct node *node, const void *t1)
{
    struct packet *found = NULL;
    os_mutex_lock(&node->lock);
    for (struct list *l = node->packets.next; l != &node->packets && found == NULL; l = l->next)
        if (memcmp(&list_entry(l, struct packet, link)->t1, t1, sizeof(struct link_id)) == 0)
            found = list_entry(l, struct packet, link);
    if (found != NULL) {
        list_remove(&found->link);
        node->n_packets--;
    }
    os_mutex_unlock(&node->lock);
    return found;
}

static bool withdraw(struct node *node, const void *t1)
{
    struct packet *packet = take_back(node, t1);
    if (packet == NULL)
        return false;
    handoff_withdraw(packet->import, &packet->t1);
    free_packet(packet);
    return true;
}

HRESULT via_read_packet(IStream *stream, REFIID iid, void **object)
{
    struct wire_reference reference;
    if (object == NULL)
        return E_POINTER;
    *object = NULL;
    if (stream == NULL)
        return E_POINTER;
    struct node *node = runtime_node();
    HRESULT hr = node != NULL ? read_packet(stream, &reference) : error_get()->code;
    if (SUCCEEDED(hr))
        hr = take(node, &reference, iid, object);
    struct packet *own = SUCCEEDED(hr) ? take_back(node, reference.t1) : NULL;
    if (own != NULL)
        free_packet(own); /* this process knows that it was read */
    return runtime_publish(hr);
}

/* A packet of another process is read, and what it names let go. */
HRESULT via_release_packet(IStream *stream)
{
    struct wire_reference reference;
    IUnknown *object;
    if (stream == NULL)
        return E_POINTER;
    struct node *node = runtime_node();
    HRESULT hr = node != NULL ? read_packet(stream, &reference) : error_get()->code;
    if (FAILED(hr) || withdraw(node, reference.t1))
        return runtime_publish(hr);
    hr = take(node, &reference, &IID_IUnknown, (void **)&object);
    if (SUCCEEDED(hr))
        object->lpVtbl->Release(object);
    return runtime_publish(hr);
}

HRESULT via_write_packet(IStream *stream, IUnknown *proxy)
{
    uint8_t bytes[PACKET_MAX];
    size_t size = 0;
    struct link_id t1;
    ULONG n = 0;
    struct import *import = import_of(proxy);
    if (stream == NULL || proxy == NULL)
        return E_POINTER;
    if (import == NULL || !packet_is_possible(import))
        return runtime_publish(error_set(E_INVALIDARG, "this is no proxy of an object whose "
                                                       "process listens for others"));
    HRESULT hr = make(import, bytes, &size, &t1);
    if (FAILED(hr))
        return runtime_publish(hr);
    hr = stream->lpVtbl->Write(stream, bytes, (ULONG)size, &n);
    if (SUCCEEDED(hr) && n == size)
        return S_OK;
    withdraw(import->node, &t1);
    return runtime_publish(
        error_set(FAILED(hr) ? hr : STG_E_MEDIUMFULL, "a packet cannot be written to its stream"));
}
