#pragma once
// The flags that print something and end: -version, -license, -healthcheck, --help, --check-config, --settings-table,
// and the word host-setup.

#include <string>

#include "agent/config/command_line.hpp"
#include "agent/config/environment.hpp"

namespace nodeagent {

/// Returns the exit code (config.md 4).
[[nodiscard]] int run_command(const config::CommandLine& flags, const config::Environment& environment);

/// What -license and the introspection endpoint's /license show: ours, and the licences of what is built in.
[[nodiscard]] std::string license_text();

}  // namespace nodeagent
