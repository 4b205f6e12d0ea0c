#include "tests/remote/handoff_scene.h"

#include <stdio.h>
#include <string.h>

#include "com/remote/peer.h"
#include "com/typelib/typelib.h"
#include "core/os/clock.h"
#include "core/os/path.h"
#include "core/os/poller.h"
#include "core/os/process.h"
#include "core/os/random.h"
#include "core/os/thread.h"
#include "core/plugin/plugin_set.h"
#include "core/util/error.h"
#include "core/wire/frame.h"
#include "core/wire/reference.h"

/* Slots of ITestObject, beside those of the header. */
#define SLOT_COUNT_OBJECTS 5
#define SLOT_MAKE_CHILD    6

struct scene the;

/* --- our side of the link --- */

static HRESULT opened(void *context, struct link_connection *connection)
{
    (void)context;
    (void)connection;
    return S_OK;
}

static void closed(void *context, struct link_connection *connection)
{
    (void)context;
    (void)connection;
}

/* What a squatter answers who does not know T2. */
static enum link_route route(void *context, struct link_message *call)
{
    struct side *side = context;
    static const struct link_id wrong = {{6, 6, 6}};
    uint8_t body[FRAME_REPLY_BODY];
    if (call->kind != WIRE_ACCEPT) {
        error_set(E_NOTIMPL, "this peer answers nothing");
        link_reply_error(call, E_NOTIMPL, false);
        return LINK_ROUTE_REFUSED;
    }
    frame_write_reply(body, S_OK);
    struct link_request reply = {.kind = WIRE_REPLY,
                                 .body = body,
                                 .body_size = sizeof body,
                                 .payload = &wrong,
                                 .payload_size = sizeof wrong};
    atomic_fetch_add(&side->n_accepts, 1);
    CHECK_OK(link_reply(call, &reply));
    return LINK_ROUTE_REFUSED;
}

static void run(void *context, struct link_message *call)
{
    (void)context;
    (void)call;
}

static HRESULT control(void *context, struct link_message *frame)
{
    (void)context;
    (void)frame;
    return S_OK;
}

static void dropped(void *context, struct link_message *reply)
{
    (void)context;
    (void)reply;
}

const struct link_handler scene_handler = {opened, closed, route, run, control, dropped, NULL};

static uint64_t soon(void)
{
    return os_deadline_ms(15000 * harness_time_factor());
}

bool scene_join_node(struct side *side, const char *address)
{
    const char *const addresses[] = {address, NULL};
    uint64_t end = soon();
    HRESULT hr;
    do {
        hr = link_node_connect(side->node, addresses, soon(), &side->connection);
        if (FAILED(hr))
            os_sleep_ms(5);
    } while (FAILED(hr) && os_now_ns() < end);
    return CHECK_OK(hr);
}

bool scene_join_at(struct side *side, const char *address)
{
    struct link_settings settings;
    link_settings_default(&settings);
    return CHECK_OK(link_node_new(&settings, the.plugins, &scene_handler, side, &side->node)) &&
           CHECK_OK(link_node_need_reactor(side->node)) && scene_join_node(side, address);
}

bool scene_join(struct side *side)
{
    return scene_join_at(side, the.owner.address);
}

void scene_leave(struct side *side)
{
    link_connection_unref(side->connection);
    side->connection = NULL;
    if (side->node == NULL)
        return;
    link_node_close(side->node);
    link_node_stop(side->node);
    link_node_free(side->node);
    side->node = NULL;
}

void scene_bind_interface(struct side *side)
{
    uint8_t hash[TYPELIB_HASH_SIZE];
    uint16_t number = typelib_find_interface(&remote_test_typelib, &IID_ITestObject);
    CHECK_OK(typelib_hash(&remote_test_typelib, number, hash));
    CHECK_OK(frame_post_interface(side->connection, 1, &IID_ITestObject, hash));
}

