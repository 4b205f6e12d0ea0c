/*
 * A peer that does not keep to the rules: what a node answers to frames that name what was not
 * given, bind what is bound, or say what is not so. The peer is this process, with core/link alone;
 * the victim is a helper process, which has to go on serving others.
 */
#include "tests/harness/harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <viaduct/node.h>

#include "com/marshal/marshal.h"
#include "com/remote/frames.h"
#include "com/remote/peer.h"
#include "com/typelib/typelib.h"
#include "core/link/link.h"
#include "core/os/clock.h"
#include "core/os/path.h"
#include "core/os/poller.h"
#include "core/os/process.h"
#include "core/plugin/plugin_set.h"
#include "core/util/buffer.h"
#include "core/util/error.h"
#include "core/wire/frame.h"
#include "tests/remote/fixture.h"

#define SLOT_ADD        3
#define SLOT_MAKE_CHILD 6
#define SLOT_ECHO       8
#define SLOT_KEEP       10
#define N_SLOTS         (sizeof(ITestObjectVtbl) / sizeof(void *))
#define SLOT_SUM_LIST   (offsetof(ITestObjectVtbl, SumList) / sizeof(void *))
#define TEST_MINE_ID    77

static struct {
    struct os_poller *poller;
    struct plugin_set *plugins;
    struct link_node *node;
    struct link_connection *connection;
    struct peer_process victim;
    atomic_uint n_closed;
    atomic_uint n_released; /* counts of TEST_MINE_ID that came back */
} the;

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
    atomic_fetch_add(&the.n_closed, 1);
}

static enum link_route route(void *context, struct link_message *call)
{
    (void)context;
    error_set(E_NOTIMPL, "this peer answers nothing");
    link_reply_error(call, E_NOTIMPL, false);
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
    const uint8_t *entries;
    size_t n;
    if (frame->kind != WIRE_RELEASE || FAILED(frame_read_release(frame, &entries, &n)))
        return S_OK;
    for (size_t i = 0; i < n; i++) {
        uint64_t id;
        uint32_t count;
        frame_read_release_entry(entries, i, &id, &count);
        if (id == TEST_MINE_ID)
            atomic_fetch_add(&the.n_released, count);
    }
    return S_OK;
}

static void dropped(void *context, struct link_message *reply)
{
    (void)context;
    (void)reply;
}

static const struct link_handler handler = {opened, closed, route, run, control, dropped, NULL};

static uint64_t soon(void)
{
    return os_deadline_ms(5000 * harness_time_factor());
}

static bool join(void)
{
    char plugins[1024];
    snprintf(plugins, sizeof plugins, "%s/%s", TEST_BINARY_DIRECTORY,
             os_path_separator == '\\' ? "bin/plugins" : "lib/viaduct/plugins");
    struct link_settings settings;
    link_settings_default(&settings);
    return CHECK_OK(os_poller_new(&the.poller)) &&
           CHECK_OK(plugin_set_new(the.poller, NULL, &the.plugins)) &&
           CHECK_OK(plugin_set_search(the.plugins, plugins)) &&
           CHECK_OK(link_node_new(&settings, the.plugins, &handler, NULL, &the.node)) &&
           CHECK_OK(link_node_need_reactor(the.node));
}

static bool connect_victim(void)
{
    const char *const addresses[] = {the.victim.address, NULL};
    /* Under Wine a start takes long where much else runs. */
    uint64_t end = the.victim.is_foreign ? os_deadline_ms(60000 * harness_time_factor()) : soon();
    HRESULT hr;
    do {
        hr = link_node_connect(the.node, addresses, soon(), &the.connection);
        if (FAILED(hr))
            os_sleep_ms(5);
    } while (FAILED(hr) && os_now_ns() < end);
    return CHECK_OK(hr);
}

static bool begin(void)
{
    memset(&the, 0, sizeof the);
    return join() && peer_launch(&the.victim, "victim") && connect_victim();
}

static void end(void)
{
    struct os_exit_status status;
    link_connection_unref(the.connection);
    if (the.node != NULL) {
        link_node_close(the.node);
        link_node_stop(the.node);
        link_node_free(the.node);
    }
    plugin_set_free(the.plugins);
    if (the.poller != NULL)
        os_poller_free(the.poller);
    if (the.victim.process != NULL) /* it must have survived */
        CHECK_HR(os_process_wait(the.victim.process, 0, &status), RPC_E_TIMEOUT);
    peer_end(&the.victim);
    error_clear();
}

