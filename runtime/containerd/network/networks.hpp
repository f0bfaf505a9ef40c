#pragma once
// Networks of containers: a namespace of their own each, on a bridge of this agent's through CNI plugins, or with
// nothing but lo. What is there is on the host and in files, not in memory: an agent that starts finds it. Blocking,
// any thread, one at a time for each container.
//
// The bridge plugin, with host-local addresses, connects a container; portmap publishes its ports where it has some.
// What other chains do per container with further plugins (masquerading, firewall) is done once for the bridge
// (bridge_rules).

#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "agent/base/error.hpp"
#include "runtime/containerd/network/host_ports.hpp"
#include "runtime/types.hpp"

namespace nodeagent::runtime::containerd {

struct NetworkOptions {
    std::string folder;           ///< for what is kept: subnet, addresses, attachments; made when it is needed
    std::string bridge = "ecs0";  ///< at most 15 bytes
    std::string subnet;           ///< "": chosen once
    std::vector<std::string> plugin_folders{"/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"};
    std::string netns_folder = "/run/netns";
};

struct Attachment {
    std::string mode;  ///< "bridge", "none"
    std::string ipv4, gateway, mac;
    std::vector<PortBinding> ports;
};

class Networks {
  public:
    explicit Networks(NetworkOptions options) : options_(std::move(options)) {}

    /// Where the container's namespace will be: known before there is one, so that OCI documents can name it.
    [[nodiscard]] std::string netns_path(const std::string& id) const;
    /// By HostConfig's NetworkMode: "none", or the bridge for "", "default" and "bridge". `name` is for error texts.
    /// What an attach that broke off has left is removed first.
    Result<Attachment> attach(const std::string& id, const std::string& name, const nlohmann::json& host_config);
    /// Everything of it; an absent one is fine.
    Result<void> detach(const std::string& id);
    /// After a start of the agent: takes the ports of these containers again, and off the host what others have left.
    void reconcile(const std::set<std::string>& attached);

  private:
    struct Kept {  // of an attachment, in a file
        std::string name;
        std::string mode = "bridge";
        std::vector<PortBinding> ports;
        nlohmann::json result;  ///< of the bridge plugin; null: it was not called, or did not answer
    };
    Result<Attachment> connect(const std::string& id, Kept kept);
    Result<void> disconnect(const std::string& id, const Kept& kept);
    Result<std::string> bridge_ready();
    [[nodiscard]] nlohmann::json bridge_config(const std::string& subnet) const;
    [[nodiscard]] nlohmann::json portmap_config(const Kept& kept) const;
    [[nodiscard]] std::string file_of(const std::string& id) const;
    [[nodiscard]] std::optional<Kept> kept_of(const std::string& id) const;
    Result<void> keep(const std::string& id, const Kept& kept) const;

    NetworkOptions options_;
    HostPorts ports_;
    std::mutex bridge_mutex_;
    std::string subnet_;  ///< once the bridge's rules are set
    std::mutex mutex_;
    std::set<std::string> ours_;  ///< attached by this process, or about to be
};

}  // namespace nodeagent::runtime::containerd
