/*
 * What values say of their neighbours while they are read: how many elements an array has that an
 * expression counts, which arm a union has taken, of which interface an object is. The neighbours
 * may come later, so each such claim is kept until the struct, or the list of parameters, is whole,
 * and compared then.
 */
#include "com/marshal/decode.h"

#include <stdlib.h>
#include <string.h>

static bool grow_claims(struct decoder *self)
{
    size_t size = self->claims_room * sizeof(*self->claims);
    struct decode_claim *larger = malloc(2 * size);
    if (!larger)
        return false;
    memcpy(larger, self->claims, size);
    if (self->claims != self->few_claims)
        free(self->claims);
    self->claims = larger;
    self->claims_room *= 2;
    return true;
}

void decode_claim(struct decoder *decoder, struct decode_claim made)
{
    for (size_t i = decoder->first_claim; i < decoder->n_claims; i++) {
        const struct decode_claim *other = &decoder->claims[i];
        if (other->type != made.type || other->kind != made.kind)
            continue;
        if (other->number != made.number || !IsEqualGUID(&other->iid, &made.iid))
            decode_fail(decoder, "it says two things of one size, discriminant or IID");
        return;
    }
    if (decoder->n_claims == decoder->claims_room && !grow_claims(decoder))
        decode_fail_memory(decoder);
    else
        decoder->claims[decoder->n_claims++] = made;
}

static bool is_right(const struct decode_claim *claim, const struct native_scope *scope)
{
    int64_t which;
    const GUID *iid;
    switch (claim->kind) {
    case CLAIM_COUNT:
        return native_count(scope, claim->type) == claim->number;
    case CLAIM_LENGTH:
        return native_length(scope, claim->type) == claim->number;
    case CLAIM_CHOICE:
        return native_choice(scope, claim->type, &which) && (uint32_t)which == claim->number;
    default:
        iid = native_iid(scope, claim->type);
        return iid && IsEqualGUID(iid, &claim->iid);
    }
}

void decode_check_scope(struct decoder *decoder, const struct native_scope *scope)
{
    static const char *const wrong[] = {
        [CLAIM_COUNT] = "an array has another number of elements than its size says",
        [CLAIM_LENGTH] = "an array has another length than what counts it says",
        [CLAIM_CHOICE] = "a union has another arm than its discriminant says",
        [CLAIM_IID] = "an object is of another interface than its IID says",
    };
    for (size_t i = decoder->first_claim; i < decoder->n_claims && SUCCEEDED(decoder->result); i++)
        if (!is_right(&decoder->claims[i], scope))
            decode_fail(decoder, wrong[decoder->claims[i].kind]);
    decoder->n_claims = decoder->first_claim;
}

void decode_check_claims(struct decoder *decoder, void *const *arguments)
{
    struct native_scope scope = {.method = decoder->method, .arguments = arguments};
    decoder->first_claim = 0;
    decode_check_scope(decoder, &scope);
}

void decode_free_claims(struct decoder *decoder)
{
    if (decoder->claims != decoder->few_claims)
        free(decoder->claims);
}
