#include "com/remote/frames.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "com/remote/peer.h"
#include "core/util/error.h"
#include "core/wire/frame.h"

/* Bodies as docs/wire-protocol.md lays them out; both systems are little-endian, and every struct
 * has its natural alignment and no hole. */
static_assert(sizeof(struct wire_call_body) == FRAME_CALL_BODY, "the body of a call");

struct query_body {
    uint64_t object;
    GUID iid;
};
static_assert(sizeof(struct query_body) == FRAME_QUERY_BODY, "the body of query-interface");

struct accept_body {
    struct link_id t1;
    uint64_t object;
};
static_assert(sizeof(struct accept_body) == FRAME_ACCEPT_BODY, "the body of accept");

struct reply_body {
    int32_t code;
    uint32_t reserved;
};
static_assert(sizeof(struct reply_body) == FRAME_REPLY_BODY, "the body of a reply");

struct interface_body {
    uint32_t index;
    uint32_t reserved;
    GUID iid;
    uint8_t hash[16];
};
static_assert(sizeof(struct interface_body) == 40, "the body of interface");

struct provide_body {
    uint64_t object;
    struct link_id t1;
    struct link_id t2;
    struct link_id recipient;
    uint32_t principal;
    uint32_t value; /* the uid, or the SID's bytes in the payload */
};
static_assert(sizeof(struct provide_body) == 64, "the body of provide");

enum { PRINCIPAL_ANY = 0, PRINCIPAL_UID = 1, PRINCIPAL_SID = 2 };

struct release_body {
    uint32_t n;
    uint32_t reserved;
};
static_assert(sizeof(struct release_body) == 8, "the body of release");
static_assert(sizeof(struct peer_release) == 16, "an entry of release");

/* --- reading; core/wire has checked the bodies' sizes --- */

void frame_read_call(const struct link_message *message, struct frame_call *call)
{
    struct wire_call_body body;
    memcpy(&body, message->body, sizeof body);
    call->is_on_result = body.target_kind != WIRE_TARGET_OBJECT;
    call->is_kept = body.flags & WIRE_CALL_KEEP;
    call->result_index = body.reference_index;
    call->object = body.object;
    call->interface_index = body.interface_index;
    call->slot = body.slot;
    memcpy(&call->chain, body.chain, sizeof call->chain);
}

void frame_read_query(const struct link_message *message, uint64_t *object, GUID *iid)
{
    struct query_body body;
    memcpy(&body, message->body, sizeof body);
    *object = body.object;
    *iid = body.iid;
}

void frame_read_accept(const struct link_message *message, struct link_id *t1, uint64_t *object)
{
    struct accept_body body;
    memcpy(&body, message->body, sizeof body);
    *t1 = body.t1;
    *object = body.object;
}

void frame_read_withdraw(const struct link_message *message, struct link_id *t1)
{
    memcpy(t1, message->body, sizeof *t1);
}

void frame_read_interface(const struct link_message *message, uint32_t *index, GUID *iid,
                          uint8_t hash[16])
{
    struct interface_body body;
    memcpy(&body, message->body, sizeof body);
    *index = body.index;
    *iid = body.iid;
    memcpy(hash, body.hash, sizeof body.hash);
}

HRESULT frame_read_provide(const struct link_message *message, struct frame_provide *provide)
{
    struct provide_body body;
    memcpy(&body, message->body, sizeof body);
    *provide = (struct frame_provide){
        .object = body.object, .t1 = body.t1, .t2 = body.t2, .recipient = body.recipient};
    struct via_peer_identity *principal = &provide->principal;
    switch (body.principal) {
    case PRINCIPAL_ANY:
        return S_OK;
    case PRINCIPAL_UID:
        principal->flags = VIA_PEER_HAS_UNIX;
        principal->uid = body.value;
        return S_OK;
    case PRINCIPAL_SID:
        if (body.value >= sizeof principal->sid || body.value > message->payload_size)
            break;
        principal->flags = VIA_PEER_HAS_SID;
        memcpy(principal->sid, message->payload, body.value);
        return S_OK;
    default:
        break;
    }
    return error_set(VIA_E_PROTOCOL, "a provide names its recipient's principal in a wrong form");
}

HRESULT frame_read_release(const struct link_message *message, const uint8_t **entries, size_t *n)
{
    struct release_body body;
    memcpy(&body, message->body, sizeof body);
    if (body.n > message->payload_size / sizeof(struct peer_release))
        return error_set(VIA_E_PROTOCOL, "a release has fewer entries than it says");
    *entries = message->payload;
    *n = body.n;
    return S_OK;
}