/* --- frames --- */

struct shot {
    uint64_t object;
    uint32_t interface_index;
    uint16_t slot;
    const void *payload;
    size_t payload_size;
    const void *references;
    size_t references_size;
    uint16_t n_references;
};

static HRESULT shoot(const struct shot *shot)
{
    uint8_t body[FRAME_CALL_BODY];
    frame_write_call(body, shot->object, shot->interface_index, shot->slot);
    struct link_request request = {.kind = WIRE_CALL,
                                   .n_references = shot->n_references,
                                   .references = shot->references,
                                   .references_size = shot->references_size,
                                   .body = body,
                                   .body_size = sizeof body,
                                   .payload = shot->payload,
                                   .payload_size = shot->payload_size};
    struct link_message reply;
    HRESULT hr = link_call(the.connection, &request, soon(), &reply);
    if (SUCCEEDED(hr))
        link_message_release(&reply);
    return hr;
}

static HRESULT ask(uint64_t object, const GUID *iid)
{
    uint8_t body[FRAME_QUERY_BODY];
    frame_write_query(body, object, iid);
    struct link_request request = {
        .kind = WIRE_QUERY_INTERFACE, .body = body, .body_size = sizeof body};
    struct link_message reply;
    HRESULT hr = link_call(the.connection, &request, soon(), &reply);
    if (SUCCEEDED(hr))
        link_message_release(&reply);
    return hr;
}

static void bind_test_object(uint32_t index, bool rightly)
{
    uint8_t hash[TYPELIB_HASH_SIZE];
    uint16_t number = typelib_find_interface(&remote_test_typelib, &IID_ITestObject);
    CHECK_OK(typelib_hash(&remote_test_typelib, number, hash));
    if (!rightly)
        hash[0] ^= 1;
    CHECK_OK(frame_post_interface(the.connection, index, &IID_ITestObject, hash));
}

static const char *last_error(void)
{
    static char text[2048];
    return error_format(error_get(), E_FAIL, text, sizeof text);
}

static void expect_cut_off(void)
{
    for (int i = 0; i < 500 && !link_connection_is_closed(the.connection); i++)
        os_sleep_ms(10);
    CHECK(link_connection_is_closed(the.connection));
    link_connection_unref(the.connection);
    the.connection = NULL;
    REQUIRE(connect_victim());
    CHECK_OK(ask(0, &IID_ITestObject)); /* others are served */
}

/* --- tests --- */

TEST(cannot_name_what_it_was_not_given)
{
    if (begin()) {
        bind_test_object(1, true);
        static const uint64_t ids[] = {1, 2, 12345, UINT64_MAX};
        for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
            struct shot shot = {.object = ids[i], .interface_index = 1, .slot = SLOT_ADD};
            CHECK_HR(shoot(&shot), RPC_E_INVALID_OBJECT);
            CHECK_HR(ask(ids[i], &IID_ITestObject), RPC_E_INVALID_OBJECT);
        }
        CHECK_OK(ask(0, &IID_ITestObject));
        CHECK_HR(ask(0, &IID_ITestMissing), E_NOINTERFACE);
    }
    end();
}

TEST(is_told_what_is_wrong_with_a_call)
{
    if (begin()) {
        static const GUID unknown = {0x11223344, 0x5566, 0x7788, {1, 2, 3, 4, 5, 6, 7, 8}};
        uint8_t hash[16] = {0};
        uint8_t arguments[8] = {1, 0, 0, 0, 2, 0, 0, 0};
        struct shot shot = {.interface_index = 5, .slot = SLOT_ADD};
        CHECK_HR(shoot(&shot), VIA_E_PROTOCOL);
        shot.interface_index = UINT32_MAX;
        CHECK_HR(shoot(&shot), VIA_E_PROTOCOL);
        bind_test_object(1, false);
        shot.interface_index = 1;
        CHECK_HR(shoot(&shot), VIA_E_MISMATCH);
        CHECK_STR_HAS(last_error(), "described differently");
        CHECK_OK(frame_post_interface(the.connection, 2, &unknown, hash));
        shot.interface_index = 2;
        CHECK_HR(shoot(&shot), REGDB_E_IIDNOTREG);
        CHECK_STR_HAS(last_error(), "11223344-5566-7788");
        bind_test_object(3, true);
        shot.interface_index = 3;
        static const uint16_t slots[] = {0, 1, 2, N_SLOTS, UINT16_MAX};
        for (size_t i = 0; i < sizeof slots / sizeof *slots; i++) {
            shot.slot = slots[i];
            CHECK_HR(shoot(&shot), RPC_E_INVALIDMETHOD);
        }
        shot.slot = SLOT_ADD;
        shot.payload = arguments;
        for (shot.payload_size = 0; shot.payload_size < sizeof arguments; shot.payload_size++)
            CHECK(FAILED(shoot(&shot)));
        CHECK_OK(shoot(&shot));
    }
    end();
}

