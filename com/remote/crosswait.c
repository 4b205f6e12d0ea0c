#include "com/remote/crosswait.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <viaduct/node.h>

#include "com/marshal/marshal.h"
#include "com/remote/frames.h"
#include "com/remote/gate.h"
#include "com/remote/node.h"
#include "com/remote/peer.h"
#include "com/remote/text.h"
#include "com/typelib/typelib.h"
#include "core/os/clock.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "core/util/log.h"
#include "core/wire/frame.h"

/* Processes that a probe passes at most: more than take part in a cycle that anybody made. */
#define MAX_HOPS 64u
/* Long past, so that posting never waits for room: where there is none a probe is dropped. */
#define NO_PATIENCE_NS 1u
/* Edges that are looked at in one go, with the gate's lock held. */
#define N_AT_ONCE 16u

#define CALL_TEXT_SIZE 256u

/* --- in words --- */

static const char *interface_name(const GUID *iid)
{
    const struct via_typelib *lib;
    uint16_t index;
    if (SUCCEEDED(typelib_catalog_find(iid, &lib, &index)))
        return lib->interfaces[index].name;
    error_clear();
    return "?";
}

/* "ITestObject::Add of process 4711 (Windows)" */
static const char *call_text(const struct gate_call *call, char text[CALL_TEXT_SIZE])
{
    if (call->peer == NULL) {
        snprintf(text, CALL_TEXT_SIZE, "the release of an object");
        return text;
    }
    const struct link_peer *info = peer_info(call->peer);
    const struct marshal_interface *itf = NULL;
    const struct marshal_method *method = NULL;
    if (SUCCEEDED(binding_find(call->peer, call->interface_index, &itf)))
        method = marshal_interface_method(itf, call->slot);
    else
        error_clear();
    snprintf(text, CALL_TEXT_SIZE, "%.80s::%.80s of process %" PRIu32 "%s",
             itf != NULL ? interface_name(marshal_interface_iid(itf)) : "?",
             method != NULL ? marshal_method_name(method) : "?", info->process_id,
             info->is_windows ? " (Windows)" : "");
    return text;
}

/* A step that the path has no room for is left out. */
static void add_to_path(struct probe *probe, const struct gate_wait *wait)
{
    char queued[CALL_TEXT_SIZE];
    char inside[CALL_TEXT_SIZE];
    char step[PROBE_PATH_SIZE];
    size_t length = strlen(probe->path);
    int n = snprintf(step, sizeof step,
                     "%sin process %" PRIu32 "%s %s waits for a serial object that %s is inside",
                     length > 0 ? "; " : "", os_process_id(),
                     os_path_separator == '\\' ? " (Windows)" : "",
                     call_text(&wait->queued, queued), call_text(&wait->inside, inside));
    if (n > 0 && length + (size_t)n < sizeof probe->path)
        memcpy(probe->path + length, step, (size_t)n + 1);
}

/* Part of it comes from peers. */
static void make_printable(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7F)
            *text = ' ';
}

/* --- the way of a probe --- */

static HRESULT encode(const struct marshal_method *method, const struct probe *probe,
                      const struct link_id *chain, uint64_t call_id, struct buffer *payload)
{
    GUID wait_guid, chain_guid;
    const GUID *wait_argument = &wait_guid;
    const GUID *chain_argument = &chain_guid;
    ULONGLONG call = call_id;
    ULONG hops = probe->n_hops;
    BSTR path = text_to_bstr(probe->path);
    if (path == NULL)
        return error_set(E_OUTOFMEMORY, "no memory for a probe");
    memcpy(&wait_guid, probe->wait.bytes, sizeof wait_guid);
    memcpy(&chain_guid, chain->bytes, sizeof chain_guid);
    void *arguments[] = {&wait_argument, &chain_argument, &call, &hops, &path};
    const struct marshal_pointers none = {0};
    HRESULT hr = marshal_encode_arguments(method, arguments, &none, payload);
    SysFreeString(path);
    return hr;
}

/* Tells the peer that we wait in call `call_id` of the chain. */
static HRESULT post(struct peer *peer, const struct probe *probe, const struct link_id *chain,
                    uint64_t call_id)
{
    uint32_t index;
    const struct marshal_interface *itf = marshal_interface_find(&IID_INode);
    const struct marshal_method *method =
        itf != NULL ? marshal_interface_method_named(itf, "Probe") : NULL;
    if (method == NULL)
        return error_get()->code;
    HRESULT hr = binding_out(peer, itf, &index);
    if (FAILED(hr))
        return hr;
    struct buffer payload;
    buffer_init(&payload, peer_info(peer)->max_message);
    hr = encode(method, probe, chain, call_id, &payload);
    if (SUCCEEDED(hr)) {
        uint8_t body[FRAME_CALL_BODY];
        frame_write_call(body, 0, index, marshal_method_slot(method));
        const struct link_request request = {.kind = WIRE_ONEWAY,
                                             .body = body,
                                             .body_size = sizeof body,
                                             .payload = payload.data,
                                             .payload_size = payload.size};
        hr = link_post(peer->connection, &request, NO_PATIENCE_NS);
    }
    buffer_deinit(&payload);
    return hr;
}

