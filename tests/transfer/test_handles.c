/*
 * OS handles as arguments: every kind and direction, who closes them, and what happens where they
 * cannot cross. The harness counts the handles of this process, the helper its own.
 */
#include "tests/harness/harness.h"

#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/path.h"
#include "core/util/cleanup.h"
#include "tests/transfer/fixture.h"
#include "tests/transfer/system.h"

static bool text_is(BSTR text, const char *expected)
{
    size_t n = strlen(expected);
    bool same = SysStringLen(text) == n;
    for (size_t i = 0; i < n && same; i++)
        same = text[i] == (WCHAR)expected[i];
    return same;
}

/* What the helper reads at a handle; the handle stays the caller's. */
static bool reads(ITransfer *object, VIA_HANDLE handle, const char *expected)
{
    BSTR text = NULL;
    HRESULT hr = ITransfer_Read(object, handle, &text);
    bool same = SUCCEEDED(hr) && text_is(text, expected);
    if (!same)
        FAIL("read: %s", error_text(hr));
    SysFreeString(text);
    return same;
}

static bool holds(VIA_HANDLE handle, const char *expected)
{
    char bytes[64] = "";
    long n = system_read(handle, bytes, sizeof bytes - 1);
    return n == (long)strlen(expected) && memcmp(bytes, expected, (size_t)n) == 0;
}

static LONG peer_handles(ITransfer *object)
{
    LONG n = -1;
    CHECK_OK(ITransfer_CountHandles(object, &n));
    return n;
}

static HRESULT write_text(ITransfer *object, VIA_HANDLE file, const char *ascii)
{
    BSTR text = transfer_text(ascii);
    HRESULT hr = ITransfer_Write(object, file, text);
    SysFreeString(text);
    return hr;
}

TEST(a_file_goes_in)
{
    struct transfer_peer peer;
    VIA_HANDLE file = VIA_NO_HANDLE;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK(system_file(&file))) {
        CHECK_OK(write_text(peer.root, file, "over there"));
        CHECK(system_rewind(file));
        CHECK(holds(file, "over there"));
        CHECK(system_rewind(file));
        CHECK(reads(peer.root, file, "over there"));
    }
    via_handle_close(file);
    transfer_stop(&peer);
    transfer_end();
}

/* What Wine makes a descriptor of, where one side is a Windows program: files and memory of its
 * own, and all that is Linux'. */
static bool only_files_cross(void)
{
    CLEANUP(cleanup_free) char *windows = os_environment("VIADUCT_TEST_WINDOWS");
    return os_path_separator == '\\' || windows != NULL;
}

TEST(what_cannot_cross_is_refused)
{
    struct transfer_peer peer;
    VIA_HANDLE reader = VIA_NO_HANDLE;
    VIA_HANDLE writer = VIA_NO_HANDLE;
    if (!only_files_cross())
        SKIP("every kind crosses here");
    REQUIRE(transfer_begin());
    if (transfer_start(&peer)) {
        HRESULT hr = ITransfer_MakePipe(peer.root, &reader, &writer);
        CHECK_HR(hr, VIA_E_NO_HANDLES);
        CHECK_STR_HAS(error_text(hr), "pipe");
        CHECK(reader == VIA_NO_HANDLE && writer == VIA_NO_HANDLE);
    }
    transfer_stop(&peer);
    transfer_end();
}

TEST(a_pipe_comes_out)
{
    struct transfer_peer peer;
    if (only_files_cross())
        SKIP("pipes of Windows programs have no descriptors");
    REQUIRE(transfer_begin());
    if (transfer_start(&peer)) {
        VIA_HANDLE reader = VIA_NO_HANDLE;
        VIA_HANDLE writer = VIA_NO_HANDLE;
        CHECK_OK(ITransfer_MakePipe(peer.root, &reader, &writer));
        CHECK_EQ(system_write(writer, "here", 4), 4);
        CHECK(holds(reader, "here"));
        CHECK_OK(write_text(peer.root, writer, "there"));
        CHECK(holds(reader, "there"));
        via_handle_close(writer);
        via_handle_close(reader);
    }
    transfer_stop(&peer);
    transfer_end();
}

TEST(a_pipe_goes_in)
{
    struct transfer_peer peer;
    VIA_HANDLE reader = VIA_NO_HANDLE;
    VIA_HANDLE writer = VIA_NO_HANDLE;
    if (os_path_separator == '\\')
        SKIP("pipes of Windows programs have no descriptors");
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK(system_pipe(&reader, &writer))) {
        CHECK_OK(write_text(peer.root, writer, "from there"));
        CHECK(holds(reader, "from there"));
    }
    via_handle_close(writer);
    via_handle_close(reader);
    transfer_stop(&peer);
    transfer_end();
}

