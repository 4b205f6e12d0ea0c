/*
 * OS handles in asynchronous calls: begun while the caller closes its own, finished more than once,
 * given up, made on an object that is still to come, and on one of the own process. The harness
 * counts what is left.
 */
#include "tests/harness/harness.h"

#include <string.h>
#include <viaduct/async.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "tests/transfer/fixture.h"
#include "tests/transfer/system.h"

static bool begins_with(VIA_HANDLE file, const char *expected)
{
    return system_rewind(file) && transfer_holds(file, expected);
}

TEST(what_was_begun_has_its_own)
{
    struct transfer_setup setup;
    if (transfer_setup_begin(&setup) && CHECK(system_file(&setup.first)) &&
        CHECK_OK(via_handle_duplicate(setup.first, &setup.second))) {
        struct via_call *call = NULL;
        VIA_HANDLE same = VIA_NO_HANDLE;
        CHECK_OK(ITransfer_WriteLate_begin(setup.root, setup.first, 50, &call));
        via_handle_close(setup.first);
        setup.first = VIA_NO_HANDLE;
        CHECK_OK(ITransfer_WriteLate_finish(call, &same));
        CHECK(begins_with(same, "late"));
        CHECK(begins_with(setup.second, "late"));
        via_handle_close(same);
        via_call_release(call);
    }
    transfer_setup_end(&setup);
}

TEST(each_finish_gives_another_one)
{
    struct transfer_setup setup;
    if (transfer_setup_begin(&setup) && CHECK(system_file(&setup.first))) {
        struct via_call *call = NULL;
        CHECK_EQ(system_write(setup.first, "same", 4), 4);
        CHECK_OK(ITransfer_Keep(setup.root, setup.first));
        CHECK_OK(ITransfer_GetKept_begin(setup.root, &call));
        for (int i = 0; i < 3; i++) {
            VIA_HANDLE kept = VIA_NO_HANDLE;
            CHECK_OK(ITransfer_GetKept_finish(call, &kept));
            CHECK(begins_with(kept, "same"));
            via_handle_close(kept);
        }
        via_call_release(call);
    }
    transfer_setup_end(&setup);
}

TEST(what_nobody_finishes_is_closed)
{
    struct transfer_setup setup;
    if (transfer_setup_begin(&setup) && CHECK(system_file(&setup.first))) {
        struct via_call *call = NULL;
        LONG before = -1;
        LONG now = -1;
        CHECK_OK(ITransfer_Keep(setup.root, setup.first));
        CHECK_OK(ITransfer_CountHandles(setup.root, &before));
        for (int i = 0; i < 40; i++) {
            CHECK_OK(ITransfer_GetKept_begin(setup.root, &call));
            if (i % 2 == 0)
                CHECK_OK(via_call_wait(call, VIA_NO_DEADLINE));
            via_call_release(call);
            CHECK_OK(ITransfer_WriteLate_begin(setup.root, setup.first, 1, &call));
            via_call_cancel(call);
            via_call_release(call);
        }
        EVENTUALLY(SUCCEEDED(ITransfer_CountHandles(setup.root, &now)) && now <= before + 8);
    }
    transfer_setup_end(&setup);
}

TEST(a_failure_at_begin_begins_nothing)
{
    struct transfer_setup setup;
    if (transfer_setup_begin(&setup) && CHECK(system_file(&setup.first))) {
        struct via_call *call = NULL;
        CHECK_HR(ITransfer_Signal_begin(setup.root, setup.first, &call), E_HANDLE);
        CHECK_STR_HAS(error_text(E_HANDLE), "ITransfer.Signal: argument event");
        CHECK_NULL(call);
        CHECK_OK(ITransfer_Fail_begin(setup.root, &call));
        CHECK_HR(ITransfer_Fail_finish(call, &setup.second), E_ABORT);
        CHECK(setup.second == VIA_NO_HANDLE);
        via_call_release(call);
    }
    transfer_setup_end(&setup);
}

