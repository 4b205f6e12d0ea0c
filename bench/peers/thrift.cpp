// Thrift: a thread of the server for each client, the binary protocol over buffers of 64 KiB.
#include "bench/peers/peer.h"
#include "Bench.h"

#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/server/TThreadedServer.h>
#include <thrift/transport/TBufferTransports.h>
#include <thrift/transport/TServerSocket.h>
#include <thrift/transport/TSocket.h>

#include <memory>
#include <string>

namespace
{

using namespace apache::thrift;
using namespace apache::thrift::protocol;
using namespace apache::thrift::transport;

constexpr uint32_t BUFFER_SIZE = 64 * 1024;

class BenchImpl final : public bench_thrift::BenchIf
{
  public:
    int64_t call(int32_t kind, int32_t a, int32_t b, const std::string &bytes) override
    {
        peer_request request = {uint32_t(kind), uint32_t(a), uint32_t(b), 0};
        return int64_t(peer_answer(&request, bytes.data(), bytes.size()));
    }

    void notify(int32_t a, int32_t b) override
    {
        peer_request request = {PEER_NOTIFY, uint32_t(a), uint32_t(b), 0};
        peer_answer(&request, nullptr, 0);
    }
};

class Buffers final : public TTransportFactory
{
  public:
    std::shared_ptr<TTransport> getTransport(std::shared_ptr<TTransport> transport) override
    {
        return std::make_shared<TBufferedTransport>(transport, BUFFER_SIZE);
    }
};

class Ready final : public server::TServerEventHandler
{
  public:
    void preServe() override
    {
        peer_ready();
    }
};

void serve(const char *path)
{
    server::TThreadedServer server(
        std::make_shared<bench_thrift::BenchProcessor>(std::make_shared<BenchImpl>()),
        std::make_shared<TServerSocket>(std::string(path)), std::make_shared<Buffers>(),
        std::make_shared<TBinaryProtocolFactory>());
    server.setServerEventHandler(std::make_shared<Ready>());
    server.serve();
}

void *connectTo(const char *path)
{
    auto transport = std::make_shared<TBufferedTransport>(
        std::make_shared<TSocket>(std::string(path)), BUFFER_SIZE);
    transport->open();
    return new bench_thrift::BenchClient(std::make_shared<TBinaryProtocol>(transport));
}

uint64_t ask(void *context, peer_kind kind, uint32_t a, const std::string &bytes = std::string())
{
    return uint64_t(
        static_cast<bench_thrift::BenchClient *>(context)->call(kind, int32_t(a), 7, bytes));
}

bool call(void *context, uint32_t i)
{
    return peer_is_right(ask(context, PEER_CALL, i), uint64_t(i) + 7);
}

bool notify(void *context, uint32_t i)
{
    static_cast<bench_thrift::BenchClient *>(context)->notify(int32_t(i), 7);
    return true;
}

bool settle(void *context, uint32_t n)
{
    return peer_is_right(ask(context, PEER_SETTLE, 0), n);
}

bool sink(void *context, const void *data, size_t size, uint32_t sum)
{
    return peer_is_right(
        ask(context, PEER_SINK, 0, std::string(static_cast<const char *>(data), size)), sum);
}

bool serverCpu(void *context, uint64_t *ns)
{
    *ns = ask(context, PEER_CPU, 0);
    return true;
}

} // namespace

int main(int argc, char **argv)
{
    static const peer thrift = {
        "thrift", serve, connectTo, {call, notify, settle, sink, nullptr, serverCpu, nullptr}};
    return peer_main(&thrift, argc, argv);
}
