/* What a method can ask about the call that it runs. */
#include <viaduct/caller.h>

#include <string.h>

#include "com/remote/peer.h"
#include "com/remote/text.h"
#include "core/link/link.h"
#include "core/os/clock.h"

_Static_assert(VIA_CALLER_HAS_UNIX == VIA_PEER_HAS_UNIX && VIA_CALLER_HAS_PID == VIA_PEER_HAS_PID &&
                   VIA_CALLER_HAS_SID == VIA_PEER_HAS_SID,
               "what transports say goes on as it is");

static uint32_t remaining_ms(uint64_t deadline_ns)
{
    uint64_t now_ns = os_now_ns();
    if (deadline_ns == LINK_NO_DEADLINE)
        return VIA_NO_DEADLINE;
    uint64_t left_ms = deadline_ns > now_ns ? (deadline_ns - now_ns) / 1000000u : 0;
    return left_ms < VIA_NO_DEADLINE ? (uint32_t)left_ms : VIA_NO_DEADLINE - 1;
}

static void describe(const struct link_current *current, struct via_caller *caller)
{
    const struct link_peer *peer = link_connection_peer(current->connection);
    const struct via_peer_identity *identity = &peer->identity;
    caller->known = identity->flags & (VIA_PEER_HAS_UNIX | VIA_PEER_HAS_PID | VIA_PEER_HAS_SID);
    if (caller->known & VIA_CALLER_HAS_UNIX) {
        caller->uid = identity->uid;
        caller->gid = identity->gid;
    }
    if (caller->known & VIA_CALLER_HAS_PID)
        caller->pid = identity->pid;
    if (caller->known & VIA_CALLER_HAS_SID)
        text_copy(caller->sid, sizeof caller->sid, identity->sid);
    caller->process_id = peer->process_id;
    caller->remaining_ms = remaining_ms(current->deadline_ns);
    caller->is_oneway = current->is_oneway;
    caller->is_cancelled = link_current_is_cancelled();
    caller->is_windows = peer->is_windows;
    caller->is_wine = peer->is_wine;
    memcpy(&caller->node, &peer->node, sizeof caller->node);
    text_copy(caller->agent, sizeof caller->agent, peer->agent);
    text_copy(caller->transport, sizeof caller->transport,
              link_connection_scheme(current->connection));
}

HRESULT via_call_current(struct via_caller *result)
{
    struct via_caller caller = {.size = result->size, .remaining_ms = VIA_NO_DEADLINE};
    const struct link_current *current = link_current();
    if (current != NULL)
        describe(current, &caller);
    memcpy(result, &caller, caller.size < sizeof caller ? caller.size : sizeof caller);
    return current != NULL ? S_OK : S_FALSE;
}

int via_call_is_cancelled(void)
{
    return link_current_is_cancelled() ? 1 : 0;
}
