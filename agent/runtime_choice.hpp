#pragma once
// Which container runtime this agent works with, and what it is.

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>

#include "agent/base/clock.hpp"
#include "agent/config/config.hpp"
#include "agent/config/environment.hpp"
#include "agent/ending.hpp"
#include "runtime/backend.hpp"

namespace nodeagent {

struct Runtime {
    std::unique_ptr<runtime::Backend> backend;
    std::string name;     ///< "Docker", "containerd": for people
    std::string address;  ///< where it is asked
};

/// The runtime of the settings, not asked yet; ECS_RUNTIME=auto means the given one.
[[nodiscard]] Result<Runtime> make_runtime(config::ContainerRuntime which, asio::any_io_executor shard,
                                           const config::Environment& environment, const config::Config& config);

struct FoundRuntime {
    Runtime runtime;
    runtime::Capabilities capabilities;
};

/// Waits until it answers: Docker or containerd may start after us, or restart. With ECS_RUNTIME=auto that is Docker
/// where it answers, else containerd where Docker has no socket or has not answered for ten seconds. `waiting_for` is
/// called with what is waited for. Ends (1) only for what waiting cannot mend.
asio::awaitable<OrEnding<FoundRuntime>> find_runtime(asio::any_io_executor shard, config::Environment environment,
                                                     config::Config config, Clock& clock,
                                                     std::function<void(std::string)> waiting_for);

}  // namespace nodeagent
