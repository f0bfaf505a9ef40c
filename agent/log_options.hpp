#pragma once
// Where and how the agent logs, as its configuration says.

#include <string>

#include "agent/base/log_sinks.hpp"
#include "agent/base/rotating_file.hpp"
#include "agent/config/config.hpp"

namespace nodeagent {

[[nodiscard]] log::SinkOptions sink_options(const config::Config& config);

/// Rolling as ECS_LOG_ROLLOVER_TYPE, ECS_LOG_MAX_FILE_SIZE_MB and ECS_LOG_MAX_ROLL_COUNT say; shared by log and audit
/// log.
[[nodiscard]] RotatingFileOptions log_file_options(const config::Config& config, const std::string& path);

}  // namespace nodeagent
