/*
 * Streams as arguments, both ways: any amount in constant memory, errors in the middle, who waits
 * for whom, and what IStream promises besides.
 */
#include "tests/harness/harness.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/os/thread.h"
#include "tests/transfer/fixture.h"
#include "tests/transfer/pattern.h"
#include "tests/transfer/system.h"

#define MIB ((LONGLONG)1 << 20)

/* What may be there more than before: threads' stacks, buffers, shared memory that was touched. */
#define SLACK (64 * MIB)

/* Twice what may be there more; slow builds move less. */
static LONGLONG much(void)
{
    return harness_time_factor() > 1 ? SLACK + 16 * MIB : 2 * SLACK;
}

static LONGLONG peer_memory(ITransfer *object)
{
    LONGLONG size = 0;
    CHECK_OK(ITransfer_GetMemoryInUse(object, &size));
    return size;
}

static void check_memory(ITransfer *object, LONGLONG here, LONGLONG there)
{
    CHECK(system_memory_in_use() < here + SLACK);
    CHECK(peer_memory(object) < there + SLACK);
}

TEST(any_amount_is_read_in_constant_memory)
{
    struct transfer_peer peer;
    ISequentialStream *stream = NULL;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) &&
        CHECK_OK(ITransfer_MakePattern(peer.root, much() + 12345, -1, &stream))) {
        BYTE *bytes = malloc(MIB);
        LONGLONG here = system_memory_in_use();
        LONGLONG there = peer_memory(peer.root);
        LONGLONG done = 0;
        HRESULT hr = S_OK;
        while (hr == S_OK) {
            ULONG n = 0;
            hr = ISequentialStream_Read(stream, bytes, MIB, &n);
            if (!CHECK(pattern_is(bytes, done, n)))
                break;
            done += n;
        }
        CHECK_HR(hr, S_FALSE);
        CHECK_EQ(done, much() + 12345);
        check_memory(peer.root, here, there);
        ISequentialStream_Release(stream);
        free(bytes);
    }
    transfer_stop(&peer);
    transfer_end();
}

TEST(any_amount_is_written_in_constant_memory)
{
    struct transfer_peer peer;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer)) {
        ISequentialStream *sink = pattern_new(0, -1);
        LONGLONG here = system_memory_in_use();
        LONGLONG there = peer_memory(peer.root);
        CHECK_OK(via_proxy_set_deadline((IUnknown *)peer.root, 600000));
        CHECK_OK(ITransfer_Generate(peer.root, sink, much() + 777, 3 * MIB + 5));
        CHECK_EQ(pattern_position(sink), much() + 777);
        check_memory(peer.root, here, there);
        ISequentialStream_Release(sink);
    }
    transfer_stop(&peer);
    EVENTUALLY(pattern_count() == 0);
    transfer_end();
}

/* The same two from the other end of the data: this process gives it. */
TEST(any_amount_is_read_there_in_constant_memory)
{
    struct transfer_peer peer;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer)) {
        ISequentialStream *source = pattern_new(much() + 4321, -1);
        LONGLONG here = system_memory_in_use();
        LONGLONG there = peer_memory(peer.root);
        LONGLONG size = 0;
        CHECK_OK(via_proxy_set_deadline((IUnknown *)peer.root, 600000));
        CHECK_OK(ITransfer_Consume(peer.root, source, 3 * MIB + 5, &size));
        CHECK_EQ(size, much() + 4321);
        check_memory(peer.root, here, there);
        ISequentialStream_Release(source);
    }
    transfer_stop(&peer);
    EVENTUALLY(pattern_count() == 0);
    transfer_end();
}

/* Writes a pattern's bytes; how many were taken. */
static LONGLONG write_pattern(ISequentialStream *to, LONGLONG size, HRESULT *hr)
{
    BYTE *bytes = malloc(2 * MIB);
    LONGLONG done = 0;
    *hr = S_OK;
    while (SUCCEEDED(*hr) && done < size) {
        ULONG n = size - done < 2 * MIB ? (ULONG)(size - done) : (ULONG)(2 * MIB);
        pattern_fill(bytes, done, n);
        *hr = ISequentialStream_Write(to, bytes, n, &n);
        done += n;
    }
    free(bytes);
    return done;
}

static LONGLONG position_there(ITransfer *object, ISequentialStream *made)
{
    LONGLONG position = -1;
    CHECK_OK(ITransfer_GetPosition(object, made, &position));
    return position;
}