struct step {
    const struct probe *probe;
    const struct link_id *chain;
};

static void take_step(void *argument, struct link_connection *connection, uint64_t call_id)
{
    const struct step *step = argument;
    HRESULT hr = post(peer_of(connection), step->probe, step->chain, call_id);
    if (FAILED(hr)) {
        char text[ERROR_TEXT_SIZE];
        log_debug("remote", "a probe was not sent: %s",
                  error_format(error_get(), hr, text, sizeof text));
        error_clear();
    }
}

/* To where the thread waits that runs the call; if it does not wait, the search ends. */
static void follow(const struct probe *probe, const struct gate_call *call)
{
    struct step step = {probe, &call->chain};
    if (call->peer != NULL)
        link_chain_follow(call->peer->node->link, &call->chain, call->peer->connection,
                          call->call_id, take_step, &step);
}

static void follow_wait(struct probe *probe, const struct gate_wait *wait)
{
    add_to_path(probe, wait);
    follow(probe, &wait->inside);
}

static void refuse(struct probe *probe, const struct gate_wait *wait)
{
    char text[CALL_TEXT_SIZE];
    make_printable(probe->path);
    error_set(VIA_E_DEADLOCK, "%s", probe->path);
    error_wrap(VIA_E_DEADLOCK,
               "%s was refused, since chains of calls wait for each other's serial objects; let "
               "them call the objects in the same order, or by one-way calls, or make one of the "
               "objects not serial",
               call_text(&wait->queued, text));
    struct error_record *why = error_take();
    if (why != NULL && !gate_refuse(&wait->queued, &wait->name, why))
        error_record_free(why);
}

void crosswait_received(struct probe *probe, const struct gate_call *call)
{
    struct gate_wait wait;
    if (++probe->n_hops > MAX_HOPS || probe->n_hops == 0)
        return;
    if (!gate_find(call, &wait)) {
        follow(probe, call);
        return;
    }
    int order = memcmp(&wait.name, &probe->wait, sizeof wait.name);
    if (order == 0)
        refuse(probe, &wait);
    else if (order < 0)
        follow_wait(probe, &wait);
    /* else that edge's own probe will go round, if there is a cycle */
    gate_wait_deinit(&wait);
}

/* --- the start --- */

static void start_due(struct node *node, unsigned part, uint64_t now_ns, bool *more)
{
    struct gate_wait waits[N_AT_ONCE];
    size_t n;
    do {
        n = gate_take_due(node, part, now_ns, waits, N_AT_ONCE, more);
        for (size_t i = 0; i < n; i++) {
            struct probe probe = {.wait = waits[i].name};
            follow_wait(&probe, &waits[i]);
            gate_wait_deinit(&waits[i]);
        }
    } while (n == N_AT_ONCE);
}

static void look(void *argument)
{
    struct node *node = argument;
    bool more = false;
    os_mutex_lock(&node->lock);
    struct link_timer *timer = node->probe_timer;
    node->probe_timer = NULL;
    atomic_store(&node->probe_timer_runs, false);
    os_mutex_unlock(&node->lock);
    link_timer_cancel(timer);
    /* Who queues from here on starts a timer; who has queued before is seen. */
    uint64_t now_ns = os_now_ns();
    for (unsigned part = 0; part < GATE_N_PARTS; part++)
        start_due(node, part, now_ns, &more);
    if (more)
        crosswait_watch(node);
}

void crosswait_watch(struct node *node)
{
    if (atomic_load(&node->probe_timer_runs))
        return;
    os_mutex_lock(&node->lock);
    if (!atomic_load(&node->probe_timer_runs) && !atomic_load(&node->closed)) {
        if (SUCCEEDED(link_node_timer(node->link, os_now_ns() + CROSSWAIT_FIRST_NS, look, node,
                                      &node->probe_timer)))
            atomic_store(&node->probe_timer_runs, true);
        else
            error_clear(); /* the next call that is queued tries again */
    }
    os_mutex_unlock(&node->lock);
}

void crosswait_stop(struct node *node)
{
    os_mutex_lock(&node->lock); /* behind `closed`: no other is started */
    struct link_timer *timer = node->probe_timer;
    node->probe_timer = NULL;
    os_mutex_unlock(&node->lock);
    link_timer_cancel(timer);
}
