/*
 * Packets of proxies: written, read, read again, released, lapsed, and not what they should be. The
 * owner is a helper process; who writes and who reads is this one, over its own connection.
 */
#include "tests/harness/harness.h"

#include <string.h>
#include <viaduct/proxies.h>
#include <viaduct/runtime.h>
#include <viaduct/stream.h>

#include "core/os/clock.h"
#include "tests/remote/fixture.h"

#define ROOM 4096u

/* Where a packet's entry begins, and its T1. */
#define AT_ENTRY 16u
#define AT_T1    (AT_ENTRY + 32u)

struct bytes {
    uint8_t data[ROOM];
    size_t size;
};

static bool begin(struct peer_process *owner, const char *name)
{
    return CHECK(fixture_begin()) && peer_start(owner, name);
}

static void end(struct peer_process *owner)
{
    peer_end(owner);
    fixture_end();
}

static ITestObject *make_child(const struct peer_process *owner)
{
    ITestObject *child = NULL;
    CHECK_OK(ITestObject_MakeChild(owner->root, &child));
    return child;
}

static LONG count_objects(const struct peer_process *owner)
{
    LONG n = -1;
    CHECK_OK(ITestObject_CountObjects(owner->root, &n));
    return n;
}

static bool write_packet(ITestObject *object, struct bytes *packet)
{
    IStream *stream = NULL;
    LARGE_INTEGER start = {.QuadPart = 0};
    ULONG n = 0;
    packet->size = 0;
    if (!CHECK_OK(via_stream_on_memory(NULL, 0, &stream)))
        return false;
    bool good = CHECK_OK(via_write_packet(stream, (IUnknown *)object)) &&
                CHECK_OK(stream->lpVtbl->Seek(stream, start, STREAM_SEEK_SET, NULL)) &&
                CHECK(SUCCEEDED(stream->lpVtbl->Read(stream, packet->data, ROOM, &n)));
    packet->size = n;
    stream->lpVtbl->Release(stream);
    return good;
}

static HRESULT read_packet(const struct bytes *packet, ITestObject **object)
{
    IStream *stream;
    *object = NULL;
    HRESULT hr = via_stream_on_memory(packet->data, packet->size, &stream);
    if (FAILED(hr))
        return hr;
    hr = via_read_packet(stream, &IID_ITestObject, (void **)object);
    stream->lpVtbl->Release(stream);
    return hr;
}

static HRESULT release_packet(const struct bytes *packet)
{
    IStream *stream;
    HRESULT hr = via_stream_on_memory(packet->data, packet->size, &stream);
    if (FAILED(hr))
        return hr;
    hr = via_release_packet(stream);
    stream->lpVtbl->Release(stream);
    return hr;
}

/* Within a second: not when a promise that is still to come would have lapsed. */
static void check_refused(const struct bytes *packet, const char *why)
{
    ITestObject *object;
    uint64_t asked_ns = os_now_ns();
    HRESULT hr = read_packet(packet, &object);
    CHECK_HR(hr, RPC_E_INVALID_OBJECT);
    CHECK_STR_HAS(error_text(hr), why);
    CHECK(os_now_ns() - asked_ns < UINT64_C(10000000000) * harness_time_factor());
}

TEST(a_packet_is_read_once)
{
    struct peer_process owner = {0};
    if (begin(&owner, "owner")) {
        struct bytes packet;
        ITestObject *child = make_child(&owner);
        ITestObject *again = NULL;
        LONG sum = 0;
        if (write_packet(child, &packet) && CHECK_OK(read_packet(&packet, &again))) {
            CHECK(again == child); /* one proxy for one object */
            CHECK_OK(ITestObject_Add(again, 2, 40, &sum));
            CHECK_EQ(sum, 42);
            ITestObject_Release(again);
        }
        check_refused(&packet, "fetched already");
        ITestObject_Release(child);
    }
    end(&owner);
}

/* Who passes a proxy may let go of it at once. */
TEST(a_packet_keeps_its_object)
{
    struct peer_process owner = {0};
    if (begin(&owner, "owner")) {
        struct bytes packet;
        ITestObject *child = make_child(&owner);
        ITestObject *again = NULL;
        write_packet(child, &packet);
        ITestObject_Release(child);
        CHECK_EQ(count_objects(&owner), 2);
        if (CHECK_OK(read_packet(&packet, &again)))
            ITestObject_Release(again);
    }
    end(&owner);
}

TEST(a_released_packet_lets_go)
{
    struct peer_process owner = {0};
    if (begin(&owner, "owner")) {
        struct bytes packet;
        ITestObject *child = make_child(&owner);
        write_packet(child, &packet);
        ITestObject_Release(child);
        CHECK_EQ(count_objects(&owner), 2);
        CHECK_OK(release_packet(&packet));
        EVENTUALLY(count_objects(&owner) == 1);
        check_refused(&packet, "taken that back");
    }
    end(&owner);
}

TEST(a_packet_that_nobody_reads_lapses)
{
    struct peer_process owner = {0};
    if (begin(&owner, "impatient")) {
        struct bytes packet;
        ITestObject *child = make_child(&owner);
        write_packet(child, &packet);
        os_sleep_ms(IMPATIENT_HANDOFF_MS + 500);
        check_refused(&packet, "not kept for it any longer");
        ITestObject_Release(child);
    }
    end(&owner);
}

