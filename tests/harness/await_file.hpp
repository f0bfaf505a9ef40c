#pragma once
// Waiting for what a container writes into a folder that it shares with the test.

#include <chrono>
#include <string>

namespace nodeagent::harness {

/// Returns when `path` exists, false after `limit`. Its folder exists already; what is to be read whole is renamed there.
[[nodiscard]] bool await_file(const std::string& path, std::chrono::milliseconds limit);

}  // namespace nodeagent::harness
