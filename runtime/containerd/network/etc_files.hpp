#pragma once
// /etc/hosts, /etc/hostname and /etc/resolv.conf of a container, byte for byte as Docker 20.10 writes them
// (containerd.md 10.3), and what legacy links add.

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "agent/base/error.hpp"

namespace nodeagent::runtime::containerd {

/// A container whose name another one is to know.
struct LinkedContainer {
    std::string alias;
    std::string name;
    std::string hostname;
    std::string ipv4;
    std::vector<std::string> env;
    std::vector<std::string> exposed_ports;  ///< "80/tcp"
};

/// `host` is the host's own file for network mode "host", which is copied; "" otherwise. `extra`: HostConfig's
/// ExtraHosts.
[[nodiscard]] std::string hosts_file(std::string_view host, const std::vector<std::string>& extra,
                                     const std::string& hostname, const std::string& domainname,
                                     const std::string& ipv4, const std::vector<LinkedContainer>& links);

struct DnsSettings {
    std::vector<std::string> servers, search, options;  ///< HostConfig's Dns, DnsSearch, DnsOptions
    bool host_network = false;                          ///< the host's servers stay, also those on loopback
};
/// `host` is the host's file. Servers on loopback cannot be reached from a network of the container's own and are left
/// out; if none stays, 8.8.8.8 and 8.8.4.4.
[[nodiscard]] std::string resolv_conf(std::string_view host, const DnsSettings& settings);

/// The variables that Docker gives a container for its links.
[[nodiscard]] std::vector<std::string> link_environment(const std::string& container_name,
                                                        const std::vector<LinkedContainer>& links);

/// Writes the three into `folder`, which is there. They are changed in place: a container that has one mounted sees it.
[[nodiscard]] Result<void> write_etc_files(const std::string& folder, const nlohmann::json& config,
                                           const nlohmann::json& host_config, const std::string& hostname,
                                           const std::string& ipv4, const std::vector<LinkedContainer>& links);

}  // namespace nodeagent::runtime::containerd
