// The task server alone with one task of two containers, rate limit lifted, for
//   wrk -t1 -c16 -d5s --latency http://127.0.0.1:PORT/v4/11111111-2222-3333-4444-555555555555/task
// Prints the port; on SIGINT or SIGTERM, the CPU time it used.

#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include "agent/base/shard.hpp"
#include "metadata/task_server.hpp"
#include "tests/unit/metadata/trace_snapshot.hpp"

int main(int argc, char** argv) {
    using namespace nodeagent;
    using namespace nodeagent::metadata;
    model::SnapshotBoard snapshots;
    credentials::Registry registry;
    IdentityBoard who;
    snapshots.publish(test::snapshot_of({test::i_task()}));
    who.publish(test::identity());
    SystemClock clock;
    Shard shard("metadata");
    TaskServerOptions options{.steady_rate = 100'000'000, .burst = 100'000'000};
    options.listener.port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 0);
    TaskServerSources sources{.snapshots = snapshots,
                              .credentials = registry,
                              .identity = who,
                              .stats = nullptr,
                              .tags = {},
                              .protection = {},
                              .audit = {}};
    TaskServer server(shard.executor(), clock, std::move(sources), options);
    asio::post(shard.context(), [&] { server.start(); });
    asio::signal_set signals(shard.context(), SIGINT, SIGTERM);
    signals.async_wait([&](boost::system::error_code, int) {
        asio::co_spawn(shard.context(), server.stop(), [&](const std::exception_ptr&) { shard.stop(); });
    });
    asio::post(shard.context(), [&] {
        std::printf("port %u\n", server.port());
        std::fflush(stdout);
    });
    shard.run();
    rusage use{};
    getrusage(RUSAGE_SELF, &use);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    std::printf("cpu user %.3f s, system %.3f s\n", seconds(use.ru_utime), seconds(use.ru_stime));
}
