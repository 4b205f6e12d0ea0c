/*
 * nng: a REQ for each client, and REP with four contexts, each with a thread. There is nothing
 * one-way between these, so that a notification is a call.
 */
#include "bench/peers/peer.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_THREADS 4

static void check(const char *what, int error)
{
    if (error != 0)
        peer_fail(what, nng_strerror(error));
}

static void *answer(void *argument)
{
    nng_ctx context;
    nng_aio *aio;
    check("nng_ctx_open", nng_ctx_open(&context, *(nng_socket *)argument));
    check("nng_aio_alloc", nng_aio_alloc(&aio, NULL, NULL));
    for (;;) {
        struct peer_request request = {0};
        nng_ctx_recv(context, aio);
        nng_aio_wait(aio);
        check("nng_ctx_recv", nng_aio_result(aio));
        nng_msg *message = nng_aio_get_msg(aio);
        const char *body = nng_msg_body(message);
        size_t size = nng_msg_len(message);
        if (size >= sizeof(request))
            memcpy(&request, body, sizeof(request));
        uint64_t value = peer_answer(&request, body + sizeof(request), size - sizeof(request));
        nng_msg_clear(message);
        check("nng_msg_append", nng_msg_append(message, &value, sizeof(value)));
        nng_aio_set_msg(aio, message);
        nng_ctx_send(context, aio);
        nng_aio_wait(aio);
        check("nng_ctx_send", nng_aio_result(aio));
    }
    return NULL;
}

static void format(char *address, size_t size, const char *path)
{
    snprintf(address, size, "ipc://%s", path);
}

static void serve(const char *path)
{
    static nng_socket socket;
    char address[256];
    pthread_t threads[N_THREADS];
    format(address, sizeof(address), path);
    check("nng_rep0_open", nng_rep0_open(&socket));
    check("nng_socket_set_size", nng_socket_set_size(socket, NNG_OPT_RECVMAXSZ, 0));
    check(address, nng_listen(socket, address, NULL, 0));
    for (int i = 0; i < N_THREADS; i++)
        if (pthread_create(&threads[i], NULL, answer, &socket) != 0)
            peer_fail("nng", "no thread");
    peer_ready();
    pthread_join(threads[0], NULL);
}

static void *connect_to(const char *path)
{
    static nng_socket socket;
    char address[256];
    format(address, sizeof(address), path);
    check("nng_req0_open", nng_req0_open(&socket));
    check(address, nng_dial(socket, address, NULL, 0));
    return &socket;
}

static uint64_t ask(void *context, enum peer_kind kind, uint32_t a, const void *bytes, size_t size)
{
    nng_socket socket = *(nng_socket *)context;
    struct peer_request request = {kind, a, 7, 0};
    uint64_t value = 0;
    nng_msg *message;
    check("nng_msg_alloc", nng_msg_alloc(&message, sizeof(request) + size));
    memcpy(nng_msg_body(message), &request, sizeof(request));
    memcpy((char *)nng_msg_body(message) + sizeof(request), bytes, size);
    check("nng_sendmsg", nng_sendmsg(socket, message, 0));
    check("nng_recvmsg", nng_recvmsg(socket, &message, 0));
    if (nng_msg_len(message) == sizeof(value))
        memcpy(&value, nng_msg_body(message), sizeof(value));
    nng_msg_free(message);
    return value;
}

static bool call(void *context, uint32_t i)
{
    return peer_is_right(ask(context, PEER_CALL, i, "", 0), (uint64_t)i + 7);
}

static bool notify(void *context, uint32_t i)
{
    return peer_is_right(ask(context, PEER_NOTIFY, i, "", 0), 0);
}

static bool settle(void *context, uint32_t n)
{
    return peer_is_right(ask(context, PEER_SETTLE, 0, "", 0), n);
}

static bool sink(void *context, const void *data, size_t size, uint32_t sum)
{
    return peer_is_right(ask(context, PEER_SINK, 0, data, size), sum);
}

static bool server_cpu(void *context, uint64_t *ns)
{
    *ns = ask(context, PEER_CPU, 0, "", 0);
    return true;
}

int main(int argc, char **argv)
{
    static const struct peer peer = {
        "nng", serve, connect_to, {call, notify, settle, sink, NULL, server_cpu, NULL}};
    return peer_main(&peer, argc, argv);
}