/* The promise is looked for among the results before they are finished, and takes none of them. */
TEST(goes_to_an_object_that_is_still_to_come)
{
    struct transfer_setup setup;
    if (transfer_setup_begin(&setup) && CHECK(system_file(&setup.first))) {
        struct via_call *call = NULL;
        struct via_call *second = NULL;
        ITransfer *promised = NULL;
        ITransfer *adopter = NULL;
        CHECK_OK(ITransfer_Adopt_begin(setup.root, setup.first, &call));
        CHECK_OK(via_call_object(call, 0, &IID_ITransfer, (void **)&promised));
        CHECK_OK(transfer_write(promised, setup.first, "first"));
        CHECK_OK(ITransfer_GetKept_begin(promised, &second));
        CHECK_OK(ITransfer_GetKept_finish(second, &setup.second));
        CHECK(begins_with(setup.second, "first"));
        via_handle_close(setup.second);
        CHECK_OK(ITransfer_Adopt_finish(call, &setup.second, &adopter));
        CHECK(begins_with(setup.second, "first"));
        ITransfer_Release(adopter);
        ITransfer_Release(promised);
        via_call_release(second);
        via_call_release(call);
    }
    transfer_setup_end(&setup);
}

/* Where GetBar gives an object of this process, what was begun on it is made here. */
TEST(goes_to_an_object_of_the_own_process)
{
    struct transfer_setup setup;
    ITransfer *mine = NULL;
    if (transfer_setup_begin(&setup) && CHECK(system_file(&setup.first)) &&
        CHECK_NOT_NULL(mine = transfer_new())) {
        struct via_call *call = NULL;
        CHECK_OK(ITransfer_Keep(mine, setup.first));
        CHECK_OK(ITransfer_WriteLate_begin(mine, setup.first, 0, &call));
        for (int i = 0; i < 2; i++) {
            VIA_HANDLE same = VIA_NO_HANDLE;
            CHECK_OK(ITransfer_WriteLate_finish(call, &same));
            CHECK(begins_with(same, "late"));
            via_handle_close(same);
        }
        via_call_release(call);
        CHECK_HR(ITransfer_Signal_begin(mine, setup.first, &call), E_HANDLE);
        CHECK_STR_HAS(error_text(E_HANDLE), "is no event");
    }
    if (mine != NULL)
        ITransfer_Release(mine);
    transfer_setup_end(&setup);
}

/* An object of ours that comes back as a promise: the call is made again, with its handle. */
TEST(goes_to_an_object_that_comes_home)
{
    struct transfer_setup setup;
    ITransfer *mine = NULL;
    if (transfer_setup_begin(&setup) && CHECK(system_file(&setup.first)) &&
        CHECK_NOT_NULL(mine = transfer_new())) {
        struct via_call *call = NULL;
        struct via_call *write = NULL;
        ITransfer *promised = NULL;
        CHECK_OK(ITransfer_Echo_begin(setup.root, mine, &call));
        CHECK_OK(via_call_object(call, 0, &IID_ITransfer, (void **)&promised));
        CHECK_OK(ITransfer_WriteLate_begin(promised, setup.first, 0, &write));
        CHECK_OK(ITransfer_WriteLate_finish(write, &setup.second));
        CHECK(begins_with(setup.second, "late"));
        ITransfer_Release(promised);
        via_call_release(write);
        via_call_release(call);
    }
    if (mine != NULL)
        ITransfer_Release(mine);
    transfer_setup_end(&setup);
}

HARNESS_MAIN("handles_async", TEST_ENTRY(what_was_begun_has_its_own),
             TEST_ENTRY(each_finish_gives_another_one), TEST_ENTRY(what_nobody_finishes_is_closed),
             TEST_ENTRY(a_failure_at_begin_begins_nothing),
             TEST_ENTRY(goes_to_an_object_that_is_still_to_come),
             TEST_ENTRY(goes_to_an_object_of_the_own_process),
             TEST_ENTRY(goes_to_an_object_that_comes_home))