/* This process' own time is over: its proxy goes, though nobody has read the packet. */
TEST(a_packet_does_not_keep_its_object_for_ever)
{
    const struct via_options options = {.size = sizeof options, .handoff_timeout_ms = 500};
    struct peer_process owner = {0};
    if (CHECK_OK(via_initialize(&options)) &&
        CHECK_OK(via_register_typelib(&remote_test_typelib)) && peer_start(&owner, "impatient")) {
        struct bytes packet;
        ITestObject *child = make_child(&owner);
        write_packet(child, &packet);
        ITestObject_Release(child);
        CHECK_EQ(count_objects(&owner), 2);
        EVENTUALLY(count_objects(&owner) == 1);
    }
    end(&owner);
}

/* With packets that nobody has read. */
TEST(the_runtime_ends_with_packets)
{
    struct peer_process owner = {0};
    if (begin(&owner, "owner")) {
        struct bytes packet;
        ITestObject *child = make_child(&owner);
        for (int i = 0; i < 5; i++)
            write_packet(child, &packet);
        ITestObject_Release(child);
    }
    end(&owner);
}

TEST(what_is_no_packet_is_refused)
{
    struct peer_process owner = {0};
    if (begin(&owner, "owner")) {
        struct bytes packet;
        ITestObject *child = make_child(&owner);
        ITestObject *object;
        write_packet(child, &packet);
        struct bytes bad = packet;
        for (bad.size = 0; bad.size < packet.size; bad.size++)
            CHECK_HR(read_packet(&bad, &object), RPC_E_INVALID_DATA);
        /* The header, and the size and kind of the entry. */
        for (size_t i = 0; i < AT_ENTRY + 3; i++)
            for (int bit = 0; bit < 8; bit++) {
                bad = packet;
                bad.data[i] ^= (uint8_t)(1 << bit);
                CHECK_HR(read_packet(&bad, &object), RPC_E_INVALID_DATA);
            }
        for (size_t i = AT_T1 + 36; i < AT_T1 + 40; i++) { /* the number of addresses, their size */
            bad = packet;
            bad.data[i] ^= 0xff;
            CHECK_HR(read_packet(&bad, &object), RPC_E_INVALID_DATA);
        }
        memset(&bad, 0xff, sizeof bad.data);
        CHECK_HR(read_packet(&bad, &object), RPC_E_INVALID_DATA);
        CHECK_OK(read_packet(&packet, &object)); /* nothing of that has used it up */
        ITestObject_Release(object);
        ITestObject_Release(child);
    }
    end(&owner);
}

/* The owner is asked, and does not wait for a sender who never was. */
TEST(an_invented_token_is_refused_at_once)
{
    struct peer_process owner = {0};
    if (begin(&owner, "owner")) {
        struct bytes packet;
        ITestObject *child = make_child(&owner);
        ITestObject *object;
        write_packet(child, &packet);
        struct bytes bad = packet;
        bad.data[AT_T1 + 7] ^= 0x10;
        check_refused(&bad, "nobody has handed");
        bad = packet;
        bad.data[AT_T1] ^= 1; /* as if it were for another process */
        CHECK_HR(read_packet(&bad, &object), RPC_E_INVALID_DATA);
        CHECK_OK(read_packet(&packet, &object));
        ITestObject_Release(object);
        ITestObject_Release(child);
    }
    end(&owner);
}

/* An object of this process, which another one has got, and passes back to whoever shows it. */
TEST(an_object_comes_home_in_a_packet)
{
    struct peer_process other = {0};
    char address[256];
    fresh_address(address, sizeof address, "home");
    if (CHECK(fixture_begin()) && CHECK_OK(via_listen(address)) && peer_start(&other, "other")) {
        struct bytes packet;
        ITestObject *own = test_object_new("own");
        ITestObject *again = NULL;
        BYTE *data = NULL;
        ULONG size = 0;
        CHECK_OK(ITestObject_Keep(other.root, own));
        if (CHECK_OK(ITestObject_PackKept(other.root, &size, &data)) && CHECK(size <= ROOM)) {
            memcpy(packet.data, data, size);
            packet.size = size;
            CoTaskMemFree(data);
            if (CHECK_OK(read_packet(&packet, &again))) {
                CHECK(again == own);
                ITestObject_Release(again);
            }
            check_refused(&packet, "fetched already");
            CHECK_OK(ITestObject_PackKept(other.root, &size, &data));
            memcpy(packet.data, data, size);
            CoTaskMemFree(data);
            packet.data[AT_T1 + 7] ^= 0x10;
            check_refused(&packet, "nobody has handed");
        }
        CHECK_OK(ITestObject_Keep(other.root, NULL));
        ITestObject_Release(own);
    }
    end(&other);
}

TEST(what_is_no_proxy_has_no_packet)
{
    struct peer_process owner = {0};
    if (begin(&owner, "owner")) {
        IStream *stream = NULL;
        CHECK_OK(via_stream_on_memory(NULL, 0, &stream));
        CHECK_HR(via_write_packet(stream, (IUnknown *)stream), E_INVALIDARG);
        stream->lpVtbl->Release(stream);
    }
    end(&owner);
}

HARNESS_MAIN("packet", TEST_ENTRY(a_packet_is_read_once), TEST_ENTRY(a_packet_keeps_its_object),
             TEST_ENTRY(a_released_packet_lets_go), TEST_ENTRY(a_packet_that_nobody_reads_lapses),
             TEST_ENTRY(a_packet_does_not_keep_its_object_for_ever),
             TEST_ENTRY(the_runtime_ends_with_packets), TEST_ENTRY(what_is_no_packet_is_refused),
             TEST_ENTRY(an_invented_token_is_refused_at_once),
             TEST_ENTRY(an_object_comes_home_in_a_packet),
             TEST_ENTRY(what_is_no_proxy_has_no_packet))
