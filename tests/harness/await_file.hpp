#pragma once
// Waiting for what a container writes into a folder that it shares with the test.

#include <chrono>
#include <string>

namespace nodeagent::harness {

/// Returns when `path` exists, false after `limit`. Its folder is there already; what is to be read whole is renamed
/// into it.
[[nodiscard]] bool await_file(const std::string& path, std::chrono::milliseconds limit);

}  // namespace nodeagent::harness
