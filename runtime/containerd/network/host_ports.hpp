#pragma once
// Ports of this host that containers publish. Each is held by a socket while its container runs: no other process can
// take it, `ss` shows it, and two containers that want one port are told apart from one that some other process has.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/base/error.hpp"
#include "agent/base/fd.hpp"
#include "runtime/types.hpp"

namespace nodeagent::runtime::containerd {

/// What HostConfig's PortBindings ask for; a host port of 0: any. Malformed for what is no port.
[[nodiscard]] Result<std::vector<PortBinding>> wanted_ports(const nlohmann::json& host_config);

class HostPorts {
  public:
    /// All or none; fills in the ports that were 0. Conflict, in Docker's words, when one is taken. What `id` holds
    /// already stays.
    Result<void> take(const std::string& id, const std::string& name, std::vector<PortBinding>& ports);
    void release(const std::string& id);

  private:
    struct Held {
        std::string id;
        Fd socket;
    };
    using Key = std::tuple<std::string, std::string, std::uint16_t>;  ///< protocol, address, port
    std::mutex mutex_;
    std::map<Key, Held> held_;
};

}  // namespace nodeagent::runtime::containerd
