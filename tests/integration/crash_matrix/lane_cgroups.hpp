#pragma once
// Cgroups of a lane's own. An agent removes cgroups of tasks that it does not know when it starts; without this they
// would be those of the other lanes.

#include <string>

namespace nodeagent::crash_matrix {

/// Puts the caller into new cgroups of this name, one in each hierarchy, and makes them the roots that it and what it
/// starts see below /sys/fs/cgroup. In a mount namespace of its own. Throws std::runtime_error with the cause.
void enter_own_cgroups(const std::string& name);
/// Removes those again, with all in them, once nothing is left that runs there. By who still sees the whole
/// hierarchies.
void remove_own_cgroups(const std::string& name);

}  // namespace nodeagent::crash_matrix