TEST(any_amount_is_written_from_here_in_constant_memory)
{
    struct transfer_peer peer;
    ISequentialStream *sink = NULL;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK_OK(ITransfer_MakePattern(peer.root, 0, -1, &sink))) {
        LONGLONG here = system_memory_in_use();
        LONGLONG there = peer_memory(peer.root);
        HRESULT hr;
        CHECK_EQ(write_pattern(sink, much() + 99, &hr), much() + 99);
        CHECK_OK(hr);
        CHECK_EQ(position_there(peer.root, sink), much() + 99);
        check_memory(peer.root, here, there);
        ISequentialStream_Release(sink);
    }
    transfer_stop(&peer);
    transfer_end();
}

TEST(an_error_in_the_middle_arrives)
{
    struct transfer_peer peer;
    ISequentialStream *stream = NULL;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) &&
        CHECK_OK(ITransfer_MakePattern(peer.root, 10 * MIB, 3 * MIB, &stream))) {
        BYTE *bytes = malloc(8 * MIB);
        ULONG n = 0;
        CHECK_HR(ISequentialStream_Read(stream, bytes, 8 * MIB, &n), STG_E_READFAULT);
        CHECK_EQ(n, 3 * MIB);
        CHECK(pattern_is(bytes, 0, n));
        ISequentialStream_Release(stream);
        free(bytes);
        ISequentialStream *sink = pattern_new(0, 2 * MIB);
        CHECK_HR(ITransfer_Generate(peer.root, sink, 10 * MIB, MIB), STG_E_WRITEFAULT);
        CHECK_EQ(pattern_position(sink), 2 * MIB);
        ISequentialStream_Release(sink);
    }
    transfer_stop(&peer);
    EVENTUALLY(pattern_count() == 0);
    transfer_end();
}

struct generation {
    ITransfer *object;
    ISequentialStream *sink;
    HRESULT hr;
};

static void generate(void *argument)
{
    struct generation *self = argument;
    self->hr = ITransfer_Generate(self->object, self->sink, 20 * MIB, MIB);
}

TEST(a_slow_reader_stalls_its_writer_alone)
{
    struct transfer_peer peer;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer)) {
        struct generation slow = {peer.root, pattern_new(0, -1), E_UNEXPECTED};
        struct os_thread *thread;
        CHECK_OK(via_proxy_set_deadline((IUnknown *)peer.root, 600000));
        pattern_set_gate(slow.sink, false);
        REQUIRE_OK(os_thread_start(generate, &slow, "slow", &thread));
        os_sleep_ms(100);
        for (int i = 0; i < 200; i++)
            CHECK(peer_memory(peer.root) > 0);
        ISequentialStream *quick = pattern_new(0, -1);
        CHECK_EQ(pattern_position(slow.sink), 0);
        CHECK_OK(ITransfer_Generate(peer.root, quick, 5 * MIB, MIB));
        CHECK_EQ(pattern_position(quick), 5 * MIB);
        CHECK_EQ(pattern_position(slow.sink), 0);
        pattern_set_gate(slow.sink, true);
        os_thread_join(thread);
        CHECK_OK(slow.hr);
        CHECK_EQ(pattern_position(slow.sink), 20 * MIB);
        ISequentialStream_Release(quick);
        ISequentialStream_Release(slow.sink);
    }
    transfer_stop(&peer);
    EVENTUALLY(pattern_count() == 0);
    transfer_end();
}

struct writing {
    ISequentialStream *sink;
    _Atomic LONGLONG n; /* that were taken; -1 before */
    HRESULT hr;
};

static void write_all(void *argument)
{
    struct writing *self = argument;
    atomic_store(&self->n, write_pattern(self->sink, 20 * MIB, &self->hr));
}

TEST(a_slow_reader_there_stalls_its_writer_here_alone)
{
    struct transfer_peer peer;
    struct writing slow = {.n = -1, .hr = E_UNEXPECTED};
    ISequentialStream *quick = NULL;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK_OK(ITransfer_MakePattern(peer.root, 0, -1, &slow.sink)) &&
        CHECK_OK(ITransfer_MakePattern(peer.root, 0, -1, &quick))) {
        struct os_thread *thread;
        HRESULT hr;
        CHECK_OK(ITransfer_SetGate(peer.root, slow.sink, VARIANT_FALSE));
        REQUIRE_OK(os_thread_start(write_all, &slow, "slow", &thread));
        os_sleep_ms(100);
        CHECK_EQ(write_pattern(quick, 5 * MIB, &hr), 5 * MIB);
        CHECK_OK(hr);
        CHECK_EQ(position_there(peer.root, quick), 5 * MIB);
        CHECK_EQ(position_there(peer.root, slow.sink), 0);
        CHECK_EQ(atomic_load(&slow.n), -1);
        CHECK_OK(ITransfer_SetGate(peer.root, slow.sink, VARIANT_TRUE));
        os_thread_join(thread);
        CHECK_OK(slow.hr);
        CHECK_EQ(slow.n, 20 * MIB);
        CHECK_EQ(position_there(peer.root, slow.sink), 20 * MIB);
        ISequentialStream_Release(quick);
        ISequentialStream_Release(slow.sink);
    }
    transfer_stop(&peer);
    transfer_end();
}

