#pragma once
// The bridge of this host's containers: made once, with its subnet, its sysctls and the packet filter's rules.

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "runtime/containerd/network/packet_filter.hpp"
#include "runtime/containerd/network/subnet.hpp"
#include "runtime/types.hpp"

namespace nodeagent::runtime::containerd {

class Bridge {
  public:
    /// `folder`: keeps the chosen subnet. `subnet`: "" choose.
    Bridge(std::string name, std::string subnet, std::string folder);

    /// Sees to it that everything is there; cheap when it was. Its subnet. Any thread.
    Result<Subnet> ensure();

    Result<void> publish(const std::string& id, const std::string& ipv4, const std::vector<PortBinding>& ports);
    /// Also when the rules are not there, or only some.
    Result<void> unpublish(const std::string& id, const std::string& ipv4, const std::vector<PortBinding>& ports);

    struct Published {
        std::string id, ipv4;
        std::vector<PortBinding> ports;
    };
    /// The rules of published ports become these; those of ids that are `untouched` stay as they are.
    Result<void> restore(const std::vector<Published>& wanted,
                         const std::function<bool(const std::string& id)>& untouched);

  private:
    Result<Subnet> subnet();
    Result<Subnet> free_subnet(const std::optional<Subnet>& preferred);
    Result<void> make(const Subnet& subnet);

    std::string name_, setting_, folder_;
    PacketFilter filter_;
    std::mutex mutex_;
    std::optional<Subnet> ready_;  ///< the rules are there since this process looked
};

}  // namespace nodeagent::runtime::containerd
