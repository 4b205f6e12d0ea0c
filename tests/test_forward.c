/*
 * Handing on between three processes: an owner, a middle that hands its object on, a recipient.
 * Directly, where the recipient reaches the owner, and forwarded by the middle, where it does not.
 * With VIADUCT_TEST_WINDOWS in the environment each of the three is a Windows program in turn, in
 * all combinations.
 */
#include "tests/harness/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <viaduct/node.h>
#include <viaduct/runtime.h>

#include "com/remote/text.h"
#include "core/os/clock.h"
#include "core/os/file.h"
#include "core/os/path.h"
#include "core/os/process.h"
#include "core/util/error.h"
#include "tests/remote/fixture.h"
#include "tests/remote/test_object.h"

#define N_CALLS 40

enum role { OWNER, MIDDLE, RECIPIENT, N_ROLES };

static const char *const role_names[N_ROLES] = {"owner", "middle", "recipient"};

struct trio {
    struct peer_process peers[N_ROLES];
    BSTR middle;        /* its address */
    ITestObject *child; /* the owner's, over this process' own connection */
    ULONG owner;        /* its process id, as it says itself */
};

static LONG count_objects(ITestObject *root)
{
    LONG n = -1;
    CHECK_OK(ITestObject_CountObjects(root, &n));
    return n;
}

/* Whoever comes later does not find the owner; who is connected stays so. */
static void hide(const struct peer_process *owner)
{
    if (strncmp(owner->address, "unix:", 5) == 0)
        CHECK_OK(os_file_remove(owner->address + 5));
}

/* Bit i of `windows`: the i-th is a Windows program. The middle keeps the owner's object, and the
 * recipient gets it from there. */
static bool begin(struct trio *trio, unsigned windows, bool hidden)
{
    bool good = true;
    memset(trio, 0, sizeof *trio);
    for (unsigned i = 0; i < N_ROLES; i++)
        good &= peer_launch_one_of(&trio->peers[i], windows, i, role_names[i]);
    for (int i = 0; i < N_ROLES && good; i++)
        good = peer_connect(&trio->peers[i], &IID_ITestObject, (void **)&trio->peers[i].root);
    if (!good)
        return false;
    trio->middle = address_bstr(trio->peers[MIDDLE].address);
    good = CHECK_OK(ITestObject_GetProcessId(trio->peers[OWNER].root, &trio->owner)) &&
           CHECK_OK(ITestObject_MakeChild(trio->peers[OWNER].root, &trio->child)) &&
           CHECK_OK(ITestObject_Keep(trio->peers[MIDDLE].root, trio->child));
    if (good && hidden)
        hide(&trio->peers[OWNER]);
    return good && CHECK_OK(ITestObject_KeepKeptOf(trio->peers[RECIPIENT].root, trio->middle));
}

static void end(struct trio *trio)
{
    if (trio->child != NULL)
        ITestObject_Release(trio->child);
    SysFreeString(trio->middle);
    for (int i = 0; i < N_ROLES; i++)
        peer_end(&trio->peers[i]);
}

/* Calls that have come to a process, this question among them. */
static unsigned long long calls_received(struct peer_process *peer)
{
    static const char key[] = "\"calls_received\":";
    unsigned long long sum = 0;
    INode *node = NULL;
    BSTR json = NULL;
    if (CHECK_OK(via_connect(peer->address, &IID_INode, (void **)&node)) &&
        CHECK_OK(INode_GetStatistics(node, &json))) {
        char *text = text_from_bstr(json);
        for (const char *at = text; (at = strstr(at, key)) != NULL;) {
            at += sizeof key - 1;
            sum += strtoull(at, NULL, 10);
        }
        free(text);
    }
    SysFreeString(json);
    if (node != NULL)
        INode_Release(node);
    return sum;
}

/* What the recipient keeps, called by it N_CALLS times; how many calls the middle saw of that. */
static unsigned long long use(struct trio *trio)
{
    ITestObject *recipient = trio->peers[RECIPIENT].root;
    unsigned long long before;
    ITestObject *kept = NULL;
    ULONG pid = 0;
    LONG sum = 0;
    if (!CHECK_OK(ITestObject_GetKept(recipient, &kept)) || !CHECK_NOT_NULL(kept))
        return 0;
    CHECK_OK(ITestObject_GetProcessId(kept, &pid));
    CHECK_EQ(pid, trio->owner);
    CHECK_OK(ITestObject_CallAdd(recipient, kept, 0, 0, &sum));
    before = calls_received(&trio->peers[MIDDLE]);
    for (LONG i = 0; i < N_CALLS; i++) {
        CHECK_OK(ITestObject_CallAdd(recipient, kept, i, 2, &sum));
        CHECK_EQ(sum, i + 2);
    }
    unsigned long long seen = calls_received(&trio->peers[MIDDLE]) - before;
    ITestObject_Release(kept);
    return seen;
}

/* All of it is given back, whichever way it went. */
static void check_lets_go(struct trio *trio)
{
    CHECK_OK(ITestObject_Keep(trio->peers[MIDDLE].root, NULL));
    ITestObject_Release(trio->child);
    trio->child = NULL;
    CHECK_EQ(count_objects(trio->peers[OWNER].root), 2); /* the recipient keeps it */
    CHECK_OK(ITestObject_Keep(trio->peers[RECIPIENT].root, NULL));
    EVENTUALLY(count_objects(trio->peers[OWNER].root) == 1);
}

