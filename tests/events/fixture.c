#include "tests/events/fixture.h"

#include <string.h>
#include <viaduct/runtime.h>

#include "com/abi/error_border.h"
#include "tests/harness/harness.h"

bool events_begin(void)
{
    return fixture_begin() && CHECK_OK(via_register_typelib(&events_test_typelib));
}

bool events_peer_start(struct events_peer *peer, const char *name)
{
    memset(peer, 0, sizeof *peer);
    return peer_launch_program(&peer->process, "events_peer", name) &&
           peer_connect(&peer->process, &IID_ITestSource, (void **)&peer->root);
}

void events_peer_end(struct events_peer *peer)
{
    if (peer->root != NULL)
        ITestSource_Release(peer->root);
    peer->root = NULL;
    peer_end(&peer->process);
    error_border_clear(); /* what the test's last failure has left would count as the test's */
}

struct SourceCounters source_counters(ITestSource *source)
{
    struct SourceCounters counters = {0};
    CHECK_OK(ITestSource_GetCounters(source, &counters));
    return counters;
}

LONG remote_object_count(ITestSource *root)
{
    LONG n = -1;
    CHECK_OK(ITestSource_CountObjects(root, &n));
    return n;
}
