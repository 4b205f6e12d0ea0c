/*
 * Who takes part in handing on: the owner is a helper process, with VIADUCT_TEST_WINDOWS a Windows
 * one; provider, recipient and squatter are nodes of this process, with core/link alone, so that
 * each frame goes when the test says so.
 */
#ifndef TESTS_REMOTE_HANDOFF_SCENE_H
#define TESTS_REMOTE_HANDOFF_SCENE_H

#include "tests/harness/harness.h"

#include <stdatomic.h>

#include "com/remote/frames.h"
#include "core/link/link.h"
#include "tests/remote/fixture.h"

/* Slots of ITestObject. */
#define SLOT_KEEP         10
#define SLOT_GET_KEPT     11
#define SLOT_CALL_ADD     13
#define SLOT_KEEP_KEPT_OF (offsetof(ITestObjectVtbl, KeepKeptOf) / sizeof(void *))

/* Of the first byte of T1s, whose recipient is one that the sender knows. */
#define NOT_FOR_ANYBODY 0xFEu

struct side {
    struct link_node *node;
    struct link_connection *connection; /* to the owner */
    atomic_uint n_accepts;
};

struct scene {
    struct os_poller *poller;
    struct plugin_set *plugins;
    struct peer_process owner;
    bool owner_has_died; /* since the test has killed it */
    struct side provider;
    struct side recipient;
};
/* Of the test that runs. */
extern struct scene the;
/* What a squatter answers by, who does not know T2. */
extern const struct link_handler scene_handler;

/* Connects its node. */
bool scene_join_node(struct side *side, const char *address);
/* Makes a node and connects it. */
bool scene_join_at(struct side *side, const char *address);
bool scene_join(struct side *side);
/* Ends its connection and its node. */
void scene_leave(struct side *side);
/* Tells the owner of the interface that scene_call calls. */
void scene_bind_interface(struct side *side);
/* The owner, in that role, and the provider and the recipient connected to it. False: the test has
 * failed; scene_end in any case. */
bool scene_begin_with(const char *owner);
bool scene_begin(void);
void scene_kill_owner(void);
/* The owner must have survived, unless it was killed. */
void scene_end(void);
/* Calls a method of the owner by its slot. */
HRESULT scene_call(struct side *side, uint64_t object, uint16_t slot,
                   const struct link_request *arguments, struct link_message *reply);
/* Objects of the owner, its root among them. */
LONG scene_count_objects(struct side *side);
/* An object that the provider has one count of. */
uint64_t scene_make_child(void);
/* The tokens of a hand-over; nothing is sent. */
struct frame_provide scene_promise(uint64_t object, struct side *to);
/* Comes to the owner for what was promised to it. */
HRESULT scene_accept(struct side *side, const struct frame_provide *provide);
void scene_give_back(struct side *side, uint64_t object, uint32_t count);
/* Sends the owner the promise of the provider. */
void scene_post(const struct frame_provide *provide);

#endif
