/* Helper processes for the tests of com/remote, and waiting for what happens a moment later. */
#ifndef TESTS_REMOTE_FIXTURE_H
#define TESTS_REMOTE_FIXTURE_H

#include <stdbool.h>

#include "tests/harness/harness.h"
#include "tests/remote/test_object.h"

struct os_process;

/* How long objects of a remote_peer called "impatient" wait for those whom they are handed to. */
#define IMPATIENT_HANDOFF_MS 2000u
/* And those of one called "patient": longer than any test. */
#define PATIENT_HANDOFF_MS 3600000u

struct peer_process {
    struct os_process *process;
    ITestObject *root; /* NULL when it could not be started */
    char address[256];
    bool is_foreign; /* a Windows program of a test that is none */
};

/* Joins the runtime; the test's own objects are known then. */
bool fixture_begin(void);
void fixture_end(void);

/* Starts a helper program and connects to its root object. */
bool peer_start(struct peer_process *peer, const char *name);
/* The same without connecting. */
bool peer_launch(struct peer_process *peer, const char *name);
/* The same with another program that takes an address, and connecting to its root. With
 * VIADUCT_TEST_WINDOWS in the environment it is the one of that Windows tree, under Wine. */
bool peer_launch_program(struct peer_process *peer, const char *program, const char *name);
bool peer_launch_at(struct peer_process *peer, const char *program, const char *address,
                    const char *name);
/* Whether programs that are started from now on are this system's in any case. */
void fixture_launch_native(bool native);
/* Calls `test`, with a runtime of its own, once for each combination of systems that `n` helper
 * programs can be of: the i-th is to be a Windows program where bit i is set. Without
 * VIADUCT_TEST_WINDOWS there is one combination, this system. `names`: of the programs. */
void fixture_for_each_combination(unsigned n, const char *const *names,
                                  void (*test)(unsigned windows));
/* The i-th program of such a combination. */
bool peer_launch_one_of(struct peer_process *peer, unsigned windows, unsigned i, const char *name);
bool peer_connect(struct peer_process *peer, const GUID *iid, void **root);
/* The same, and failing is no failure of the test. */
HRESULT peer_try_connect(struct peer_process *peer, const GUID *iid, void **root);
void peer_kill(struct peer_process *peer);
/* Releases the root and kills the process. */
void peer_end(struct peer_process *peer);
unsigned peer_pid(const struct peer_process *peer);
/* What a remote_peer that lives calls itself: under Wine processes have numbers of their own. */
unsigned peer_own_pid(const struct peer_process *peer);

/* An address that nobody uses yet. */
void fresh_address(char *address, size_t size, const char *name);
BSTR address_bstr(const char *address);

/* Waits for a condition that another thread or process brings about. */
#define EVENTUALLY(condition)                                                         \
    do {                                                                              \
        for (unsigned i_ = 0; i_ < 500 * harness_time_factor() && !(condition); i_++) \
            os_sleep_ms(10);                                                          \
        CHECK(condition);                                                             \
    } while (0)

/* The thread's error as text, valid until the next call. */
const char *error_text(HRESULT hr);

#endif
