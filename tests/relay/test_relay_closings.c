/*
 * A relay ends while clients come, and another one has its name at once; ten thousand times.
 *
 * Nobody sleeps. Two clients come and leave, a few times in each round, and the relay is stopped
 * when so many of these visits have begun as the round's number says: none, some, or all. So one
 * finds nobody there, another is in the queue, the next one is being accepted or joined to a
 * target. In every other round the first visit of each stays until it is answered or disconnected:
 * nobody is forgotten.
 */
#include "tests/harness/harness.h"

#include "core/os/clock.h"
#include "core/os/thread.h"
#include "tests/relay/relays.h"

#include <stdio.h>
#include <stdlib.h>

#define N_ROUNDS           10000u
#define N_ROUNDS_SANITIZED 1000u
#define N_CLIENTS          2u
#define N_VISITS           2u /* of a client in a round */
/* A server's only place may be taken for a moment; then the relay takes the next target. */
#define N_TARGETS 3u

struct crowd {
    struct os_mutex lock;
    struct os_cond changed;
    unsigned round;   /* lock, as the next two */
    unsigned n_begun; /* visits of this round */
    bool is_over;
    _Atomic unsigned n_connected;
    _Atomic unsigned n_answered;
};

/* The next visit, of this round or the next one; false: it is over. */
static bool begin_visit(struct crowd *crowd, unsigned *round, unsigned *n_visits)
{
    os_mutex_lock(&crowd->lock);
    while (!crowd->is_over && crowd->round == *round && *n_visits == N_VISITS)
        os_cond_wait(&crowd->changed, &crowd->lock, OS_NEVER);
    if (crowd->round != *round) {
        *round = crowd->round;
        *n_visits = 0;
    }
    *n_visits += 1;
    crowd->n_begun++;
    os_cond_broadcast(&crowd->changed);
    bool goes_on = !crowd->is_over;
    os_mutex_unlock(&crowd->lock);
    return goes_on;
}

static void visit_always(void *argument)
{
    struct crowd *crowd = argument;
    unsigned round = 0;
    unsigned n_visits = N_VISITS;
    char byte;
    while (begin_visit(crowd, &round, &n_visits)) {
        intptr_t end = raw_connect("in");
        if (end == RAW_NONE)
            continue;
        crowd->n_connected++;
        if (raw_send(end, "x", 1) && n_visits == 1 && round % 2 == 0)
            crowd->n_answered += raw_receive(end, &byte, 1) == 1;
        raw_close(end);
    }
}

static void let_come(struct crowd *crowd, unsigned n_begun)
{
    os_mutex_lock(&crowd->lock);
    crowd->round++;
    crowd->n_begun = 0;
    os_cond_broadcast(&crowd->changed);
    while (crowd->n_begun < n_begun)
        os_cond_wait(&crowd->changed, &crowd->lock, OS_NEVER);
    os_mutex_unlock(&crowd->lock);
}

/* --- targets that serve one client after the other: the byte that it sends comes back --- */

struct target {
    char name[8];
    char address[RAW_ADDRESS_SIZE];
    struct raw_server server;
    struct os_thread *thread;
    _Atomic bool is_over;
};

static void serve_briefly(void *argument)
{
    struct target *target = argument;
    char byte;
    while (!target->is_over) {
        intptr_t end = raw_accept(&target->server);
        if (end == RAW_NONE)
            continue;
        if (raw_receive(end, &byte, 1) == 1)
            raw_send(end, &byte, 1);
        raw_close(end);
    }
}

static bool start_targets(struct target targets[N_TARGETS])
{
    bool is_well = true;
    for (unsigned i = 0; i < N_TARGETS && is_well; i++) {
        struct target *target = &targets[i];
        snprintf(target->name, sizeof target->name, "out%u", i);
        raw_address(target->name, target->address);
        target->is_over = false;
        is_well = CHECK(raw_server_start(&target->server, target->name, false)) &&
                  CHECK_OK(os_thread_start(serve_briefly, target, "target", &target->thread));
    }
    return is_well;
}

