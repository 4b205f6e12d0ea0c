/*
 * Waiting in a plain blocking receive, and interrupting it.
 *
 * A synchronous call costs one send and one receive, so the wait is the receive. Its time limit is
 * the socket's SO_RCVTIMEO, kept coarse: it starts at 10 ms and doubles each time it runs out, up
 * to 400 ms, so that a connection in steady use never sets it. Each time it runs out, and nothing
 * came, the peer's life is looked at. The kernel counts it in ticks of up to
 * 10 ms, too coarse for a deadline: the last 40 ms before one are waited in ppoll.
 *
 * An interrupt is a directed signal, SIGURG (ignored by default), to the thread that waits. The
 * state word makes sure that the thread cannot have left:
 *
 *   waiter                                   interrupter
 *   sets RECEIVING, sees no INTERRUPTED      sets INTERRUPTED
 *   recvmsg                                  RECEIVING is set: sets SIGNALLING, tgkill, clears it
 *   clears RECEIVING,                        and sets SIGNALLED
 *   waits while SIGNALLING is set, then
 *   until the handler has run if SIGNALLED
 *
 * A receive that the thread had not entered yet when the signal came would sleep on; therefore the
 * handler, which runs on that thread and finds the socket in a thread-local, sets the receive
 * timeout to the least there is. The waiter sets it back. A thread that blocks SIGURG, or to which
 * the handler did not come once, waits in ppoll with an event descriptor.
 *
 * The handler has SA_RESTART, which spares other code on the thread: a receive with a timeout is
 * never restarted anyway (signal(7)). It calls the handler that was there before it.
 */
#include "plugins/unixsock/socket_posix.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define WAITER_INTERRUPTED 1u /* sticky: ends the wait that runs, or the next */
#define WAITER_RECEIVING   2u /* a thread is in recvmsg */
#define WAITER_POLLING     4u /* a thread is in ppoll; `event` is there */
#define WAITER_SIGNALLING  8u /* an interrupter is between its decision and the return of tgkill */
#define WAITER_SIGNALLED   16u

#define FIRST_TIMEOUT_US 10000
#define LAST_TIMEOUT_US  400000
/* SO_RCVTIMEO may fire a tick late (10 ms in a kernel with HZ=100), after rounding up, and the time
 * may be another tick later than it was read. */
#define POLL_BELOW_NS 40000000
#define DEAF_NS       10000000

/* In the static block, which every thread has: the usual kind for a module is allocated at a
 * thread's first use, and that may be in the handler. */
__attribute__((tls_model("initial-exec"))) static _Thread_local struct {
    _Atomic int32_t descriptor; /* the socket that this thread receives from; 0: none */
    _Atomic uint32_t n_handled;
    enum { SIGNAL_UNKNOWN, SIGNAL_OPEN, SIGNAL_BLOCKED } signal;
    int32_t id; /* the kernel's */
} this_thread;

static pthread_mutex_t handler_lock = PTHREAD_MUTEX_INITIALIZER;
static bool handler_installed; /* handler_lock */
static struct sigaction previous_action;

static void set_timeout(int32_t descriptor, int64_t timeout_us)
{
    struct timeval value = {timeout_us / 1000000, timeout_us % 1000000};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value);
}

static void on_signal(int number, siginfo_t *information, void *context)
{
    int error = errno;
    int32_t descriptor = atomic_load_explicit(&this_thread.descriptor, memory_order_relaxed);
    if (descriptor > 0)
        set_timeout(descriptor, 1);
    atomic_fetch_add_explicit(&this_thread.n_handled, 1, memory_order_relaxed);
    if (previous_action.sa_flags & SA_SIGINFO)
        previous_action.sa_sigaction(number, information, context);
    else if (previous_action.sa_handler != SIG_DFL && previous_action.sa_handler != SIG_IGN)
        previous_action.sa_handler(number);
    errno = error;
}

/* Installed once for as long as the process lives, unless it can be taken out again: installed a
 * second time above another's handler that calls ours, it would call itself for ever. */
HRESULT waiter_system_init(void)
{
    HRESULT hr = S_OK;
    pthread_mutex_lock(&handler_lock);
    if (!handler_installed) {
        struct sigaction action = {0};
        sigaction(SIGURG, NULL, &previous_action);
        action.sa_sigaction = on_signal;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        sigemptyset(&action.sa_mask);
        if (sigaction(SIGURG, &action, NULL) == 0)
            handler_installed = true;
        else
            hr = socket_fail_errno("sigaction(SIGURG)", errno);
    }
    pthread_mutex_unlock(&handler_lock);
    return hr;
}

