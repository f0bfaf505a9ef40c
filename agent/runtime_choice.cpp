#include "agent/runtime_choice.hpp"

#include <unistd.h>

#include <utility>
#include <vector>

#include "agent/base/backoff.hpp"
#include "agent/base/log.hpp"
#include "agent/client_options.hpp"
#include "agent/engine/pause_image.hpp"
#include "runtime/containerd/backend.hpp"
#include "runtime/containerd/module.hpp"
#include "runtime/containerd/options.hpp"
#include "runtime/docker/backend.hpp"

namespace nodeagent {

namespace {

using namespace std::chrono_literals;
using config::ContainerRuntime;

/// How long a Docker that has a socket and does not answer keeps containerd from being chosen.
constexpr auto kDockerMayStart = 10s;

Result<Runtime> make_docker(asio::any_io_executor shard, const config::Environment& environment,
                            const config::Config& config) {
    auto backend = runtime::docker::make_backend(std::move(shard), docker_options(environment, config));
    if (!backend) return with_context("use Docker at " + config.docker_host, std::move(backend).error());
    return Runtime{.backend = *std::move(backend), .name = "Docker", .address = config.docker_host};
}

Result<Runtime> make_containerd(asio::any_io_executor shard, const config::Environment& environment,
                                const config::Config& config) {
    const std::string socket = socket_path(config.containerd_address);
    const auto places = runtime::containerd::module_places(engine::own_program());
    auto client = runtime::containerd::load_client(places, socket, config.containerd_namespace);
    if (!client) return with_context("use containerd at " + socket, std::move(client).error());
    auto options = containerd_options(environment, config);
    if (!options) return with_context("use containerd at " + socket, std::move(options).error());
    return Runtime{
        .backend = runtime::containerd::make_backend(std::move(shard), *std::move(client), *std::move(options)),
        .name = "containerd",
        .address = socket};
}

std::string remedy(const Runtime& runtime) {
    return runtime.name == "Docker" ? "systemctl start docker, or set DOCKER_HOST"
                                    : "systemctl start containerd, or set ECS_CONTAINERD_ADDRESS";
}

}  // namespace

Result<Runtime> make_runtime(ContainerRuntime which, asio::any_io_executor shard,
                             const config::Environment& environment, const config::Config& config) {
    if (which == ContainerRuntime::Containerd) return make_containerd(std::move(shard), environment, config);
    return make_docker(std::move(shard), environment, config);
}

asio::awaitable<OrEnding<FoundRuntime>> find_runtime(asio::any_io_executor shard, config::Environment environment,
                                                     config::Config config, Clock& clock,
                                                     std::function<void(std::string)> waiting_for) {
    std::vector<ContainerRuntime> wanted{config.runtime};
    if (config.runtime == ContainerRuntime::Auto) wanted = {ContainerRuntime::Docker, ContainerRuntime::Containerd};
    std::vector<Runtime> runtimes;
    std::string names;
    for (const ContainerRuntime which : wanted) {
        auto made = make_runtime(which, shard, environment, config);
        if (made) {
            names += (names.empty() ? "" : " or ") + made->name + " at " + made->address;
            runtimes.push_back(*std::move(made));
            continue;
        }
        // without the module, auto is Docker
        const bool other = config.runtime == ContainerRuntime::Auto && which == ContainerRuntime::Containerd;
        if (!other) co_return Ending{kExitRecoverable, made.error().what};
        log::info("containerd is not considered", {{"reason", made.error().what}});
    }
    waiting_for(names);
    const auto began = clock.now().steady;
    Backoff backoff({.min = 250ms, .max = 30s, .jitter = 0.2, .multiplier = 1.5});
    for (bool told = false;; told = true) {
        for (Runtime& candidate : runtimes) {
            const bool second = &candidate != &runtimes.front();
            const bool docker_may_come = ::access(socket_path(config.docker_host).c_str(), F_OK) == 0;
            if (second && docker_may_come && clock.now().steady - began < kDockerMayStart) continue;
            auto found = co_await candidate.backend->probe();
            if (found) co_return FoundRuntime{.runtime = std::move(candidate), .capabilities = *std::move(found)};
            if (!told) {
                log::error(
                    "the container runtime does not answer; waiting for it",
                    {{"endpoint", candidate.address}, {"error", found.error().what}, {"remedy", remedy(candidate)}});
            }
        }
        const bool in_doubt = runtimes.size() > 1 && clock.now().steady - began < kDockerMayStart;
        co_await clock.sleep_for(in_doubt ? std::chrono::nanoseconds(500ms) : backoff.next());
    }
}

}  // namespace nodeagent
