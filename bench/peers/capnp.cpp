// Cap'n Proto with EzRpc: one event loop. A notification is a call whose promise is kept until the
// window is full.
#include "bench/peers/capnp.capnp.h"
#include "bench/peers/peer.h"

#include <capnp/ez-rpc.h>
#include <unistd.h>

#include <vector>

namespace
{

class BenchImpl final : public Bench::Server
{
  protected:
    kj::Promise<void> call(CallContext context) override
    {
        auto in = context.getParams();
        peer_request request = {in.getKind(), in.getA(), in.getB(), 0};
        auto bytes = in.getBytes();
        context.getResults().setValue(peer_answer(&request, bytes.begin(), bytes.size()));
        return kj::READY_NOW;
    }
};

void serve(const char *path)
{
    unlink(path);
    capnp::EzRpcServer server(kj::heap<BenchImpl>(), kj::str("unix:", path));
    server.getPort().wait(server.getWaitScope());
    peer_ready();
    kj::NEVER_DONE.wait(server.getWaitScope());
}

struct Client {
    // A message of 1 MiB is more than the limit of words that a reader follows by default, in a
    // long run.
    explicit Client(const char *path)
        : rpc(kj::str("unix:", path), 0, {UINT64_MAX, 64}), bench(rpc.getMain<Bench>())
    {
    }
    capnp::EzRpcClient rpc;
    Bench::Client bench;
    std::vector<capnp::RemotePromise<Bench::CallResults>> waiting;
};

void *connectTo(const char *path)
{
    return new Client(path);
}

capnp::RemotePromise<Bench::CallResults> post(Client *self, peer_kind kind, uint32_t a,
                                              const void *bytes = nullptr, size_t size = 0)
{
    auto request = self->bench.callRequest();
    request.setKind(kind);
    request.setA(a);
    request.setB(7);
    if (size > 0)
        request.setBytes(kj::arrayPtr(static_cast<const kj::byte *>(bytes), size));
    return request.send();
}

uint64_t ask(void *context, peer_kind kind, uint32_t a, const void *bytes = nullptr,
             size_t size = 0)
{
    auto self = static_cast<Client *>(context);
    return post(self, kind, a, bytes, size).wait(self->rpc.getWaitScope()).getValue();
}

bool call(void *context, uint32_t i)
{
    return peer_is_right(ask(context, PEER_CALL, i), uint64_t(i) + 7);
}

bool notify(void *context, uint32_t i)
{
    auto self = static_cast<Client *>(context);
    self->waiting.push_back(post(self, PEER_NOTIFY, i));
    return true;
}

bool settle(void *context, uint32_t n)
{
    auto self = static_cast<Client *>(context);
    uint64_t there = ask(context, PEER_SETTLE, 0);
    for (auto &promise : self->waiting)
        promise.wait(self->rpc.getWaitScope());
    self->waiting.clear();
    return peer_is_right(there, n);
}

bool sink(void *context, const void *data, size_t size, uint32_t sum)
{
    return peer_is_right(ask(context, PEER_SINK, 0, data, size), sum);
}

bool serverCpu(void *context, uint64_t *ns)
{
    *ns = ask(context, PEER_CPU, 0);
    return true;
}

} // namespace

int main(int argc, char **argv)
{
    static const peer capnp = {
        "capnp", serve, connectTo, {call, notify, settle, sink, nullptr, serverCpu, nullptr}};
    return peer_main(&capnp, argc, argv);
}
