/*
 * The sending half of a stream: what is committed lies in one borrowed buffer until the system has
 * taken it.
 *
 * Handles belong to a byte: a send never goes past the position of the next batch, and starts with
 * that batch's descriptors when it is at its position. While nothing is unsent the buffer lies in
 * `idle`, where park, on another thread, may take it back to the host.
 */
#include "plugins/unixsock/stream_parts.h"

#include <stdlib.h>
#include <string.h>

static bool take_idle(struct stream_sender *sender, struct via_plugin_buffer *memory)
{
    const uint8_t *idle = atomic_exchange_explicit(&sender->idle, NULL, memory_order_acq_rel);
    if (idle != NULL)
        memcpy(memory, idle, sizeof *memory);
    return idle != NULL;
}

static HRESULT borrow_buffer(struct stream_sender *sender)
{
    struct stream_buffer *buffer = &sender->buffer;
    buffer->head = buffer->tail = 0;
    if (take_idle(sender, &buffer->memory))
        return S_OK;
    buffer->memory.data = NULL;
    return socket_host->buffer_get(STREAM_BUFFER_SIZE, &buffer->memory);
}

static void lay_down_buffer(struct stream_sender *sender)
{
    uint8_t *data = sender->buffer.memory.data;
    memcpy(data, &sender->buffer.memory, sizeof sender->buffer.memory);
    sender->buffer.memory.data = NULL;
    sender->buffer.head = sender->buffer.tail = 0;
    atomic_store_explicit(&sender->idle, data, memory_order_release);
}

void sender_park(struct stream_sender *sender)
{
    struct via_plugin_buffer memory;
    if (take_idle(sender, &memory))
        socket_host->buffer_put(&memory);
}

static void pop_batch(struct stream_sender *sender)
{
    struct handle_batch *batch = sender->first;
    sender->first = batch->next;
    if (sender->first == NULL)
        sender->last = NULL;
    sender->n_batches--;
    for (uint32_t i = 0; batch->owned && i < batch->n; i++)
        socket_close(batch->descriptors[i]);
    free(batch);
}

void sender_deinit(struct stream_sender *sender)
{
    while (sender->first != NULL)
        pop_batch(sender);
    if (sender->buffer.memory.data != NULL)
        socket_host->buffer_put(&sender->buffer.memory);
    sender_park(sender);
}

static HRESULT break_sender(struct stream_sender *sender, HRESULT hr)
{
    if (FAILED(hr))
        sender->broken = hr;
    return hr;
}

static HRESULT fail_again(HRESULT hr)
{
    return hr == RPC_E_DISCONNECTED ? socket_fail(hr, "the peer has closed the connection")
                                    : socket_fail(hr, "the stream broke before");
}

/* Sends what is committed as far as the system takes it. */
static HRESULT flush(struct via_stream *stream)
{
    struct stream_sender *sender = &stream->sender;
    struct stream_buffer *buffer = &sender->buffer;
    while (buffer->head < buffer->tail) {
        struct handle_batch *batch = sender->first;
        size_t size = buffer->tail - buffer->head;
        bool attach = batch != NULL && batch->position == sender->position;
        const struct handle_batch *border = attach ? batch->next : batch;
        if (border != NULL && border->position - sender->position < size)
            size = (size_t)(border->position - sender->position);
        size_t sent = 0;
        HRESULT hr = socket_send(stream->descriptor, buffer->memory.data + buffer->head, size,
                                 attach ? batch->descriptors : NULL, attach ? batch->n : 0, &sent);
        if (hr != S_OK)
            return break_sender(sender, hr);
        if (attach)
            pop_batch(sender);
        buffer->head += sent;
        sender->position += sent;
    }
    return S_OK;
}

/* Room behind the tail, after moving what is unsent to the front if that is needed. */
static size_t room_behind(struct stream_buffer *buffer, size_t min)
{
    if (buffer->memory.size - buffer->tail < min && buffer->head > 0) {
        memmove(buffer->memory.data, buffer->memory.data + buffer->head,
                buffer->tail - buffer->head);
        buffer->tail -= buffer->head;
        buffer->head = 0;
    }
    return buffer->memory.size - buffer->tail;
}

