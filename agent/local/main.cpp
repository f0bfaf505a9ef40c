// ecs-local: options -> store -> state -> server, until SIGINT or SIGTERM.

#include <cstdio>
#include <string>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/signal_set.hpp>

#include "agent/base/files.hpp"
#include "agent/base/log.hpp"
#include "agent/base/scope.hpp"
#include "agent/base/shard.hpp"
#include "agent/local/options.hpp"
#include "agent/local/server.hpp"
#include "agent/local/state.hpp"
#include "agent/local/store.hpp"

namespace nodeagent::local {
namespace {

constexpr int kUsage = 2;

int fail(const Error& error) {
    std::fprintf(stderr, "ecs-local: %s\n", error.what.c_str());
    return error.kind == ErrorKind::Malformed ? kUsage : 1;
}

void create_clusters(State& state, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        if (state.active_cluster(name) != nullptr) continue;
        Cluster cluster;
        cluster.name = name;
        cluster.arn = make_arn(state.identity(), "cluster/" + name);
        cluster.status = "ACTIVE";
        state.save(std::move(cluster));
    }
}

asio::awaitable<void> stop_on_signal(asio::signal_set& signals, Server& server, Shard& shard) {
    boost::system::error_code failed;
    const int signal = co_await signals.async_wait(asio::redirect_error(asio::use_awaitable, failed));
    log::info("stopping", {{"signal", signal}});
    co_await server.stop();
    shard.stop();
}

int run(const Options& options) {
    log::set_level(log::parse_level(options.log_level));
    if (auto made = make_directories(options.data_directory, 0700); !made) return fail(std::move(made).error());
    auto store = Store::open(options.data_directory + "/ecs-local.db");
    if (!store) return fail(std::move(store).error());
    State state(**store, options.identity);
    if (auto loaded = state.load(); !loaded) return fail(std::move(loaded).error());
    create_clusters(state, options.clusters);

    Shard shard("local");
    SystemClock clock;
    ServerSettings settings;
    settings.address = options.address;
    settings.port = options.port;
    settings.access_key_id = options.access_key_id;
    settings.secret_access_key = options.secret_access_key;
    settings.fixtures = options.fixtures;
    Server server(shard.executor(), state, clock, std::move(settings));
    if (auto started = server.start(); !started) return fail(std::move(started).error());
    asio::signal_set signals(shard.context(), SIGINT, SIGTERM);
    Scope scope(shard.executor());
    scope.spawn(stop_on_signal(signals, server, shard));
    std::printf("ecs-local listening on http://%s:%u\n", options.address.c_str(), static_cast<unsigned>(server.port()));
    std::fflush(stdout);
    shard.run();
    return 0;
}

}  // namespace
}  // namespace nodeagent::local

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const auto options = nodeagent::local::parse_options(arguments);
    if (!options) return nodeagent::local::fail(options.error());
    if (options->help) {
        std::fputs(nodeagent::local::options_help().c_str(), stdout);
        return 0;
    }
    return nodeagent::local::run(*options);
}
