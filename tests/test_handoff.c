/*
 * Handing on, step by step: who dies, lies or is late between `provide` and `accept`.
 */
#include "tests/remote/handoff_scene.h"

#include <string.h>

#include "core/os/clock.h"
#include "core/os/random.h"
#include "core/os/thread.h"
#include "core/util/error.h"
#include "core/wire/reference.h"

/* The provider lets go as soon as it has promised; the count in flight keeps the object. */
TEST(a_release_against_a_reference_in_flight)
{
    if (scene_begin()) {
        uint64_t child = scene_make_child();
        struct frame_provide provide = scene_promise(child, &the.recipient);
        scene_post(&provide);
        scene_give_back(&the.provider, child, 1);
        CHECK_EQ(scene_count_objects(&the.provider), 2);
        CHECK_OK(scene_accept(&the.recipient, &provide));
        scene_leave(&the.provider);
        CHECK_EQ(scene_count_objects(&the.recipient), 2);
        scene_give_back(&the.recipient, child, 1);
        EVENTUALLY(scene_count_objects(&the.recipient) == 1);
    }
    scene_end();
}

TEST(a_provider_that_dies_takes_its_promise_along)
{
    if (scene_begin()) {
        char text[ERROR_TEXT_SIZE];
        uint64_t child = scene_make_child();
        struct frame_provide provide = scene_promise(child, &the.recipient);
        scene_post(&provide);
        CHECK_EQ(scene_count_objects(&the.provider), 2);
        scene_leave(&the.provider);
        EVENTUALLY(scene_count_objects(&the.recipient) == 1);
        uint64_t asked = os_now_ns();
        HRESULT hr = scene_accept(&the.recipient, &provide);
        CHECK_HR(hr, RPC_E_INVALID_OBJECT); /* and not at the deadline */
        CHECK_STR_HAS(error_format(error_get(), hr, text, sizeof text), "has ended");
        CHECK(os_now_ns() - asked < 5000u * UINT64_C(1000000) * harness_time_factor());
    }
    scene_end();
}

TEST(a_recipient_that_dies_leaves_the_promise_to_the_provider)
{
    if (scene_begin()) {
        uint64_t child = scene_make_child();
        struct frame_provide provide = scene_promise(child, &the.recipient);
        struct frame_provide other = scene_promise(child, &the.recipient);
        scene_post(&provide);
        scene_post(&other);
        scene_give_back(&the.provider, child, 1);
        scene_leave(&the.recipient);
        CHECK_EQ(scene_count_objects(&the.provider), 2);
        CHECK_OK(frame_post_withdraw(the.provider.connection, &provide.t1));
        CHECK_EQ(scene_count_objects(&the.provider), 2); /* the other one still keeps it */
        CHECK_OK(frame_post_withdraw(the.provider.connection, &other.t1));
        EVENTUALLY(scene_count_objects(&the.provider) == 1);
    }
    scene_end();
}

TEST(nobody_else_gets_what_was_promised)
{
    if (scene_begin()) {
        uint64_t child = scene_make_child();
        struct frame_provide provide = scene_promise(child, &the.recipient);
        scene_post(&provide);
        CHECK_EQ(scene_count_objects(&the.provider), 2);
        struct side other = {0};
        if (scene_join(&other))
            CHECK_HR(scene_accept(&other, &provide), E_ACCESSDENIED);
        scene_leave(&other);
        CHECK_OK(scene_accept(&the.recipient, &provide));
        /* And nobody twice: it waits for another promise, as if this one had never been. */
        CHECK_EQ(scene_count_objects(&the.recipient), 2);
    }
    scene_end();
}

/* So that it can forward the object. */
TEST(a_provider_takes_back_what_it_has_promised)
{
    if (scene_begin()) {
        uint64_t child = scene_make_child();
        struct frame_provide provide = scene_promise(child, &the.recipient);
        scene_post(&provide);
        scene_give_back(&the.provider, child, 1);
        CHECK_OK(scene_accept(&the.provider, &provide));
        CHECK_EQ(scene_count_objects(&the.provider), 2);
        scene_give_back(&the.provider, child, 1);
        EVENTUALLY(scene_count_objects(&the.provider) == 1);
    }
    scene_end();
}

