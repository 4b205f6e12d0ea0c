/*
 * Bodies of the object frames: read from a message, or sent. docs/wire-protocol.md has their
 * layout.
 *
 * What arrives is loaded once, into the structs below. Posting never blocks (LINK_NO_WAIT), so it
 * is allowed under a lock.
 */
#ifndef COM_REMOTE_FRAMES_H
#define COM_REMOTE_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/com.h>

#include "core/link/link.h"

struct peer_release;

struct frame_call {
    bool is_on_result;     /* the target is a result of the call `object` */
    bool is_kept;          /* its own results may be targets */
    uint32_t result_index; /* which, if the target is one */
    uint64_t object;
    uint32_t interface_index;
    uint16_t slot;
    struct link_id chain;
};

struct frame_provide {
    uint64_t object;
    struct link_id t1;
    struct link_id t2;
    struct link_id recipient;
    struct via_peer_identity principal; /* flags 0: any */
};

void frame_read_call(const struct link_message *message, struct frame_call *call);
void frame_read_query(const struct link_message *message, uint64_t *object, GUID *iid);
void frame_read_accept(const struct link_message *message, struct link_id *t1, uint64_t *object);
void frame_read_withdraw(const struct link_message *message, struct link_id *t1);
void frame_read_interface(const struct link_message *message, uint32_t *index, GUID *iid,
                          uint8_t hash[16]);
HRESULT frame_read_provide(const struct link_message *message, struct frame_provide *provide);
HRESULT frame_read_release(const struct link_message *message, const uint8_t **entries, size_t *n);
void frame_read_release_entry(const uint8_t *entries, size_t index, uint64_t *id, uint32_t *count);

/* Fills what core/link does not: target, interface and slot. `body` has FRAME_CALL_BODY bytes. */
#define FRAME_CALL_BODY 56
void frame_write_call(uint8_t body[FRAME_CALL_BODY], uint64_t object, uint32_t interface_index,
                      uint16_t slot);
/* Its results may be targets. */
void frame_keep_results(uint8_t body[FRAME_CALL_BODY]);
/* Its target is a result of the call that was written as its object. */
void frame_aim_at_result(uint8_t body[FRAME_CALL_BODY], uint32_t index);
#define FRAME_QUERY_BODY 24
void frame_write_query(uint8_t body[FRAME_QUERY_BODY], uint64_t object, const GUID *iid);
#define FRAME_ACCEPT_BODY 24
void frame_write_accept(uint8_t body[FRAME_ACCEPT_BODY], const struct link_id *t1, uint64_t object);
#define FRAME_REPLY_BODY 8
void frame_write_reply(uint8_t body[FRAME_REPLY_BODY], HRESULT code);
HRESULT frame_read_reply(const struct link_message *reply);

HRESULT frame_post_release(struct link_connection *connection, const struct peer_release *releases,
                           size_t n);
HRESULT frame_post_interface(struct link_connection *connection, uint32_t index, const GUID *iid,
                             const uint8_t hash[16]);
HRESULT frame_post_provide(struct link_connection *connection, const struct frame_provide *provide);
HRESULT frame_post_withdraw(struct link_connection *connection, const struct link_id *t1);

#endif