/* A proxy sends neither: they are refused where they arrive, before the method is called. */
TEST(has_null_and_endless_arguments_refused)
{
    enum { N_NODES = 5000 };
    static uint32_t list[2 * N_NODES + 1]; /* is there, value; ...; is not there */
    if (begin()) {
        bind_test_object(1, true);
        struct shot shot = {
            .interface_index = 1, .slot = SLOT_SUM_LIST, .payload = list, .payload_size = 4};
        list[0] = 0;
        CHECK_HR(shoot(&shot), RPC_E_INVALID_DATA);
        CHECK_STR_HAS(last_error(), "it is NULL, which it may not be");
        for (size_t i = 0; i < N_NODES; i++) {
            list[2 * i] = 1;
            list[2 * i + 1] = 1;
        }
        list[2 * N_NODES] = 0;
        shot.payload_size = sizeof list;
        CHECK_HR(shoot(&shot), RPC_E_INVALID_DATA);
        CHECK_STR_HAS(last_error(), "it is nested too deeply");
        list[2] = 0;
        shot.payload_size = 3 * sizeof *list;
        CHECK_OK(shoot(&shot));
    }
    end();
}

static size_t put_reference(uint8_t *entry, uint8_t kind, uint64_t id)
{
    uint16_t size = 16;
    memset(entry, 0, size);
    memcpy(entry, &size, sizeof size);
    entry[2] = kind;
    memcpy(entry + 8, &id, sizeof id);
    return size;
}

TEST(gets_back_what_a_refused_frame_carried)
{
    if (begin()) {
        uint8_t references[32];
        uint32_t index = 0;
        put_reference(references, 1, TEST_MINE_ID);
        struct shot shot = {.object = 4711,
                            .interface_index = 1,
                            .slot = SLOT_KEEP,
                            .payload = &index,
                            .payload_size = sizeof index,
                            .references = references,
                            .references_size = 16,
                            .n_references = 1};
        bind_test_object(1, true);
        CHECK_HR(shoot(&shot), RPC_E_INVALID_OBJECT); /* no such target */
        shot.object = 0;
        shot.slot = UINT16_MAX;
        CHECK_HR(shoot(&shot), RPC_E_INVALIDMETHOD);
        shot.slot = SLOT_KEEP;
        index = 1; /* no such reference */
        CHECK(FAILED(shoot(&shot)));
        put_reference(references + 16, 2, 999);
        shot.references_size = 32;
        shot.n_references = 2;
        index = 0;
        CHECK_HR(shoot(&shot), RPC_E_INVALID_OBJECT); /* one that we were not given */
        for (int i = 0; i < 500 && atomic_load(&the.n_released) < 4; i++)
            os_sleep_ms(10);
        CHECK_EQ(atomic_load(&the.n_released), 4);
    }
    end();
}

/* A call for `target`: of object 0 where it is 0, else of a result of that call. */
static HRESULT shoot_at_result(uint64_t target, uint32_t result, uint16_t slot, bool keeps,
                               const void *payload, size_t payload_size, uint64_t *id)
{
    uint8_t body[FRAME_CALL_BODY];
    frame_write_call(body, target, 1, slot);
    if (target != 0)
        frame_aim_at_result(body, result);
    if (keeps)
        frame_keep_results(body);
    struct link_request request = {.kind = WIRE_CALL,
                                   .body = body,
                                   .body_size = sizeof body,
                                   .payload = payload,
                                   .payload_size = payload_size};
    struct link_message reply;
    HRESULT hr = link_call(the.connection, &request, soon(), &reply);
    if (id != NULL)
        *id = reply.call_id;
    if (SUCCEEDED(hr))
        link_message_release(&reply);
    return hr;
}

static HRESULT add_to_result(uint64_t target, uint32_t result)
{
    static const uint8_t arguments[8] = {1, 0, 0, 0, 2, 0, 0, 0};
    return shoot_at_result(target, result, SLOT_ADD, false, arguments, sizeof arguments, NULL);
}