bool scene_begin_with(const char *owner)
{
    char path[1024];
    memset(&the, 0, sizeof the);
    snprintf(path, sizeof path, "%s/%s", TEST_BINARY_DIRECTORY,
             os_path_separator == '\\' ? "bin/plugins" : "lib/viaduct/plugins");
    bool good = CHECK_OK(os_poller_new(&the.poller)) &&
                CHECK_OK(plugin_set_new(the.poller, NULL, &the.plugins)) &&
                CHECK_OK(plugin_set_search(the.plugins, path)) && peer_launch(&the.owner, owner) &&
                scene_join(&the.provider) && scene_join(&the.recipient);
    if (good) {
        scene_bind_interface(&the.provider);
        scene_bind_interface(&the.recipient);
    }
    return good;
}

bool scene_begin(void)
{
    return scene_begin_with("owner");
}

void scene_kill_owner(void)
{
    peer_kill(&the.owner);
    the.owner_has_died = true;
}

void scene_end(void)
{
    struct os_exit_status status;
    scene_leave(&the.provider);
    scene_leave(&the.recipient);
    plugin_set_free(the.plugins);
    if (the.poller != NULL)
        os_poller_free(the.poller);
    if (the.owner.process != NULL && !the.owner_has_died)
        CHECK_HR(os_process_wait(the.owner.process, 0, &status), RPC_E_TIMEOUT); /* it survives */
    peer_end(&the.owner);
    error_clear();
}

/* --- frames --- */

HRESULT scene_call(struct side *side, uint64_t object, uint16_t slot,
                   const struct link_request *arguments, struct link_message *reply)
{
    uint8_t body[FRAME_CALL_BODY];
    struct link_request request = *arguments;
    frame_write_call(body, object, 1, slot);
    request.kind = WIRE_CALL;
    request.body = body;
    request.body_size = sizeof body;
    return link_call(side->connection, &request, soon(), reply);
}

LONG scene_count_objects(struct side *side)
{
    const struct link_request none = {0};
    struct link_message reply;
    LONG n = -1;
    if (!CHECK_OK(scene_call(side, 0, SLOT_COUNT_OBJECTS, &none, &reply)))
        return -1;
    if (CHECK(reply.payload_size >= sizeof n))
        memcpy(&n, reply.payload, sizeof n);
    link_message_release(&reply);
    return n;
}

uint64_t scene_make_child(void)
{
    const struct link_request none = {0};
    struct link_message reply;
    struct wire_reference reference = {0};
    if (!CHECK_OK(scene_call(&the.provider, 0, SLOT_MAKE_CHILD, &none, &reply)))
        return 0;
    const uint8_t *table = reply.references;
    size_t size = reply.references_size;
    CHECK_OK(wire_reference_next(&table, &size, &reference));
    CHECK_EQ(reference.kind, WIRE_REFERENCE_MINE);
    link_message_release(&reply);
    return reference.object;
}

struct frame_provide scene_promise(uint64_t object, struct side *to)
{
    struct frame_provide provide = {.object = object, .recipient = *link_node_id(to->node)};
    CHECK_OK(os_random(&provide.t1, sizeof provide.t1));
    provide.t1.bytes[0] &= NOT_FOR_ANYBODY;
    CHECK_OK(os_random(&provide.t2, sizeof provide.t2));
    return provide;
}

HRESULT scene_accept(struct side *side, const struct frame_provide *provide)
{
    uint8_t body[FRAME_ACCEPT_BODY];
    frame_write_accept(body, &provide->t1, provide->object);
    struct link_request request = {.kind = WIRE_ACCEPT, .body = body, .body_size = sizeof body};
    struct link_message reply;
    HRESULT hr = link_call(side->connection, &request, soon(), &reply);
    if (SUCCEEDED(hr)) {
        CHECK_MEM_EQ(reply.payload, &provide->t2, sizeof provide->t2);
        link_message_release(&reply);
    }
    return hr;
}

void scene_give_back(struct side *side, uint64_t object, uint32_t count)
{
    const struct peer_release release = {object, count, 0};
    CHECK_OK(frame_post_release(side->connection, &release, 1));
}

void scene_post(const struct frame_provide *provide)
{
    CHECK_OK(frame_post_provide(the.provider.connection, provide));
}
