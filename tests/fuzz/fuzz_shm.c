/*
 * The plugin `shm` against a peer that writes anything anywhere, between any two operations of the
 * victim's. The input is a list of steps, four bytes each: what, and three bytes that say how.
 * Accepted: the stream is still whole at the end.
 *
 * The peer has made the memory, so it serves all executions; the victim attaches to it anew.
 */
#include "tests/fuzz/fuzz.h"

#include "plugins/unixsock/stream.h"
#include "tests/fuzz/shm_host.h"
#include "tests/shm/raw_peer.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_STEPS 64u

struct step {
    uint8_t what;
    uint8_t how;
    uint16_t value;
};

enum what {
    SET_CONTROL,
    ADD_CONTROL,
    SEND_BYTES,
    TAKE_BYTES,
    PUNCH,
    SEND_RECORD,
    PEEK,
    CONSUME,
    READ_INTO,
    TAKE_HANDLES,
    RESERVE,
    COMMIT,
    ARM,
    DISARM,
    WAIT,
    INTERRUPT,
    SHUTDOWN,
    N_WHAT
};

struct victim {
    struct via_stream *stream;
    size_t shown;        /* by the last peek, and not consumed */
    size_t room;         /* of the last reserve */
    uint64_t n_consumed; /* bytes */
    bool broken;
};

static struct raw_peer peer;
static uint8_t bulk[80000];

static void on_ready(void *token, uint32_t events)
{
    (void)token;
    (void)events;
}

static void set_up_once(void)
{
    static bool done;
    if (!done &&
        (plugin_lifetime_init(&shm_host) != S_OK || !raw_peer_init(&peer, SEGMENT_MIN_CAPACITY)))
        fuzz_fail("the target cannot be set up");
    done = true;
}

static struct via_stream *attach(void)
{
    struct via_peer_identity self = {
        .size = sizeof self, .flags = VIA_PEER_HAS_UNIX, .uid = geteuid(), .gid = getegid()};
    struct setup setup = raw_peer_setup(&peer);
    struct via_offer offer = {
        .size = sizeof offer, .n_handles = OFFER_N_HANDLES, .n_bytes = sizeof setup};
    struct via_stream *stream;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        fuzz_fail("no socket pair");
    peer.carrier = ends[0];
    offer.handles[SETUP_MEMORY] = dup(peer.memory);
    offer.handles[SETUP_MAKER_EVENT] = dup(peer.events[0]);
    offer.handles[SETUP_OTHER_EVENT] = dup(peer.events[1]);
    offer.handles[OFFER_CARRIER] = ends[1];
    memcpy(offer.bytes, &setup, sizeof setup);
    memset(peer.out, 0, sizeof *peer.out);
    memset(peer.in, 0, sizeof *peer.in);
    if (shm_attach(&self, &offer, &stream) != S_OK)
        fuzz_fail("a good offer is refused");
    shm_set_ready(stream, on_ready, NULL);
    return stream;
}

/* Everything that a span promises must be there. */
static void touch(const uint8_t *span, size_t size)
{
    const volatile uint8_t *at = span;
    for (size_t i = 0; i < size; i += 4096)
        (void)at[i];
    if (size > 0)
        (void)at[size - 1];
}

static void check_result(struct victim *victim, HRESULT hr)
{
    if (FAILED(hr) && hr != VIA_E_PROTOCOL && hr != VIA_E_LIMIT && hr != RPC_E_DISCONNECTED)
        fuzz_fail("a peer has brought about another failure than it may");
    if (FAILED(hr))
        victim->broken = true;
}

/* --- what the peer does --- */

static void spoil(const struct step *step, bool add)
{
    struct ring_control *control = step->how & 1 ? peer.in : peer.out;
    uint64_t value = (uint64_t)step->value << (step->how >> 3 & 31);
    switch (step->how >> 1 & 3) {
    case 0:
        atomic_store(&control->head, add ? atomic_load(&control->head) + step->value : value);
        break;
    case 1:
        atomic_store(&control->tail, add ? atomic_load(&control->tail) - step->value : value);
        break;
    case 2:
        atomic_store(&control->reader_sleep, step->value);
        break;
    default:
        if (add)
            atomic_store(&control->reader_closed, step->value);
        else
            atomic_store(&control->writer_sleep, step->value);
    }
}