TEST(what_is_kept_outlives_the_callers)
{
    struct transfer_peer peer;
    VIA_HANDLE file = VIA_NO_HANDLE;
    VIA_HANDLE again = VIA_NO_HANDLE;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK(system_file(&file))) {
        CHECK_EQ(system_write(file, "kept", 4), 4);
        CHECK_OK(ITransfer_Keep(peer.root, file));
        via_handle_close(file);
        CHECK_OK(ITransfer_GetKept(peer.root, &again));
        CHECK(system_rewind(again));
        CHECK(holds(again, "kept"));
        via_handle_close(again);
    }
    transfer_stop(&peer);
    transfer_end();
}

TEST(one_that_goes_in_and_out_is_replaced)
{
    struct transfer_peer peer;
    VIA_HANDLE first = VIA_NO_HANDLE;
    VIA_HANDLE second = VIA_NO_HANDLE;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK(system_file(&first)) && CHECK(system_file(&second))) {
        CHECK_EQ(system_write(first, "first", 5), 5);
        CHECK_EQ(system_write(second, "second", 6), 6);
        CHECK_OK(ITransfer_Swap(peer.root, &first)); /* nothing was kept */
        CHECK(first == VIA_NO_HANDLE);
        CHECK_OK(ITransfer_Swap(peer.root, &second));
        CHECK(second != VIA_NO_HANDLE && system_rewind(second));
        CHECK(holds(second, "first"));
        CHECK_OK(ITransfer_Keep(peer.root, VIA_NO_HANDLE));
    }
    via_handle_close(first);
    via_handle_close(second);
    transfer_stop(&peer);
    transfer_end();
}

TEST(none_stays_none)
{
    struct transfer_peer peer;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer)) {
        VIA_HANDLE file = VIA_NO_HANDLE;
        CHECK_OK(ITransfer_Keep(peer.root, VIA_NO_HANDLE));
        CHECK_OK(ITransfer_GetKept(peer.root, &file));
        CHECK(file == VIA_NO_HANDLE);
    }
    transfer_stop(&peer);
    transfer_end();
}

TEST(a_failure_leaves_none)
{
    struct transfer_peer peer;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer)) {
        VIA_HANDLE file = VIA_NO_HANDLE;
        LONG before = peer_handles(peer.root);
        for (int i = 0; i < 20; i++) {
            CHECK_HR(ITransfer_Fail(peer.root, &file), E_ABORT);
            CHECK(file == VIA_NO_HANDLE);
        }
        EVENTUALLY(peer_handles(peer.root) <= before + 8); /* the runtime opens some of its own */
    }
    transfer_stop(&peer);
    transfer_end();
}

TEST(nobody_keeps_what_was_lent)
{
    struct transfer_peer peer;
    VIA_HANDLE file = VIA_NO_HANDLE;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK(system_file(&file))) {
        CHECK_OK(write_text(peer.root, file, "x"));
        LONG before = peer_handles(peer.root);
        int here = system_count_handles();
        for (int i = 0; i < 200; i++)
            CHECK_OK(write_text(peer.root, file, "x"));
        EVENTUALLY(peer_handles(peer.root) <= before + 8); /* it may have gone to shared memory */
        CHECK(system_count_handles() <= here + 8);
    }
    via_handle_close(file);
    transfer_stop(&peer);
    transfer_end();
}

TEST(wrong_ones_are_refused)
{
    struct transfer_peer peer;
    VIA_HANDLE file = VIA_NO_HANDLE;
    VIA_HANDLE event = VIA_NO_HANDLE;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK(system_file(&file)) && CHECK(system_event(&event))) {
        HRESULT hr = ITransfer_Signal(peer.root, file);
        CHECK_HR(hr, E_HANDLE);
        CHECK_STR_HAS(error_text(hr), "ITransfer.Signal: argument event");
        hr = write_text(peer.root, event, "x");
        CHECK_HR(hr, E_HANDLE);
        CHECK_STR_HAS(error_text(hr), "is no file");
    }
    via_handle_close(file);
    via_handle_close(event);
    transfer_stop(&peer);
    transfer_end();
}

TEST(memory_is_shared)
{
    struct transfer_peer peer;
    VIA_HANDLE memory = VIA_NO_HANDLE;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK(system_section(4096, &memory))) {
        BYTE *bytes = system_map(memory, 4096);
        CHECK_OK(ITransfer_Fill(peer.root, memory, 4096, 0x5A));
        CHECK(bytes != NULL && bytes[0] == 0x5A && bytes[4095] == 0x5A);
        system_unmap(bytes, 4096);
    }
    via_handle_close(memory);
    transfer_stop(&peer);
    transfer_end();
}