void waiter_system_deinit(void)
{
    pthread_mutex_lock(&handler_lock);
    struct sigaction current;
    if (handler_installed && sigaction(SIGURG, NULL, &current) == 0 &&
        (current.sa_flags & SA_SIGINFO) && current.sa_sigaction == on_signal &&
        sigaction(SIGURG, &previous_action, NULL) == 0)
        handler_installed = false;
    pthread_mutex_unlock(&handler_lock);
}

void socket_waiter_init(struct socket_waiter *waiter, int32_t descriptor, int32_t life)
{
    waiter->descriptor = descriptor;
    waiter->life = life;
    atomic_init(&waiter->state, 0);
    atomic_init(&waiter->thread, 0);
    atomic_init(&waiter->event, -1);
    waiter->timeout_us = 0;
}

void socket_waiter_deinit(struct socket_waiter *waiter)
{
    int32_t event = atomic_load(&waiter->event);
    if (event >= 0)
        close(event);
}

static bool signal_is_open(void)
{
    if (this_thread.signal == SIGNAL_UNKNOWN) {
        sigset_t blocked;
        pthread_sigmask(SIG_BLOCK, NULL, &blocked);
        this_thread.signal = sigismember(&blocked, SIGURG) ? SIGNAL_BLOCKED : SIGNAL_OPEN;
        this_thread.id = (int32_t)syscall(SYS_gettid);
    }
    return this_thread.signal == SIGNAL_OPEN;
}

static uint64_t now_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Takes the interruption if there is one. */
static bool take_interruption(struct socket_waiter *waiter)
{
    if (!(atomic_load_explicit(&waiter->state, memory_order_relaxed) & WAITER_INTERRUPTED))
        return false;
    return atomic_fetch_and(&waiter->state, ~WAITER_INTERRUPTED) & WAITER_INTERRUPTED;
}

/* Leaves RECEIVING; on return no signal of an interrupter is on its way to this thread. */
static void leave_receiving(struct socket_waiter *waiter, uint32_t n_handled)
{
    uint32_t state = atomic_fetch_and(&waiter->state, ~WAITER_RECEIVING);
    while (state & WAITER_SIGNALLING) {
        sched_yield();
        state = atomic_load(&waiter->state);
    }
    if (state & WAITER_SIGNALLED) {
        /* The signal is pending on this thread at the latest since tgkill returned, so one system
         * call delivers it; unless the thread has blocked it since it was asked, or the program has
         * replaced the handler. */
        for (int i = 0; i < 100 && this_thread.n_handled == n_handled; i++)
            sched_yield();
        if (this_thread.n_handled == n_handled)
            this_thread.signal = SIGNAL_BLOCKED;
        atomic_fetch_and(&waiter->state, ~WAITER_SIGNALLED);
    }
    if (this_thread.n_handled != n_handled)
        set_timeout(waiter->descriptor, waiter->timeout_us);
    atomic_store_explicit(&this_thread.descriptor, 0, memory_order_relaxed);
}

/* One blocking receive. Result and errno are recvmsg's, but EINTR if the wait was interrupted
 * before. */
static ssize_t receive_blocking(struct socket_waiter *waiter, void *data, size_t size,
                                struct socket_received *received, bool *truncated)
{
    uint32_t n_handled = atomic_load_explicit(&this_thread.n_handled, memory_order_relaxed);
    atomic_store_explicit(&this_thread.descriptor, waiter->descriptor, memory_order_relaxed);
    atomic_store_explicit(&waiter->thread, this_thread.id, memory_order_relaxed);
    ssize_t n = -1;
    int error = EINTR;
    if (!(atomic_fetch_or(&waiter->state, WAITER_RECEIVING) & WAITER_INTERRUPTED)) {
        n = socket_receive_raw(waiter->descriptor, data, size, received, 0, truncated);
        error = errno;
    }
    leave_receiving(waiter, n_handled);
    errno = error;
    return n;
}

