/*
 * Conformance: a wait ends when it should, and not before.
 */
#include "core/plugin/conformance_parts.h"

/* A thread that waits on a stream once. */
struct waiting {
    struct conformance *c;
    struct conformance_end *end;
    uint64_t deadline_ns;
    _Atomic bool entered;
    HRESULT result;
    uint64_t ended_ns;
};

static void wait_once(void *argument)
{
    struct waiting *w = argument;
    w->entered = true;
    w->result = end_wait(w->end, w->deadline_ns);
    w->ended_ns = conformance_now(w->c);
}

/* Starts the wait and gives it time to fall asleep. */
static bool start_waiting(struct conformance *c, struct waiting *w, struct os_thread **thread)
{
    w->c = c;
    w->entered = false;
    if (!CONF_RESULT(c, os_thread_start(wait_once, w, "conformance", thread), S_OK))
        return false;
    while (!w->entered)
        conformance_sleep(CONFORMANCE_MS);
    conformance_sleep(20 * CONFORMANCE_MS);
    return true;
}

static void test_wait_sees_bytes(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    struct waiting w = {.end = &pair.server, .deadline_ns = conformance_deadline(c)};
    struct os_thread *thread;
    if (start_waiting(c, &w, &thread)) {
        conformance_send(c, &pair.client, 20, 0, 50);
        os_thread_join(thread);
        if (conformance_result(c, w.result, S_OK, "wait while bytes arrive"))
            conformance_receive(c, &pair.server, 20, 0, 50);
    }
    conformance_close(c, &pair);
}

static void test_wait_with_bytes_there(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    const uint8_t *span;
    size_t size;
    if (conformance_send(c, &pair.client, 21, 0, 50) &&
        CONF_RESULT(c, end_wait(&pair.server, conformance_deadline(c)), S_OK) &&
        CONF_RESULT(c, end_peek(&pair.server, 1, &span, &size), S_OK))
        conformance_receive(c, &pair.server, 21, 0, 50);
    conformance_close(c, &pair);
}

static void test_wait_is_for_more(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    const uint8_t *span;
    size_t size;
    uint64_t deadline = conformance_deadline(c);
    if (conformance_send(c, &pair.client, 22, 0, 10)) {
        do
            end_peek(&pair.server, 11, &span, &size);
        while (size < 10 && conformance_now(c) < deadline);
        conformance_result(c, end_wait(&pair.server, conformance_now(c) + 30 * CONFORMANCE_MS),
                           RPC_E_TIMEOUT, "wait for more than the 10 bytes that were seen");
        conformance_receive(c, &pair.server, 22, 0, 10);
    }
    conformance_close(c, &pair);
}

/* How late a wait may end; with the way to a peer that does the waiting, and is not always run at
 * once. */
#define LATE_NS      (20 * CONFORMANCE_MS)
#define LATE_PEER_NS (200 * CONFORMANCE_MS)
/* Turns at least, and at most where each was late. */
#define MIN_TURNS 3
#define MAX_TURNS 20

static void test_wait_deadline(struct conformance *c)
{
    uint64_t most_late = c->server == c->local ? LATE_NS : LATE_PEER_NS;
    static const unsigned times_ms[] = {0, 1, 5, 30, 120};
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    for (size_t i = 0; i < sizeof times_ms / sizeof times_ms[0] && !c->failed; i++) {
        uint64_t least_late = UINT64_MAX;
        int turn = 0;
        /* Late is judged by the best turn: the machine may be busy, the transport may not be
         * late. */
        for (; turn < MIN_TURNS || (turn < MAX_TURNS && least_late >= most_late); turn++) {
            if (c->failed)
                break;
            uint64_t deadline = conformance_now(c) + times_ms[i] * CONFORMANCE_MS;
            conformance_result(c, end_wait(&pair.server, deadline), RPC_E_TIMEOUT,
                               "wait with nothing to come");
            uint64_t now = conformance_now(c);
            CONF_CHECK(c, now >= deadline, "a wait of %u ms ended %llu us early", times_ms[i],
                       (unsigned long long)((deadline - now) / 1000));
            if (now >= deadline && now - deadline < least_late)
                least_late = now - deadline;
        }
        CONF_CHECK(c, c->failed || least_late < most_late,
                   "a wait of %u ms ended %llu us late, the best of %d", times_ms[i],
                   (unsigned long long)(least_late / 1000), turn);
    }
    conformance_close(c, &pair);
}

static void test_wait_ends_when_peer_closes(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    struct waiting w = {.end = &pair.server, .deadline_ns = conformance_deadline(c)};
    struct os_thread *thread;
    const uint8_t *span;
    size_t size;
    if (start_waiting(c, &w, &thread)) {
        end_close(&pair.client);
        os_thread_join(thread);
        conformance_result(c, w.result, S_OK, "wait while the peer closes");
        CONF_RESULT(c, end_peek(&pair.server, 1, &span, &size), RPC_E_DISCONNECTED);
    }
    conformance_close(c, &pair);
}

static void test_wait_ends_when_shut_down(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    struct waiting w = {.end = &pair.server, .deadline_ns = conformance_deadline(c)};
    struct os_thread *thread;
    if (start_waiting(c, &w, &thread)) {
        end_shutdown(&pair.server);
        os_thread_join(thread);
        conformance_result(c, w.result, S_OK, "wait while this side shuts down");
    }
    conformance_close(c, &pair);
}

