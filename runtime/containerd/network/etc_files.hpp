#pragma once
// /etc/hosts, /etc/hostname and /etc/resolv.conf of a container, byte for byte as Docker 20.10 writes them.

#include <string>
#include <vector>

#include "agent/base/error.hpp"
#include "agent/base/json.hpp"
#include "runtime/containerd/network/links.hpp"

namespace nodeagent::runtime::containerd {

struct EtcFiles {
    std::string hosts, hostname, resolv_conf;  ///< paths
};

/// Writes the three into `folder`, which is made. `ipv4` "" for modes without an address of the container's own.
/// `gateway` is what ExtraHosts' "host-gateway" stands for; Malformed where one is asked for and there is none. Mode
/// host has copies of the host's files, but for what it adds to one; one with container:<id> has that container's, and
/// is not for here.
Result<EtcFiles> write_etc_files(const std::string& folder, const Json& config, const Json& host_config,
                                 const std::string& hostname, const std::string& ipv4,
                                 const std::vector<LinkedContainer>& links, const std::string& gateway = {});

// ---- the contents, pure

struct HostsFile {
    std::vector<std::string> extra{};  ///< "name:address", as in ExtraHosts
    std::string ipv4{}, hostname{}, domainname{}, gateway{};
    std::vector<LinkedContainer> links{};
};
Result<std::string> hosts_file(const HostsFile& file);

struct ResolverWishes {
    std::vector<std::string> servers{}, search{}, options{};
    [[nodiscard]] bool empty() const { return servers.empty() && search.empty() && options.empty(); }
};
/// From the host's resolv.conf: its lines without loopback and IPv6 servers, and public ones when none is left. With a
/// wish, a new file of the wishes, and of the host's for what is not wished.
[[nodiscard]] std::string resolv_conf(const std::string& host, const ResolverWishes& wishes);
/// Whether 127.0.0.53 is its only server: systemd-resolved's, whose own file names the real ones.
[[nodiscard]] bool only_names_resolved(const std::string& resolv_conf);

}  // namespace nodeagent::runtime::containerd
