#pragma once
// What --check-config says of this host beyond the settings: would the agent get on with its data directory and Docker?

#include <string>

#include "agent/base/error.hpp"
#include "runtime/types.hpp"

namespace nodeagent {

struct HostCheck {
    bool good = false;
    std::string text;  ///< one line, with the remedy when it is not good
};

/// Changes nothing: neither makes the directory nor opens the state in it.
[[nodiscard]] HostCheck check_data_directory(const std::string& path);
/// Whether this agent has been a container instance or has tasks, by its state in `path`; true when that cannot be
/// told. Reads a copy, because a database that is opened changes.
[[nodiscard]] bool has_own_state(const std::string& path);
/// `name` is that of the runtime for people: "Docker", "containerd".
[[nodiscard]] HostCheck check_runtime(const std::string& name, const std::string& address,
                                      const Result<runtime::Capabilities>& found);

}  // namespace nodeagent
