/*
 * How a component's process came to its end, asked by clients whose calls in it have failed.
 *
 * Only the host that started a process knows. A client asks its own host, which asks its peers, one
 * hop and no further. Clients have to be told within a second, so that a peer that does not answer
 * costs no more than a part of that: the one that the dead node's objects came from gets all the
 * time that there is, any other one less.
 */
#include <stdlib.h>
#include <string.h>
#include <viaduct/runtime.h>

#include "core/os/clock.h"
#include "core/util/error.h"
#include "host/host.h"
#include "host/text.h"

/* All peers together: more than one of them waits for a process that is about to end
 * (EXITS_WAIT_MS), and less than a client waits for the answer. */
#define ASK_PEERS_MS 550u
/* One that may know, but probably does not: what it remembers it says at once. */
#define ASK_OTHER_MS 150u

static bool is_known(const struct ProcessExit *end)
{
    return end->how == PROCESS_EXITED || end->how == PROCESS_KILLED;
}

static void ask_peer(IViaductHost *peer, const GUID *node, uint32_t limit_ms,
                     struct ProcessExit *end)
{
    struct ProcessExit answer = {.how = PROCESS_UNKNOWN};
    uint32_t before = via_thread_set_deadline(limit_ms);
    HRESULT hr = IViaductHost_GetProcessExit(peer, node, VARIANT_FALSE, &answer);

    via_thread_set_deadline(before);
    if (FAILED(hr)) {
        text_take_error(hr);
        error_clear();
    } else if (is_known(&answer)) {
        *end = answer;
        return;
    }
    SysFreeString(answer.description);
}

static void ask_peers(struct host *host, const GUID *node, struct ProcessExit *end)
{
    uint64_t deadline = os_deadline_ms(ASK_PEERS_MS);
    size_t n_peers = peers_count(host->peers);
    size_t *order = calloc(n_peers + 1, sizeof(*order));
    bool has_origin = order && peers_order_by_node(host->peers, node, order);

    for (size_t i = 0; order && i < n_peers && !is_known(end); i++) {
        uint32_t limit = i == 0 && has_origin ? ASK_PEERS_MS : ASK_OTHER_MS;
        uint64_t now = os_now_ns();
        uint32_t left = now < deadline ? (uint32_t)((deadline - now) / 1000000) : 0;
        IViaductHost *peer;

        if (left == 0)
            break;
        if (FAILED(peers_get(host->peers, order[i], &peer))) {
            error_clear(); /* not connected */
            continue;
        }
        ask_peer(peer, node, limit < left ? limit : left, end);
        IViaductHost_Release(peer);
    }
    free(order);
}

void host_process_exit(struct host *host, const GUID *node, bool peers, struct ProcessExit *end)
{
    struct exit_record record;

    memset(end, 0, sizeof(*end));
    end->how = PROCESS_UNKNOWN;
    if (!exits_find(host->exits, node, &record)) {
        if (peers)
            ask_peers(host, node, end);
        return;
    }
    end->how = record.running            ? PROCESS_RUNNING
               : record.status.by_signal ? PROCESS_KILLED
                                         : PROCESS_EXITED;
    end->code = record.running ? 0 : record.status.code;
    end->description = text_to_bstr(record.description);
}
