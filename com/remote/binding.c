#include "com/remote/binding.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "com/marshal/marshal.h"
#include "com/remote/frames.h"
#include "com/abi/guid.h"
#include "com/remote/peer.h"
#include "core/util/error.h"

void bindings_init(struct bindings *bindings)
{
    os_mutex_init(&bindings->lock);
}

void bindings_deinit(struct bindings *bindings)
{
    for (unsigned i = 0; i < BINDING_MAX / BINDING_BLOCK; i++)
        free(atomic_load(&bindings->in[i]));
    free(bindings->out);
    os_mutex_deinit(&bindings->lock);
}

/* --- ours --- */

static HRESULT bind_locked(struct peer *peer, const struct marshal_interface *itf, uint32_t *index)
{
    struct bindings *bindings = &peer->bindings;
    if (bindings->n_out == BINDING_MAX - 1)
        return error_set(VIA_E_LIMIT, "more than %u interfaces are used on one connection",
                         BINDING_MAX);
    if (bindings->n_out == bindings->max_out) {
        uint32_t max = bindings->max_out == 0 ? 8 : bindings->max_out * 2;
        void *more = realloc(bindings->out, max * sizeof *bindings->out);
        if (more == NULL)
            return error_set(E_OUTOFMEMORY, "no memory to bind an interface");
        bindings->out = more;
        bindings->max_out = max;
    }
    /* Under the lock, so that no other thread's call can use the index before the peer knows it. */
    HRESULT hr = frame_post_interface(peer->connection, bindings->n_out + 1,
                                      marshal_interface_iid(itf), marshal_interface_hash(itf));
    if (FAILED(hr))
        return hr;
    bindings->out[bindings->n_out++] = itf;
    *index = bindings->n_out;
    return S_OK;
}

HRESULT binding_out(struct peer *peer, const struct marshal_interface *itf, uint32_t *index)
{
    struct bindings *bindings = &peer->bindings;
    HRESULT hr = S_OK;
    os_mutex_lock(&bindings->lock);
    uint32_t i = 0;
    while (i < bindings->n_out && bindings->out[i] != itf)
        i++;
    if (i < bindings->n_out)
        *index = i + 1;
    else
        hr = bind_locked(peer, itf, index);
    os_mutex_unlock(&bindings->lock);
    return hr;
}

/* --- the peer's --- */

HRESULT binding_in(struct peer *peer, uint32_t index, const GUID *iid,
                   const uint8_t hash[BINDING_HASH_SIZE])
{
    if (index == 0 || index >= BINDING_MAX)
        return error_set(VIA_E_PROTOCOL, "interface index %" PRIu32 " is not between 1 and %u",
                         index, BINDING_MAX - 1);
    _Atomic(struct binding *) *slot = &peer->bindings.in[index / BINDING_BLOCK];
    struct binding *block = atomic_load_explicit(slot, memory_order_relaxed);
    if (block == NULL) {
        block = calloc(BINDING_BLOCK, sizeof *block);
        if (block == NULL)
            return error_set(E_OUTOFMEMORY, "no memory for an interface that a peer binds");
        atomic_store_explicit(slot, block, memory_order_release);
    }
    struct binding *binding = &block[index % BINDING_BLOCK];
    if (atomic_load_explicit(&binding->is_bound, memory_order_relaxed))
        return error_set(VIA_E_PROTOCOL, "interface index %" PRIu32 " is bound twice", index);
    binding->iid = *iid;
    memcpy(binding->hash, hash, BINDING_HASH_SIZE);
    atomic_store_explicit(&binding->is_bound, true, memory_order_release);
    return S_OK;
}

static const char *hash_text(const uint8_t *hash, char text[2 * BINDING_HASH_SIZE + 1])
{
    for (unsigned i = 0; i < BINDING_HASH_SIZE; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    return text;
}

static HRESULT judge(struct peer *peer, struct binding *binding,
                     const struct marshal_interface **result)
{
    char iid[GUID_TEXT_SIZE];
    const struct marshal_interface *itf = marshal_interface_find(&binding->iid);
    if (itf == NULL)
        return error_set(REGDB_E_IIDNOTREG,
                         "process %" PRIu32
                         " calls interface %s, which this process does not know: "
                         "register its type library with via_register_typelib()",
                         peer_info(peer)->process_id, guid_format(&binding->iid, iid));
    const uint8_t *ours = marshal_interface_hash(itf);
    if (memcmp(ours, binding->hash, BINDING_HASH_SIZE) != 0) {
        char a[2 * BINDING_HASH_SIZE + 1];
        char b[2 * BINDING_HASH_SIZE + 1];
        return error_set(VIA_E_MISMATCH,
                         "interface %s is described differently on both sides: here %s, in process "
                         "%" PRIu32 " %s; build both from the same IDL",
                         guid_format(&binding->iid, iid), hash_text(ours, a),
                         peer_info(peer)->process_id, hash_text(binding->hash, b));
    }
    atomic_store_explicit(&binding->itf, itf, memory_order_release);
    *result = itf;
    return S_OK;
}

/* NULL: the index was never bound. */
static struct binding *bound(struct peer *peer, uint32_t index)
{
    struct binding *block = NULL;
    if (index > 0 && index < BINDING_MAX)
        block =
            atomic_load_explicit(&peer->bindings.in[index / BINDING_BLOCK], memory_order_acquire);
    struct binding *binding = block == NULL ? NULL : &block[index % BINDING_BLOCK];
    if (binding == NULL || !atomic_load_explicit(&binding->is_bound, memory_order_acquire))
        return NULL;
    return binding;
}

bool binding_iid(struct peer *peer, uint32_t index, GUID *iid)
{
    const struct binding *binding = bound(peer, index);
    if (binding != NULL)
        *iid = binding->iid;
    return binding != NULL;
}

bool binding_is(struct peer *peer, uint32_t index, const GUID *iid)
{
    GUID found;
    return binding_iid(peer, index, &found) && IsEqualGUID(&found, iid);
}

HRESULT binding_find(struct peer *peer, uint32_t index, const struct marshal_interface **result)
{
    struct binding *binding = bound(peer, index);
    if (binding == NULL)
        return error_set(VIA_E_PROTOCOL, "interface index %" PRIu32 " was never bound", index);
    *result = atomic_load_explicit(&binding->itf, memory_order_acquire);
    if (*result != NULL && !marshal_interface_is_outdated(*result))
        return S_OK;
    return judge(peer, binding, result);
}