static void stop_targets(struct target targets[N_TARGETS])
{
    for (unsigned i = 0; i < N_TARGETS; i++) {
        targets[i].is_over = true;
        raw_close(relays_connect(targets[i].name));
        os_thread_join(targets[i].thread);
        raw_server_stop(&targets[i].server);
    }
}

static HRESULT start_to(const struct target targets[N_TARGETS], struct relay **relay)
{
    const char *addresses[N_TARGETS + 1] = {NULL};
    char listen[RAW_ADDRESS_SIZE];
    struct relay_settings settings;
    for (unsigned i = 0; i < N_TARGETS; i++)
        addresses[i] = targets[i].address;
    relay_settings_default(&settings);
    settings.listen = raw_address("in", listen);
    settings.connect = addresses;
    return relays_start_with(&settings, relay);
}

/* --- --- */

static unsigned rounds_wanted(void)
{
    const char *count = getenv("VIADUCT_SOAK_RELAY_CLOSINGS");
    if (count != NULL)
        return (unsigned)atoi(count);
    return harness_time_factor() > 2 ? N_ROUNDS_SANITIZED : N_ROUNDS;
}

static void close_often(struct crowd *crowd, const struct target targets[N_TARGETS])
{
    struct relay_status status;
    struct relay *relay;
    unsigned n_rounds = rounds_wanted();
    uint64_t n_accepted = 0;
    for (unsigned i = 0; i < n_rounds && CHECK_OK(start_to(targets, &relay)); i++) {
        let_come(crowd, i % (N_CLIENTS * N_VISITS + 1));
        relay_get_status(relay, &status);
        n_accepted += status.n_total;
        relay_stop(relay);
    }
    printf("  %u closings; of %u clients that connected %llu had been accepted, %u were answered\n",
           n_rounds, crowd->n_connected, (unsigned long long)n_accepted, crowd->n_answered);
    /* Otherwise it was not while accepting. */
    CHECK(crowd->n_connected >= n_rounds);
    CHECK(crowd->n_connected > n_accepted);
    CHECK(crowd->n_answered >= n_rounds / 20);
}

static void end_visits(struct crowd *crowd, struct os_thread *clients[N_CLIENTS])
{
    os_mutex_lock(&crowd->lock);
    crowd->is_over = true;
    os_cond_broadcast(&crowd->changed);
    os_mutex_unlock(&crowd->lock);
    for (unsigned i = 0; i < N_CLIENTS; i++)
        os_thread_join(clients[i]);
}

static void check_answer(const struct target targets[N_TARGETS])
{
    struct relay *relay;
    if (CHECK_OK(start_to(targets, &relay))) {
        echo_check(1);
        relay_stop(relay);
    }
}

/* What a process makes once, of which the next test is free then. */
TEST(once)
{
    static struct target targets[N_TARGETS];
    if (relays_open() && start_targets(targets)) {
        check_answer(targets);
        stop_targets(targets);
    }
    relays_close();
}

TEST(closing_while_accepting)
{
    static struct target targets[N_TARGETS];
    struct crowd crowd = {.round = 0};
    struct os_thread *clients[N_CLIENTS];
    os_mutex_init(&crowd.lock);
    os_cond_init(&crowd.changed);
    if (relays_open() && start_targets(targets)) {
        for (unsigned i = 0; i < N_CLIENTS; i++)
            CHECK_OK(os_thread_start(visit_always, &crowd, "client", &clients[i]));
        close_often(&crowd, targets);
        end_visits(&crowd, clients);
        check_answer(targets);
        stop_targets(targets);
    }
    relays_close();
    os_cond_deinit(&crowd.changed);
    os_mutex_deinit(&crowd.lock);
}

HARNESS_MAIN("relay_closings", TEST_ENTRY(once), TEST_ENTRY_LIMIT(closing_while_accepting, 600000))
