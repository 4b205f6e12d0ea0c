/* ZeroMQ: a DEALER for each client and one ROUTER, which answers on its only thread. */
#include "bench/peers/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

static _Noreturn void fail(const char *what)
{
    peer_fail(what, zmq_strerror(zmq_errno()));
}

static void *open_socket(int kind, const char *path, int (*attach)(void *, const char *))
{
    char address[256];
    void *context = zmq_ctx_new();
    void *socket = context != NULL ? zmq_socket(context, kind) : NULL;
    snprintf(address, sizeof(address), "ipc://%s", path);
    if (socket == NULL || attach(socket, address) != 0)
        fail(address);
    return socket;
}

static void receive(void *socket, zmq_msg_t *message)
{
    zmq_msg_init(message);
    if (zmq_msg_recv(message, socket, 0) < 0)
        fail("zmq_msg_recv");
}

/* A request is two parts behind the sender's name, its bytes being empty but for PEER_SINK. */
static void serve(const char *path)
{
    void *socket = open_socket(ZMQ_ROUTER, path, zmq_bind);
    peer_ready();
    for (;;) {
        zmq_msg_t sender, head, bytes;
        struct peer_request request = {0};
        receive(socket, &sender);
        receive(socket, &head);
        receive(socket, &bytes);
        if (zmq_msg_size(&head) == sizeof(request))
            memcpy(&request, zmq_msg_data(&head), sizeof(request));
        uint64_t answer = peer_answer(&request, zmq_msg_data(&bytes), zmq_msg_size(&bytes));
        if (request.kind != PEER_NOTIFY && (zmq_msg_send(&sender, socket, ZMQ_SNDMORE) < 0 ||
                                            zmq_send(socket, &answer, sizeof(answer), 0) < 0))
            fail("zmq_send");
        zmq_msg_close(&sender);
        zmq_msg_close(&head);
        zmq_msg_close(&bytes);
    }
}

static void *connect_to(const char *path)
{
    return open_socket(ZMQ_DEALER, path, zmq_connect);
}

static void post(void *socket, enum peer_kind kind, uint32_t a, const void *bytes, size_t size)
{
    struct peer_request request = {kind, a, 7, 0};
    if (zmq_send(socket, &request, sizeof(request), ZMQ_SNDMORE) < 0 ||
        zmq_send(socket, bytes, size, 0) < 0)
        fail("zmq_send");
}

static uint64_t ask(void *socket, enum peer_kind kind, uint32_t a, const void *bytes, size_t size)
{
    uint64_t answer = 0;
    post(socket, kind, a, bytes, size);
    if (zmq_recv(socket, &answer, sizeof(answer), 0) != sizeof(answer))
        fail("zmq_recv");
    return answer;
}

static bool call(void *context, uint32_t i)
{
    return peer_is_right(ask(context, PEER_CALL, i, "", 0), (uint64_t)i + 7);
}

static bool notify(void *context, uint32_t i)
{
    post(context, PEER_NOTIFY, i, "", 0);
    return true;
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
        "zeromq", serve, connect_to, {call, notify, settle, sink, NULL, server_cpu, NULL}};
    return peer_main(&peer, argc, argv);
}
