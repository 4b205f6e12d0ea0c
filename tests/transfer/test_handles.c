/*
 * OS handles as arguments: every kind and direction, who closes them, and what happens where they
 * cannot cross. The harness counts the handles of this process, the helper its own.
 */
#include "tests/harness/harness.h"

#include <string.h>
#include <viaduct/async.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/path.h"
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

static void drop(VIA_HANDLE *handle)
{
    via_handle_close(*handle);
    *handle = VIA_NO_HANDLE;
}

static LONG peer_handles(ITransfer *object)
{
    LONG n = -1;
    CHECK_OK(ITransfer_CountHandles(object, &n));
    return n;
}

TEST(a_file_goes_in)
{
    struct transfer_setup setup;
    if (transfer_setup_begin(&setup) && CHECK(system_file(&setup.first))) {
        CHECK_OK(transfer_write(setup.root, setup.first, "over there"));
        CHECK(system_rewind(setup.first));
        CHECK(transfer_holds(setup.first, "over there"));
        CHECK(system_rewind(setup.first));
        CHECK(reads(setup.root, setup.first, "over there"));
    }
    transfer_setup_end(&setup);
}

TEST(what_cannot_cross_is_refused)
{
    struct transfer_setup setup;
    if (!transfer_is_border())
        SKIP("every kind crosses here");
    if (transfer_setup_begin(&setup)) {
        HRESULT hr = ITransfer_MakePipe(setup.root, &setup.first, &setup.second);
        CHECK_HR(hr, VIA_E_NO_HANDLES);
        CHECK_STR_HAS(error_text(hr), "pipe");
        CHECK(setup.first == VIA_NO_HANDLE && setup.second == VIA_NO_HANDLE);
    }
    transfer_setup_end(&setup);
}

TEST(a_pipe_comes_out)
{
    struct transfer_setup setup;
    if (transfer_is_border())
        SKIP("pipes of Windows programs have no descriptors");
    if (transfer_setup_begin(&setup)) {
        CHECK_OK(ITransfer_MakePipe(setup.root, &setup.first, &setup.second));
        CHECK_EQ(system_write(setup.second, "here", 4), 4);
        CHECK(transfer_holds(setup.first, "here"));
        CHECK_OK(transfer_write(setup.root, setup.second, "there"));
        CHECK(transfer_holds(setup.first, "there"));
    }
    transfer_setup_end(&setup);
}

TEST(a_pipe_goes_in)
{
    struct transfer_setup setup;
    if (os_path_separator == '\\' && transfer_is_border())
        SKIP("pipes of Windows programs have no descriptors");
    if (transfer_setup_begin(&setup) && CHECK(system_pipe(&setup.first, &setup.second))) {
        CHECK_OK(transfer_write(setup.root, setup.second, "from there"));
        CHECK(transfer_holds(setup.first, "from there"));
    }
    transfer_setup_end(&setup);
}

TEST(what_is_kept_outlives_the_callers)
{
    struct transfer_setup setup;
    if (transfer_setup_begin(&setup) && CHECK(system_file(&setup.first))) {
        CHECK_EQ(system_write(setup.first, "kept", 4), 4);
        CHECK_OK(ITransfer_Keep(setup.root, setup.first));
        drop(&setup.first);
        CHECK_OK(ITransfer_GetKept(setup.root, &setup.second));
        CHECK(system_rewind(setup.second));
        CHECK(transfer_holds(setup.second, "kept"));
    }
    transfer_setup_end(&setup);
}

TEST(one_that_goes_in_and_out_is_replaced)
{
    struct transfer_setup setup;
    if (transfer_setup_begin(&setup) && CHECK(system_file(&setup.first)) &&
        CHECK(system_file(&setup.second))) {
        CHECK_EQ(system_write(setup.first, "first", 5), 5);
        CHECK_EQ(system_write(setup.second, "second", 6), 6);
        CHECK_OK(ITransfer_Swap(setup.root, &setup.first)); /* nothing was kept */
        CHECK(setup.first == VIA_NO_HANDLE);
        CHECK_OK(ITransfer_Swap(setup.root, &setup.second));
        CHECK(setup.second != VIA_NO_HANDLE && system_rewind(setup.second));
        CHECK(transfer_holds(setup.second, "first"));
        CHECK_OK(ITransfer_Keep(setup.root, VIA_NO_HANDLE));
    }
    transfer_setup_end(&setup);
}

TEST(none_stays_none)
{
    struct transfer_setup setup;
    if (transfer_setup_begin(&setup)) {
        CHECK_OK(ITransfer_Keep(setup.root, VIA_NO_HANDLE));
        CHECK_OK(ITransfer_GetKept(setup.root, &setup.first));
        CHECK(setup.first == VIA_NO_HANDLE);
    }
    transfer_setup_end(&setup);
}

