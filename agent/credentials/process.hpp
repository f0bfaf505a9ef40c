#pragma once
// Runs a credential_process. Blocks: for the pool.

#include <chrono>
#include <string>

#include "agent/base/error.hpp"

namespace nodeagent::credentials {

/// Standard output of `sh -c command`, at most 64 KiB; standard error goes to ours. Timeout kills the process group.
[[nodiscard]] Result<std::string> output_of(const std::string& command, std::chrono::milliseconds timeout);

}  // namespace nodeagent::credentials
