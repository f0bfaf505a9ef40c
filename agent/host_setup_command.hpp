#pragma once
// `ecs-node-agent host-setup`, and the same done by the agent itself (ECS_HOST_SETUP).

#include "agent/config/command_line.hpp"
#include "agent/config/environment.hpp"
#include "agent/host_setup/outcome.hpp"

namespace nodeagent {

/// What the settings ask for, completed by what Docker and the host say. `silence` is why Docker did not name its
/// bridge, "" when it did or was not asked: docker0 is then assumed. Blocks, for Docker up to 5 s.
struct AskedWishes {
    host_setup::Wishes wishes;
    std::string silence;
};
[[nodiscard]] AskedWishes host_setup_wishes(const config::Config& config, const config::Environment& environment);

/// Applies them and leaves the outcome for `ecs-node status`. Blocks for as long as iptables takes, a minute at worst.
host_setup::Outcome set_up_host(const config::Config& config, const config::Environment& environment);

/// The command with its flags; returns the exit code: 0 all is right, 1 something is not, and it is printed.
[[nodiscard]] int run_host_setup(const config::CommandLine& flags, const config::Environment& environment);

/// --help of it.
[[nodiscard]] std::string host_setup_help();

}  // namespace nodeagent