static void direct(unsigned windows)
{
    struct trio trio;
    LONG sum = 0;
    if (begin(&trio, windows, false)) {
        ITestObject *recipient = trio.peers[RECIPIENT].root;
        CHECK(use(&trio) < N_CALLS / 2);
        peer_kill(&trio.peers[MIDDLE]); /* which is in nobody's way */
        CHECK_OK(ITestObject_CallAdd(recipient, trio.child, 20, 3, &sum));
        CHECK_EQ(sum, 23);
        ITestObject_Release(trio.child);
        trio.child = NULL;
        CHECK_OK(ITestObject_Keep(recipient, NULL));
        EVENTUALLY(count_objects(trio.peers[OWNER].root) == 1);
    }
    end(&trio);
}

static void forwarded(unsigned windows)
{
    struct trio trio;
    if (begin(&trio, windows, true)) {
        CHECK(use(&trio) >= N_CALLS);
        check_lets_go(&trio);
    }
    end(&trio);
}

TEST(hands_on_directly)
{
    fixture_for_each_combination(N_ROLES, role_names, direct);
}

TEST(forwards_where_it_must)
{
    if (os_path_separator == '\\')
        SKIP("the name of a pipe cannot be taken from who listens there");
    fixture_for_each_combination(N_ROLES, role_names, forwarded);
}

/* --- what a stand-in is like --- */

/* What the recipient keeps, by way of the middle, of three programs of this system. */
static bool begin_forwarded(struct trio *trio, ITestObject **kept)
{
    LONG sum = 0;
    *kept = NULL;
    return begin(trio, 0, true) &&
           CHECK_OK(ITestObject_GetKept(trio->peers[RECIPIENT].root, kept)) &&
           CHECK_OK(ITestObject_Add(*kept, 1, 2, &sum));
}

static void end_forwarded(struct trio *trio, ITestObject *kept)
{
    if (kept != NULL)
        ITestObject_Release(kept);
    end(trio);
}

/* Ordered, called back in its chain, and of one identity whenever it comes the same way. */
static void like_an_object(struct trio *trio, ITestObject *kept)
{
    ITestObject *again = NULL;
    ITestObject *mine = test_object_new("mine");
    ULONG n = 0;
    LONG *values = NULL;
    LONG levels = 0;
    CHECK_OK(ITestObject_GetKept(trio->peers[RECIPIENT].root, &again));
    CHECK_PTR_EQ(again, kept);
    CHECK(kept != trio->child); /* that one is connected directly */
    for (LONG i = 0; i < 64; i++)
        CHECK_OK(ITestObject_Append(kept, i, 0));
    CHECK_OK(ITestObject_GetAppended(kept, &n, &values));
    CHECK_EQ(n, 64);
    for (ULONG i = 0; i < n; i++)
        CHECK_EQ(values[i], (LONG)i);
    CoTaskMemFree(values);
    CHECK_OK(ITestObject_CallBack(kept, mine, 8, &levels)); /* `mine` listens nowhere either */
    CHECK_EQ(levels, 8);
    ITestObject_Release(again);
    ITestObject_Release(mine);
    EVENTUALLY(test_object_count() == 0);
}

TEST(what_is_forwarded_is_like_any_object)
{
    struct trio trio;
    ITestObject *kept;
    if (os_path_separator == '\\')
        SKIP("the name of a pipe cannot be taken from who listens there");
    REQUIRE(fixture_begin());
    if (begin_forwarded(&trio, &kept)) {
        like_an_object(&trio, kept);
        ITestObject_Release(kept);
        kept = NULL;
        check_lets_go(&trio);
    }
    end_forwarded(&trio, kept);
    fixture_end();
}

TEST(the_owners_death_is_told_by_who_forwards)
{
    struct trio trio;
    ITestObject *kept;
    char pid[32];
    if (os_path_separator == '\\')
        SKIP("the name of a pipe cannot be taken from who listens there");
    REQUIRE(fixture_begin());
    if (begin_forwarded(&trio, &kept)) {
        LONG sum = 0;
        peer_kill(&trio.peers[OWNER]);
        HRESULT hr = ITestObject_Add(kept, 1, 2, &sum);
        CHECK_HR(hr, RPC_E_DISCONNECTED);
        snprintf(pid, sizeof pid, "process %u", (unsigned)trio.owner);
        CHECK_STR_HAS(error_text(hr), pid);
    }
    end_forwarded(&trio, kept);
    fixture_end();
}

TEST(a_stand_in_ends_with_who_forwards)
{
    struct trio trio;
    ITestObject *kept;
    if (os_path_separator == '\\')
        SKIP("the name of a pipe cannot be taken from who listens there");
    REQUIRE(fixture_begin());
    if (begin_forwarded(&trio, &kept)) {
        LONG sum = 0;
        peer_kill(&trio.peers[MIDDLE]);
        CHECK_HR(ITestObject_Add(kept, 1, 2, &sum), RPC_E_DISCONNECTED);
        CHECK_OK(ITestObject_Add(trio.child, 1, 2, &sum)); /* the owner lives */
        ITestObject_Release(trio.child);
        trio.child = NULL;
        EVENTUALLY(count_objects(trio.peers[OWNER].root) == 1);
    }
    end_forwarded(&trio, kept);
    fixture_end();
}

#define COMBINATIONS_MS 240000u

HARNESS_MAIN("forward", TEST_ENTRY_LIMIT(hands_on_directly, COMBINATIONS_MS),
             TEST_ENTRY_LIMIT(forwards_where_it_must, COMBINATIONS_MS),
             TEST_ENTRY(what_is_forwarded_is_like_any_object),
             TEST_ENTRY(the_owners_death_is_told_by_who_forwards),
             TEST_ENTRY(a_stand_in_ends_with_who_forwards))
