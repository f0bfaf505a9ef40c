#pragma once
// The network of each container: a pinned namespace, an address from the CNI plugins, published ports. Calls block
// (plugins and iptables are run); any thread, but one at a time for each container.
//
//   attach: ports taken -> record written -> namespace pinned -> bridge plugin ADD -> DNAT rules -> record completed
//   detach: the same backwards; whatever of it is missing is no error, so it also ends an attach that broke off

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agent/base/json.hpp"
#include "runtime/containerd/network/attachment.hpp"
#include "runtime/containerd/network/bridge.hpp"
#include "runtime/containerd/network/cni.hpp"
#include "runtime/containerd/network/host_ports.hpp"

namespace nodeagent::runtime::containerd {

struct NetworkOptions {
    std::string folder;           ///< records, leases of addresses, the chosen subnet; the agent's alone
    std::string bridge = "ecs0";  ///< at most 15 bytes; made when it is needed
    std::string subnet{};  ///< IPv4, "10.1.0.0/16"; "": the saved one, else one that no route of the host overlaps
    std::vector<std::string> plugin_folders{"/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"};
    std::string netns_folder = "/run/netns";
    /// Mount namespace to pin network namespaces in: containerd's, when a service manager gave the agent one of its own
    /// whose mounts nobody else sees ("/proc/1/ns/mnt"). "": the agent's.
    std::string mount_namespace{};
    std::uint16_t dynamic_first = 0,
                  dynamic_last = 0;  ///< host ports for dynamic mappings; 0: the kernel's ephemeral range
    int mtu = 0;                     ///< of containers' interfaces; 0: the kernel's default
};

/// "" and "default" are "bridge", as in Docker; "host", "none", "container:<id>" stay.
[[nodiscard]] std::string network_mode(const Json& host_config);

class Networks {
  public:
    explicit Networks(NetworkOptions options);

    /// Where attach() pins the namespace of that container: goes into the OCI document. Modes host and container:<id>
    /// pin none.
    [[nodiscard]] std::string netns_path(const std::string& id) const;

    /// Repeatable, also after a crash at any point; an attached container gets the same answer again. `name` is
    /// the container's, for errors. Mode container:<id> wants the id of a container with a namespace of its own; one in
    /// mode host has none, and the caller treats its followers as mode host. Errors: Conflict when a host port is
    /// taken, in Docker's words; Malformed for a port that is none; NotFound names the Debian package that lacks.
    Result<Attachment> attach(const std::string& id, const Json& config, const Json& host_config,
                              const std::string& name = {});

    /// Everything of that container. Absent is fine.
    Result<void> detach(const std::string& id);

    /// After a start of the agent or of containerd: takes the ports of running containers again, restores their rules,
    /// and removes namespaces, leases and rules of containers that neither run nor were attached by this object.
    /// What fails is logged.
    void reconcile(const std::set<std::string>& running_ids);

  private:
    Result<Attachment> attach_bridge(const std::string& id, const Json& config, const Json& host_config,
                                     const std::string& name);
    Result<Attachment> connect(AttachmentRecord& record, const Json& config);
    [[nodiscard]] Json network_list(const Subnet& subnet) const;
    [[nodiscard]] CniCall plugin_call(const std::string& id) const;
    bool is_own(const std::string& id);
    void remove_stray_namespaces(const std::function<bool(const std::string& id)>& kept);
    void remove_leases(const std::function<bool(const std::string& owner)>& unwanted);

    NetworkOptions options_;
    Cni cni_;
    AttachmentStore records_;
    HostPorts ports_;
    Bridge bridge_;
    std::mutex mutex_;
    std::set<std::string> own_;  ///< attached, or about to be, by this object
};

}  // namespace nodeagent::runtime::containerd