/* As he may when his own connection to the provider was lost. */
TEST(who_comes_for_what_was_taken_back_is_told_at_once)
{
    if (scene_begin_with("patient")) {
        char text[ERROR_TEXT_SIZE];
        struct frame_provide provide = scene_promise(scene_make_child(), &the.recipient);
        scene_post(&provide);
        CHECK_OK(frame_post_withdraw(the.provider.connection, &provide.t1));
        CHECK_EQ(scene_count_objects(&the.provider), 2);
        HRESULT hr = scene_accept(&the.recipient, &provide);
        CHECK_HR(hr, RPC_E_INVALID_OBJECT);
        CHECK_STR_HAS(error_format(error_get(), hr, text, sizeof text), "has taken that back");
    }
    scene_end();
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
    if (CHECK_OK(scene_call(side, 0, SLOT_KEEP, &request, &reply)))
        link_message_release(&reply);
}

/* Has it keep the owner's child, which nobody else does from now on. */
static void have_child_kept_by(struct side *middle)
{
    const struct wire_reference child = {.kind = WIRE_REFERENCE_YOURS,
                                         .object = scene_make_child()};
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
    if (CHECK_OK(scene_call(middle, 0, SLOT_KEEP_KEPT_OF, &request, &reply)))
        link_message_release(&reply);
    have_kept(&the.provider, NULL);
    scene_give_back(&the.provider, child.object, 1);
    CHECK_EQ(scene_count_objects(&the.provider), 2);
}

/* Gets what the middle one keeps, `n` times, and comes to the owner for the first alone. */
static void be_given(struct side *middle, unsigned n)
{
    const struct link_request none = {0};
    for (unsigned i = 0; i < n; i++) {
        struct link_message reply;
        struct wire_reference reference = {0};
        if (!CHECK_OK(scene_call(middle, 0, SLOT_GET_KEPT, &none, &reply)))
            return;
        const uint8_t *table = reply.references;
        size_t size = reply.references_size;
        CHECK_OK(wire_reference_next(&table, &size, &reference));
        CHECK_EQ(reference.kind, WIRE_REFERENCE_THIRD);
        struct frame_provide provide = {.object = reference.object};
        memcpy(&provide.t1, reference.t1, sizeof provide.t1);
        memcpy(&provide.t2, reference.t2, sizeof provide.t2);
        if (i == 0)
            CHECK_OK(scene_accept(&the.recipient, &provide));
        link_message_release(&reply);
    }
}

TEST(what_was_promised_to_the_dead_is_taken_back)
{
    struct peer_process process = {0};
    if (scene_begin_with("patient") && peer_launch(&process, "middle")) {
        struct side middle = {.node = the.recipient.node};
        if (scene_join_node(&middle, process.address)) {
            scene_bind_interface(&middle);
            have_child_kept_by(&middle);
            be_given(&middle, 20);
            have_kept(&middle, NULL);
            CHECK_EQ(scene_count_objects(&the.provider), 2);
        }
        link_connection_unref(middle.connection);
        scene_leave(&the.recipient);
        EVENTUALLY(scene_count_objects(&the.provider) == 1);
    }
    scene_end();
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
    early->hr = scene_accept(&the.recipient, &early->provide);
}

TEST(who_comes_before_the_promise_waits_for_it)
{
    if (scene_begin()) {
        uint64_t child = scene_make_child();
        struct early early = {.provide = scene_promise(child, &the.recipient), .hr = E_FAIL};
        CHECK_OK(os_thread_start(accept_early, &early, "early", &early.thread));
        os_sleep_ms(50);
        scene_post(&early.provide);
        os_thread_join(early.thread);
        CHECK_OK(early.hr);
    }
    scene_end();
}

/* The owner's end is the end of each accept that waits there. */
TEST(an_owner_that_dies_ends_an_accept)
{
    if (scene_begin()) {
        struct early early = {.provide = scene_promise(scene_make_child(), &the.recipient),
                              .hr = E_FAIL};
        CHECK_OK(os_thread_start(accept_early, &early, "early", &early.thread));
        os_sleep_ms(50);
        scene_kill_owner();
        os_thread_join(early.thread);
        CHECK_HR(early.hr, RPC_E_DISCONNECTED);
    }
    scene_end();
}

/* --- who comes too late --- */