static void send_record(const struct step *step)
{
    struct record record = {step->how & 1 ? RECORD_HANDLES : step->how >> 4, step->how & 1,
                            step->value};
    int handles[3] = {peer.events[0], peer.memory, peer.events[1]};
    raw_send(peer.carrier, &record, step->how & 8 ? sizeof record : 1u + (step->value & 15),
             handles, step->how >> 1 & 3);
}

static bool act_as_peer(const struct step *step)
{
    switch (step->what % N_WHAT) {
    case SET_CONTROL:
    case ADD_CONTROL:
        spoil(step, step->what % N_WHAT == ADD_CONTROL);
        return true;
    case SEND_BYTES:
        memset(peer.base, step->how, step->value);
        atomic_store(&peer.out->head, atomic_load(&peer.out->head) + step->value % 8192);
        return true;
    case TAKE_BYTES:
        atomic_store(&peer.in->tail, atomic_load(&peer.in->head));
        return true;
    case PUNCH:
        raw_punch(&peer, (uint64_t)(step->value % 33) * 4096, (step->how + 1u) * 4096);
        return true;
    case SEND_RECORD:
        send_record(step);
        return true;
    default:
        return false;
    }
}

/* --- what the victim does --- */

static void look(struct victim *victim, size_t want)
{
    const uint8_t *span = NULL;
    size_t size = 0;
    HRESULT hr = shm_peek(victim->stream, want, &span, &size);
    check_result(victim, hr);
    if ((hr == S_OK && size < want) || size < victim->shown || size > peer.capacity)
        fuzz_fail(
            "peek shows less than before, or than it was asked for, or more than there can be");
    touch(span, size);
    victim->shown = size;
}

static void read_into(struct victim *victim, size_t want)
{
    size_t n = 0;
    check_result(victim, shm_read_into(victim->stream, bulk, want, &n));
    if (n > want)
        fuzz_fail("read_into gives more than was asked for");
    victim->shown = victim->shown > n ? victim->shown - n : 0;
    victim->n_consumed += n;
}

static void take_handles(struct victim *victim, uint32_t n)
{
    via_os_handle handles[4];
    if (shm_take_handles(victim->stream, handles, n) != S_OK)
        return;
    for (uint32_t i = 0; i < n; i++)
        close((int)handles[i]);
}

static void reserve(struct victim *victim, size_t min)
{
    uint8_t *span = NULL;
    size_t size = 0;
    HRESULT hr = shm_reserve(victim->stream, min, &span, &size);
    check_result(victim, hr);
    victim->room = hr == S_OK ? size : 0;
    if (hr == S_OK && (size < min || size > SHM_OVERFLOW_SIZE))
        fuzz_fail("reserve gives less than was asked for, or more than there can be");
    if (hr == S_OK && size > 0) {
        memset(span, 'v', size < 512 ? size : 512);
        span[size - 1] = 'v';
    }
}

static void commit(struct victim *victim, const struct step *step)
{
    via_os_handle handle = peer.events[0];
    size_t n = step->value < victim->room ? step->value : victim->room;
    check_result(victim, shm_commit(victim->stream, n, &handle, n > 0 && (step->how & 2),
                                    step->how & VIA_COMMIT_FLUSH));
    victim->room = 0;
}

static void act_as_victim(struct victim *victim, const struct step *step)
{
    switch (step->what % N_WHAT) {
    case PEEK:
        look(victim, step->value);
        break;
    case CONSUME: {
        size_t n = step->how & 1 ? victim->shown : step->value % (victim->shown + 1);
        shm_consume(victim->stream, n);
        victim->shown -= n;
        victim->n_consumed += n;
        break;
    }
    case READ_INTO:
        read_into(victim, step->value + 1u);
        break;
    case TAKE_HANDLES:
        take_handles(victim, step->how & 3);
        break;
    case RESERVE:
        reserve(victim, step->value);
        break;
    case COMMIT:
        commit(victim, step);
        break;
    case ARM:
        check_result(victim, shm_arm(victim->stream, step->how & 3));
        break;
    case DISARM:
        shm_disarm(victim->stream, step->how & 3);
        break;
    case WAIT: {
        HRESULT hr = shm_wait(victim->stream, shm_host.now_ns());
        if (hr != S_OK && hr != VIA_S_INTERRUPTED && hr != RPC_E_TIMEOUT)
            fuzz_fail("wait says something that it may not");
        break;
    }
    case INTERRUPT:
        shm_interrupt(victim->stream);
        break;
    default:
        if (step->how == 0)
            shm_shutdown(victim->stream);
        else
            shm_park(victim->stream);
    }
    shm_host_run_posts();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct victim victim = {0};
    set_up_once();
    victim.stream = attach();
    for (size_t i = 0; i < MAX_STEPS && (i + 1) * sizeof(struct step) <= size; i++) {
        struct step step;
        memcpy(&step, data + i * sizeof step, sizeof step);
        if (!act_as_peer(&step))
            act_as_victim(&victim, &step);
    }
    look(&victim, 0);
    fuzz_accepted = !victim.broken && victim.n_consumed > 0;
    shm_close(victim.stream);
    shm_host_run_posts();
    close(peer.carrier);
    peer.carrier = -1;
    return 0;
}