static LARGE_INTEGER by(LONGLONG n)
{
    LARGE_INTEGER move;
    move.QuadPart = n;
    return move;
}

static ULARGE_INTEGER up_to(ULONGLONG n)
{
    ULARGE_INTEGER size;
    size.QuadPart = n;
    return size;
}

static ULONGLONG size_of(IStream *stream)
{
    STATSTG status = {0};
    CHECK_OK(IStream_Stat(stream, &status, STATFLAG_NONAME));
    CHECK_EQ(status.type, STGTY_STREAM);
    CHECK_NULL(status.pwcsName);
    return status.cbSize.QuadPart;
}

/* What a stream over memory does, whichever process it is in. */
static void check_memory_stream(IStream *stream)
{
    BYTE bytes[2000];
    ULONG n = 0;
    ULARGE_INTEGER position = up_to(0);
    IStream *clone = NULL;
    CHECK_EQ(size_of(stream), 1000);
    CHECK_OK(IStream_Read(stream, bytes, 400, NULL));
    CHECK(pattern_is(bytes, 0, 400));
    CHECK_HR(IStream_Read(stream, bytes, sizeof bytes, &n), S_FALSE);
    CHECK_EQ(n, 600);
    CHECK(pattern_is(bytes, 400, n));
    CHECK_HR(IStream_Read(stream, bytes, 1, &n), S_FALSE);
    CHECK_EQ(n, 0);
    CHECK_OK(IStream_Read(stream, bytes, 0, &n));
    CHECK_OK(IStream_Seek(stream, by(-10), STREAM_SEEK_END, &position));
    CHECK_EQ(position.QuadPart, 990);
    CHECK_OK(IStream_Clone(stream, &clone));
    CHECK_OK(IStream_Seek(stream, by(5), STREAM_SEEK_CUR, NULL));
    CHECK_OK(IStream_Write(stream, "abcdefghij", 10, &n));
    CHECK_EQ(n, 10);
    CHECK_EQ(size_of(stream), 1005);
    CHECK_HR(IStream_Read(clone, bytes, 100, &n), S_FALSE);
    CHECK_EQ(n, 15);
    CHECK_EQ(memcmp(bytes + 5, "abcdefghij", 10), 0);
    CHECK_HR(IStream_Seek(stream, by(-1), STREAM_SEEK_SET, NULL), STG_E_INVALIDFUNCTION);
    CHECK_OK(IStream_SetSize(clone, up_to(3)));
    CHECK_EQ(size_of(stream), 3);
    CHECK_OK(IStream_Commit(stream, STGC_DEFAULT));
    CHECK_OK(IStream_Revert(stream));
    CHECK_HR(IStream_LockRegion(stream, up_to(0), up_to(1), LOCK_WRITE), STG_E_INVALIDFUNCTION);
    IStream_Release(clone);
}

TEST(a_stream_over_memory_does_what_streams_do)
{
    struct transfer_peer peer;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer)) {
        BYTE bytes[1000];
        IStream *stream = NULL;
        pattern_fill(bytes, 0, sizeof bytes);
        CHECK_OK(via_stream_on_memory(bytes, sizeof bytes, &stream));
        check_memory_stream(stream);
        IStream_Release(stream);
        CHECK_OK(ITransfer_MakeMemory(peer.root, 1000, &stream));
        check_memory_stream(stream);
        IStream_Release(stream);
    }
    transfer_stop(&peer);
    transfer_end();
}

static void check_copy(IStream *from, IStream *to, ULONG size)
{
    ULARGE_INTEGER n_read = up_to(0);
    ULARGE_INTEGER n_written = up_to(0);
    BYTE *bytes = malloc(size + 1);
    ULONG n = 0;
    CHECK_OK(IStream_CopyTo(from, to, up_to(UINT64_MAX), &n_read, &n_written));
    CHECK_EQ(n_read.QuadPart, size);
    CHECK_EQ(n_written.QuadPart, size);
    CHECK_OK(IStream_Seek(to, by(0), STREAM_SEEK_SET, NULL));
    CHECK_HR(IStream_Read(to, bytes, size + 1, &n), S_FALSE);
    CHECK_EQ(n, size);
    CHECK(pattern_is(bytes, 0, size));
    CHECK_OK(IStream_Seek(from, by(0), STREAM_SEEK_SET, NULL));
    CHECK_OK(IStream_SetSize(to, up_to(0)));
    CHECK_OK(IStream_Seek(to, by(0), STREAM_SEEK_SET, NULL));
    free(bytes);
}

