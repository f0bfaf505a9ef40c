#pragma once
// The composition root: builds every object in order, starts them, waits for an ending, stops them in reverse.

#include "agent/config/command_line.hpp"
#include "agent/config/environment.hpp"

namespace nodeagent {

/// The daemon from start to end; returns the process's exit code (control-plane.md 10): 0 after a signal, 1 for what a
/// restart may cure, 5 for what it cannot.
[[nodiscard]] int run_agent(const config::CommandLine& flags, const config::Environment& environment);

}  // namespace nodeagent
