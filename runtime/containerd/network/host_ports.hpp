#pragma once
// The host ports of running containers, each held by a socket as Docker's proxy holds it: no other process of the host
// gets one, and `ss` shows them. Traffic does not reach these sockets; the packet filter leads it to the container.
// A listening one of TCP accepts nothing, so what the packet filter did not lead away waits instead of being served.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/fd.hpp"
#include "runtime/containerd/network/port_wishes.hpp"
#include "runtime/types.hpp"

namespace nodeagent::runtime::containerd {

class HostPorts {
  public:
    /// The range for dynamic ports; 0, 0: the kernel's ip_local_port_range as it is then.
    HostPorts(std::uint16_t first, std::uint16_t last);

    /// All or none, in the order of the wishes. Conflict in Docker's words, after "driver failed programming external
    /// connectivity on endpoint <name> (<id>): ". What the id held before is given back first.
    Result<std::vector<PortBinding>> take(const std::string& id, const std::string& name,
                                          const std::vector<PortWish>& wishes);
    /// After a restart of the agent: those very ports. The first error; the others are taken.
    Result<void> take_again(const std::string& id, const std::vector<PortBinding>& ports);
    void release(const std::string& id);
    [[nodiscard]] bool holds(const std::string& id);

  private:
    struct Held {
        std::string id;
        PortBinding port;
        Fd socket;  ///< none for a protocol that this kernel has no sockets of
    };
    enum class Attempt : std::uint8_t { Taken, Allocated, InUse };
    struct Outcome {
        Attempt attempt = Attempt::Taken;
        std::string error{};
    };
    Outcome hold(const std::string& id, const PortBinding& port);
    Outcome hold_any(const std::string& id, const PortWish& wish, PortBinding& port);

    std::uint16_t first_, last_;
    std::uint16_t next_ = 0;  ///< where the search in the dynamic range goes on: a port just given back rests
    std::mutex mutex_;
    std::vector<Held> held_;
};

}  // namespace nodeagent::runtime::containerd
