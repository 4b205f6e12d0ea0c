/*
 * Forwarding: what becomes of a reference that is handed on to somebody who cannot reach the owner.
 *
 * The recipient, which has failed to connect to the owner, asks the sender's root object
 * (IForwarder). The promise that was made for the recipient is still at the owner, and keeps the
 * object there, so the sender need not have kept anything: it takes its promise back, which gives
 * it a count of its own, and exports its proxy as if that were an object of its own. The recipient
 * has an ordinary proxy of that export then; its calls are decoded and made again by the sender.
 *
 * So there are two objects, as far as identity goes: the owner's, and the sender's stand-in for it.
 * The stand-in lives as long as the sender and the references to it do.
 */
#ifndef COM_REMOTE_FORWARD_H
#define COM_REMOTE_FORWARD_H

#include <stdint.h>
#include <viaduct/com.h>

struct exported;
struct import;
struct node;
struct peer;
struct reference_third;

/* Recipient. Blocks. Has `sender` forward what it has handed on; the import, with a COM reference.
 */
HRESULT forward_ask(struct peer *sender, uint64_t id, const struct reference_third *third,
                    uint64_t deadline_ns, struct import **import);
/* Sender. Blocks. What is returned to the recipient as an object of this process, with a reference.
 */
HRESULT forward_give(struct node *node, uint64_t id, const struct reference_third *third,
                     uint64_t deadline_ns, IUnknown **object);
/* Sender. Blocks. Makes an interface of what may be a stand-in known to this process, which has to
 * make the calls again: the owner describes it. Without an error where it is none, or nobody knows
 * it. */
void forward_learn(const struct exported *exported, const GUID *iid);

#endif
