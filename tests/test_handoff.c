/*
 * Handing on, step by step: who dies, lies or is late between `provide` and `accept`. The owner is
 * a helper process, with VIADUCT_TEST_WINDOWS a Windows one; provider, recipient and squatter are
 * nodes of this process, with core/link alone, so that each frame goes when the test says so.
 */
#include "tests/harness/harness.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "com/remote/frames.h"
#include "com/remote/peer.h"
#include "com/typelib/typelib.h"
#include "core/link/link.h"
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
#include "tests/remote/fixture.h"

/* Slots of ITestObject. */
#define SLOT_COUNT_OBJECTS 5
#define SLOT_MAKE_CHILD    6
#define SLOT_KEEP          10
#define SLOT_GET_KEPT      11
#define SLOT_CALL_ADD      13
#define SLOT_KEEP_KEPT_OF  (offsetof(ITestObjectVtbl, KeepKeptOf) / sizeof(void *))

/* Of the first byte of T1s, whose recipient is one that the sender knows. */
#define NOT_FOR_ANYBODY 0xFEu

struct side {
    struct link_node *node;
    struct link_connection *connection; /* to the owner */
    atomic_uint n_accepts;
};

static struct {
    struct os_poller *poller;
    struct plugin_set *plugins;
    struct peer_process owner;
    bool owner_has_died; /* since the test has killed it */
    struct side provider;
    struct side recipient;
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

static const struct link_handler handler = {opened, closed, route, run, control, dropped, NULL};

static uint64_t soon(void)
{
    return os_deadline_ms(15000 * harness_time_factor());
}

/* Connects its node. */
static bool join_node(struct side *side, const char *address)
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

static bool join_at(struct side *side, const char *address)
{
    struct link_settings settings;
    link_settings_default(&settings);
    return CHECK_OK(link_node_new(&settings, the.plugins, &handler, side, &side->node)) &&
           CHECK_OK(link_node_need_reactor(side->node)) && join_node(side, address);
}

static bool join(struct side *side)
{
    return join_at(side, the.owner.address);
}

static void leave(struct side *side)
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

static void bind_interface(struct side *side)
{
    uint8_t hash[TYPELIB_HASH_SIZE];
    uint16_t number = typelib_find_interface(&remote_test_typelib, &IID_ITestObject);
    CHECK_OK(typelib_hash(&remote_test_typelib, number, hash));
    CHECK_OK(frame_post_interface(side->connection, 1, &IID_ITestObject, hash));
}

static bool begin_with(const char *owner)
{
    char path[1024];
    memset(&the, 0, sizeof the);
    snprintf(path, sizeof path, "%s/%s", TEST_BINARY_DIRECTORY,
             os_path_separator == '\\' ? "bin/plugins" : "lib/viaduct/plugins");
    bool good = CHECK_OK(os_poller_new(&the.poller)) &&
                CHECK_OK(plugin_set_new(the.poller, NULL, &the.plugins)) &&
                CHECK_OK(plugin_set_search(the.plugins, path)) && peer_launch(&the.owner, owner) &&
                join(&the.provider) && join(&the.recipient);
    if (good) {
        bind_interface(&the.provider);
        bind_interface(&the.recipient);
    }
    return good;
}

static bool begin(void)
{
    return begin_with("owner");
}

static void kill_owner(void)
{
    peer_kill(&the.owner);
    the.owner_has_died = true;
}

static void end(void)
{
    struct os_exit_status status;
    leave(&the.provider);
    leave(&the.recipient);
    plugin_set_free(the.plugins);
    if (the.poller != NULL)
        os_poller_free(the.poller);
    if (the.owner.process != NULL && !the.owner_has_died)
        CHECK_HR(os_process_wait(the.owner.process, 0, &status), RPC_E_TIMEOUT); /* it survives */
    peer_end(&the.owner);
    error_clear();
}

/* --- frames --- */

static HRESULT call(struct side *side, uint64_t object, uint16_t slot,
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

/* Objects of the owner, its root among them. */
static LONG count_objects(struct side *side)
{
    const struct link_request none = {0};
    struct link_message reply;
    LONG n = -1;
    if (!CHECK_OK(call(side, 0, SLOT_COUNT_OBJECTS, &none, &reply)))
        return -1;
    if (CHECK(reply.payload_size >= sizeof n))
        memcpy(&n, reply.payload, sizeof n);
    link_message_release(&reply);
    return n;
}

/* An object that the provider has one count of. */
static uint64_t make_child(void)
{
    const struct link_request none = {0};
    struct link_message reply;
    struct wire_reference reference = {0};
    if (!CHECK_OK(call(&the.provider, 0, SLOT_MAKE_CHILD, &none, &reply)))
        return 0;
    const uint8_t *table = reply.references;
    size_t size = reply.references_size;
    CHECK_OK(wire_reference_next(&table, &size, &reference));
    CHECK_EQ(reference.kind, WIRE_REFERENCE_MINE);
    link_message_release(&reply);
    return reference.object;
}

static struct frame_provide promise(uint64_t object, struct side *to)
{
    struct frame_provide provide = {.object = object, .recipient = *link_node_id(to->node)};
    CHECK_OK(os_random(&provide.t1, sizeof provide.t1));
    provide.t1.bytes[0] &= NOT_FOR_ANYBODY;
    CHECK_OK(os_random(&provide.t2, sizeof provide.t2));
    return provide;
}

static HRESULT accept(struct side *side, const struct frame_provide *provide)
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

static void give_back(struct side *side, uint64_t object, uint32_t count)
{
    const struct peer_release release = {object, count, 0};
    CHECK_OK(frame_post_release(side->connection, &release, 1));
}

static void post(const struct frame_provide *provide)
{
    CHECK_OK(frame_post_provide(the.provider.connection, provide));
}

/* --- tests --- */

/* The provider lets go as soon as it has promised; the count in flight keeps the object. */
TEST(a_release_against_a_reference_in_flight)
{
    if (begin()) {
        uint64_t child = make_child();
        struct frame_provide provide = promise(child, &the.recipient);
        post(&provide);
        give_back(&the.provider, child, 1);
        CHECK_EQ(count_objects(&the.provider), 2);
        CHECK_OK(accept(&the.recipient, &provide));
        leave(&the.provider);
        CHECK_EQ(count_objects(&the.recipient), 2);
        give_back(&the.recipient, child, 1);
        EVENTUALLY(count_objects(&the.recipient) == 1);
    }
    end();
}

TEST(a_provider_that_dies_takes_its_promise_along)
{
    if (begin()) {
        char text[ERROR_TEXT_SIZE];
        uint64_t child = make_child();
        struct frame_provide provide = promise(child, &the.recipient);
        post(&provide);
        CHECK_EQ(count_objects(&the.provider), 2);
        leave(&the.provider);
        EVENTUALLY(count_objects(&the.recipient) == 1);
        uint64_t asked = os_now_ns();
        HRESULT hr = accept(&the.recipient, &provide);
        CHECK_HR(hr, RPC_E_INVALID_OBJECT); /* and not at the deadline */
        CHECK_STR_HAS(error_format(error_get(), hr, text, sizeof text), "has ended");
        CHECK(os_now_ns() - asked < 5000u * UINT64_C(1000000) * harness_time_factor());
    }
    end();
}

TEST(a_recipient_that_dies_leaves_the_promise_to_the_provider)
{
    if (begin()) {
        uint64_t child = make_child();
        struct frame_provide provide = promise(child, &the.recipient);
        struct frame_provide other = promise(child, &the.recipient);
        post(&provide);
        post(&other);
        give_back(&the.provider, child, 1);
        leave(&the.recipient);
        CHECK_EQ(count_objects(&the.provider), 2);
        CHECK_OK(frame_post_withdraw(the.provider.connection, &provide.t1));
        CHECK_EQ(count_objects(&the.provider), 2); /* the other one still keeps it */
        CHECK_OK(frame_post_withdraw(the.provider.connection, &other.t1));
        EVENTUALLY(count_objects(&the.provider) == 1);
    }
    end();
}

TEST(nobody_else_gets_what_was_promised)
{
    if (begin()) {
        uint64_t child = make_child();
        struct frame_provide provide = promise(child, &the.recipient);
        post(&provide);
        CHECK_EQ(count_objects(&the.provider), 2);
        struct side other = {0};
        if (join(&other))
            CHECK_HR(accept(&other, &provide), E_ACCESSDENIED);
        leave(&other);
        CHECK_OK(accept(&the.recipient, &provide));
        /* And nobody twice: it waits for another promise, as if this one had never been. */
        CHECK_EQ(count_objects(&the.recipient), 2);
    }
    end();
}

/* So that it can forward the object. */
TEST(a_provider_takes_back_what_it_has_promised)
{
    if (begin()) {
        uint64_t child = make_child();
        struct frame_provide provide = promise(child, &the.recipient);
        post(&provide);
        give_back(&the.provider, child, 1);
        CHECK_OK(accept(&the.provider, &provide));
        CHECK_EQ(count_objects(&the.provider), 2);
        give_back(&the.provider, child, 1);
        EVENTUALLY(count_objects(&the.provider) == 1);
    }
    end();
}

/* As he may when his own connection to the provider was lost. */
TEST(who_comes_for_what_was_taken_back_is_told_at_once)
{
    if (begin_with("patient")) {
        char text[ERROR_TEXT_SIZE];
        struct frame_provide provide = promise(make_child(), &the.recipient);
        post(&provide);
        CHECK_OK(frame_post_withdraw(the.provider.connection, &provide.t1));
        CHECK_EQ(count_objects(&the.provider), 2);
        HRESULT hr = accept(&the.recipient, &provide);
        CHECK_HR(hr, RPC_E_INVALID_OBJECT);
        CHECK_STR_HAS(error_format(error_get(), hr, text, sizeof text), "has taken that back");
    }
    end();
}

/* --- another process as the provider --- */

/* Its object 0 keeps what the reference says; NULL: nothing. */
static void have_kept(struct side *side, const struct wire_reference *reference)
{
    uint8_t table[64];
    const uint32_t index = reference != NULL ? 0 : UINT32_MAX;
    struct link_request request = {.payload = &index, .payload_size = sizeof index};
    struct link_message reply;
    if (reference != NULL) {
        wire_reference_write(table, reference);
        request.n_references = 1;
        request.references = table;
        request.references_size = wire_reference_size(reference);
    }
    if (CHECK_OK(call(side, 0, SLOT_KEEP, &request, &reply)))
        link_message_release(&reply);
}

/* Has it keep the owner's child, which nobody else does from now on. */
static void have_child_kept_by(struct side *middle)
{
    const struct wire_reference child = {.kind = WIRE_REFERENCE_YOURS, .object = make_child()};
    size_t n = strlen(the.owner.address);
    struct {
        uint32_t size;
        uint16_t text[sizeof the.owner.address];
    } address = {.size = (uint32_t)(2 * n)};
    const struct link_request request = {.payload = &address,
                                         .payload_size = sizeof address.size + address.size};
    struct link_message reply;
    for (size_t i = 0; i < n; i++)
        address.text[i] = (uint8_t)the.owner.address[i];
    have_kept(&the.provider, &child);
    if (CHECK_OK(call(middle, 0, SLOT_KEEP_KEPT_OF, &request, &reply)))
        link_message_release(&reply);
    have_kept(&the.provider, NULL);
    give_back(&the.provider, child.object, 1);
    CHECK_EQ(count_objects(&the.provider), 2);
}

/* Gets what the middle one keeps, `n` times, and comes to the owner for the first alone. */
static void be_given(struct side *middle, unsigned n)
{
    const struct link_request none = {0};
    for (unsigned i = 0; i < n; i++) {
        struct link_message reply;
        struct wire_reference reference = {0};
        if (!CHECK_OK(call(middle, 0, SLOT_GET_KEPT, &none, &reply)))
            return;
        const uint8_t *table = reply.references;
        size_t size = reply.references_size;
        CHECK_OK(wire_reference_next(&table, &size, &reference));
        CHECK_EQ(reference.kind, WIRE_REFERENCE_THIRD);
        struct frame_provide provide = {.object = reference.object};
        memcpy(&provide.t1, reference.t1, sizeof provide.t1);
        memcpy(&provide.t2, reference.t2, sizeof provide.t2);
        if (i == 0)
            CHECK_OK(accept(&the.recipient, &provide));
        link_message_release(&reply);
    }
}

TEST(what_was_promised_to_the_dead_is_taken_back)
{
    struct peer_process process = {0};
    if (begin_with("patient") && peer_launch(&process, "middle")) {
        struct side middle = {.node = the.recipient.node};
        if (join_node(&middle, process.address)) {
            bind_interface(&middle);
            have_child_kept_by(&middle);
            be_given(&middle, 20);
            have_kept(&middle, NULL);
            CHECK_EQ(count_objects(&the.provider), 2);
        }
        link_connection_unref(middle.connection);
        leave(&the.recipient);
        EVENTUALLY(count_objects(&the.provider) == 1);
    }
    end();
    peer_end(&process);
}

struct early {
    struct frame_provide provide;
    struct os_thread *thread;
    HRESULT hr;
};

static void accept_early(void *argument)
{
    struct early *early = argument;
    early->hr = accept(&the.recipient, &early->provide);
}

TEST(who_comes_before_the_promise_waits_for_it)
{
    if (begin()) {
        uint64_t child = make_child();
        struct early early = {.provide = promise(child, &the.recipient), .hr = E_FAIL};
        CHECK_OK(os_thread_start(accept_early, &early, "early", &early.thread));
        os_sleep_ms(50);
        post(&early.provide);
        os_thread_join(early.thread);
        CHECK_OK(early.hr);
    }
    end();
}

/* The owner's end is the end of each accept that waits there. */
TEST(an_owner_that_dies_ends_an_accept)
{
    if (begin()) {
        struct early early = {.provide = promise(make_child(), &the.recipient), .hr = E_FAIL};
        CHECK_OK(os_thread_start(accept_early, &early, "early", &early.thread));
        os_sleep_ms(50);
        kill_owner();
        os_thread_join(early.thread);
        CHECK_HR(early.hr, RPC_E_DISCONNECTED);
    }
    end();
}

/* --- who comes too late --- */

/* Exactly the count that was kept for him is given back. */
TEST(what_nobody_fetches_is_given_back)
{
    if (begin_with("impatient")) {
        char text[ERROR_TEXT_SIZE];
        uint64_t child = make_child();
        uint64_t other = make_child();
        struct frame_provide lapses = promise(child, &the.recipient);
        struct frame_provide fetched = promise(other, &the.recipient);
        post(&fetched);
        CHECK_OK(accept(&the.recipient, &fetched));
        uint64_t posted_ns = os_now_ns();
        post(&lapses);
        give_back(&the.provider, child, 1);
        give_back(&the.provider, other, 1);
        CHECK_EQ(count_objects(&the.provider), 3);
        EVENTUALLY(count_objects(&the.provider) == 2);
        CHECK(os_now_ns() - posted_ns >= IMPATIENT_HANDOFF_MS * UINT64_C(1000000));
        HRESULT hr = accept(&the.recipient, &lapses);
        CHECK_HR(hr, RPC_E_INVALID_OBJECT);
        CHECK_STR_HAS(error_format(error_get(), hr, text, sizeof text), "more than 2.0 s ago");
        CHECK_OK(frame_post_withdraw(the.provider.connection, &lapses.t1)); /* of what is gone */
        CHECK_EQ(count_objects(&the.provider), 2);
        give_back(&the.recipient, other, 1);
        EVENTUALLY(count_objects(&the.recipient) == 1);
    }
    end();
}

TEST(who_is_never_promised_anything_is_told_so)
{
    if (begin_with("impatient")) {
        char text[ERROR_TEXT_SIZE];
        uint64_t child = make_child();
        struct frame_provide provide = promise(child, &the.recipient);
        HRESULT hr = accept(&the.recipient, &provide);
        CHECK_HR(hr, RPC_E_INVALID_OBJECT);
        CHECK_STR_HAS(error_format(error_get(), hr, text, sizeof text), "within 2.0 s");
        post(&provide); /* nobody waits for it any more; the next one gets it */
        CHECK_OK(accept(&the.recipient, &provide));
        give_back(&the.recipient, child, 1);
        give_back(&the.provider, child, 1);
        EVENTUALLY(count_objects(&the.recipient) == 1);
    }
    end();
}

/* --- the owner's process as recipient --- */

/* Asks it to call an object that is said to be `owner`'s. */
static HRESULT call_third(const struct link_id *owner, const char *address)
{
    uint8_t table[1024];
    LONG arguments[3] = {0, 20, 3}; /* reference 0, a, b */
    struct wire_reference reference = {.kind = WIRE_REFERENCE_THIRD, .object = 1, .n_addresses = 1};
    struct link_message reply;
    memcpy(reference.owner, owner, sizeof reference.owner);
    CHECK_OK(os_random(reference.t1, sizeof reference.t1));
    reference.t1[0] &= NOT_FOR_ANYBODY;
    CHECK_OK(os_random(reference.t2, sizeof reference.t2));
    reference.addresses_size = (uint16_t)(strlen(address) + 1);
    memcpy(reference.addresses, address, reference.addresses_size);
    wire_reference_write(table, &reference);
    const struct link_request request = {.n_references = 1,
                                         .references = table,
                                         .references_size = wire_reference_size(&reference),
                                         .payload = arguments,
                                         .payload_size = sizeof arguments};
    HRESULT hr = call(&the.provider, 0, SLOT_CALL_ADD, &request, &reply);
    if (SUCCEEDED(hr))
        link_message_release(&reply);
    return hr;
}

/* It has the owner's address, and even its node id, but not T2. */
TEST(a_squatter_is_found_out_by_the_token)
{
    if (begin()) {
        char address[256];
        char text[ERROR_TEXT_SIZE];
        fresh_address(address, sizeof address, "squatter");
        leave(&the.recipient); /* so that the owner's process has to connect */
        struct link_settings settings;
        link_settings_default(&settings);
        CHECK_OK(
            link_node_new(&settings, the.plugins, &handler, &the.recipient, &the.recipient.node));
        CHECK_OK(link_node_listen(the.recipient.node, address, false));
        HRESULT hr = call_third(link_node_id(the.recipient.node), address);
        CHECK_HR(hr, VIA_E_IDENTITY);
        CHECK_STR_HAS(error_format(error_get(), hr, text, sizeof text), "could not prove it");
        CHECK_EQ(atomic_load(&the.recipient.n_accepts), 1);
    }
    end();
}

TEST(another_node_at_the_owners_address_is_not_asked)
{
    if (begin()) {
        char address[256];
        char text[ERROR_TEXT_SIZE];
        struct side absent = {0};
        struct link_settings settings;
        fresh_address(address, sizeof address, "squatter");
        CHECK_OK(link_node_listen(the.recipient.node, address, false));
        link_settings_default(&settings);
        CHECK_OK(link_node_new(&settings, the.plugins, &handler, &absent, &absent.node));
        HRESULT hr = call_third(link_node_id(absent.node), address);
        CHECK_HR(hr, VIA_E_UNREACHABLE);
        CHECK_STR_HAS(error_format(error_get(), hr, text, sizeof text), "answers, not process");
        CHECK_EQ(atomic_load(&the.recipient.n_accepts), 0);
        leave(&absent);
    }
    end();
}

struct fetch {
    struct link_id owner;
    const char *address;
    struct os_thread *thread;
    HRESULT hr;
};

static void run_fetch(void *argument)
{
    struct fetch *fetch = argument;
    fetch->hr = call_third(&fetch->owner, fetch->address);
    error_clear();
}

/* It waits for a promise at an owner that dies: its proxy is dead from the start, and says so. */
TEST(who_fetches_from_an_owner_that_dies_is_told)
{
    struct peer_process dying = {0};
    struct side observer = {0};
    if (begin() && peer_launch(&dying, "dying") && join_at(&observer, dying.address)) {
        struct fetch fetch = {.owner = link_connection_peer(observer.connection)->node,
                              .address = dying.address,
                              .hr = E_FAIL};
        CHECK_OK(os_thread_start(run_fetch, &fetch, "fetch", &fetch.thread));
        os_sleep_ms(100);
        peer_kill(&dying);
        os_thread_join(fetch.thread);
        CHECK(fetch.hr == RPC_E_DISCONNECTED || fetch.hr == VIA_E_UNREACHABLE);
        CHECK_EQ(count_objects(&the.provider), 1);
    }
    leave(&observer);
    peer_end(&dying);
    end();
}

HARNESS_MAIN("handoff", TEST_ENTRY(a_release_against_a_reference_in_flight),
             TEST_ENTRY(a_provider_that_dies_takes_its_promise_along),
             TEST_ENTRY(a_recipient_that_dies_leaves_the_promise_to_the_provider),
             TEST_ENTRY(nobody_else_gets_what_was_promised),
             TEST_ENTRY(a_provider_takes_back_what_it_has_promised),
             TEST_ENTRY(who_comes_for_what_was_taken_back_is_told_at_once),
             TEST_ENTRY(what_was_promised_to_the_dead_is_taken_back),
             TEST_ENTRY(who_comes_before_the_promise_waits_for_it),
             TEST_ENTRY(an_owner_that_dies_ends_an_accept),
             TEST_ENTRY(what_nobody_fetches_is_given_back),
             TEST_ENTRY(who_is_never_promised_anything_is_told_so),
             TEST_ENTRY(who_fetches_from_an_owner_that_dies_is_told),
             TEST_ENTRY(a_squatter_is_found_out_by_the_token),
             TEST_ENTRY(another_node_at_the_owners_address_is_not_asked))
