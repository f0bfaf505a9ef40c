#pragma once
// What a takeover will change, for --check-config, before anything has changed.

#include <string>

#include "agent/base/error.hpp"
#include "agent/takeover/source.hpp"

namespace nodeagent::takeover {

struct Report {
    bool good = true;  ///< false: the agent would not start (exit 5)
    std::string text;  ///< lines, each ended
};

/// Reads, changes nothing. `cluster` is that of the settings, "" the default one; `own_state`: this agent has state of
/// its own in `data_dir` and would go on with that. Empty text: there is nothing of the reference.
[[nodiscard]] Report report(const std::string& data_dir, const std::string& cluster, bool own_state,
                            const core::Identity& identity);

}  // namespace nodeagent::takeover
