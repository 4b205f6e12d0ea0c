/*
 * A call on an import, whatever form its arguments have: a typed call through a vtable, or values
 * by name.
 */
#ifndef COM_REMOTE_CALL_H
#define COM_REMOTE_CALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <viaduct/com.h>

#include "core/link/link.h"

struct buffer;
struct import;
struct marshal_interface;
struct marshal_method;
struct marshal_pointers;
struct peer;

/* Payloads up to here are made on the stack; deep chains of calls are why it is not more. */
#define CALL_FEW_BYTES 512

/* How arguments become a payload, and a payload results; `context` is call_remote's. */
struct call_form {
    HRESULT(*encode)
    (void *context, const struct marshal_method *method, const struct marshal_pointers *pointers,
     struct buffer *payload);
    HRESULT(*decode)
    (void *context, const struct marshal_method *method, const struct marshal_pointers *pointers,
     const uint8_t *payload, size_t size);
};

/* Blocks, unless the method is one-way. `index` is where the binding on the import's path is
 * remembered. Returns what the method returned. */
HRESULT call_remote(struct import *import, const struct marshal_interface *itf,
                    _Atomic uint32_t *index, const struct marshal_method *method,
                    const struct call_form *form, void *context);

/* The way to an import that can be called; else why not, as an error. */
HRESULT call_path(struct import *import, struct peer **peer);

/* `awaits`: the next method that this thread calls on a proxy is answered and waited for, one-way
 * or not. False takes that back. */
void call_await_next(bool awaits);

/* Blocks. Sends a request about the import over its path and waits for the answer, which the caller
 * releases. RPC_E_DISCONNECTED says which process has ended, and how where that is known. */
HRESULT call_exchange(struct import *import, const struct link_request *request,
                      struct link_message *reply);

#endif