static void test_interrupt_running_wait(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    for (int turn = 0; turn < 5 && !c->failed; turn++) {
        struct waiting w = {.end = &pair.server, .deadline_ns = conformance_deadline(c)};
        struct os_thread *thread;
        if (!start_waiting(c, &w, &thread))
            break;
        uint64_t start = conformance_now(c);
        end_interrupt(&pair.server);
        os_thread_join(thread);
        conformance_result(c, w.result, VIA_S_INTERRUPTED, "wait that is interrupted");
        CONF_CHECK(c, c->failed || w.ended_ns - start < 2000 * CONFORMANCE_MS,
                   "an interrupted wait took %llu ms to end",
                   (unsigned long long)((w.ended_ns - start) / CONFORMANCE_MS));
    }
    if (!c->failed && conformance_send(c, &pair.client, 23, 0, 10))
        conformance_receive(c, &pair.server, 23, 0, 10);
    conformance_close(c, &pair);
}

static void test_interrupt_next_wait(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    end_interrupt(&pair.server);
    end_interrupt(&pair.server);
    conformance_result(c, end_wait(&pair.server, conformance_now(c) + 500 * CONFORMANCE_MS),
                       VIA_S_INTERRUPTED, "the wait after an interrupt");
    conformance_result(c, end_wait(&pair.server, conformance_now(c) + 20 * CONFORMANCE_MS),
                       RPC_E_TIMEOUT, "the second wait after an interrupt");
    conformance_close(c, &pair);
}

/* One thread waits over and over while another interrupts: none may be lost, none may hang. */
struct contest {
    struct conformance *c;
    struct conformance_end *end;
    _Atomic bool over;
    _Atomic uint32_t n_interrupted;
    HRESULT last;
};

static void wait_often(void *argument)
{
    struct contest *contest = argument;
    struct conformance *c = contest->c;
    while (!contest->over) {
        contest->last = end_wait(contest->end, conformance_deadline(c));
        if (contest->last == VIA_S_INTERRUPTED)
            contest->n_interrupted++;
        else
            break;
    }
}

static void test_interrupt_at_any_moment(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    struct contest contest = {.c = c, .end = &pair.server, .last = VIA_S_INTERRUPTED};
    struct os_thread *thread;
    if (CONF_RESULT(c, os_thread_start(wait_often, &contest, "conformance", &thread), S_OK)) {
        for (uint32_t i = 0; i < 300 && contest.last == VIA_S_INTERRUPTED && !c->failed; i++) {
            uint32_t before = contest.n_interrupted;
            /* Sometimes at once, so that it meets the waiter on its way into the system. */
            if (conformance_random(c, 4) == 0)
                conformance_sleep(conformance_random(c, 300) * 1000);
            end_interrupt(&pair.server);
            conformance_await(c, &contest.n_interrupted, before + 1);
        }
        contest.over = true;
        end_interrupt(&pair.server);
        os_thread_join(thread);
        conformance_result(c, contest.last, VIA_S_INTERRUPTED, "a wait that is interrupted");
    }
    conformance_close(c, &pair);
}

static void test_wait_ends_when_peer_dies(struct conformance *c)
{
    struct conformance_pair pair;
    if (!conformance_open(c, &pair))
        return;
    struct conformance_end *here =
        pair.client.side == conformance_far(c) ? &pair.server : &pair.client;
    struct waiting w = {.end = here, .deadline_ns = conformance_deadline(c)};
    struct os_thread *thread;
    const uint8_t *span;
    size_t size;
    if (start_waiting(c, &w, &thread)) {
        conformance_kill_peer(c);
        os_thread_join(thread);
        conformance_result(c, w.result, S_OK, "wait while the peer is killed");
        CONF_RESULT(c, end_peek(here, 1, &span, &size), RPC_E_DISCONNECTED);
    }
    conformance_close(c, &pair);
}

const struct conformance_test conformance_wait_tests[] = {
    {"wait_sees_bytes", test_wait_sees_bytes, CONFORMANCE_ANYWHERE},
    {"wait_with_bytes_there", test_wait_with_bytes_there, CONFORMANCE_ANYWHERE},
    {"wait_is_for_more", test_wait_is_for_more, CONFORMANCE_ANYWHERE},
    {"wait_deadline", test_wait_deadline, CONFORMANCE_ANYWHERE},
    {"wait_ends_when_peer_closes", test_wait_ends_when_peer_closes, CONFORMANCE_ANYWHERE},
    {"wait_ends_when_shut_down", test_wait_ends_when_shut_down, CONFORMANCE_ANYWHERE},
    {"interrupt_running_wait", test_interrupt_running_wait, CONFORMANCE_ANYWHERE},
    {"interrupt_next_wait", test_interrupt_next_wait, CONFORMANCE_ANYWHERE},
    {"interrupt_at_any_moment", test_interrupt_at_any_moment, CONFORMANCE_ANYWHERE},
    {"wait_ends_when_peer_dies", test_wait_ends_when_peer_dies, CONFORMANCE_PEER},
    {NULL, NULL, CONFORMANCE_ANYWHERE},
};