TEST(a_failure_leaves_none)
{
    struct transfer_setup setup;
    if (transfer_setup_begin(&setup)) {
        LONG before = peer_handles(setup.root);
        for (int i = 0; i < 20; i++) {
            CHECK_HR(ITransfer_Fail(setup.root, &setup.first), E_ABORT);
            CHECK(setup.first == VIA_NO_HANDLE);
        }
        EVENTUALLY(peer_handles(setup.root) <= before + 8); /* the runtime opens some of its own */
    }
    transfer_setup_end(&setup);
}

TEST(nobody_keeps_what_was_lent)
{
    struct transfer_setup setup;
    if (transfer_setup_begin(&setup) && CHECK(system_file(&setup.first))) {
        CHECK_OK(transfer_write(setup.root, setup.first, "x"));
        LONG before = peer_handles(setup.root);
        int here = system_count_handles();
        for (int i = 0; i < 200; i++)
            CHECK_OK(transfer_write(setup.root, setup.first, "x"));
        EVENTUALLY(peer_handles(setup.root) <= before + 8); /* it may have gone to shared memory */
        CHECK(system_count_handles() <= here + 8);
    }
    transfer_setup_end(&setup);
}

TEST(wrong_ones_are_refused)
{
    struct transfer_setup setup;
    if (transfer_setup_begin(&setup) && CHECK(system_file(&setup.first)) &&
        CHECK(system_event(&setup.second))) {
        HRESULT hr = ITransfer_Signal(setup.root, setup.first);
        CHECK_HR(hr, E_HANDLE);
        CHECK_STR_HAS(error_text(hr), "ITransfer.Signal: argument event");
        hr = transfer_write(setup.root, setup.second, "x");
        CHECK_HR(hr, E_HANDLE);
        CHECK_STR_HAS(error_text(hr), "is no file");
    }
    transfer_setup_end(&setup);
}

TEST(memory_is_shared)
{
    struct transfer_setup setup;
    if (transfer_setup_begin(&setup) && CHECK(system_section(4096, &setup.first))) {
        BYTE *bytes = system_map(setup.first, 4096);
        CHECK_OK(ITransfer_Fill(setup.root, setup.first, 4096, 0x5A));
        CHECK(bytes != NULL && bytes[0] == 0x5A && bytes[4095] == 0x5A);
        system_unmap(bytes, 4096);
    }
    transfer_setup_end(&setup);
}

TEST(an_event_is_set_from_there)
{
    struct transfer_setup setup;
    if (transfer_is_border())
        SKIP("events of Windows programs have no descriptors");
    if (transfer_setup_begin(&setup) && CHECK(system_event(&setup.first))) {
        CHECK(!system_event_is_set(setup.first));
        CHECK_OK(ITransfer_Signal(setup.root, setup.first));
        CHECK(system_event_is_set(setup.first));
    }
    transfer_setup_end(&setup);
}

TEST(a_socket_is_passed)
{
    struct transfer_setup setup;
    VIA_HANDLE ends[2];
    if (!system_socket_pair(ends))
        SKIP("Windows has no socket pairs");
    if (transfer_setup_begin(&setup)) {
        BSTR text = transfer_text("hello");
        CHECK_OK(ITransfer_Send(setup.root, ends[0], text));
        CHECK(transfer_holds(ends[1], "hello"));
        SysFreeString(text);
    }
    drop(&ends[0]);
    drop(&ends[1]);
    transfer_setup_end(&setup);
}

TEST(a_one_way_call_takes_one_along)
{
    struct transfer_setup setup;
    if (transfer_is_border())
        SKIP("pipes of Windows programs have no descriptors");
    if (transfer_setup_begin(&setup) &&
        CHECK_OK(ITransfer_MakePipe(setup.root, &setup.first, &setup.second))) {
        BSTR text = transfer_text("posted");
        CHECK_OK(ITransfer_Post(setup.root, setup.second, text));
        drop(&setup.second); /* what is under way is another one */
        CHECK(transfer_holds(setup.first, "posted"));
        CHECK(transfer_holds(setup.first, ""));
        SysFreeString(text);
    }
    transfer_setup_end(&setup);
}

TEST(a_call_back_takes_one_along)
{
    struct transfer_setup setup;
    if (transfer_is_border())
        SKIP("pipes of Windows programs have no descriptors");
    if (transfer_setup_begin(&setup) &&
        CHECK_OK(ITransfer_MakePipe(setup.root, &setup.first, &setup.second))) {
        ITransfer *mine = transfer_new();
        BSTR text = transfer_text("there and back");
        CHECK_OK(ITransfer_Forward(setup.root, mine, setup.second, text));
        CHECK(transfer_holds(setup.first, "there and back"));
        SysFreeString(text);
        ITransfer_Release(mine);
    }
    transfer_setup_end(&setup);
    EVENTUALLY(transfer_count() == 0);
}

