/*
 * A payload to native values. The payload comes from a peer: every number is loaded once and
 * checked, and nothing is allocated before what is left of the payload can hold it.
 *
 * Strings and arrays are allocated as COM's [out] values are, so that a method may replace an [in,
 * out] one. What was allocated is also in a list: after a failure it is freed from there, since
 * values that are half made, or whose sizes do not agree, cannot be walked.
 */
#ifndef COM_MARSHAL_DECODE_H
#define COM_MARSHAL_DECODE_H

#include "com/marshal/native.h"

/* For struct decoder.seen: no array with this size has been met. */
#define DECODE_UNSEEN (-2)

enum decode_allocation_kind {
    DECODE_BLOCK,
    DECODE_BSTR,
    DECODE_OBJECT,
    DECODE_ARRAY,
    DECODE_HANDLE
};

struct decode_allocation {
    void *pointer;
    uint32_t kind;
};

#define DECODE_INLINE_ALLOCATIONS 8

/* Structs that count their arrays by so many fields need no memory for that. */
#define DECODE_INLINE_SIZES 4

/* A struct that is being read. A size may come behind the arrays that it counts. */
struct decode_record {
    const struct plan_struct *record;
    int64_t *seen; /* elements of the arrays, by the size's slot; few, or on the heap */
    int64_t few[DECODE_INLINE_SIZES];
};

/* What something that was read says of its neighbours: it is compared when those are known. */
enum decode_claim_kind { CLAIM_COUNT, CLAIM_LENGTH, CLAIM_CHOICE, CLAIM_IID };
struct decode_claim {
    const struct plan_type *type;
    enum decode_claim_kind kind;
    uint32_t number;
    GUID iid;
};

#define DECODE_INLINE_CLAIMS 4

struct decoder {
    const struct marshal_method *method;
    const struct marshal_pointers *pointers;
    const uint8_t *data;
    size_t size;
    size_t at;
    const char *param; /* for messages */
    unsigned depth;
    bool is_result; /* of a method: VARIANTs in it hold values, no references */
    HRESULT result; /* sticky */
    /* What the arrays that each parameter counts had: all must agree, and with the parameter. */
    int64_t seen[TYPELIB_MAX_PARAMS];
    struct automation_reference *references; /* what VARIANTs refer to, for the invocation */
    const struct plan_param *lendable; /* that is read, and may be left where it is; or NULL */
    bool is_lent;                      /* it was */
    size_t slack;                      /* what arrays may still have in room that is not sent */
    struct decode_claim *claims;       /* few, or on the heap */
    size_t n_claims;
    size_t claims_room;
    size_t first_claim;                    /* of the struct that is read, or the method */
    struct decode_record *record;          /* the same for the struct that is read, innermost */
    struct decode_allocation *allocations; /* few, or on the heap */
    size_t n_allocations;
    size_t room;
    struct decode_allocation few[DECODE_INLINE_ALLOCATIONS];
    struct decode_claim few_claims[DECODE_INLINE_CLAIMS];
};

void decode_init(struct decoder *decoder, const struct marshal_method *method,
                 const struct marshal_pointers *pointers, const uint8_t *data, size_t size);
/* `value` is zeroed memory of the type's native size. */
void decode_value(struct decoder *decoder, const struct plan_type *type, void *value);
/* The parts of it in decode_arrays.c: a pointer to as many as the payload says, and an array in
 * place. */
void decode_sized(struct decoder *decoder, const struct plan_type *type, void **value);
void decode_array(struct decoder *decoder, const struct plan_type *type, void *values);
/* The elements of an array in the caller's memory, which has room for exactly `n`. */
void decode_buffer(struct decoder *decoder, const struct plan_type *type, void *values, int64_t n);
/* Whether what was read about the method's parameters is what they are. `arguments` as libffi has
 * them; those of what was read are it. */
void decode_check_claims(struct decoder *decoder, void *const *arguments);
/* Notes a claim. Those of one type about the same neighbours have to agree, so each stands in the
 * list once. */
void decode_claim(struct decoder *decoder, struct decode_claim made);
/* The same as decode_check_claims() for the innermost struct, whose scope it is, or the method. */
void decode_check_scope(struct decoder *decoder, const struct native_scope *scope);
void decode_free_claims(struct decoder *decoder);
/* In front of a by-reference argument that may be NULL: whether it is there. */
bool decode_marker(struct decoder *decoder);
/* For the walkers of parts (automation_decode.c): the next bytes, behind padding; NULL: they are
 * not there. */
const uint8_t *decode_take(struct decoder *decoder, size_t alignment, size_t size);
uint32_t decode_u32(struct decoder *decoder);
size_t decode_left(const struct decoder *decoder);
/* Bytes that are as they are in memory. */
void decode_verbatim(struct decoder *decoder, const struct plan_type *type, void *values,
                     size_t size);
/* By the count in front of it: true when a value follows; NULL is refused where it may not be. */
bool decode_is_there(struct decoder *decoder, const struct plan_type *type, uint32_t count);
/* Lists what has been allocated. False, and it is freed, when there is no memory for that or for
 * it. */
bool decode_note(struct decoder *decoder, void *pointer, enum decode_allocation_kind kind);
/* The same of an OS handle (core/os/handle.h). */
bool decode_note_handle(struct decoder *decoder, intptr_t handle);
/* Room for `n` structs: most of it has to be in the message. False, after an error: the call has
 * used up what it may have beyond that. */
bool decode_take_records(struct decoder *decoder, const struct plan_type *type, uint64_t n);
void decode_elements(struct decoder *decoder, const struct plan_type *element, void *values,
                     uint64_t n);
/* RPC_E_INVALID_DATA with the argument's name. */
void decode_fail(struct decoder *decoder, const char *what);
/* E_OUTOFMEMORY with it. */
void decode_fail_memory(struct decoder *decoder);
/* Ends decoding; checks also that nothing is left over. After a failure everything that was
 * allocated is freed, and the values must not be looked at. */
HRESULT decode_finish(struct decoder *decoder);

#endif
