#pragma once
// Waiting that a stop ends.

#include <chrono>
#include <stop_token>

namespace nodeagent::runtime::registry {

/// Whether the whole time passed.
bool pause_for(std::chrono::nanoseconds duration, const std::stop_token& stop);

}  // namespace nodeagent::runtime::registry
