#pragma once
// Docker's legacy links: what a container sees of another one it names in HostConfig.Links.

#include <string>
#include <vector>

namespace nodeagent::runtime::containerd {

struct LinkedContainer {
    std::string alias;  ///< under which the linking container knows it
    std::string name;   ///< the container's own, without "/"
    std::string hostname;
    std::string ipv4;
    std::vector<std::string> env;            ///< "NAME=value", of its configuration
    std::vector<std::string> exposed_ports;  ///< "80/tcp"; those of the image too
};

/// Variables that Docker 20.10 gives the linking container, in its order: DB_PORT=tcp://172.18.0.2:5432, ...
/// `name` is the linking container's.
[[nodiscard]] std::vector<std::string> link_environment(const std::string& name,
                                                        const std::vector<LinkedContainer>& links);

/// The line's names in /etc/hosts: alias, hostname, and the name where it is another: "db 3f1a2b ecs-db".
[[nodiscard]] std::string link_host_names(const LinkedContainer& link);

}  // namespace nodeagent::runtime::containerd