/* -1 stays where there is no descriptor left. */
static void make_event(struct socket_waiter *waiter)
{
    if (atomic_load_explicit(&waiter->event, memory_order_relaxed) < 0)
        atomic_store(&waiter->event, eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

/* Sleeps in ppoll until the socket is readable, the event is set, the peer's life is over, or the
 * deadline. */
static void sleep_in_poll(struct socket_waiter *waiter, uint64_t deadline_ns)
{
    uint64_t now = now_ns(CLOCK_MONOTONIC);
    struct pollfd descriptors[3] = {
        {waiter->descriptor, POLLIN, 0}, {waiter->event, POLLIN, 0}, {waiter->life, POLLIN, 0}};
    uint64_t left_ns = deadline_ns > now ? deadline_ns - now : 0;
    /* Out of descriptors: an interruption is looked for from time to time. */
    bool is_deaf = waiter->event < 0;
    if (is_deaf && left_ns > DEAF_NS)
        left_ns = DEAF_NS;
    struct timespec timeout = {(time_t)(left_ns / 1000000000u), (long)(left_ns % 1000000000u)};
    if (!(atomic_fetch_or(&waiter->state, WAITER_POLLING) & WAITER_INTERRUPTED))
        ppoll(descriptors, 3, deadline_ns == UINT64_MAX && !is_deaf ? NULL : &timeout, NULL);
    atomic_fetch_and(&waiter->state, ~WAITER_POLLING);
    if (descriptors[1].revents != 0) {
        uint64_t count;
        ssize_t ignored = read(waiter->event, &count, sizeof count);
        (void)ignored;
    }
}

/* Chooses the receive timeout: what is set already unless it could end too late, or has just run
 * out. */
static void choose_timeout(struct socket_waiter *waiter, uint64_t left_ns, bool ran_out)
{
    int64_t timeout_us = waiter->timeout_us;
    if (timeout_us == 0)
        timeout_us = FIRST_TIMEOUT_US;
    else if (ran_out && timeout_us < LAST_TIMEOUT_US)
        timeout_us = timeout_us * 2 < FIRST_TIMEOUT_US ? FIRST_TIMEOUT_US : timeout_us * 2;
    if (timeout_us > LAST_TIMEOUT_US)
        timeout_us = LAST_TIMEOUT_US;
    /* Halved rather than cut, so that waits of about the same length do not set it each time. */
    int64_t most_us = (int64_t)((left_ns - POLL_BELOW_NS) / 1000u) + 1000;
    while (left_ns != UINT64_MAX && timeout_us > most_us)
        timeout_us /= 2;
    if (timeout_us != waiter->timeout_us) {
        set_timeout(waiter->descriptor, timeout_us);
        waiter->timeout_us = timeout_us;
    }
}

HRESULT socket_waiter_receive(struct socket_waiter *waiter, void *data, size_t size, size_t *n,
                              struct socket_received *received, uint64_t deadline_ns)
{
    bool ran_out = false;
    for (;;) {
        uint64_t now = deadline_ns == UINT64_MAX ? 0 : now_ns(CLOCK_MONOTONIC_COARSE);
        uint64_t left_ns = deadline_ns == UINT64_MAX ? UINT64_MAX
                           : deadline_ns > now       ? deadline_ns - now
                                                     : 0;
        bool poll_first = !signal_is_open() || left_ns < POLL_BELOW_NS;
        if (poll_first)
            make_event(waiter);
        if (take_interruption(waiter))
            return VIA_S_INTERRUPTED;
        bool truncated = false;
        ssize_t result;
        if (poll_first) {
            sleep_in_poll(waiter, deadline_ns);
            result = socket_receive_raw(waiter->descriptor, data, size, received, MSG_DONTWAIT,
                                        &truncated);
        } else {
            choose_timeout(waiter, left_ns, ran_out);
            result = receive_blocking(waiter, data, size, received, &truncated);
        }
        if (result >= 0)
            return socket_received_result(result, truncated, n);
        if (errno != EAGAIN && errno != EINTR)
            return socket_fail_errno("receive", errno);
        ran_out = errno == EAGAIN;
        if (ran_out && waiter->life >= 0 && socket_life_is_over(waiter->life))
            return S_OK;
        if (deadline_ns != UINT64_MAX && now_ns(CLOCK_MONOTONIC) >= deadline_ns)
            return take_interruption(waiter)
                       ? VIA_S_INTERRUPTED
                       : socket_fail(RPC_E_TIMEOUT, "nothing arrived before the deadline");
    }
}

void socket_waiter_interrupt(struct socket_waiter *waiter)
{
    uint32_t state = atomic_fetch_or(&waiter->state, WAITER_INTERRUPTED);
    for (;;) {
        if (state & WAITER_POLLING) {
            uint64_t one = 1;
            ssize_t ignored = write(waiter->event, &one, sizeof one);
            (void)ignored;
            return;
        }
        if (!(state & WAITER_RECEIVING) || (state & (WAITER_SIGNALLING | WAITER_SIGNALLED)))
            return;
        state |= WAITER_INTERRUPTED; /* somebody who has taken the interruption needs no signal */
        if (atomic_compare_exchange_weak(&waiter->state, &state, state | WAITER_SIGNALLING))
            break;
    }
    int32_t thread = atomic_load(&waiter->thread);
    uint32_t signalled = syscall(SYS_tgkill, getpid(), thread, SIGURG) == 0 ? WAITER_SIGNALLED : 0;
    atomic_fetch_or(&waiter->state, signalled);
    atomic_fetch_and(&waiter->state, ~WAITER_SIGNALLING);
}