/* While the connection moves to shared memory and with payloads of every length, in chunks too. */
TEST(each_stays_with_its_call)
{
    struct transfer_setup setup;
    static BYTE data[300000];
    if (transfer_is_border())
        SKIP("pipes of Windows programs have no descriptors");
    if (transfer_setup_begin(&setup) &&
        CHECK_OK(ITransfer_MakePipe(setup.root, &setup.first, &setup.second))) {
        for (ULONG i = 0; i < 400; i++) {
            ULONG number = 0;
            ULONG size = i % 7 == 0 ? sizeof data / (i % 3 + 1) : i * 11 % 3000;
            for (ULONG at = 0; at < size; at++)
                data[at] = (BYTE)(at + i);
            if (!CHECK_OK(ITransfer_Pass(setup.root, size, data, setup.second, i)))
                break;
            CHECK_EQ(system_read(setup.first, &number, sizeof number), sizeof number);
            CHECK_EQ(number, i);
        }
    }
    transfer_setup_end(&setup);
}

/* A process that lets nobody take handles out of it still takes others'. */
TEST(a_locked_process_gives_none)
{
    struct transfer_setup setup = {.first = VIA_NO_HANDLE, .second = VIA_NO_HANDLE};
    if (os_path_separator != '\\' || transfer_is_border())
        SKIP("handles are descriptors here, which need no such right");
    REQUIRE(transfer_begin());
    if (transfer_start_locked(&setup.peer) && CHECK(system_file(&setup.first))) {
        ITransfer *locked = setup.peer.root;
        CHECK_OK(transfer_write(locked, setup.first, "in"));
        CHECK(system_rewind(setup.first) && transfer_holds(setup.first, "in"));
        CHECK_OK(ITransfer_Keep(locked, setup.first));
        HRESULT hr = ITransfer_GetKept(locked, &setup.second);
        CHECK_HR(hr, VIA_E_NO_HANDLES);
        CHECK_STR_HAS(error_text(hr), "PROCESS_DUP_HANDLE");
        CHECK(setup.second == VIA_NO_HANDLE);
    }
    transfer_setup_end(&setup);
}

/* Whatever was under way, both ways: the harness counts what is left here. */
TEST(nothing_is_left_of_a_dead_peer)
{
    for (int i = 0; i < 3; i++) {
        struct transfer_setup setup;
        struct via_call *calls[8] = {NULL};
        if (transfer_setup_begin(&setup) && CHECK(system_file(&setup.first)) &&
            CHECK_OK(ITransfer_Keep(setup.root, setup.first))) {
            for (size_t j = 0; j < 8; j++)
                CHECK_OK(j % 2 == 0
                             ? ITransfer_WriteLate_begin(setup.root, setup.first, 60000, &calls[j])
                             : ITransfer_GetKept_begin(setup.root, &calls[j]));
            if (i > 0)
                os_sleep_ms(20u * (unsigned)i);
            peer_kill(&setup.peer.peer);
            for (size_t j = 0; j < 8; j++) {
                VIA_HANDLE same = VIA_NO_HANDLE;
                HRESULT hr = j % 2 == 0 ? ITransfer_WriteLate_finish(calls[j], &same)
                                        : ITransfer_GetKept_finish(calls[j], &same);
                CHECK(FAILED(hr) ||
                      j % 2 != 0); /* an answer may have come, with a handle or none */
                CHECK(SUCCEEDED(hr) || same == VIA_NO_HANDLE);
                via_handle_close(same);
                via_call_release(calls[j]);
            }
        }
        transfer_setup_end(&setup);
    }
}

HARNESS_MAIN("handles", TEST_ENTRY(a_file_goes_in), TEST_ENTRY(what_cannot_cross_is_refused),
             TEST_ENTRY(a_pipe_comes_out), TEST_ENTRY(a_pipe_goes_in),
             TEST_ENTRY(what_is_kept_outlives_the_callers),
             TEST_ENTRY(one_that_goes_in_and_out_is_replaced), TEST_ENTRY(none_stays_none),
             TEST_ENTRY(a_failure_leaves_none), TEST_ENTRY(nobody_keeps_what_was_lent),
             TEST_ENTRY(wrong_ones_are_refused), TEST_ENTRY(memory_is_shared),
             TEST_ENTRY(an_event_is_set_from_there), TEST_ENTRY(a_socket_is_passed),
             TEST_ENTRY(a_one_way_call_takes_one_along), TEST_ENTRY(a_call_back_takes_one_along),
             TEST_ENTRY(each_stays_with_its_call), TEST_ENTRY(a_locked_process_gives_none),
             TEST_ENTRY(nothing_is_left_of_a_dead_peer))
