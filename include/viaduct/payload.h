/*
 * Memory for large arguments.
 *
 * An array of numbers or bytes that a call takes in (`[in, size_is(n)]`) is copied on its way: by
 * the caller's side into memory that both processes share, and by the other side out of it. Who
 * builds the array in memory from via_payload_alloc() saves the first copy, and the second one too
 * where the parameter is marked VIADUCT_IN_PLACE (<viaduct/viaduct.idl>) and both processes belong
 * to the same user. Programs need not know whether memory can be shared: where it cannot, this is
 * ordinary memory, and calls are as they are with any other.
 *
 *     BYTE *pixels = via_payload_alloc((IUnknown *)screen, size);
 *     ...
 *     hr = IScreen_Draw(screen, size, pixels);
 *     via_payload_free(pixels);
 *
 * All functions may be called from any thread.
 */
#ifndef VIADUCT_PAYLOAD_H
#define VIADUCT_PAYLOAD_H

#include <stddef.h>
#include <viaduct/com.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Memory of `size` bytes, not set, for arguments of calls on `proxy`, and on every other object of
 * the same process; NULL when there is none. Any part of it can be an argument, of several calls at
 * once too; what the peer has got of it, it can read on until the memory is freed. The memory stays
 * valid when the peer is gone.
 *
 * It is written at any time but while a call has it. That is until the call returns; after one that
 * returned RPC_E_TIMEOUT or RPC_E_CALL_CANCELED the method may still be reading: free the memory
 * then, and take new one. A connection has 64 MiB of such memory; beyond that, and below 2 KiB, it
 * is ordinary. On an object that is no proxy it always is. Does not wait for the peer. */
VIA_API void *via_payload_alloc(IUnknown *proxy, size_t size);
/* Before the last via_uninitialize(). What a call still uses goes when the call has been answered.
 * NULL is allowed. */
VIA_API void via_payload_free(void *payload);

#ifdef __cplusplus
}
#endif

#endif
