#pragma once
// Names of layers' snapshots. Pure. containerd.md 3.

#include <string>
#include <vector>

namespace nodeagent::runtime::containerd {

/// Of each layer, lowest first: the digest of everything up to and with it. `diff_ids` are digests ("sha256:...").
[[nodiscard]] std::vector<std::string> chain_ids(const std::vector<std::string>& diff_ids);

}  // namespace nodeagent::runtime::containerd