static void count_end(void *context)
{
    atomic_fetch_add((atomic_uint *)context, 1);
}

static void finish_one(void)
{
    struct link_async *async;
    uint8_t body[FRAME_CALL_BODY];
    frame_write_call(body, 0, 1, SLOT_MAKE_CHILD);
    frame_keep_results(body);
    struct link_request request = {.kind = WIRE_CALL, .body = body, .body_size = sizeof body};
    atomic_uint n_ended = 0;
    CHECK_OK(link_begin(the.connection, &request, soon(), count_end, &n_ended, &async));
    CHECK_OK(link_async_wait(async, soon()));
    while (atomic_load(&n_ended) == 0)
        os_sleep_ms(1);
    uint64_t own = link_async_id(async);
    CHECK_OK(add_to_result(own, 0));
    link_async_tell_finish(async);
    CHECK_HR(add_to_result(own, 0), RPC_E_INVALID_OBJECT);
    link_async_tell_finish(async); /* again: it means nothing */
    CHECK_OK(ask(0, &IID_ITestObject));
    link_async_free(async);
}

TEST(cannot_call_results_that_are_not_its_own)
{
    if (begin()) {
        static const uint8_t null_object[4] = {0xFF, 0xFF, 0xFF, 0xFF};
        static const uint8_t numbers[8] = {0};
        uint64_t child = 0, none = 0, sum = 0, refused = 0, unkept = 0;
        bind_test_object(1, true);
        CHECK_HR(add_to_result(UINT64_MAX, 0), RPC_E_INVALID_OBJECT);
        CHECK_HR(add_to_result(4711, 0), RPC_E_INVALID_OBJECT);
        CHECK_OK(shoot_at_result(0, 0, SLOT_MAKE_CHILD, true, NULL, 0, &child));
        CHECK_OK(add_to_result(child, 0));
        CHECK_HR(add_to_result(child, 1), RPC_E_INVALID_OBJECT);
        CHECK_HR(add_to_result(child, UINT32_MAX), RPC_E_INVALID_OBJECT);
        CHECK_OK(shoot_at_result(0, 0, SLOT_ECHO, true, null_object, sizeof null_object, &none));
        CHECK_HR(add_to_result(none, 0), E_POINTER);
        CHECK_OK(shoot_at_result(0, 0, SLOT_ADD, true, numbers, sizeof numbers, &sum));
        CHECK_HR(add_to_result(sum, 0), RPC_E_INVALID_OBJECT);
        CHECK_HR(shoot_at_result(0, 0, UINT16_MAX, true, NULL, 0, &refused), RPC_E_INVALIDMETHOD);
        CHECK_HR(add_to_result(refused, 0), RPC_E_INVALIDMETHOD);
        CHECK_OK(shoot_at_result(0, 0, SLOT_MAKE_CHILD, false, NULL, 0, &unkept));
        CHECK_HR(add_to_result(unkept, 0), RPC_E_INVALID_OBJECT);
        finish_one();
        /* Of another connection. */
        link_connection_close(the.connection, E_ABORT, "over");
        link_connection_unref(the.connection);
        the.connection = NULL;
        if (connect_victim()) {
            bind_test_object(1, true);
            CHECK_HR(add_to_result(child, 0), RPC_E_INVALID_OBJECT);
        }
    }
    end();
}

TEST(has_no_more_results_kept_than_the_limit)
{
    if (begin()) {
        uint64_t last = 0;
        HRESULT hr = S_OK;
        unsigned n = 0;
        bind_test_object(1, true);
        while (n < 2 * WIRE_MAX_KEPT &&
               SUCCEEDED(hr = shoot_at_result(0, 0, SLOT_MAKE_CHILD, true, NULL, 0, &last)))
            n++;
        CHECK_HR(hr, VIA_E_LIMIT);
        CHECK_EQ(n, WIRE_MAX_KEPT);
        CHECK_OK(shoot_at_result(0, 0, SLOT_MAKE_CHILD, false, NULL, 0, NULL));
    }
    end();
}

TEST(is_cut_off_for_giving_back_too_much)
{
    if (begin()) {
        struct peer_release release = {.id = 1, .count = 1};
        CHECK_OK(frame_post_release(the.connection, &release, 1));
        expect_cut_off();
    }
    end();
}

TEST(is_cut_off_for_binding_twice)
{
    if (begin()) {
        bind_test_object(1, true);
        bind_test_object(1, true);
        expect_cut_off();
        bind_test_object(100000, true);
        expect_cut_off();
    }
    end();
}

