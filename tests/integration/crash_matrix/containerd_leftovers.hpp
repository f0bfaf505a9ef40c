#pragma once
// What of tasks is still in a lane's containerd, in the agent's folders and on the host: nothing in the end but the
// image, leases that expire, the bridge and the agent's own chains of rules.

#include <cstdint>
#include <string>

#include "runtime/containerd/client.hpp"

namespace nodeagent::crash_matrix {

struct ContainerdPlaces {
    runtime::containerd::Client* client = nullptr;
    std::string agent_data;  ///< the agent's folder for containers on containerd
    bool agent_was_killed = false;
    std::string state;             ///< containerd's own, with the roots of running containers
    std::uintmax_t log_begin = 0;  ///< where what containerd logs of this cell begins
};

/// "" when nothing is left; throws when containerd cannot be asked.
std::string containerd_leftovers(const ContainerdPlaces& places);
void clear_containerd_leftovers(const ContainerdPlaces& places);

}  // namespace nodeagent::crash_matrix