void frame_read_release_entry(const uint8_t *entries, size_t index, uint64_t *id, uint32_t *count)
{
    struct peer_release entry;
    memcpy(&entry, entries + index * sizeof entry, sizeof entry);
    *id = entry.id;
    *count = entry.count;
}

HRESULT frame_read_reply(const struct link_message *reply)
{
    struct reply_body body;
    memcpy(&body, reply->body, sizeof body);
    if (FAILED(body.code))
        return error_set(VIA_E_PROTOCOL,
                         "a reply carries the failure 0x%08X, which belongs in an error",
                         (unsigned)body.code);
    return body.code;
}

/* --- writing --- */

void frame_write_call(uint8_t bytes[FRAME_CALL_BODY], uint64_t object, uint32_t interface_index,
                      uint16_t slot)
{
    /* Field by field: a struct would be written in parts and read as a whole at once, which makes
     * the processor wait. */
    memset(bytes, 0, FRAME_CALL_BODY);
    memcpy(bytes + offsetof(struct wire_call_body, object), &object, sizeof object);
    memcpy(bytes + offsetof(struct wire_call_body, interface_index), &interface_index,
           sizeof interface_index);
    memcpy(bytes + offsetof(struct wire_call_body, slot), &slot, sizeof slot);
}

void frame_keep_results(uint8_t body[FRAME_CALL_BODY])
{
    const uint32_t flags = WIRE_CALL_KEEP;
    memcpy(body + offsetof(struct wire_call_body, flags), &flags, sizeof flags);
}

void frame_aim_at_result(uint8_t body[FRAME_CALL_BODY], uint32_t index)
{
    body[offsetof(struct wire_call_body, target_kind)] = WIRE_TARGET_RESULT;
    memcpy(body + offsetof(struct wire_call_body, reference_index), &index, sizeof index);
}

void frame_write_query(uint8_t bytes[FRAME_QUERY_BODY], uint64_t object, const GUID *iid)
{
    struct query_body body = {object, *iid};
    memcpy(bytes, &body, sizeof body);
}

void frame_write_accept(uint8_t bytes[FRAME_ACCEPT_BODY], const struct link_id *t1, uint64_t object)
{
    struct accept_body body = {*t1, object};
    memcpy(bytes, &body, sizeof body);
}

void frame_write_reply(uint8_t bytes[FRAME_REPLY_BODY], HRESULT code)
{
    struct reply_body body = {code, 0};
    memcpy(bytes, &body, sizeof body);
}

HRESULT frame_post_release(struct link_connection *connection, const struct peer_release *releases,
                           size_t n)
{
    struct release_body body = {(uint32_t)n, 0};
    struct link_request request = {.kind = WIRE_RELEASE,
                                   .body = &body,
                                   .body_size = sizeof body,
                                   .payload = releases,
                                   .payload_size = n * sizeof *releases};
    return link_post(connection, &request, LINK_NO_WAIT);
}

HRESULT frame_post_interface(struct link_connection *connection, uint32_t index, const GUID *iid,
                             const uint8_t hash[16])
{
    struct interface_body body = {.index = index, .iid = *iid};
    memcpy(body.hash, hash, sizeof body.hash);
    struct link_request request = {.kind = WIRE_INTERFACE, .body = &body, .body_size = sizeof body};
    return link_post(connection, &request, LINK_NO_WAIT);
}

HRESULT frame_post_provide(struct link_connection *connection, const struct frame_provide *provide)
{
    const struct via_peer_identity *principal = &provide->principal;
    struct provide_body body = {.object = provide->object,
                                .t1 = provide->t1,
                                .t2 = provide->t2,
                                .recipient = provide->recipient};
    struct link_request request = {.kind = WIRE_PROVIDE, .body = &body, .body_size = sizeof body};
    if (principal->flags & VIA_PEER_HAS_UNIX) {
        body.principal = PRINCIPAL_UID;
        body.value = principal->uid;
    } else if (principal->flags & VIA_PEER_HAS_SID) {
        body.principal = PRINCIPAL_SID;
        body.value = (uint32_t)strlen(principal->sid);
        request.payload = principal->sid;
        request.payload_size = body.value;
    }
    return link_post(connection, &request, LINK_NO_WAIT);
}

HRESULT frame_post_withdraw(struct link_connection *connection, const struct link_id *t1)
{
    struct link_request request = {.kind = WIRE_WITHDRAW, .body = t1, .body_size = sizeof *t1};
    return link_post(connection, &request, LINK_NO_WAIT);
}
