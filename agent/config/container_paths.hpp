#pragma once
// Paths of the reference's container in settings that were carried over: ecs-init mounts directories of the host there
// (host.md 0), and this agent runs on the host.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace nodeagent::config {

class ContainerPaths {
  public:
    /// `is_there`: whether a path exists on this host. `in_container`: this agent has such a container of its own
    /// (ECS_HOST_DATA_DIR is set), whose paths are what they say.
    ContainerPaths(std::function<bool(const std::string& path)> is_there, bool in_container);

    /// The host's path for one of the reference's container; nothing for any other, and where the host has a directory
    /// of that name itself: unless the reference's or this agent's state is in /var/lib/ecs/data and not there.
    [[nodiscard]] std::optional<std::string> on_host(std::string_view path) const;

  private:
    std::function<bool(const std::string&)> is_there_;
    bool in_container_;
};

}  // namespace nodeagent::config