/* --- corpus --- */

static void write_steps(const char *directory, const char *name, const struct step *steps, size_t n)
{
    fuzz_write_file(directory, name, steps, n * sizeof *steps);
}

#define WRITE_STEPS(directory, name, steps) \
    write_steps(directory, name, steps, sizeof(steps) / sizeof((steps)[0]))

void fuzz_write_corpus(const char *directory)
{
    static const struct step receive[] = {
        {SEND_BYTES, 7, 100}, {PEEK, 0, 16},    {CONSUME, 1, 0},       {PEEK, 0, 16},
        {ARM, 1, 0},          {WAIT, 0, 0},     {SEND_BYTES, 8, 5000}, {READ_INTO, 0, 200},
        {DISARM, 1, 0},       {PEEK, 0, 4000},  {CONSUME, 0, 1234},    {INTERRUPT, 0, 0},
        {WAIT, 0, 0},         {SHUTDOWN, 1, 0},
    };
    static const struct step send[] = {
        {SEND_BYTES, 1, 64}, {PEEK, 0, 1},       {CONSUME, 1, 0},    {RESERVE, 0, 65000},
        {COMMIT, 1, 65000},  {RESERVE, 0, 4000}, {COMMIT, 1, 4000},  {RESERVE, 0, 60000},
        {COMMIT, 0, 60000},  {ARM, 2, 0},        {TAKE_BYTES, 0, 0}, {COMMIT, 1, 0},
        {TAKE_BYTES, 0, 0},  {COMMIT, 1, 0},     {RESERVE, 0, 8},    {COMMIT, 3, 8},
    };
    static const struct step handles[] = {
        {SEND_RECORD, 0x1b, 0},  {SEND_BYTES, 2, 32}, {PEEK, 0, 32},          {TAKE_HANDLES, 1, 0},
        {TAKE_HANDLES, 1, 0},    {CONSUME, 1, 0},     {SEND_RECORD, 0x18, 0}, {ARM, 3, 0},
        {SEND_RECORD, 0x1b, 32}, {SEND_BYTES, 2, 32}, {READ_INTO, 0, 100},
    };
    static const struct step holes[] = {
        {SEND_BYTES, 9, 8000}, {PEEK, 0, 8000}, {PUNCH, 3, 0},     {CONSUME, 1, 0},
        {PUNCH, 15, 16},       {RESERVE, 0, 9}, {COMMIT, 1, 9},    {PUNCH, 31, 0},
        {SEND_BYTES, 9, 100},  {PEEK, 0, 100},  {READ_INTO, 0, 7},
    };
    static const struct step lies[] = {
        {SEND_BYTES, 9, 800},        {PEEK, 0, 80},      {CONSUME, 1, 0},
        {SET_CONTROL, 0xf8, 0xffff}, {PEEK, 0, 1},       {SET_CONTROL, 3, 99},
        {RESERVE, 0, 65000},         {COMMIT, 1, 65000}, {RESERVE, 0, 65000},
        {ADD_CONTROL, 2, 1},         {RESERVE, 0, 1},    {ADD_CONTROL, 7, 1},
    };
    WRITE_STEPS(directory, "receive", receive);
    WRITE_STEPS(directory, "send", send);
    WRITE_STEPS(directory, "handles", handles);
    WRITE_STEPS(directory, "holes", holes);
    WRITE_STEPS(directory, "lies", lies);
}
