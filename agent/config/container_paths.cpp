#include "agent/config/container_paths.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace nodeagent::config {

namespace {

// host.md 0
constexpr std::array kMounts{
    std::pair{std::string_view("/data"), std::string_view("/var/lib/ecs/data")},
    std::pair{std::string_view("/log"), std::string_view("/var/log/ecs")},
    std::pair{std::string_view("/managed-agents"), std::string_view("/var/lib/ecs/deps")},
    std::pair{std::string_view("/rotatingcreds"), std::string_view("/root/.aws")},
    std::pair{std::string_view("/host/proc"), std::string_view("/proc")},
};
constexpr const char* kOwnState = "/data/ecs-node-agent.db";
constexpr std::array kStateOnHost{"/var/lib/ecs/data/agent.db", "/var/lib/ecs/data/agent.db.migrated",
                                  "/var/lib/ecs/data/ecs-node-agent.db"};

}  // namespace

ContainerPaths::ContainerPaths(std::function<bool(const std::string&)> is_there, bool in_container)
    : is_there_(std::move(is_there)), in_container_(in_container) {}

std::optional<std::string> ContainerPaths::on_host(std::string_view path) const {
    if (in_container_) return std::nullopt;
    for (const auto& [container, host] : kMounts) {
        const bool below =
            path.starts_with(container) && (path.size() == container.size() || path[container.size()] == '/');
        if (!below) continue;
        if (is_there_(std::string(container))) {
            const bool state_on_host = std::any_of(kStateOnHost.begin(), kStateOnHost.end(), is_there_);
            if (!state_on_host || is_there_(kOwnState)) return std::nullopt;
        }
        return std::string(host) + std::string(path.substr(container.size()));
    }
    return std::nullopt;
}

}  // namespace nodeagent::config
