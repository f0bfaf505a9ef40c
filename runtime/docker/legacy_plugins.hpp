#pragma once
// Volume plugins that are programs of the host rather than managed by the daemon; they announce themselves by files.

#include <string>
#include <vector>

namespace nodeagent::runtime::docker {

struct PluginFolders {
    std::string sockets = "/run/docker/plugins";  ///< <name>.sock or <name>/<name>.sock
    std::vector<std::string> specs{"/etc/docker/plugins", "/usr/lib/docker/plugins"};  ///< <name>.spec, <name>.json
};

/// Their names, ':' as '.', sorted, each once.
[[nodiscard]] std::vector<std::string> legacy_volume_plugins(const PluginFolders& folders);

}  // namespace nodeagent::runtime::docker