TEST(is_cut_off_for_handing_on_what_it_has_not)
{
    if (begin()) {
        struct frame_provide provide = {.object = 3};
        CHECK_OK(frame_post_provide(the.connection, &provide));
        expect_cut_off();
    }
    end();
}

TEST(gets_nothing_by_a_made_up_token)
{
    if (begin()) {
        uint8_t body[FRAME_ACCEPT_BODY];
        struct link_id t1 = {{2, 2, 3}}; /* for one recipient, whose promise may be on its way */
        frame_write_accept(body, &t1, 1);
        struct link_request request = {.kind = WIRE_ACCEPT, .body = body, .body_size = sizeof body};
        struct link_message reply;
        CHECK_HR(link_call(the.connection, &request, os_deadline_ms(200), &reply), RPC_E_TIMEOUT);
        t1.bytes[0] |= 1; /* for whoever shows it: it would be known */
        frame_write_accept(body, &t1, 1);
        CHECK_HR(link_call(the.connection, &request, OS_NEVER, &reply), RPC_E_INVALID_OBJECT);
        CHECK_OK(ask(0, &IID_ITestObject));
    }
    end();
}

/* Probes about calls that there are not, and some that are no probes at all. */
static void post_probe(const struct marshal_interface *itf, uint32_t index, uint32_t n,
                       size_t cut_off)
{
    const struct marshal_method *method = marshal_interface_method_named(itf, "Probe");
    GUID guids[2] = {{n * 2654435761u, 1, 2, {0}}, {n, 3, 4, {0}}};
    const GUID *wait = &guids[0];
    const GUID *chain = &guids[1];
    ULONGLONG call = n % 8;
    ULONG hops = n % 3 == 0 ? UINT32_MAX : n % 70;
    BSTR path = SysAllocStringLen(NULL, n % 5 == 0 ? 60000 : n % 700);
    for (UINT i = 0; i < SysStringLen(path); i++)
        path[i] = (WCHAR)(n + i);
    void *arguments[] = {&wait, &chain, &call, &hops, &path};
    const struct marshal_pointers none = {0};
    struct buffer payload;
    buffer_init(&payload, 1u << 20);
    CHECK_OK(marshal_encode_arguments(method, arguments, &none, &payload));
    SysFreeString(path);
    uint8_t body[FRAME_CALL_BODY];
    frame_write_call(body, 0, index, marshal_method_slot(method));
    struct link_request request = {.kind = WIRE_ONEWAY,
                                   .body = body,
                                   .body_size = sizeof body,
                                   .payload = payload.data,
                                   .payload_size = payload.size - cut_off};
    CHECK_OK(link_post(the.connection, &request, soon()));
    buffer_deinit(&payload);
}

TEST(learns_nothing_by_made_up_probes)
{
    if (CHECK_OK(typelib_catalog_add(&node_typelib)) && begin()) {
        const struct marshal_interface *itf = marshal_interface_find(&IID_INode);
        struct shot shot = {.interface_index = 1, .slot = SLOT_ADD, .payload_size = 8};
        uint8_t arguments[8] = {0};
        shot.payload = arguments;
        bind_test_object(1, true);
        CHECK_OK(frame_post_interface(the.connection, 2, &IID_INode, marshal_interface_hash(itf)));
        for (uint32_t n = 0; n < 2000; n++) {
            post_probe(itf, 2, n, n % 4 == 0 ? 4 : 0);
            if (n % 100 == 0)
                CHECK_OK(shoot(&shot));
        }
        CHECK_OK(shoot(&shot));
    }
    end();
}

HARNESS_MAIN("remote_hostile", TEST_ENTRY(cannot_name_what_it_was_not_given),
             TEST_ENTRY(is_told_what_is_wrong_with_a_call),
             TEST_ENTRY(has_null_and_endless_arguments_refused),
             TEST_ENTRY(gets_back_what_a_refused_frame_carried),
             TEST_ENTRY(cannot_call_results_that_are_not_its_own),
             TEST_ENTRY(has_no_more_results_kept_than_the_limit),
             TEST_ENTRY(is_cut_off_for_giving_back_too_much),
             TEST_ENTRY(is_cut_off_for_binding_twice),
             TEST_ENTRY(is_cut_off_for_handing_on_what_it_has_not),
             TEST_ENTRY(gets_nothing_by_a_made_up_token),
             TEST_ENTRY(learns_nothing_by_made_up_probes))
