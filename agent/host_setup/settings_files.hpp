#pragma once
// The files from which a service manager gives the agent its environment. Whoever runs `ecs-node-agent host-setup` by
// hand has them not in his, and means them all the same.

#include <string_view>

#include "agent/config/environment.hpp"

namespace nodeagent::host_setup {

/// NAME=value lines: white space around both goes, one pair of quotes around a value, lines that begin with # or ;.
[[nodiscard]] config::Environment read_settings(std::string_view text);

/// `environment` with what /etc/ecs/ecs.config and then /var/lib/ecs/ecs.config have and it has not.
[[nodiscard]] config::Environment with_settings_files(config::Environment environment);

}  // namespace nodeagent::host_setup