HRESULT stream_reserve(struct via_stream *stream, size_t min, uint8_t **span, size_t *size)
{
    struct stream_sender *sender = &stream->sender;
    struct stream_buffer *buffer = &sender->buffer;
    if (min > STREAM_MAX_SPAN)
        return socket_fail(E_INVALIDARG, "reserve of %u bytes; %u is the most", (unsigned)min,
                           STREAM_MAX_SPAN);
    if (sender->broken != S_OK)
        return fail_again(sender->broken);
    HRESULT hr = buffer->memory.data != NULL ? S_OK : borrow_buffer(sender);
    if (FAILED(hr))
        return hr;
    if (room_behind(buffer, min) < min || sender->n_batches >= STREAM_MAX_BATCHES) {
        hr = flush(stream);
        if (FAILED(hr))
            return hr;
        if (room_behind(buffer, min) < min || sender->n_batches >= STREAM_MAX_BATCHES)
            return VIA_S_WOULD_BLOCK;
    }
    *span = buffer->memory.data + buffer->tail;
    *size = buffer->memory.size - buffer->tail;
    return S_OK;
}

static HRESULT attach_handles(struct stream_sender *sender, const via_os_handle *handles,
                              uint32_t n_handles)
{
    struct handle_batch *batch = malloc(sizeof *batch);
    if (batch == NULL)
        return socket_fail(E_OUTOFMEMORY, "out of memory");
    batch->next = NULL;
    batch->position = sender->position + (sender->buffer.tail - sender->buffer.head);
    batch->n = n_handles;
    batch->owned = false;
    for (uint32_t i = 0; i < n_handles; i++)
        batch->descriptors[i] = (int32_t)handles[i];
    if (sender->last != NULL)
        sender->last->next = batch;
    else
        sender->first = batch;
    sender->last = batch;
    sender->n_batches++;
    return S_OK;
}

/* The handles of the last commit, if they are still here when it returns, become our own
 * duplicates. */
static HRESULT keep_handles(struct stream_sender *sender)
{
    struct handle_batch *batch = sender->last;
    if (batch == NULL || batch->owned)
        return S_OK;
    for (uint32_t i = 0; i < batch->n; i++) {
        int32_t duplicate;
        HRESULT hr = socket_duplicate(batch->descriptors[i], &duplicate);
        if (FAILED(hr)) {
            while (i-- > 0)
                socket_close(batch->descriptors[i]);
            batch->n = 0;
            return break_sender(sender, hr);
        }
        batch->descriptors[i] = duplicate;
    }
    batch->owned = true;
    return S_OK;
}

HRESULT stream_send_from_pipe(struct via_stream *stream, via_os_handle pipe, size_t size, size_t *n)
{
    struct stream_sender *sender = &stream->sender;
    if (sender->buffer.head < sender->buffer.tail)
        return socket_fail(E_INVALIDARG, "a pipe's bytes would overtake what is not sent yet");
    if (sender->broken != S_OK)
        return fail_again(sender->broken);
    HRESULT hr = stream_unblock(stream);
    if (FAILED(hr))
        return hr;
    hr = socket_send_from_pipe(stream->descriptor, (int32_t)pipe, size, n);
    if (hr == S_OK)
        sender->position += *n;
    return hr == E_NOTIMPL ? hr : break_sender(sender, hr);
}

HRESULT stream_commit(struct via_stream *stream, size_t n, const via_os_handle *handles,
                      uint32_t n_handles, uint32_t flags)
{
    struct stream_sender *sender = &stream->sender;
    struct stream_buffer *buffer = &sender->buffer;
    if (n_handles > STREAM_MAX_HANDLES || (n_handles > 0 && n == 0))
        return socket_fail(E_INVALIDARG, "commit of %u bytes with %u handles; %u is the most",
                           (unsigned)n, n_handles, STREAM_MAX_HANDLES);
    if (n > 0 && (buffer->memory.data == NULL || n > buffer->memory.size - buffer->tail))
        return socket_fail(E_INVALIDARG, "commit of %u bytes that were not reserved", (unsigned)n);
    if (sender->broken != S_OK)
        return fail_again(sender->broken);
    HRESULT hr = S_OK;
    if (n_handles > 0)
        hr = attach_handles(sender, handles, n_handles);
    if (FAILED(hr))
        return hr;
    buffer->tail += n;
    if (flags & VIA_COMMIT_FLUSH)
        hr = flush(stream);
    HRESULT kept = n_handles > 0 ? keep_handles(sender) : S_OK;
    if (buffer->memory.data != NULL && buffer->head == buffer->tail)
        lay_down_buffer(sender);
    return FAILED(kept) ? kept : hr;
}