TEST(a_copy_runs_where_the_streams_are)
{
    struct transfer_peer peer;
    IStream *there = NULL;
    IStream *also_there = NULL;
    IStream *here = NULL;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) && CHECK_OK(ITransfer_MakeMemory(peer.root, 700001, &there)) &&
        CHECK_OK(ITransfer_MakeMemory(peer.root, 0, &also_there)) &&
        CHECK_OK(via_stream_on_memory(NULL, 0, &here))) {
        check_copy(there, also_there, 700001);
        check_copy(there, here, 700001);
        CHECK_OK(IStream_CopyTo(there, here, up_to(500000), NULL, NULL));
        CHECK_OK(IStream_Seek(here, by(0), STREAM_SEEK_SET, NULL));
        check_copy(here, also_there, 500000);
        IStream_Release(here);
        IStream_Release(also_there);
        IStream_Release(there);
    }
    transfer_stop(&peer);
    transfer_end();
}

TEST(a_stream_over_a_file_does_what_streams_do)
{
    VIA_HANDLE file = VIA_NO_HANDLE;
    BYTE bytes[1000];
    IStream *stream = NULL;
    REQUIRE(transfer_begin());
    pattern_fill(bytes, 0, sizeof bytes);
    if (CHECK(system_file(&file)) &&
        CHECK_EQ(system_write(file, bytes, sizeof bytes), sizeof bytes) &&
        CHECK(system_rewind(file)) && CHECK_OK(via_stream_on_handle(file, &stream))) {
        check_memory_stream(stream);
        IStream_Release(stream);
    }
    transfer_end();
}

TEST(a_stream_over_a_pipe_gives_what_there_is)
{
    VIA_HANDLE reader = VIA_NO_HANDLE;
    VIA_HANDLE writer = VIA_NO_HANDLE;
    IStream *in = NULL;
    IStream *out = NULL;
    char bytes[100];
    ULONG n = 0;
    REQUIRE(transfer_begin());
    REQUIRE(system_pipe(&reader, &writer));
    CHECK_OK(via_stream_on_handle(reader, &in));
    CHECK_OK(via_stream_on_handle(writer, &out));
    CHECK_OK(IStream_Write(out, "some", 4, NULL));
    CHECK_OK(IStream_Read(in, bytes, sizeof bytes, &n));
    CHECK_EQ(n, 4);
    CHECK_HR(IStream_Seek(in, by(0), STREAM_SEEK_SET, NULL), STG_E_INVALIDFUNCTION);
    IStream_Release(out);
    CHECK_HR(IStream_Read(in, bytes, sizeof bytes, &n), S_FALSE);
    CHECK_EQ(n, 0);
    IStream_Release(in);
    transfer_end();
}

TEST(a_dead_process_ends_a_stream)
{
    struct transfer_peer peer;
    ISequentialStream *stream = NULL;
    REQUIRE(transfer_begin());
    if (transfer_start(&peer) &&
        CHECK_OK(ITransfer_MakePattern(peer.root, 100 * MIB, -1, &stream))) {
        BYTE bytes[4096];
        ULONG n = 0;
        CHECK_OK(ISequentialStream_Read(stream, bytes, sizeof bytes, &n));
        peer_kill(&peer.peer);
        CHECK_HR(ISequentialStream_Read(stream, bytes, sizeof bytes, &n), RPC_E_DISCONNECTED);
        CHECK_EQ(n, 0);
        ISequentialStream_Release(stream);
    }
    transfer_stop(&peer);
    transfer_end();
}

HARNESS_MAIN("streams", TEST_ENTRY_LIMIT(any_amount_is_read_in_constant_memory, 120000),
             TEST_ENTRY_LIMIT(any_amount_is_written_in_constant_memory, 120000),
             TEST_ENTRY_LIMIT(any_amount_is_read_there_in_constant_memory, 120000),
             TEST_ENTRY_LIMIT(any_amount_is_written_from_here_in_constant_memory, 120000),
             TEST_ENTRY(an_error_in_the_middle_arrives),
             TEST_ENTRY(a_slow_reader_stalls_its_writer_alone),
             TEST_ENTRY(a_slow_reader_there_stalls_its_writer_here_alone),
             TEST_ENTRY(a_stream_over_memory_does_what_streams_do),
             TEST_ENTRY(a_copy_runs_where_the_streams_are),
             TEST_ENTRY(a_stream_over_a_file_does_what_streams_do),
             TEST_ENTRY(a_stream_over_a_pipe_gives_what_there_is),
             TEST_ENTRY(a_dead_process_ends_a_stream))