TEST(an_event_is_set_from_there)
{
    struct transfer_peer peer;
    VIA_HANDLE event = VIA_NO_HANDLE;
    if (only_files_cross())
        SKIP("events of Windows programs have no descriptors");
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK(system_event(&event))) {
        CHECK(!system_event_is_set(event));
        CHECK_OK(ITransfer_Signal(peer.root, event));
        CHECK(system_event_is_set(event));
    }
    via_handle_close(event);
    transfer_stop(&peer);
    transfer_end();
}

TEST(a_socket_is_passed)
{
    struct transfer_peer peer;
    VIA_HANDLE ends[2] = {VIA_NO_HANDLE, VIA_NO_HANDLE};
    if (!system_socket_pair(ends))
        SKIP("Windows has no socket pairs");
    if (transfer_begin() && transfer_start(&peer)) {
        BSTR text = transfer_text("hello");
        CHECK_OK(ITransfer_Send(peer.root, ends[0], text));
        CHECK(holds(ends[1], "hello"));
        SysFreeString(text);
    }
    via_handle_close(ends[0]);
    via_handle_close(ends[1]);
    transfer_stop(&peer);
    transfer_end();
}

TEST(a_one_way_call_takes_one_along)
{
    struct transfer_peer peer;
    VIA_HANDLE reader = VIA_NO_HANDLE;
    VIA_HANDLE writer = VIA_NO_HANDLE;
    if (only_files_cross())
        SKIP("pipes of Windows programs have no descriptors");
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK_OK(ITransfer_MakePipe(peer.root, &reader, &writer))) {
        BSTR text = transfer_text("posted");
        CHECK_OK(ITransfer_Post(peer.root, writer, text));
        via_handle_close(writer); /* what is under way is another one */
        CHECK(holds(reader, "posted"));
        CHECK(holds(reader, ""));
        SysFreeString(text);
    }
    via_handle_close(reader);
    transfer_stop(&peer);
    transfer_end();
}

TEST(a_call_back_takes_one_along)
{
    struct transfer_peer peer;
    VIA_HANDLE reader = VIA_NO_HANDLE;
    VIA_HANDLE writer = VIA_NO_HANDLE;
    if (only_files_cross())
        SKIP("pipes of Windows programs have no descriptors");
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK_OK(ITransfer_MakePipe(peer.root, &reader, &writer))) {
        ITransfer *mine = transfer_new();
        BSTR text = transfer_text("there and back");
        CHECK_OK(ITransfer_Forward(peer.root, mine, writer, text));
        CHECK(holds(reader, "there and back"));
        SysFreeString(text);
        ITransfer_Release(mine);
    }
    via_handle_close(reader);
    via_handle_close(writer);
    transfer_stop(&peer);
    EVENTUALLY(transfer_count() == 0);
    transfer_end();
}

/* While the connection moves to shared memory and with payloads of every length, in chunks too. */
TEST(each_stays_with_its_call)
{
    struct transfer_peer peer;
    static BYTE data[300000];
    VIA_HANDLE reader = VIA_NO_HANDLE;
    VIA_HANDLE writer = VIA_NO_HANDLE;
    if (only_files_cross())
        SKIP("pipes of Windows programs have no descriptors");
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK_OK(ITransfer_MakePipe(peer.root, &reader, &writer))) {
        for (ULONG i = 0; i < 400; i++) {
            ULONG number = 0;
            ULONG size = i % 7 == 0 ? sizeof data / (i % 3 + 1) : i * 11 % 3000;
            for (ULONG at = 0; at < size; at++)
                data[at] = (BYTE)(at + i);
            if (!CHECK_OK(ITransfer_Pass(peer.root, size, data, writer, i)))
                break;
            CHECK_EQ(system_read(reader, &number, sizeof number), sizeof number);
            CHECK_EQ(number, i);
        }
    }
    via_handle_close(reader);
    via_handle_close(writer);
    transfer_stop(&peer);
    transfer_end();
}

HARNESS_MAIN("handles", TEST_ENTRY(a_file_goes_in), TEST_ENTRY(what_cannot_cross_is_refused),
             TEST_ENTRY(a_pipe_comes_out), TEST_ENTRY(a_pipe_goes_in),
             TEST_ENTRY(what_is_kept_outlives_the_callers),
             TEST_ENTRY(one_that_goes_in_and_out_is_replaced), TEST_ENTRY(none_stays_none),
             TEST_ENTRY(a_failure_leaves_none), TEST_ENTRY(nobody_keeps_what_was_lent),
             TEST_ENTRY(wrong_ones_are_refused), TEST_ENTRY(memory_is_shared),
             TEST_ENTRY(an_event_is_set_from_there), TEST_ENTRY(a_socket_is_passed),
             TEST_ENTRY(a_one_way_call_takes_one_along), TEST_ENTRY(a_call_back_takes_one_along),
             TEST_ENTRY(each_stays_with_its_call))