/* Exactly the count that was kept for him is given back. */
TEST(what_nobody_fetches_is_given_back)
{
    if (scene_begin_with("impatient")) {
        char text[ERROR_TEXT_SIZE];
        uint64_t child = scene_make_child();
        uint64_t other = scene_make_child();
        struct frame_provide lapses = scene_promise(child, &the.recipient);
        struct frame_provide fetched = scene_promise(other, &the.recipient);
        scene_post(&fetched);
        CHECK_OK(scene_accept(&the.recipient, &fetched));
        uint64_t posted_ns = os_now_ns();
        scene_post(&lapses);
        scene_give_back(&the.provider, child, 1);
        scene_give_back(&the.provider, other, 1);
        CHECK_EQ(scene_count_objects(&the.provider), 3);
        EVENTUALLY(scene_count_objects(&the.provider) == 2);
        CHECK(os_now_ns() - posted_ns >= IMPATIENT_HANDOFF_MS * UINT64_C(1000000));
        HRESULT hr = scene_accept(&the.recipient, &lapses);
        CHECK_HR(hr, RPC_E_INVALID_OBJECT);
        CHECK_STR_HAS(error_format(error_get(), hr, text, sizeof text), "more than 2.0 s ago");
        CHECK_OK(frame_post_withdraw(the.provider.connection, &lapses.t1)); /* of what is gone */
        CHECK_EQ(scene_count_objects(&the.provider), 2);
        scene_give_back(&the.recipient, other, 1);
        EVENTUALLY(scene_count_objects(&the.recipient) == 1);
    }
    scene_end();
}

TEST(who_is_never_promised_anything_is_told_so)
{
    if (scene_begin_with("impatient")) {
        char text[ERROR_TEXT_SIZE];
        uint64_t child = scene_make_child();
        struct frame_provide provide = scene_promise(child, &the.recipient);
        HRESULT hr = scene_accept(&the.recipient, &provide);
        CHECK_HR(hr, RPC_E_INVALID_OBJECT);
        CHECK_STR_HAS(error_format(error_get(), hr, text, sizeof text), "within 2.0 s");
        scene_post(&provide); /* nobody waits for it any more; the next one gets it */
        CHECK_OK(scene_accept(&the.recipient, &provide));
        scene_give_back(&the.recipient, child, 1);
        scene_give_back(&the.provider, child, 1);
        EVENTUALLY(scene_count_objects(&the.recipient) == 1);
    }
    scene_end();
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
    HRESULT hr = scene_call(&the.provider, 0, SLOT_CALL_ADD, &request, &reply);
    if (SUCCEEDED(hr))
        link_message_release(&reply);
    return hr;
}

/* It has the owner's address, and even its node id, but not T2. */
TEST(a_squatter_is_found_out_by_the_token)
{
    if (scene_begin()) {
        char address[256];
        char text[ERROR_TEXT_SIZE];
        fresh_address(address, sizeof address, "squatter");
        scene_leave(&the.recipient); /* so that the owner's process has to connect */
        struct link_settings settings;
        link_settings_default(&settings);
        CHECK_OK(link_node_new(&settings, the.plugins, &scene_handler, &the.recipient,
                               &the.recipient.node));
        CHECK_OK(link_node_listen(the.recipient.node, address, false));
        HRESULT hr = call_third(link_node_id(the.recipient.node), address);
        CHECK_HR(hr, VIA_E_IDENTITY);
        CHECK_STR_HAS(error_format(error_get(), hr, text, sizeof text), "could not prove it");
        CHECK_EQ(atomic_load(&the.recipient.n_accepts), 1);
    }
    scene_end();
}

TEST(another_node_at_the_owners_address_is_not_asked)
{
    if (scene_begin()) {
        char address[256];
        char text[ERROR_TEXT_SIZE];
        struct side absent = {0};
        struct link_settings settings;
        fresh_address(address, sizeof address, "squatter");
        CHECK_OK(link_node_listen(the.recipient.node, address, false));
        link_settings_default(&settings);
        CHECK_OK(link_node_new(&settings, the.plugins, &scene_handler, &absent, &absent.node));
        HRESULT hr = call_third(link_node_id(absent.node), address);
        CHECK_HR(hr, VIA_E_UNREACHABLE);
        CHECK_STR_HAS(error_format(error_get(), hr, text, sizeof text), "answers, not process");
        CHECK_EQ(atomic_load(&the.recipient.n_accepts), 0);
        scene_leave(&absent);
    }
    scene_end();
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
    if (scene_begin() && peer_launch(&dying, "dying") && scene_join_at(&observer, dying.address)) {
        struct fetch fetch = {.owner = link_connection_peer(observer.connection)->node,
                              .address = dying.address,
                              .hr = E_FAIL};
        CHECK_OK(os_thread_start(run_fetch, &fetch, "fetch", &fetch.thread));
        os_sleep_ms(100);
        peer_kill(&dying);
        os_thread_join(fetch.thread);
        CHECK(fetch.hr == RPC_E_DISCONNECTED || fetch.hr == VIA_E_UNREACHABLE);
        CHECK_EQ(scene_count_objects(&the.provider), 1);
    }
    scene_leave(&observer);
    peer_end(&dying);
    scene_end();
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
