#pragma once
// The module with gRPC in it, loaded when containerd is the runtime: a Docker host does not pay for its libraries.

#include <memory>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "runtime/containerd/client.hpp"

namespace nodeagent::runtime::containerd {

/// Changes with client.hpp: an agent and a module of different builds refuse each other.
inline constexpr int kModuleContract = 2;
inline constexpr const char* kModuleFile = "ecs-containerd.so";

/// Where the module of the program at `program` may be: beside it, and in ../libexec/ecs-node-agent.
[[nodiscard]] std::vector<std::string> module_places(const std::string& program);

/// A client of the daemon at `socket` (a path) in `name_space`; nothing is connected yet. The module stays loaded as
/// long as the process. NotFound when none of the places has it, Internal when it or its libraries cannot be loaded.
[[nodiscard]] Result<std::shared_ptr<Client>> load_client(const std::vector<std::string>& places,
                                                          const std::string& socket, const std::string& name_space);

}  // namespace nodeagent::runtime::containerd
